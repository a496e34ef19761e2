"""Words: memory as it lies there, word by word, with what each may mean; where a stack's frames begin is marked.

Only what is in view is read. Pages that are not there are one row, with the reason.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from rich.segment import Segment

from oopscope.commands.questions import Answer
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, crop, fit
from oopscope_tui.panes.asked import Asked
from oopscope_tui.panes.details import meaning_link, meaning_parts
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import Part

if TYPE_CHECKING:
    from oopscope.arch import ByteOrder
    from oopscope_tui.reading.rows import Frame, Piece, Word

CHUNK = 64  # words that are asked for at once, as subsystems.words gives them


class Row(NamedTuple):
    """A word, or (with `why`) a stretch that is not there; `word` None while it is being read."""

    address: int
    word: "Word | None" = None
    why: str = ""
    end: int = 0
    read: bool = True


class Memory(Sequence[Row]):
    """The rows of some stretches of memory: made when they are looked at."""

    def __init__(self, store: Store, pieces: "Sequence[Piece]" = (), size: int = 8) -> None:
        self._store, self._pieces, self.size = store, list(pieces), size
        sizes = [1 if piece.why else (piece.end - piece.start) // size for piece in pieces]
        self._ends = list(accumulate(sizes))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        number = bisect_right(self._ends, at)
        piece = self._pieces[number]
        if piece.why:
            return Row(piece.start, why=piece.why, end=piece.end)
        address = piece.start + self.size * (at - (self._ends[number - 1] if number else 0))
        found = self._store.answer("words", self.chunk_of(address))
        if found is None:
            return Row(address, read=False)
        past = (address - self.chunk_of(address)) // self.size
        return Row(address, found.value[past] if found.value and past < len(found.value) else None, found.why)

    def row_at(self, address: int) -> int | None:
        """Return the row of an address; None where it lies outside."""
        for number, piece in enumerate(self._pieces):
            if piece.start <= address < piece.end:
                first = self._ends[number - 1] if number else 0
                return first if piece.why else first + (address - piece.start) // self.size
        return None

    def chunk_of(self, address: int) -> int:
        """Return the first address of the chunk in which an address is read."""
        return address & -CHUNK * self.size


class WordsView(Lines):
    """The rows of memory."""

    def __init__(self, **more: Any) -> None:
        super().__init__("Words", **more)
        self.frames: dict[int, Frame] = {}  # by the address of the word that is its return address
        self.start = 0  # the address that was asked for
        self.size_of_word = 8
        self.order: ByteOrder = "little"
        self.seen: Callable[[], None] = lambda: None  # called when other rows came into view

    def words(self, row: Row) -> str:
        """Return a row's text."""
        return "".join(text for text, _ in self.parts(row))

    def parts(self, row: Row) -> list[Part]:
        """Return address, value, characters, meaning."""
        lead = ("►" if row.address <= self.start < row.address + self.size_of_word else " ", theme.BAD)
        digits = 2 * self.size_of_word
        if row.why:
            until = f" to {row.end - 1:0{digits}x}" if row.end else ""
            return [lead, (f"{row.address:0{digits}x}", theme.DIM), (f"{until}: {clean(row.why)}", theme.DOUBT)]
        parts = [lead, (f"{row.address:0{digits}x}", theme.DIM)]
        if row.word is None or row.word.value is None:
            return [*parts, ("  …" if not row.read else "  cannot be read", theme.DIM)]
        value = row.word.value
        parts += [
            (f"  {value:0{digits}x}  ", theme.PLAIN),
            (_characters(value, self.size_of_word, self.order), theme.DIM),
            ("  ", theme.PLAIN),
        ]
        frame = self.frames.get(row.address)
        if frame is not None and frame.address == value:
            name = f"{frame.symbol}+{frame.offset or 0:#x}" if frame.symbol else f"{frame.address:#x}"
            module = f" [{frame.module}]" if frame.module else ""
            return [*parts, (clean(f"◄ returns to {name}{module}"), theme.BOLD if frame.reliable else theme.DIM)]
        meaning = row.word.meaning
        return parts if meaning is None or meaning.kind == "null" else [*parts, *meaning_parts(meaning)]

    def paint(self, row: Row, width: int, here: bool) -> list[Segment]:
        """Return a row's segments."""
        segments: list[Segment] = []
        for text, style in self.parts(row):
            room = width - sum(cells(segment.text) for segment in segments)
            if room <= 0:
                break
            segments.append(Segment(text if cells(text) <= room else crop(text, 0, room - 1) + "…", style))
        used = sum(cells(segment.text) for segment in segments)
        return [*segments, Segment(fit("", width - used))] if used < width else segments

    def on_resize(self) -> None:
        """Have what is in view read."""
        self.call_after_refresh(self.seen)

    def _scroll(self, step: int) -> None:
        """Scroll, and have what came into view read."""
        super()._scroll(step)
        self.seen()


def _characters(value: int, size: int, order: "ByteOrder") -> str:
    raw = value.to_bytes(size, order)
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in raw)


class Words(Asked):
    """The words from an address on, and before it."""

    QUESTION = "memory"
    NOTHING = "no address: :rd ADDRESS or a symbol"
    needs = ("cpus",)
    _shown: Answer | None = None  # the answer whose stretches are in the view

    def make_main(self) -> Lines:
        """Return the view."""
        view = WordsView(id="main-words")
        view.seen = self.ask_for_view
        return view

    @property
    def words_view(self) -> WordsView:
        """The view, by its own type."""
        assert isinstance(self.main, WordsView)
        return self.main

    def here(self) -> Place:
        """Return the address of the selected word."""
        return Place(self.key, f"{self.main.row.address:#x}" if self.main.row is not None else self.asked)

    def begin(self, same: bool) -> None:
        """Show nothing until it is known what lies about the address."""
        self.main.note = "reading" if self.asked else self.NOTHING
        self._shown = None
        self.main.set_rows([])

    def refill(self) -> None:
        """Take in the stretches, then words as they come."""
        found = self.answer
        if found is not None and found is not self._shown:
            self._shown = found
            self._show(found)
        self.words_view.frames = self._frames()
        self.main.refresh()
        self.ask_for_view()

    def _show(self, found: Answer) -> None:
        if not found.value:
            self.main.note = f"{self.asked}: {found.why or 'no memory'}"
            return
        rows = Memory(self.store, found.value.pieces, found.value.word_size)
        self.words_view.size_of_word, self.words_view.order = rows.size, found.value.order
        self.main.title = f"Words {clean(self.asked)}"
        self.words_view.start = found.value.address
        self.main.set_rows(rows)
        at = rows.row_at(found.value.address)
        if at is not None:
            self.main.select(at)

    def ask_for_view(self) -> None:
        """Ask for the first words in view that were not read."""
        view, rows = self.main.view, self.main.view.rows
        for at in range(self.main.top, min(self.main.top + self.main.page, len(view))):
            row = view.row(at)
            if not row.read and isinstance(rows, Memory):
                self.scope.ask("words", rows.chunk_of(row.address))
                return

    def followed(self) -> None:
        """Read what came into view."""
        self.ask_for_view()

    def _frames(self) -> "dict[int, Frame]":
        """Return the frames of all stacks that were read, by where their return address lies."""
        size = self.words_view.size_of_word
        return {frame.sp - size: frame for frame in self.store.frames() if frame.sp}

    def selected_link(self) -> Place | None:
        """Return where the selected word leads."""
        row = self.main.row
        if row is None or row.word is None or row.word.value is None:
            return None
        return meaning_link(row.word.value, row.word.meaning)


PANE = Words
