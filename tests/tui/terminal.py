"""A terminal in a hundred lines: enough of ECMA-48 for what the screen writes, and strict about the rest."""

import re

from rich.cells import get_character_cell_size

_TOKEN = re.compile(
    r"\x1b\[([?<>=]?)([\d;]*)([$]?[A-Za-z])|\x1b([DM])|([\r\n])|([^\x1b\r\n])|\x1b\][^\x07]*\x07", re.DOTALL
)

_INK, _GROUND = re.compile(r"3[0-7]|9[0-7]"), re.compile(r"4[0-7]|10[0-7]")


def bare(codes: str) -> bool:
    """Return whether a space shows nothing in a style."""
    return not any(word in ("4", "7", "9", "21", "53") or _GROUND.fullmatch(word) for word in codes.split(";"))


def merged(codes: str, words: list[str]) -> str:
    """Return a style with more parameters: a colour stands in the place of the one before."""
    had = [word for word in codes.split(";") if word]
    for word in filter(None, words):
        for colour in (_INK, _GROUND):
            if colour.fullmatch(word):
                had = [one for one in had if not colour.fullmatch(one)]
        had.append(word)
    return ";".join(sorted(had, key=int))


class Terminal:
    """Cells of (character, SGR codes), a cursor, a scroll region."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.x = self.y = 0
        self.codes = ""
        self.region = (0, height - 1)
        self.sides = (0, width)  # left and right margins (DECSLRM), where mode 69 is on
        self.sided = False
        self.rows = [self._empty() for _ in range(height)]

    def _empty(self) -> list[tuple[str, str]]:
        return [(" ", "")] * self.width

    def feed(self, data: str) -> None:
        at = 0
        while at < len(data):
            match = _TOKEN.match(data, at)
            assert match, f"unknown sequence {data[at : at + 20]!r}"
            at = match.end()
            private, parameters, final, escape, line, char = match.groups()
            if char is not None:
                self._put(char)
            elif escape:
                self._index(1 if escape == "D" else -1)
            elif line:
                self.x = 0
                self._index(1) if line == "\n" else None
            elif final in ("h", "l") and private == "?" and parameters == "69":
                self.sided, self.sides = final == "h", (0, self.width)
            elif final and not private:
                self._control(final, [int(word) if word else 0 for word in parameters.split(";")], parameters)

    def _control(self, final: str, numbers: list[int], raw: str) -> None:
        if final == "H":
            self.y = min(max(numbers[0] - 1, 0), self.height - 1)
            self.x = min(max((numbers[1] if len(numbers) > 1 else 1) - 1, 0), self.width - 1)
        elif final == "G":
            self.x = min(max(numbers[0] - 1, 0), self.width - 1)
        elif final == "m":
            words = raw.split(";")
            if words[0] in ("", "0"):
                self.codes, words = "", words[1:]
            self.codes = merged(self.codes, words)
        elif final == "r":
            self.region = (numbers[0] - 1, numbers[1] - 1) if raw else (0, self.height - 1)
            self.x = self.y = 0
        elif final == "s":
            assert self.sided and 1 <= numbers[0] < numbers[1] <= self.width, "without mode 69 it saves the cursor"
            self.sides = (numbers[0] - 1, numbers[1])
            self.x = self.y = 0
        elif final == "K":
            start = 0 if numbers[0] == 2 else self.x
            assert bare(self.codes), "some terminals clear in the colours that are on, others do not"
            self.rows[self.y][start:] = [(" ", "")] * (self.width - start)
        elif final == "J":
            assert numbers == [2]
            self.rows = [self._empty() for _ in range(self.height)]
        else:
            raise AssertionError(f"unknown control {raw}{final}")

    def _index(self, step: int) -> None:
        (top, bottom), (left, right) = self.region, self.sides
        if not left <= self.x < right or self.y != (bottom if step > 0 else top):
            self.y = min(max(self.y + step, 0), self.height - 1)
            return
        block = [row[left:right] for row in self.rows[top : bottom + 1]]
        empty = [(" ", "")] * (right - left)
        for y, part in enumerate([*block[1:], empty] if step > 0 else [empty, *block[:-1]], top):
            self.rows[y] = [*self.rows[y][:left], *part, *self.rows[y][right:]]

    def _put(self, char: str) -> None:
        size = get_character_cell_size(char)
        row = self.rows[self.y]
        if size == 0:
            at = max(0, self.x - 1)
            while at and not row[at][0]:
                at -= 1
            row[at] = (row[at][0] + char, row[at][1])
            return
        if self.x + size > self.width:
            self.x = self.width - size  # no automatic wrap
        row[self.x] = (char, "" if char == " " and bare(self.codes) else self.codes)
        if size == 2:
            row[self.x + 1] = ("", self.codes)
        self.x += size

    @property
    def lines(self) -> list[str]:
        return ["".join(char for char, _ in row) for row in self.rows]
