"""The names of kallsyms: compressed by 256 tokens, in runs of 256 names with a marker for each run's start.

Follows scripts/kallsyms.c and kernel/kallsyms.c. A name is a length and that many bytes, each byte a token; the first
character of the expanded text is the symbol's type as nm prints it. Knows no addresses of symbols.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise

from oopscope.errors import Implausible
from oopscope.symbols.blob import Blob, Ints

RUN = 256
LETTERS = "TtDdBbRrAaVvWwNnUuCcGgIiSs-?"
TAIL = 3  # bytes at a compressed name's end; three tell a hundred thousand names apart well enough
SAMPLES = 16
MAX_NAME = 512  # KSYM_NAME_LEN since 6.1, and so the longest token or compressed name


class Tokens:
    """The 256 tokens, expanding names and compressing them as the kernel's build did."""

    def __init__(self, strings: Sequence[bytes]) -> None:
        self.strings = list(strings)
        self._pairs: list[tuple[str, str]] | None = None

    @classmethod
    def parse(cls, table: bytes, index: Sequence[int]) -> "Tokens":
        """Cut the token table at the 256 offsets of the token index; Implausible where they do not fit it."""
        strings = []
        for start in index:
            end = table.find(b"\0", start)
            if end < 0 or end - start > MAX_NAME or (start and table[start - 1]):
                raise Implausible(f"kallsyms: token offset {start:#x} is not the start of a string")
            strings.append(table[start:end])
        if len(strings) != 256 or list(index) != sorted(index) or index[0]:
            raise Implausible("kallsyms: the token index does not ascend from 0")
        return cls(strings)

    def expand(self, raw: bytes | bytearray) -> bytes:
        """Expand a compressed name: its type letter, then the name."""
        return b"".join(map(self.strings.__getitem__, raw))

    def pairs(self) -> list[tuple[str, str]]:
        """Return what each token replaced, in the order in which the build chose them (code 255 first).

        The build replaces the most profitable pair of codes by a new code, again and again (optimize_result). A token's
        text compressed by the tokens before it is that pair. Shorter than the table if it was made another way.
        """
        if self._pairs is None:
            self._pairs = []
            for code in range(255, -1, -1):
                text = self.strings[code].decode("latin-1")
                if len(text) > 1:
                    text = self._replace(text)
                    if len(text) == 2:
                        self._pairs.append((text, chr(code)))
        return self._pairs

    def _replace(self, text: str) -> str:
        for pair, code in self._pairs or ():
            text = text.replace(pair, code)
        return text

    def compress(self, names: Sequence[str]) -> list[bytes]:
        """Compress names that begin with their type letter; bytes that expand to something else for odd characters."""
        self.pairs()
        separator = "\u0100"  # no code is that
        return [text.encode("latin-1") for text in self._replace(separator.join(names)).split(separator)]


