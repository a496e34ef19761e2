"""What each key of the screen must do, by its action: the check presses it and looks at what came of it.

A key without a check here fails the walk of `test_every_key`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual.command import CommandPalette
from textual.pilot import Pilot

from oopscope_tui.app import OopscopeApp
from oopscope_tui.keys import Key
from oopscope_tui.panes.log_view import LogView
from oopscope_tui.places import Place
from oopscope_tui.widgets.columns import Columns
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Table
from oopscope_tui.widgets.textview import _is_heading
from tui.driving import enter, press, settle, text

COMMON = "[aeio]"  # a search that finds something nearly everywhere


@dataclass
class Stage:
    """A place on the screen, to which every check comes back before it begins."""

    app: OopscopeApp
    pilot: Pilot[int]
    place: Place

    async def begin(self) -> None:
        """Go to the place, with no search, no filter, and the cursor in the middle."""
        await self.app.go(self.place)
        self.lines.search("")
        self.lines.set_filter("")
        await settle(self.app, self.pilot)
        if self.lines.all_selectable:
            self.lines._to(len(self.lines.view) // 2)
        await settle(self.app, self.pilot)

    @property
    def lines(self) -> Lines:
        """The view that has the keys."""
        return self.app.pane.active

    async def press(self, *keys: str) -> None:
        await press(self.app, self.pilot, *keys)

    def where(self) -> tuple[str, bool, int, int]:
        """Return what the user would say of where they are."""
        return (
            self.app.pane.key,
            self.app.pane.opened,
            self.lines.cursor,
            self.lines.top,
        )


Check = Callable[[Stage, str], Awaitable[None]]


def bottom(lines: Lines) -> int:
    return max(0, len(lines.view) - lines.page)


def moves(step: int) -> Check:
    """A row on, or a line where the text has no link near; at the end nothing."""

    async def check(stage: Stage, key: str) -> None:
        lines = stage.lines
        cursor, top = lines.cursor, lines.top
        await stage.press(key)
        if lines.all_selectable:
            assert lines.cursor == max(0, min(cursor + step, len(lines.view) - 1))
        elif (lines.cursor, lines.top) != (cursor, top):
            assert (lines.cursor - cursor) * step > 0 or (lines.top - top) * step > 0
        else:
            assert top == (bottom(lines) if step > 0 else 0)

    return check


def pages(step: int) -> Check:
    """A page on, keeping a line in sight."""

    async def check(stage: Stage, key: str) -> None:
        lines = stage.lines
        top = lines.top
        await stage.press(key)
        assert lines.top == max(0, min(top + step * max(1, lines.page - 1), bottom(lines)))

    return check


def edges(end: int) -> Check:
    """The first row or the last."""

    async def check(stage: Stage, key: str) -> None:
        lines = stage.lines
        await stage.press(key)
        if lines.all_selectable:
            assert lines.cursor == (max(0, len(lines.view) - 1) if end else 0)
        assert lines.top == (bottom(lines) if end else 0)

    return check


def prompts(kind: str) -> Check:
    """The prompt opens, takes letters, and Escape takes it away with what it did."""

    async def check(stage: Stage, key: str) -> None:
        before, row = stage.where()[:2], stage.lines.row
        await stage.press(key)
        assert stage.app.prompt_line.is_open and stage.app.prompt_line.kind == kind
        await stage.press("ctrl+u", "o")
        assert stage.app.prompt_line.text == "o"
        await stage.press("escape")
        assert not stage.app.prompt_line.is_open
        assert stage.where()[:2] == before and stage.lines.row == row

    return check


def hits(step: int) -> Check:
    """The next match: another row that matches, if there is more than one."""

    async def check(stage: Stage, key: str) -> None:
        await enter(stage.app, stage.pilot, "/", COMMON)
        lines = stage.lines
        assert lines.scan is not None
        before, count = lines.cursor, lines.scan.count
        await stage.press(key)
        if count:
            assert lines.scan.number(lines.cursor) is not None
        assert (lines.cursor != before) == (count > 1)

    return check


async def opens(stage: Stage, key: str) -> None:
    """The selected row's detail or link; nothing where there is neither."""
    pane, lines = stage.app.pane, stage.lines
    link = pane.side.link if pane.side is not None and lines is pane.side else pane.selected_link()
    before = stage.where()
    await stage.press(key)
    if link is None or lines.row is None:
        assert stage.where() == before
    else:
        assert stage.app.pane.key == link.pane
        assert stage.app.pane.opened == (link.open and stage.app.pane.side is not None)


