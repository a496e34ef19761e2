"""CPUs: many are grouped by what they did."""

from oopscope.kernel.frame import Frame
from oopscope_tui.app import OopscopeApp
from oopscope_tui.panes.cpus import Group, grouped, ranges
from tui.driving import LARGE, enter, lines, press, running, text
from tui.fake import BASE, IDLE, REGISTERS, SLEEP, STACK, Cpu, Fake


def cpu(number: int, state: str = "idle", frames: tuple[Frame, ...] | None = IDLE, comm: str | None = None) -> Cpu:
    pid = 0 if state == "idle" else 100 + number
    return Cpu(number, True, state, pid, comm or f"swapper/{number}", BASE + number, frames, dict(REGISTERS))


def many() -> list[Cpu]:
    """Twelve: 7 died, 2 and 9 slept in a worker, 4 ran alone, the others idled."""
    rows = [cpu(number) for number in range(12)]
    rows[7] = cpu(7, "panic", STACK, "insmod")
    rows[2], rows[9] = cpu(2, "running", SLEEP, "kworker/2:1"), cpu(9, "running", SLEEP, "kworker/9:[red]")
    rows[4] = cpu(4, "running", STACK, "insmod")
    return rows


def numbers(app: OopscopeApp) -> list[int | str]:
    view = app.pane.main.view
    return [f"+{row.cpu}" if type(row) is Group else row.cpu for row in (view.row(at) for at in range(len(view)))]


GROUPED = [7, "+0", "+2", 4]
FAKE = {"cpus": many}


def test_ranges() -> None:
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"
    assert ranges([3]) == "3"


def test_groups_share_functions_and_state_not_offsets() -> None:
    moved = tuple(frame._replace(address=frame.address + 4, offset=7) for frame in SLEEP)
    rows = [cpu(0, "running", SLEEP), cpu(1, "running", moved), cpu(2, "idle", SLEEP), cpu(3, "running", None)]
    groups = grouped(rows)
    assert [type(row) is Group for row in groups] == [True, False, False]
    assert [row.cpu for row in groups[0].members] == [0, 1]


def test_two_that_died_stand_alone() -> None:
    rows = [cpu(0), cpu(1, "panic", STACK), cpu(2, "panic", STACK), cpu(3)]
    assert [row.cpu for row in grouped(rows)] == [1, 2, 0]


async def test_many_cpus_are_grouped_and_the_one_that_died_is_first() -> None:
    async with running(Fake(rows=FAKE, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "2")
        assert numbers(app) == GROUPED
        assert app.pane.main.row.cpu == 7
        assert "+ 8 CPUs" in text(app)
        assert "0-1,3,5-6,8,10-11" in text(app)
        assert "12 CPUs" in lines(app)[-2]
        await press(app, pilot, "j")
        assert "8 CPUs · idle, each with these functions" in text(app)
        assert "native_safe_halt" in text(app)


async def test_enter_and_signs_open_and_close_a_group() -> None:
    async with running(Fake(rows=FAKE, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "2", "g", "j", "j", "enter")
        assert numbers(app) == [7, "+0", "+2", 2, 9, 4]
        assert type(app.pane.main.row) is Group
        assert "- 2 CPUs" in text(app)
        assert "kworker/9:[red]" in text(app)
        await press(app, pilot, "j", "j")
        assert app.pane.main.row.cpu == 9
        await press(app, pilot, "enter")
        assert app.pane.opened
        await press(app, pilot, "escape", "minus")
        assert numbers(app) == GROUPED
        assert app.pane.main.row.cpu == 2
        await press(app, pilot, "plus")
        assert len(app.pane.main.view) == 6
        await press(app, pilot, "enter")
        assert numbers(app) == GROUPED


async def test_an_open_group_gets_room() -> None:
    async with running(Fake(rows=FAKE, found=None)) as (app, pilot):
        await press(app, pilot, "2", "g", "j")
        before = app.pane.main.size.height
        await press(app, pilot, "enter")
        assert app.pane.main.size.height > before
        assert all(strip.cell_length == 80 for strip in app.lines_on_screen())
        await press(app, pilot, "minus")
        assert app.pane.main.size.height == before


async def test_links_open_the_group_and_come_back() -> None:
    async with running(Fake(rows=FAKE, found=None), size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "cpu 9")
        assert app.pane.main.row.cpu == 9
        assert type(app.pane.main.row) is not Group
    async with running(Fake(rows=FAKE, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "2", "g", "j", "5", "escape")
        assert app.pane.key == "cpus"
        assert app.pane.here().key == "+0"


async def test_a_filter_and_a_search_look_into_groups() -> None:
    async with running(Fake(rows=FAKE, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "2", "g")
        await enter(app, pilot, "/", "kworker/9")
        assert app.pane.main.row.cpu == 2
        await press(app, pilot, "escape")
        await enter(app, pilot, "f", "kworker")
        assert numbers(app) == [2, 9]
        await press(app, pilot, "escape")
        assert numbers(app) == GROUPED


async def test_a_verdict_about_a_cpu_of_a_group_opens_it() -> None:
    async with running(Fake(rows=FAKE), size=LARGE) as (app, pilot):
        await press(app, pilot, "2")
        assert app.pane.main.row.cpu == 1
        assert numbers(app)[:4] == [7, "+0", 0, 1]


async def test_few_cpus_are_not_grouped() -> None:
    async with running(Fake(rows={"cpus": lambda: [row for row in many() if row.cpu in (0, 1, 3, 7)]})) as (app, pilot):
        await press(app, pilot, "2")
        assert numbers(app) == [7, 0, 1, 3]
        await press(app, pilot, "plus", "minus", "question_mark")
        assert app.pane.key == "help"
        assert any("show the CPUs of a group" in app.pane.main.words(row) for row in app.pane.main.view.rows)


async def test_a_recursion_is_told_once_in_every_pane() -> None:
    deep = (STACK[0], *[STACK[1]] * 300, *STACK[2:])
    async with running(Fake(rows={"cpus": lambda: [cpu(1, "panic", deep, "insmod")]}), LARGE) as (app, pilot):
        for key in ("1", "2"):
            await press(app, pilot, key)
            assert text(app).count("lab_init+0x30") == 1
            assert "the same 299 times more" in text(app)
            assert "do_syscall_64+0x55" in text(app)


async def test_a_long_stack_says_how_many_frames_are_left() -> None:
    long = tuple(STACK[1]._replace(address=BASE + 16 * at, offset=at) for at in range(1000))
    async with running(Fake(rows={"cpus": lambda: [cpu(1, "panic", long, "insmod")]}), LARGE) as (app, pilot):
        await press(app, pilot, "1")
        assert f"{1000 - 24:,} more frames" in text(app)