class Names:
    """All names of the table, by index."""

    def __init__(self, blob: Blob, markers: Ints, count: int, tokens: Tokens) -> None:
        self._blob, self._markers, self.count, self.tokens = blob, markers, count, tokens
        self._starts: dict[int, array[int]] = {}
        self._compressible: bool | None = None
        self._tails: bytes | None = None
        self._text: bytes | None = None

    def starts(self, run: int) -> "array[int]":
        """Return where each name of a run starts (its length byte), and the run's end; Implausible if they disagree.

        Two bytes of length where the first has bit 7 set (6.1, 73bbb94466fd "kallsyms: support "big" kernel symbols");
        before, one byte always. A run that ends where the next marker says was walked by the right rule.
        """
        found = self._starts.get(run)
        if found is None:
            first, size = self._markers[run], min(RUN, self.count - run * RUN)
            last = (run + 1) * RUN >= self.count
            end = min(first + RUN * 600, self._blob.size) if last else self._markers[run + 1]
            if not first < end <= self._blob.size:
                raise Implausible(f"kallsyms: the names of run {run}", self._blob.address)
            self._blob.need(first, end)
            found = next(
                (w for big in (128, 256) if (w := self._walk(first, size, big)) and self._ends(w, end, last)), None
            )
            if found is None:
                raise Implausible(f"kallsyms: the names of run {run}", self._blob.address + first)
            self._starts[run] = found
        return found

    def _walk(self, at: int, count: int, big: int) -> "array[int] | None":
        """Step over the names of a run; a first byte of `big` or more starts a length of two bytes."""
        data, out = self._blob.data, array("I")
        try:
            for _ in range(count):
                out.append(at)
                length = data[at]
                if length >= big:
                    at += 1
                    length = length & 127 | data[at] << 7
                at += length + 1
        except IndexError:
            return None
        out.append(at)
        return out

    @staticmethod
    def _ends(starts: "array[int]", end: int, last: bool) -> bool:
        return starts[-1] <= end if last else starts[-1] == end

    def _cut(self, at: int, end: int) -> bytearray:
        """Return the name whose length byte is at `at`, up to the next name."""
        data = self._blob.data
        start = at + 1 + (data[at] >= 128 and end - at - 1 != data[at])
        if end - start > MAX_NAME:
            raise Implausible(f"kallsyms: a name of {end - start} tokens", self._blob.address + at)
        return data[start:end]

    def raw(self, index: int) -> bytearray:
        """Return a compressed name; Implausible outside the table."""
        if not 0 <= index < self.count:
            raise Implausible(f"kallsyms: symbol {index} of {self.count}")
        starts, at = self.starts(index >> 8), index & 255
        return self._cut(starts[at], starts[at + 1])

    def letter_and_name(self, index: int) -> bytes:
        """Return a name with its type letter before it."""
        return self.tokens.expand(self.raw(index))

    def name(self, index: int) -> str:
        """Return a name."""
        return self.letter_and_name(index)[1:].decode("latin-1")

    def run(self, run: int) -> list[bytes]:
        """Return the names of a run, each with its type letter before it."""
        starts, expand, cut = self.starts(run), self.tokens.expand, self._cut
        return [expand(cut(at, end)) for at, end in pairwise(starts)]

    def find(self, name: str) -> Iterator[int]:
        """Yield the indices of the symbols of a name, ascending, by searching the compressed bytes."""
        if name:
            yield from self._find_compressed(name) if self._is_compressible() else self._find_plain(name)

    def _is_compressible(self) -> bool:
        """Tell whether our compressing gives the table's own bytes, for a sample of names."""
        if self._compressible is None:
            step = max(self.count // SAMPLES, 1)
            sample = [bytes(self.raw(i)) for i in range(0, self.count, step)]
            texts = [self.tokens.expand(raw).decode("latin-1") for raw in sample]
            self._compressible = self.tokens.compress(texts) == sample
        return self._compressible

    def _find_compressed(self, name: str) -> Iterator[int]:
        """Compress the name after every type letter, look for what it then ends in, compare all of it."""
        try:
            forms = set(self.tokens.compress([letter + name for letter in LETTERS]))
        except UnicodeEncodeError:
            return
        ends, hits = self._ends_of_names(), set()
        for tail in {(bytes([len(form) & 255]) + form)[-TAIL:] for form in forms}:
            for end in _occurrences(ends, tail):
                if end % TAIL == 0 and bytes(self.raw(end // TAIL - 1)) in forms:
                    hits.add(end // TAIL - 1)
        yield from (index for index in sorted(hits) if self.name(index) == name)

    def _ends_of_names(self) -> bytes:
        """Return the last TAIL bytes of each name (of a shorter one, what stands before it too), made once."""
        if self._tails is None:
            data = b"\0" * TAIL + self._blob.all()
            runs = range((self.count + RUN - 1) // RUN)
            self._tails = b"".join([data[end : end + TAIL] for run in runs for end in self.starts(run)[1:]])
        return self._tails

    def _find_plain(self, name: str) -> Iterator[int]:
        """Search the expanded text of all names, made once: for a table that was compressed in another way."""
        needle = name.encode("utf-8", "replace") + b"\n"
        text, index, counted = self.text(), 0, 0
        for end in _occurrences(text, needle):
            start = end - len(needle) - 1
            if start == 0 or (start > 0 and text[start - 1] == 10):
                index += text.count(b"\n", counted, start)
                counted = start
                if index < self.count and self.name(index) == name:
                    yield index

    def text(self) -> bytes:
        """Return all names as one text, a line each, the type letter first."""
        if self._text is None:
            runs = range((self.count + RUN - 1) // RUN)
            self._blob.all()
            self._text = b"".join(b"\n".join(self.run(r)).replace(b"\0", b"") + b"\n" for r in runs)
        return self._text


def _occurrences(data: bytes | bytearray, needle: bytes) -> Iterator[int]:
    """Yield where each occurrence ends."""
    at = data.find(needle)
    while at >= 0:
        yield at + len(needle)
        at = data.find(needle, at + 1)
