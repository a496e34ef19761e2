"""What the keys of lists, texts and tables must do."""

from oopscope_tui.widgets.columns import Columns
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Table
from oopscope_tui.widgets.textview import _is_heading
from tui.driving import enter, settle
from tui.stage import Check, Stage

COMMON = "[aeio]"  # a search that finds something nearly everywhere


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


def halves(step: int) -> Check:
    """Half a page on."""

    async def check(stage: Stage, key: str) -> None:
        lines = stage.lines
        top = lines.top
        await stage.press(key)
        assert lines.top == max(0, min(top + step * max(1, lines.page // 2), bottom(lines)))

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
    link = pane.side.link if pane.side is not None and lines is pane.side else pane.selected_link()  # type: ignore[attr-defined]
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


async def reverses(stage: Stage, key: str) -> None:
    """The same order, the other way round."""
    table = table_of(stage)
    table.sort_by(table.columns[0])
    await settle(stage.app, stage.pilot)
    before = table.view.descending
    await stage.press(key)
    assert table.view.descending != before
    table.sort_by(None)


async def chooses(stage: Stage, key: str) -> None:
    """A list of the columns, which goes again."""
    table = table_of(stage)
    await stage.press(key)
    assert isinstance(stage.app.focused, Columns)
    assert [column.key for column in table.shown] == stage.app.focused.showing
    await stage.press("escape")
    assert stage.app.focused is table  # type: ignore[comparison-overlap]
