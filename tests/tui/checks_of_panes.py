"""What the keys of the tasks, the CPUs and the log must do."""

from oopscope_tui.panes.log.view import LogView
from tui.checks_of_lists import pages, table_of
from tui.driving import settle, text
from tui.stage import Check, Stage


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
