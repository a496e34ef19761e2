"""What all panes share: a main view and, beside, under or instead of it, the detail of what is selected.

A pane looks at the store and never reads the dump; what it still needs it asks of the app.
"""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, ClassVar, Literal, cast

from textual.timer import Timer
from textual.widget import Widget

from oopscope.report.query import QueryError
from oopscope.subsystems import TABLES, table
from oopscope_tui.look import theme
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store
from oopscope_tui.scope import Scope
from oopscope_tui.settings.keys import Key
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Table
from oopscope_tui.widgets.textview import Line, TextView, wrapped
from oopscope_tui.widgets.window import Window

WIDE = 120  # columns from which the detail stands beside the list
REST = 0.06  # seconds: where keys repeat faster, the detail waits until they rest
Where = Literal["instead", "under", "drawer", "never"]  # is the detail on a narrow screen


class Pane(Widget):
    """A main view and its detail.

    BESIDE says whether the detail stands beside the main view on a wide screen; NARROW where it stands otherwise:
    `instead` of the main view when opened, `under` it always, `drawer` under it when opened, `never`.
    """

    DEFAULT_CSS = "Pane { width: 1fr; height: 1fr; }"
    BESIDE: ClassVar[bool] = True
    NARROW: ClassVar[Where] = "instead"
    SHARE: ClassVar[int] = 45  # percent of the width for the detail
    KEYS: ClassVar[tuple[Key, ...]] = ()
    needs: tuple[str, ...] = ()  # the tables it shows: read first while it is in view

    def __init__(self, store: Store, key: str, title: str) -> None:
        super().__init__(id=f"pane-{key}")
        self.store, self.key, self.title = store, key, title
        self.opened = False  # the detail has the keys
        self._counts: dict[str, tuple[int, int]] = {}  # what notes counted, and of how many rows
        self._moved = 0.0  # when the cursor last moved
        self.resting: Timer | None = None  # the detail waits for the cursor to rest
        self._arranged = False  # the columns are as the settings say
        self.wanted: Place | None = None  # a row to select as soon as it has been read
        self.main = self.make_main()
        self.side = TextView(id=f"side-{key}") if self.NARROW != "never" or self.BESIDE else None
        for lines in (self.main, self.side):
            if lines is not None:
                lines.opener, lines.neighbour = self.open_row, self.go_aside
        if not self.needs:
            self.needs = (key,)

    @property
    def scope(self) -> Scope:
        """The app, as far as panes know it."""
        return cast(Scope, self.app)

    def compose(self) -> Iterator[Widget]:
        """The two views."""
        yield self.main
        if self.side is not None:
            yield self.side

    # What a pane says for itself.

    def make_main(self) -> Lines:
        """Return the main view."""
        raise NotImplementedError

    def detail(self, width: int) -> Sequence[Line]:
        """Return the detail of the selected row."""
        return ()

    def detail_title(self) -> str:
        """Return the detail's title."""
        return ""

    def refill(self) -> None:
        """Take in what the store has now."""

    def row_key(self, row: Any) -> int | str | None:
        """Return what a link to a row says."""
        return None

    def row_of(self, key: int | str) -> int | None:
        """Return the row number that a link means."""
        rows = self.main.view.rows
        return next((at for at, row in enumerate(rows) if self.row_key(row) == key), None)

    def notes(self) -> list[str]:
        """Return counts for the status line."""
        return []

    def count(self, what: str, rows: Sequence[Any], test: Callable[[Any], bool]) -> int:
        """Count the rows that pass a test, looking at each only once."""
        seen, found = self._counts.get(what, (0, 0))
        if seen > len(rows):
            seen = found = 0
        if seen < len(rows):
            found += sum(1 for at in range(seen, len(rows)) if test(rows[at]))
            self._counts[what] = (len(rows), found)
        return found

    @property
    def commands(self) -> Sequence[str]:
        """What can be asked about a row, as its table says."""
        return table(self.key).commands if self.key in dict(TABLES) else ()

    def selected_link(self) -> Place | None:
        """Return where Enter leads from the main view: a link of a text, the detail of a row."""
        if isinstance(self.main, TextView) and not self.main.all_selectable:
            return self.main.link
        return Place(self.key, self.row_key(self.main.row), True) if self.side is not None else None

    def followed(self) -> None:
        """Called when another row is selected: ask for what the detail needs."""

    # Places.

    @property
    def active(self) -> Lines:
        """The view that has the keys."""
        return self.side if self.opened and self.side is not None else self.main

    def here(self) -> Place:
        """Return this place, to come back to."""
        row = self.main.row
        return Place(self.key, self.row_key(row) if row is not None else None, self.opened)

    def crumbs(self) -> list[str]:
        """Return where one is, from the pane down."""
        words = [self.title]
        if self.opened and self.detail_title():
            words.append(self.detail_title())
        return words

    def go(self, place: Place) -> None:
        """Select what a place names, now or as soon as it has been read."""
        self.opened = place.open and self.side is not None and self.side_shown(True)
        self.wanted = place if place.key is not None else None
        self.place_views()
        self._find_wanted()
        self.active.focus()

    def narrow(self, where: str, sort: str) -> None:
        """Filter the list and order it, as a command asks; what the list has no column for is said."""
        try:
            self.main.set_filter(where)
        except QueryError as error:
            self.scope.status.say(str(error), failed=True)
        table, key = self.main, sort.lstrip("-")
        column = next((one for one in table.columns if one.key == key), None) if isinstance(table, Table) else None
        if column is not None and isinstance(table, Table):
            table.sort_by(column, sort.startswith("-"))

    def _find_wanted(self) -> None:
        if self.wanted is None or self.wanted.key is None:
            return
        at = self.row_of(self.wanted.key)
        if at is None:
            return
        self.wanted = None
        self.main.select(at)
        self.show_detail()

    def changed(self) -> None:
        """Take in news from the store."""
        feed = self.store.feed(self.key)
        self.main.trouble = feed.why if feed.rows else ""
        self.refill()
        self._arrange_columns()
        self._find_wanted()
        if self.resting is None:
            self.show_detail(anew=False)

    def _arrange_columns(self) -> None:
        """Show the columns that the settings name, as soon as there are any."""
        table = self.main
        if self._arranged or not isinstance(table, Table) or not table.columns:
            return
        self._arranged = True
        settings = self.scope.settings
        if self.key in settings.columns:
            found, why = settings.choose(self.key, table.columns)
            table.choose([column.key for column in found])
            if why:
                self.scope.status.say(settings.told(why), failed=True)

    # The two views.

    @property
    def beside(self) -> bool:
        """Whether the detail stands beside the main view."""
        return self.BESIDE and self.app.size.width >= WIDE

    def side_shown(self, opened: bool) -> bool:
        """Return whether the detail is in view."""
        if self.side is None:
            return False
        return self.beside or self.NARROW == "under" or (opened and self.NARROW in ("instead", "drawer"))

    def place_views(self) -> None:
        """Place the two views for the width."""
        beside = self.beside
        self.styles.layout = "horizontal" if beside else "vertical"
        self.main.styles.width = self.main.styles.height = "1fr"
        if self.side is None:
            return
        shown = self.side_shown(self.opened)
        instead = self.opened and not beside and self.NARROW == "instead"
        self.main.display, self.side.display = not instead, shown
        self.side.edge = beside
        self.side.styles.width = f"{self.SHARE}%" if beside else "1fr"
        self.side.styles.height = "1fr" if beside or instead else self.under_height()
        self.side.refresh()

    def under_height(self) -> int:
        """Return the detail's lines where it stands under the main view."""
        height = max(4, self.size.height or self.app.size.height - 4)  # a lesson below takes its lines from the pane
        if self.NARROW == "drawer":
            return max(5, height * 2 // 5)
        return max(height // 2, height - len(self.main.view.rows) - self.main.heads)

    def on_resize(self) -> None:
        """Place the views anew."""
        self.place_views()

    def on_mount(self) -> None:
        """Begin with what is there."""
        self.place_views()
        if self.side is not None:
            self.side.show(self.detail)
        self.changed()

    def show_detail(self, anew: bool = True) -> None:
        """Show the detail of the selected row; `anew` from its beginning."""
        if self.side is None or not self.side.display:
            return
        self.side.title = self.detail_title()
        if anew:
            self.side.home()
        self.side.rebuild()

    def on_window_moved(self, message: Window.Moved) -> None:
        """Follow the selection with the detail."""
        message.stop()
        if message.lines is self.main:
            self._follow()
        self.scope.where_changed()

    def _follow(self) -> None:
        """Show the detail of the row that the cursor is on: at once, or when it rests."""
        now, before = perf_counter(), self._moved
        self._moved = now
        if self.resting is not None:
            self.resting.reset()
        elif now - before < REST:
            self.resting = self.set_timer(REST, self._rested)
        else:
            self._rested()

    def _rested(self) -> None:
        self.resting = None
        self.followed()
        self.show_detail()

    async def open_row(self, lines: Lines) -> None:
        """Open the selected row, or follow its link."""
        link = self.side.link if self.side is not None and lines is self.side else self.selected_link()
        if link is not None:
            await self.scope.go(link)
        else:
            self.scope.status.say("nothing to open on this line")

    async def go_aside(self, step: int) -> None:
        """Go to the neighbour with the arrow keys."""
        if self.side is None:
            return
        if step > 0 and not self.opened:
            if self.side.display:
                self._take(opened=True)
            else:
                await self.main.action_open()
        elif step < 0 and self.opened:
            await self.scope.action_back()

    def _take(self, opened: bool) -> None:
        self.scope.remember()
        self.opened = opened
        self.place_views()
        self.active.focus()
        self.scope.where_changed()

    def problem_lines(self, section: str, width: int) -> list[Line]:
        """Return what could not be read of a section, for its detail."""
        from oopscope_tui.panes.details import problem_lines

        return problem_lines(self.store.problems, section, width)


def empty(text: str, width: int) -> list[Line]:
    """Return a text that says why there is nothing."""
    return wrapped(text, width, theme.DIM)