def aside(step: int) -> Check:
    """Into the detail and out of it, or sideways in a text; where there is no detail, as Enter."""

    async def check(stage: Stage, key: str) -> None:
        pane, lines = stage.app.pane, stage.lines
        before, left = stage.where(), getattr(lines, "left", 0)
        await stage.press(key)
        if step < 0 and before[1] and not left:
            assert stage.where() != before
        elif getattr(lines, "left", 0) != left:
            assert stage.where() == before
        elif step > 0 and not before[1] and pane.side is not None and (lines.row is not None or pane.side.display):
            assert stage.app.pane is not pane or pane.opened
        else:
            assert stage.where() == before

    return check


async def back(stage: Stage, key: str) -> None:
    """Where one was before, with the same row."""
    here = stage.app.pane.here()
    elsewhere = Place("help" if here.pane != "help" else "tasks")
    await stage.app.go(elsewhere)
    await settle(stage.app, stage.pilot)
    assert stage.app.pane.key == elsewhere.pane
    await stage.press(key)
    assert stage.app.pane.here() == here


async def copies(stage: Stage, key: str) -> None:
    """What is selected is in the clipboard, or the screen says that nothing is."""
    stage.app.copy_to_clipboard("before")
    await stage.press(key)
    if stage.lines.row is None:
        assert "nothing is selected" in text(stage.app)
    else:
        assert stage.app.clipboard != "before"
        assert "copied" in text(stage.app)


async def copies_all(stage: Stage, key: str) -> None:
    """Every line of the detail, or of the text."""
    side = stage.app.pane.side
    lines = side if side is not None and side.display else stage.lines
    await stage.press(key)
    assert stage.app.clipboard.count("\n") == max(0, len(lines.view) - 1)


async def helps(stage: Stage, key: str) -> None:
    """Every key of the place is listed."""
    if stage.place.pane == "help":
        return
    own = stage.lines.KEYS
    await stage.press(key)
    assert stage.app.pane.key == "help"
    listed = "\n".join(stage.lines.words(row) for row in stage.lines.view.rows)
    for one in own:
        assert one.shown in listed and one.help in listed


def calls(name: str) -> Check:
    """The app is told; what it does then needs a terminal and is tested in test_pty."""

    async def check(stage: Stage, key: str) -> None:
        told: list[str] = []
        setattr(stage.app, name, lambda *_args, **_more: told.append(name))
        await stage.press(key)
        delattr(stage.app, name)
        assert told == [name]

    return check


async def numbers(stage: Stage, key: str) -> None:
    """The pane of that number."""
    tabs = stage.app.tabs.tabs
    await stage.press(key)
    assert stage.app.pane.key == (tabs[int(key) - 1].key if int(key) <= len(tabs) else stage.place.pane)


def neighbours(step: int) -> Check:
    """The tab beside this one."""

    async def check(stage: Stage, key: str) -> None:
        order = [tab.key for tab in stage.app.tabs.tabs]
        at = order.index(stage.place.pane) if stage.place.pane in order else 0
        await stage.press(key)
        assert stage.app.pane.key == order[(at + step) % len(order)]

    return check


def table_of(stage: Stage) -> Table:
    assert isinstance(stage.lines, Table)
    return stage.lines


def sorts(step: int) -> Check:
    """The order of the next column; its values stand in order, those without one last."""

    async def check(stage: Stage, key: str) -> None:
        table = table_of(stage)
        table.sort_by(None)
        await stage.press(key)
        shown = [column for column, _ in table.layout_for(table._inner)]
        assert table.sorted_by is shown[0 if step > 0 else -1]
        values = [table.sorted_by.value(table.view.row(at)) for at in range(len(table.view))]
        assert None not in values[: sum(value is not None for value in values)]
        known = [value for value in values if isinstance(value, int | float)]
        assert known == sorted(known, reverse=table.view.descending)
        table.sort_by(None)

    return check


