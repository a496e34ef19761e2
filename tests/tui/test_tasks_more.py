"""Tasks: only the blocked ones, and the tree of processes, threads and kernel threads."""

from typing import Any

from oopscope_tui.app import OopscopeApp
from oopscope_tui.panes.tasks.tree import Tree
from tui.driving import LARGE, enter, lines, press, running, text
from tui.fake import Fake, tasks

ONE = tasks(1)[0]._replace(kernel_thread=False, state="S", ppid=0)


def family() -> Any:
    def made(pid: int, ppid: Any, comm: str, tgid: Any = None, kernel: bool = False) -> Any:
        return ONE._replace(
            pid=pid, tgid=tgid or pid, ppid=ppid, comm=comm, kernel_thread=kernel, address=0xFFFF888000000000 + pid
        )

    return [
        made(0, 0, "swapper/0"), made(0, 0, "swapper/1"), made(1, 0, "init"), made(2, 0, "kthreadd", kernel=True),
        made(3, 2, "kworker/0", kernel=True), made(4, 2, "kworker/1", kernel=True), made(10, 1, "sshd"),
        made(30, 11, "vi"), made(11, 10, "bash"), made(12, 1, "database"), made(13, 1, "db-writer", tgid=12),
        made(14, 1, "db-reader", tgid=12), made(241, 999, "orphan"),
    ]  # fmt: skip


def comms(app: OopscopeApp) -> Any:
    view = app.pane.main.view
    return [view.row(at).comm for at in range(len(view))]


TREE = [
    "swapper/0", "swapper/1", "init", "sshd", "bash", "vi", "database", "db-writer", "db-reader",
    "kthreadd", "kworker/0", "kworker/1", "orphan",
]  # fmt: skip


async def test_blocked_tasks_longest_first_and_again_all() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g", "j", "j", "D")
        assert [app.pane.main.view.row(at).pid for at in range(len(app.pane.main.view))] == [18, 10, 6]
        assert "blocked only" in lines(app)[2]
        assert "by Last ran ↓" in lines(app)[2]
        assert app.pane.main.row.pid == 18
        await press(app, pilot, "j", "D")
        assert len(app.pane.main.view) == 61
        assert app.pane.main.row.pid == 10
        assert "blocked only" not in text(app)
        assert "by Last ran" not in text(app)


async def test_a_link_to_a_task_that_is_not_blocked_shows_all() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "D")
        await enter(app, pilot, ":", "3")
        assert app.pane.main.row.pid == 3
        assert len(app.pane.main.view) == 61


async def test_no_blocked_task_says_so() -> None:
    async with running(Fake(rows={"tasks": family}), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "D")
        assert len(app.pane.main.view) == 0
        assert "no task is blocked: D shows all" in text(app)
        await press(app, pilot, "D")
        assert len(app.pane.main.view) == 13


async def test_the_tree_and_the_list_keep_the_selection() -> None:
    async with running(Fake(rows={"tasks": family}), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g", *"jjjjjjj")
        assert app.pane.main.row.comm == "vi"
        await press(app, pilot, "t")
        assert comms(app) == TREE
        assert app.pane.main.row.comm == "vi"
        shown = text(app)
        for words in ("- init", "  - sshd", "    - bash", "        vi", "- kthreadd", "    kworker/1"):
            assert words in shown
        assert "· tree" in lines(app)[2]
        await press(app, pilot, "t")
        assert comms(app) == [row.comm for row in family()]
        assert app.pane.main.row.comm == "vi"
        await press(app, pilot, "t", "s")
        assert "by PID" in lines(app)[2]
        assert "tree" not in lines(app)[2]
        assert app.pane.main.row.comm == "vi"


async def test_folding_hides_what_is_under_a_task() -> None:
    async with running(Fake(rows={"tasks": family}), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "t", "g", *"j" * 9)
        assert app.pane.main.row.comm == "kthreadd"
        await press(app, pilot, "space")
        assert comms(app) == [name for name in TREE if not name.startswith("kworker")]
        assert "+ kthreadd (2 under it)" in text(app)
        assert app.pane.main.row.comm == "kthreadd"
        await press(app, pilot, "plus")
        assert comms(app) == TREE
        await press(app, pilot, "j", "minus")
        assert app.pane.main.row.comm == "kthreadd"
        await enter(app, pilot, "f", "kworker")  # a filter looks into what is folded
        assert comms(app) == ["kworker/0", "kworker/1"]
        await press(app, pilot, "escape")
        assert "kworker/0" not in comms(app)
        await enter(app, pilot, ":", "4")  # and a link unfolds
        assert app.pane.main.row.comm == "kworker/1"
        assert comms(app) == TREE


async def test_space_goes_down_a_page_in_the_list() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g", "space")
        assert app.pane.main.cursor == app.pane.main.page - 1


async def test_the_keys_are_said() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3")
        assert "D blocked" in lines(app)[-1]
        assert "t tree" in lines(app)[-1]
        await press(app, pilot, "question_mark")
        assert "only blocked tasks, longest first" in text(app)
        assert "in the tree: fold" in text(app)


def made(rows: Any) -> Any:
    tree = Tree(rows)
    while tree.work(0.0):
        pass
    return tree


def test_loops_and_pids_twice_stand_in_the_tree_once() -> None:
    rows = [
        ONE._replace(pid=pid, tgid=pid, ppid=ppid, comm=str(at))
        for at, (pid, ppid) in enumerate([(5, 6), (6, 5), (7, 7), (8, 5), (8, 5), (None, None)])
    ]
    tree = made(rows)
    assert sorted(tree.order) == list(range(6))
    assert [tree.order.index(at) for at in range(6)] == tree.rank
    assert tree.size[0] == 3


def test_a_deep_tree_is_walked() -> None:
    tree = made([ONE._replace(pid=at + 1, tgid=at + 1, ppid=at) for at in range(20_000)])
    assert tree.depth[-1] == 19_999
    assert tree.size[0] == 19_999


async def test_a_search_in_the_tree_unfolds_what_it_finds() -> None:
    async with running(Fake(rows={"tasks": family}), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "t", "g", *"jj", "space", *"j", "space")
        assert comms(app) == ["swapper/0", "swapper/1", "init", "kthreadd", "orphan"]
        app.pane.main.search("db-|kworker")
        await press(app, pilot)
        assert "3 of 4" in lines(app)[2]
        assert app.pane.main.row.comm == "kworker/0"  # the search starts at the cursor
        assert comms(app) == ["swapper/0", "swapper/1", "init", "kthreadd", "kworker/0", "kworker/1", "orphan"]
        await press(app, pilot, "n", "n")
        assert app.pane.main.row.comm == "db-writer"
        assert comms(app) == TREE
