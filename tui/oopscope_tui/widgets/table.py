"""The one virtual table: columns over rows that it does not own, sorted and filtered by a View.

Widths come from a sample of the rows, so that they do not jump while scrolling; where the screen is too narrow the
columns of the highest rank go first, and the detail still has them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.widget import Widget

from oopscope.report.query import Field
from oopscope_tui.look import theme
from oopscope_tui.look.palette import projector
from oopscope_tui.look.text import LONGEST, WHOLE, cells, clean, fit, plural
from oopscope_tui.look.values import RIGHT, show
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import Lines

SAMPLE = 400  # rows measured for the widths
PROJECTED = 2  # the least telling rank of a column that a projector shows
GAP = "  "
LEAST = 10


def reader(key: str) -> Callable[[Any], Any]:
    """Return a getter that gives None for a row without the attribute."""
    get = attrgetter(key)

    def value(row: Any) -> Any:
        try:
            return get(row)
        except AttributeError:
            return None

    return value


@dataclass(frozen=True, slots=True)
class Col:
    """One column: what it reads, how it shows it, how wide it may grow, when it goes (rank, 0 never)."""

    key: str
    title: str
    kind: str = "text"
    rank: int = 0
    most: int = 0  # cells, 0 for as many as the text has
    least: int = LEAST  # cells that text is not squeezed below: columns of a higher rank go first
    value: Callable[[Any], Any] = field(default=lambda row: None)
    words: Callable[[Any], str] | None = None  # of a value, instead of its kind's
    style: Callable[[Any], Style | None] | None = None  # of a row
    down: bool = False  # sorts with the largest first
    names: str = ""  # the thing that a value names, as a column of core says it
    spare: bool = False  # goes before any text is cut for it

    @property
    def right(self) -> bool:
        """Whether values stand to the right."""
        return self.kind in RIGHT

    def text(self, row: Any) -> str:
        """Return the cell in words; None and empty are a dash."""
        value = self.value(row)
        if self.words is not None and value is not None:
            return clean(self.words(value))
        return show(self.kind, value)

    def full(self, row: Any) -> str:
        """Return the cell as it is copied: a text however long."""
        value = self.value(row)
        return clean(value, WHOLE) if isinstance(value, str) and len(value) > LONGEST else self.text(row)


def col(key: str, title: str, kind: str = "text", **more: Any) -> Col:
    """Return a Col that reads the attribute of its key."""
    more.setdefault("value", reader(key))
    more.setdefault("down", kind in ("bytes", "seconds"))
    return Col(key, title, kind, **more)


class Table(Lines):
    """Rows in columns."""

    BINDINGS = keys.bindings(keys.TABLE)
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*keys.LINES, *keys.TABLE)
    heads = 2

    def __init__(self, title: str, columns: Sequence[Col], **more: Any) -> None:
        super().__init__(title, **more)
        self.columns = tuple(columns)  # all of them: a filter, a file and the detail know them all
        self.chosen: tuple[str, ...] | None = None  # the keys of those that show, in order; None for the default
        self._widths: dict[str, int] = {}  # cells given by hand
        self.row_style: Callable[[Any], Style | None] = lambda row: None
        self.sorted_by: Col | None = None
        self._layout: list[tuple[Col, int]] = []
        self._laid_out: tuple[int, int] = (0, -1)  # for which width, and how many rows

    def set_columns(self, columns: Sequence[Col]) -> None:
        """Show other columns."""
        self.columns = tuple(columns)
        self._laid_out = (0, -1)
        self.refresh()

    @property
    def shown(self) -> list[Col]:
        """The columns that show where there is room."""
        known = {column.key: column for column in self.columns}
        few = self.chosen is None and projector()
        chosen = [known[key] for key in self.chosen or known if key in known] or list(self.columns)
        return [column for column in chosen if column.rank <= PROJECTED] or chosen if few else chosen

    def choose(self, chosen: Sequence[str] | None) -> None:
        """Show these columns in this order, None for the default."""
        self.chosen = None if chosen is None else tuple(chosen)
        self.set_columns(self.columns)

    def set_width(self, key: str | None, width: int) -> None:
        """Give a column a width; without a key, every column its own again."""
        if key is None:
            self._widths.clear()
        else:
            self._widths[key] = width
        self.set_columns(self.columns)

    async def action_columns(self) -> None:
        """Choose columns in a list over the table."""
        from oopscope_tui.widgets.columns import Columns

        if isinstance(self.parent, Widget):
            await self.parent.mount(Columns(self))

    def fields(self) -> Sequence[Field]:
        """Return every column, shown or not: a filter may name any."""
        return [Field(column.key, column.title, column.kind, column.value) for column in self.columns]

    def words(self, row: Any) -> str:
        """Return the row's cells, two spaces between."""
        return GAP.join([column.text(row) for column in self.columns])

    def written(self, row: Any) -> str:
        """Return the row's cells, those that are long for the screen, too, in full."""
        return GAP.join([column.full(row) for column in self.columns])

    def caption(self) -> str:
        """Return title, filter and order."""
        text = super().caption()
        if self.sorted_by is not None:
            text += f" · by {self.sorted_by.title} {'↓' if self.view.descending else '↑'}"
        hidden = len(self.shown) - len(self.laid_out())
        return f"{text} · +{plural(hidden, 'column')}: c" if hidden else text

    # Order.

    def action_sort(self, step: int) -> None:
        """Sort by the neighbouring column; past the last, the order of the list again."""
        shown: list[Col | None] = [None, *(column for column, _ in self.laid_out())]
        at = next((at for at, column in enumerate(shown) if self._orders(column)), 0)
        self.sort_by(shown[(at + step) % len(shown)])

    def _orders(self, column: Col | None) -> bool:
        """Return whether the rows are in a column's order; a column may have been made anew."""
        return column is not None and self.sorted_by is not None and column.key == self.sorted_by.key

    def sort_by(self, column: Col | None, descending: bool | None = None) -> None:
        """Sort by a column, numbers of size with the largest first."""
        self.sorted_by = column
        down = descending if descending is not None else bool(column and column.down)
        self.view.sort(column.value if column else None, down)
        self._rescan()
        self.work()
        self._settle()

    def action_reverse(self) -> None:
        """Turn the order round."""
        if self.sorted_by is not None:
            self.sort_by(self.sorted_by, not self.view.descending)

    def click_heading(self, x: int) -> None:
        """Sort by the column that was clicked; again: the other way round."""
        at = 1
        for column, width in self.laid_out():
            if at <= x < at + width + len(GAP):
                self.sort_by(column, not self.view.descending if self._orders(column) else None)
                return
            at += width + len(GAP)

    # Drawing.

    @property
    def _inner(self) -> int:
        return max(1, self.size.width - 2 * self.edge - 1)

    def headings(self, width: int) -> list[Segment]:
        """Return the columns' titles, an arrow at the one that orders."""
        parts = []
        for column, size in self.laid_out():
            if self._orders(column):
                arrow = "↓" if self.view.descending else "↑"
                short = cells(column.title) >= size  # the arrow stays
                parts.append(
                    fit(column.title, size - 1) + arrow if short else fit(column.title + arrow, size, column.right)
                )
            else:
                parts.append(fit(column.title, size, column.right))
        return [Segment(fit(" " + GAP.join(parts), width), theme.HEADING)]

    def paint(self, row: Any, width: int, here: bool) -> list[Segment]:
        """Return a row: one segment where no cell stands out."""
        base = self.row_style(row)
        segments: list[Segment] = []
        text = "►" if here else " "
        for at, (column, size) in enumerate(self.layout_for(width)):
            gap = GAP if at else ""
            cell = fit(column.text(row), size, column.right)
            style = column.style(row) if column.style is not None else None
            if column.value(row) is None:
                style = theme.DIM
            if style is None:
                text += gap + cell
                continue
            segments.append(Segment(text + gap, base))
            segments.append(Segment(cell, style))
            text = ""
        used = sum(segment.cell_length for segment in segments) + cells(text)
        if used < width:
            text += " " * (width - used)
        if text:
            segments.append(Segment(text, base))
        return segments

    def laid_out(self) -> list[tuple[Col, int]]:
        """Return the columns that fit, and their widths."""
        return self.layout_for(self._inner)

    def layout_for(self, width: int) -> list[tuple[Col, int]]:
        """Return the columns that fit and their widths; measured anew when the list has doubled."""
        count = len(self.view.rows)
        for_width, measured = self._laid_out
        if width != for_width or measured < 0 or (count > measured and (count >= 2 * measured or measured < SAMPLE)):
            self._layout = self._fitted(width - 1)
            self._laid_out = (width, count)
        return self._layout

    def _fitted(self, width: int) -> list[tuple[Col, int]]:
        columns, natural = self.shown, self._natural()
        if self.chosen is None and sum(natural) + len(GAP) * (len(natural) - 1) > width:
            told = [at for at, column in enumerate(columns) if not at or self._tells(column)]
            columns, natural = [columns[at] for at in told], [natural[at] for at in told]
        for at, column in enumerate(columns):
            given = self._widths.get(column.key, 0)
            natural[at] = given or natural[at]
            if given or self.chosen is not None:  # chosen columns go from the right where there is no room
                columns[at] = replace(
                    column, rank=0 if self.chosen is not None else column.rank,
                    most=given or column.most, least=given or column.least,
                )  # fmt: skip
        known = {column.key: column for column in self.shown}
        return [(known[column.key], size) for column, size in fit_columns(columns, natural, width)]

    def _tells(self, column: Col) -> bool:
        """Return whether any row has a value: a column without takes no room from others."""
        rows = self.view.rows
        sample = rows[:: max(1, len(rows) // SAMPLE)]
        return not sample or any(column.value(row) not in (None, "", (), []) for row in sample)

    def _natural(self) -> list[int]:
        """Return the width that each column would like."""
        rows = self.view.rows
        step = max(1, len(rows) // SAMPLE)
        sample = [rows[at] for at in range(0, len(rows), step)]
        return [
            max([cells(column.title) + 1, *(cells(column.text(row)) for row in sample)], default=1)
            for column in self.shown
        ]


def fit_columns(columns: Sequence[Col], natural: Sequence[int], width: int) -> list[tuple[Col, int]]:
    """Return the columns that fit into `width` cells, and their widths: capped, squeezed, or dropped by rank."""
    kept = [[at, min(size, columns[at].most or size)] for at, size in enumerate(natural)]
    least = [size if columns[at].right else min(size, columns[at].least) for at, size in enumerate(natural)]
    spare = [one for one in kept if columns[one[0]].spare]
    while spare and sum(size for _, size in kept) + len(GAP) * (len(kept) - 1) > width:
        kept.remove(spare.pop())
    while len(kept) > 1 and sum(least[at] for at, _ in kept) + len(GAP) * (len(kept) - 1) > width:
        ranks = [columns[at].rank for at, _ in kept]
        worst = max(ranks)
        kept.pop(len(ranks) - 1 - ranks[::-1].index(worst) if worst else len(kept) - 1)
    over = sum(size for _, size in kept) + len(GAP) * (len(kept) - 1) - width
    while over > 0:  # squeeze the widest, a cell at a time
        widest = max(kept, key=lambda one: one[1] - least[one[0]])
        if widest[1] <= least[widest[0]]:
            kept[-1][1] = max(1, kept[-1][1] - over)
            break
        by = max(1, min(over, (widest[1] - least[widest[0]]) // 4))
        widest[1] -= by
        over -= by
    for one in reversed(kept):  # what is left goes to those that were capped
        if over >= 0:
            break
        more = min(-over, natural[one[0]] - one[1])
        if more > 0:
            one[1] += more
            over += more
    return [(columns[at], size) for at, size in kept]