async def sections(stage: Stage, key: str) -> None:
    """A heading further on stands at the top, or as near to it as the text's end lets it."""
    lines = stage.lines
    step = 1 if key == "right_square_bracket" else -1
    await stage.press("G" if step < 0 else "g")
    headings = [at for at in range(len(lines.view)) if _is_heading(lines.view.row(at))]
    here = max(lines.top, lines.cursor)
    await stage.press(key)
    if step > 0:
        after = [at for at in headings if at > here]
        assert lines.top == (min(after[0], bottom(lines)) if after else lines.top)
    else:
        assert lines.top <= here


async def chooses(stage: Stage, key: str) -> None:
    """A list of the columns, which goes again."""
    table = table_of(stage)
    await stage.press(key)
    assert isinstance(stage.app.focused, Columns)
    assert [column.key for column in table.shown] == stage.app.focused.showing
    await stage.press("escape")
    assert stage.app.focused is table


async def reverses(stage: Stage, key: str) -> None:
    """The same order, the other way round."""
    table = table_of(stage)
    table.sort_by(table.columns[0])
    await settle(stage.app, stage.pilot)
    before = table.view.descending
    await stage.press(key)
    assert table.view.descending != before
    table.sort_by(None)


async def blocked(stage: Stage, key: str) -> None:
    """Only tasks in D, and again all."""
    table = table_of(stage)
    count = len(table.view)
    await stage.press(key)
    assert {table.view.row(at).state for at in range(len(table.view))} <= {"D"}
    await stage.press(key)
    assert len(table.view) == count


async def trees(stage: Stage, key: str) -> None:
    """Children stand behind their parents, and again the list."""
    table = table_of(stage)
    listed = [table.view.row(at).pid for at in range(len(table.view))]
    await stage.press(key)
    order = [table.view.row(at).pid for at in range(len(table.view))]
    assert sorted(order) == sorted(listed)
    places = {pid: at for at, pid in enumerate(order)}
    rows = [table.view.row(at) for at in range(len(table.view))]
    assert all(places[row.ppid] < places[row.pid] for row in rows if row.pid and row.ppid)
    await stage.press(key)
    assert [table.view.row(at).pid for at in range(len(table.view))] == listed


async def on_a_parent(stage: Stage) -> None:
    """In the tree of tasks on a parent with children, in the log on the first line of a block."""
    if stage.place.pane == "tasks":
        await stage.press("t")
        stage.lines.select(next(at for at, row in enumerate(stage.lines.view.rows) if row.pid == 2))
    elif stage.place.pane == "log":
        assert isinstance(stage.lines, LogView)
        stage.lines.select(stage.lines.rows.blocks.heads[0])
    await settle(stage.app, stage.pilot)


async def leave_parent(stage: Stage) -> None:
    if stage.place.pane == "tasks":
        await stage.press("t")


async def folds_or_pages(stage: Stage, key: str) -> None:
    """A page where nothing folds; on a parent or a block other rows than before, and the same again."""
    if stage.place.pane == "tasks":
        await pages(1)(stage, key)
    await on_a_parent(stage)
    count, row = len(stage.lines.view), stage.lines.view.row_id(stage.lines.cursor)
    await stage.press(key)
    assert len(stage.lines.view) != count
    assert stage.lines.view.row_id(stage.lines.cursor) == row
    await stage.press(key)
    assert len(stage.lines.view) == count
    await leave_parent(stage)


async def folds(stage: Stage, key: str) -> None:
    """Minus takes rows away and plus brings them back; where nothing is a group they do nothing."""
    await on_a_parent(stage)
    await stage.press("plus")
    count = len(stage.lines.view)
    await stage.press("minus")
    assert (len(stage.lines.view) < count) == (stage.place.pane in ("tasks", "log"))
    await stage.press("plus")
    assert len(stage.lines.view) == count
    assert key in ("plus", "minus")
    await leave_parent(stage)


def log_of(stage: Stage) -> LogView:
    assert isinstance(stage.lines, LogView)
    return stage.lines


async def times(stage: Stage, key: str) -> None:
    """Another kind of time, and after all kinds the first again."""
    log = log_of(stage)
    first, seen = log.times.words(), []
    for _ in range(3):
        await stage.press(key)
        seen.append(log.times.words())
    assert len(set(seen)) == 3 and seen[-1] == first


