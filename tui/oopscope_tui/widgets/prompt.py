"""The one prompt, in place of the key line: for a search, a filter, a place to go, a file to write.

The app hands it every key while it is open, in the order in which they came: nothing typed ahead is lost, and no
letter of a word meant for the prompt is ever taken for a command.
"""

from typing import Literal

from rich.segment import Segment

from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, crop
from oopscope_tui.widgets.chrome import Bar

Kind = Literal["search", "filter", "goto", "write", "answer"]
Outcome = Literal["changed", "done", "cancelled", ""]
LABELS: dict[str, str] = {"search": " /", "filter": " filter: ", "goto": " :", "write": " write to: ",
                          "answer": " answer: "}  # fmt: skip
HINTS: dict[str, str] = {
    "filter": "a word, -word, column:value, column>100M",
    "goto": "a pane, PID, name, symbol or command",
    "write": "ending: .txt .csv .json .md .html .svg",
}
LEAVE = ("escape", "ctrl+g", "ctrl+c")  # elsewhere Ctrl-C quits; of a prompt less and vim leave only that
REMEMBERED = 50
MOST = 1000  # characters


class Prompt(Bar):
    """A line of text with a cursor; what was typed before comes back with the arrow keys."""

    def __init__(self) -> None:
        super().__init__()
        self.kind: Kind = "search"
        self.text = ""
        self.at = 0  # the cursor, in characters
        self.is_open = False
        self.offer = ""  # what Tab makes of the text
        self._before: dict[str, list[str]] = {}
        self._recalled = 0
        self.display = False

    def open(self, kind: Kind, text: str) -> None:
        """Begin with a text."""
        self.kind, self.text, self.at, self.offer = kind, text, len(text), ""
        self._recalled = len(self._before.get(kind, ()))
        self.is_open = self.display = True
        self.refresh()

    def set(self, text: str) -> None:
        """Put another text in the place of what was typed."""
        self.text, self.at = text, len(text)
        self.refresh()

    @property
    def recalling(self) -> bool:
        """Whether what stands there was typed before, and brought back."""
        return self._recalled < len(self._before.get(self.kind, ()))

    def lately(self, kind: Kind) -> list[str]:
        """Return what was typed before, the last first, each once."""
        return list(dict.fromkeys(reversed(self._before.get(kind, ()))))

    def close(self) -> None:
        """Go away, remembering the text."""
        before = self._before.setdefault(self.kind, [])
        if self.text and self.text not in before[-1:]:
            before.append(self.text)
            del before[:-REMEMBERED]
        self.is_open = self.display = False

    def key(self, key: str, character: str | None) -> Outcome:
        """Take a key and say what came of it."""
        if key == "enter":
            return "done"
        if key in LEAVE:
            return "cancelled"
        before = self.text
        edit = getattr(self, "_key_" + key.replace("+", "_"), None)
        if key not in ("up", "down"):
            self._recalled = len(self._before.get(self.kind, ()))
        if edit is not None:
            edit()
        elif character is not None and character.isprintable():
            self.insert(character)
        self.refresh()
        return "changed" if self.text != before else ""

    def insert(self, text: str) -> None:
        """Put text in at the cursor; of what is pasted the first line."""
        text = text.partition("\n")[0].replace("\r", "")[: MOST - len(self.text)]
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)
        self.refresh()

    def segments(self, width: int) -> list[Segment]:
        """Return label, text, cursor and, dim, what Tab would add."""
        label = LABELS[self.kind]
        room = max(4, width - len(label) - 1)
        before = clean(self.text[: self.at])
        start = max(0, cells(before) - room + 1)
        rest = clean(self.text[self.at :])
        under, after = (rest[:1], rest[1:]) if rest else (" ", "")
        shown = crop(before, start, cells(before) - start)
        ghost = self._completion()[len(self.text) :] if not rest else ""
        room = max(0, room - cells(shown) - cells(under))
        out = [Segment(label, theme.KEY), Segment(shown), Segment(ghost[:1] or under, theme.CURSOR)]
        if ghost:
            return [*out, Segment(crop(ghost, 1, room), theme.DIM)]
        hint = HINTS.get(self.kind, "")
        blank = room - cells(after) - cells(hint) - 1
        if not hint or blank < 1:
            return [*out, Segment(crop(after, 0, room))]
        return [*out, Segment(after + " " * blank), Segment(hint, theme.DIM)]

    def _completion(self) -> str:
        return self.offer if self.offer.lower().startswith(self.text.lower()) else self.text

    # Keys with a meaning of their own; the names are Textual's.

    def _key_tab(self) -> None:
        self.set(self.offer or self.text)

    def _key_backspace(self) -> None:
        if self.at:
            self.text = self.text[: self.at - 1] + self.text[self.at :]
            self.at -= 1

    _key_ctrl_h = _key_backspace

    def _key_delete(self) -> None:
        self.text = self.text[: self.at] + self.text[self.at + 1 :]

    def _key_left(self) -> None:
        self.at = max(0, self.at - 1)

    def _key_right(self) -> None:
        if self.at == len(self.text):
            self.set(self._completion())
        self.at = min(len(self.text), self.at + 1)

    def _key_home(self) -> None:
        self.at = 0

    _key_ctrl_a = _key_home

    def _key_end(self) -> None:
        self.at = len(self.text)

    _key_ctrl_e = _key_end

    def _key_ctrl_u(self) -> None:
        self.text, self.at = self.text[self.at :], 0

    def _key_ctrl_k(self) -> None:
        self.text = self.text[: self.at]

    def _key_ctrl_w(self) -> None:
        head = self.text[: self.at].rstrip()
        head = head[: head.rfind(" ") + 1]
        self.text, self.at = head + self.text[self.at :], len(head)

    def _key_up(self) -> None:
        self._recall(-1)

    def _key_down(self) -> None:
        self._recall(1)

    def _recall(self, step: int) -> None:
        before = self._before.get(self.kind, [])
        self._recalled = max(0, min(self._recalled + step, len(before)))
        self.text = before[self._recalled] if self._recalled < len(before) else ""
        self.at = len(self.text)