async def levels(stage: Stage, key: str) -> None:
    """Fewer records with each step, at last all again."""
    counts = [len(stage.lines.view)]
    for _ in range(3):
        await stage.press(key)
        counts.append(len(stage.lines.view))
    assert counts[0] > counts[1] > counts[2] and counts[3] == counts[0]


async def oops(stage: Stage, key: str) -> None:
    """The record with which the oops begins."""
    await stage.press(key)
    assert stage.lines.row.index == log_of(stage).oops


def troubles(step: int) -> Check:
    """An error after this row or before it; the screen says which."""

    async def check(stage: Stage, key: str) -> None:
        await stage.press("g" if step > 0 else "G")
        before = stage.lines.view.row_id(stage.lines.cursor)
        await stage.press(key)
        assert (stage.lines.view.row_id(stage.lines.cursor) - before) * step > 0
        assert "error" in text(stage.app)

    return check


async def follows(stage: Stage, key: str) -> None:
    """Fewer records, or the screen says why not; and again all."""
    count = len(stage.lines.view)
    await stage.press(key)
    assert len(stage.lines.view) < count or "does not record" in text(stage.app)
    if log_of(stage).following is not None:
        await stage.press(key)
    assert len(stage.lines.view) == count


async def folds_all(stage: Stage, key: str) -> None:
    """No block is open, then every one is."""
    await stage.press(key)
    fewest = len(stage.lines.view)
    await stage.press(key)
    assert len(stage.lines.view) > fewest
    assert len(stage.lines.view) == len(stage.lines.view.rows)


async def wraps(stage: Stage, key: str) -> None:
    """Every line of the window is whole: the next row stands further down."""
    log = log_of(stage)
    await stage.press("o", key)
    assert log.wrapping and log.rows_in_view < log.page
    await stage.press(key)
    assert not log.wrapping


async def palette(stage: Stage, key: str) -> None:
    """The list of commands, which goes again."""
    await stage.press(key)
    assert isinstance(stage.app.screen, CommandPalette)
    await stage.press("escape")
    assert not isinstance(stage.app.screen, CommandPalette)
    assert stage.app.pane.key == stage.place.pane


async def explains(stage: Stage, key: str) -> None:
    """A text about what is selected, and back."""
    here = stage.app.pane.here()
    await stage.press(key)
    if stage.app.pane.key == "explain":
        assert len(stage.lines.view) > 1
        await stage.press("escape")
        assert stage.app.pane.here() == here
    else:
        assert stage.app.status.said


CHECKS: dict[str, Check] = {
    "section(1)": sections,
    "section(-1)": sections,
    "columns": chooses,
    "blocked": blocked,
    "tree": trees,
    "fold_or_page": folds_or_pages,
    "fold": folds,
    "unfold": folds,
    "times": times,
    "level(1)": levels,
    "oops": oops,
    "trouble(1)": troubles(1),
    "trouble(-1)": troubles(-1),
    "follow": follows,
    "fold_all": folds_all,
    "wrap": wraps,
    "app.command_palette": palette,
    "app.explain": explains,
    "move(1)": moves(1),
    "move(-1)": moves(-1),
    "page(1)": pages(1),
    "page(-1)": pages(-1),
    "edge(0)": edges(0),
    "edge(1)": edges(1),
    "app.prompt('search')": prompts("search"),
    "app.prompt('filter')": prompts("filter"),
    "app.prompt('goto')": prompts("goto"),
    "app.prompt('write')": prompts("write"),
    "hit(1)": hits(1),
    "hit(-1)": hits(-1),
    "open": opens,
    "aside(1)": aside(1),
    "aside(-1)": aside(-1),
    "app.back": back,
    "app.copy": copies,
    "app.copy_all": copies_all,
    "app.help": helps,
    "app.quit": calls("exit"),
    "app.suspend_process": calls("action_suspend_process"),
    "app.repaint": calls("action_repaint"),
    "": numbers,
    "app.next_pane(1)": neighbours(1),
    "app.next_pane(-1)": neighbours(-1),
    "sort(1)": sorts(1),
    "sort(-1)": sorts(-1),
    "reverse": reverses,
}


async def walk(stage: Stage, keys: tuple[Key, ...]) -> list[str]:
    """Press every key of the place; return what was pressed."""
    pressed = []
    for key in keys:
        for name in key.keys.split(","):
            await stage.begin()
            await CHECKS[key.action](stage, name)
            pressed.append(name)
    return pressed
