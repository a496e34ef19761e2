"""Looking around by hand: frames open to code, registers and words say what they point at, structs drill down."""

from pathlib import Path

import pytest

import oopscope
from oopscope.bundled import bundled_path
from oopscope.inspect.meaning import Meaning
from oopscope.inspect.words import Piece, Stretches, Word
from oopscope.kernel.frame import Frame
from oopscope_tui.app import OopscopeApp
from oopscope_tui.places import Place
from oopscope_tui.reading.provider import Core
from tui.driving import LARGE, SMALL, Opened, enter, lines, press, running, settle, text
from tui.fake import ANSWERS, BASE, GONE, REGISTERS, STACK, TASK, Cpu, Fake, code, struct

DEMO = Path(oopscope.__file__).parent / "data" / "null-pointer.kdump"
SP = TASK + 0x40
ON_STACK = tuple(frame._replace(sp=SP + 64 * at) if at < 3 else frame for at, frame in enumerate(STACK))


def shows(app: OopscopeApp, *words: str) -> bool:
    """Tell whether all of these stand on the screen."""
    return all(one in text(app) for one in words)


def cpus() -> list[Cpu]:
    return [Cpu(1, True, "panic", 241, "insmod", TASK, ON_STACK, dict(REGISTERS))]


async def test_a_frame_opens_to_its_code_and_escape_comes_back() -> None:
    async with running(Fake(rows={"cpus": cpus})) as (app, pilot):
        await press(app, pilot, "2", "enter", "j", "enter")
        assert app.pane.key == "code"
        assert app.pane.here().key == f"{STACK[0].address:#x}@{SP:#x}"
        assert shows(app, "► +0x010  movq   4(%rdi),%rax", "reads 8 bytes at rdi + 0x28 = 0x28", "NULL + 0x28")
        assert "lab_read_balance+0x10 [labcrash]" in lines(app)[-2]
        await press(app, pilot, "escape")
        assert (app.pane.key, app.pane.opened) == ("cpus", True)


async def test_a_call_leads_to_what_it_calls() -> None:
    async with running(Fake(rows={"cpus": cpus}), size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "dis lab_read_balance")
        assert app.pane.main.row is not None
        assert shows(app, "Selected")
        assert app.pane.selected.address == BASE
        assert shows(app, "+0x010  48 8b 47 28", f"Address   {BASE:#x}")
        await press(app, pilot, "k", "k")
        assert shows(app, "Names     schedule")
        await press(app, pilot, "enter")
        assert app.pane.here() == Place("code", f"{BASE:#x}")
        assert app.history[-1] == Place("code", "lab_read_balance")


async def test_the_detail_of_code_leads_on() -> None:
    """To who is in the function, and to the words of the frame's stack."""
    async with running(Fake(rows={"cpus": cpus})) as (app, pilot):
        await app.go(Place("code", f"{STACK[0].address:#x}@{SP:#x}"))
        await press(app, pilot)
        await press(app, pilot, "enter")  # the instruction names nothing: the detail
        assert app.pane.opened and app.pane.here().open
        for _ in range(8):
            if app.pane.side.link == Place("words", f"{SP:#x}"):
                break
            await press(app, pilot, "j")
        assert app.pane.side.link == Place("words", f"{SP:#x}")
        await press(app, pilot, "enter")
        assert app.pane.key == "words"


async def test_code_that_is_not_there_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    poison = Meaning("poison", "POISON_FREE: memory of a freed object")
    gone = code("0x6b6b6b6b6b6b6b6b@0x10")._replace(code=None, why="not mapped", meaning=poison, deed=None)
    monkeypatch.setitem(ANSWERS, "code", lambda key: gone)
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "dis 0x6b6b6b6b6b6b6b6b")
        assert shows(app, "no code: not mapped")
        assert shows(app, "POISON_FREE: memory of a freed object")


async def test_code_without_a_disassembler_has_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = code("schedule")
    bare = found._replace(code=found.code._replace(instructions=(), why="disassembly needs capstone"))
    monkeypatch.setitem(ANSWERS, "code", lambda key: bare)
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "dis schedule")
        assert shows(app, "disassembly needs capstone")
        assert shows(app, "Code: 90 <48> 8b")


async def test_registers_say_what_they_point_at() -> None:
    async with running(Fake(rows={"cpus": cpus}), size=LARGE) as (app, pilot):
        await press(app, pilot, "2")
        assert shows(app, f"rax {REGISTERS['rax']:016x}  task_struct of")
        row = next(line for line in lines(app) if f"rax {REGISTERS['rax']:016x}" in line)
        assert "task_struct of insmod (241) +0x10" in row
        await press(app, pilot, "enter", "G")
        assert app.pane.side.link == Place("tasks", 241, True)
    async with running(Fake(rows={"cpus": cpus})) as (app, pilot):  # narrow: the table stays, what it means is beneath
        await press(app, pilot, "2", "enter", "G")
        shown = [row.text for row in app.pane.side.view.rows]
        assert " Pointing at" in shown and "task_struct of insmod (241) +0x10" in shown[shown.index(" Pointing at") + 1]


async def test_words_mark_where_frames_begin_and_what_is_missing() -> None:
    async with running(Fake(rows={"cpus": cpus})) as (app, pilot):
        await enter(app, pilot, ":", f"rd {TASK:#x}")
        assert shows(app, f"►{TASK:016x}", 'text "insmod" ?')
        assert app.pane.main.row.address == TASK
        first = next(line for line in lines(app) if line.startswith(f"►{TASK:016x}"))
        assert f"{TASK + 16:016x}" in first and "task_struct of insmod (241)" in first
        assert shows(app, 'text "insmod" ?')
        assert shows(app, "filp object  ! excluded")
        await press(app, pilot, "g")
        assert f"{TASK - 8192:016x} to {TASK - 4097:016x}: not mapped" in lines(app)[3]
        assert len(app.pane.main.view) == 1 + 3 * 512
        await press(app, pilot, "G")
        assert "…" not in text(app)  # what came into view was read


async def test_words_of_a_stack_are_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is a frame's return address, where that frame's stack begins."""
    address = SP + 64 - 8
    frame = Frame(TASK + 16, "do_init_module", 0x4C, None, "task", True, address + 8)
    row = cpus()[0]._replace(frames=(frame,))
    values = {address & -512: None}
    real = ANSWERS["words"]

    def words(start: int) -> tuple[Word, ...]:
        found = list(real(start))
        at = (address - start) // 8
        if start in values:
            found[at] = found[at]._replace(value=TASK + 16)
        return tuple(found)

    monkeypatch.setitem(ANSWERS, "words", words)
    async with running(Fake(rows={"cpus": lambda: [row]})) as (app, pilot):
        await enter(app, pilot, ":", f"rd {address:#x}")
        assert shows(app, "◄ returns to do_init_module+0x4c")


async def test_a_word_leads_where_it_points() -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", f"rd {TASK:#x}")
        await press(app, pilot, "enter")
        assert (app.pane.key, app.pane.main.row.pid) == ("tasks", 241)
        await press(app, pilot, "escape", "j", "j", "enter")
        assert app.pane.here() == Place("struct", f"file@{GONE.struct[1]:#x}")


async def test_memory_of_which_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "memory", lambda key: Stretches(0x1000, 4, (Piece(0, 0x100000, "not mapped"),)))
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "rd 0x1000")
        assert shows(app, "00000000 to 000fffff: not mapped")
        await press(app, pilot, "enter", "G", "g")
        assert app.pane.key == "words"


async def test_a_struct_drills_down_and_comes_back() -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", f"struct task_struct {TASK:#x}")
        assert shows(app, "pid_t pid", "241 (0xf1)", "! physical page at 0x1000 is not there")
        await press(app, pilot, "j", "enter")
        assert app.pane.here() == Place("struct", f"task_struct@{TASK:#x}")
        await press(app, pilot, "j", "enter")
        assert app.pane.here() == Place("struct", f"task_struct.tasks@{TASK:#x}")
        await press(app, pilot, "escape")
        assert app.pane.here() == Place("struct", f"task_struct@{TASK:#x}")


async def test_a_type_without_an_address_is_its_layout() -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "struct struct task_struct")
        assert shows(app, "struct list_head tasks")
        assert "241" not in text(app).partition("task_struct")[2]
        assert "4,104 bytes" in lines(app)[-2]
        await press(app, pilot, "j", "enter")
        assert app.pane.here() == Place("struct", "task_struct")


async def test_a_type_that_is_not_there_offers_others(monkeypatch: pytest.MonkeyPatch) -> None:
    none = struct("kmem")._replace(rows=(), size=0, like=("kmem_cache", "kmem_obj_info"))
    monkeypatch.setitem(ANSWERS, "struct", lambda key: none if key.startswith("kmem@") else struct(key))
    async with running() as (app, pilot):
        await enter(app, pilot, ":", f"struct kmem {TASK:#x}")
        assert shows(app, "no type kmem; there are", "kmem_obj_info")
        await press(app, pilot, "j", "enter")
        assert app.pane.here() == Place("struct", f"kmem_cache@{TASK:#x}")


async def test_what_cannot_be_found_is_one_line() -> None:
    fails = {kind: ValueError(f"no {kind} here") for kind in ("struct", "code", "memory")}
    async with running(Fake(fails=fails)) as (app, pilot):
        for command, kind in (("struct nothing", "struct"), ("dis nothing", "code"), ("rd nothing", "memory")):
            await enter(app, pilot, ":", command)
            assert shows(app, f"no {kind} here")
            await press(app, pilot, "enter", "G", "y")
        for pane, words in (("struct", "no type"), ("code", "no address"), ("words", "no address")):
            await app.go(Place(pane))
            await press(app, pilot)
            assert shows(app, words)


async def test_hostile_names(monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = "[red]\x1b[2J世\u202e" * 20
    found = struct(f"task_struct@{TASK:#x}")
    item = found.rows[0].item._replace(declaration=nasty, text=nasty)
    row = found.rows[1]._replace(item=item, meaning=Meaning("slab", nasty, why=nasty))
    function = code("schedule")
    one = function.code.instructions[0]._replace(note=nasty, text=nasty)
    named = function.code._replace(instructions=(one,) * 40, name=function.code.name._replace(symbol=nasty))
    words = tuple(word._replace(meaning=row.meaning) for word in ANSWERS["words"](TASK))
    monkeypatch.setitem(ANSWERS, "struct", lambda key: found._replace(rows=(row,) * 30))
    monkeypatch.setitem(ANSWERS, "code", lambda key: function._replace(code=named, prototype=nasty))
    monkeypatch.setitem(ANSWERS, "words", lambda key: words)
    for size in (SMALL, LARGE):
        async with running(Fake(), size=size) as (app, pilot):
            for pane in ("struct", "code", "words"):
                await app.go(Place(pane, f"{TASK:#x}"))
                await press(app, pilot, "G", "g")
                assert "\x1b" not in text(app) and "[red]" in text(app)
                assert all(strip.cell_length == size[0] for strip in app.lines_on_screen())


async def test_the_demo_from_end_to_end() -> None:
    """The real core: the faulting frame, its stack, a struct, a function, a register's target."""
    async with running(Core(), LARGE, [DEMO]) as (app, pilot):
        await press(app, pilot, "2", "enter", "j", "enter")
        assert app.pane.key == "code"
        assert shows(app, "reads 8 bytes at rdi + 0x28 = 0x28")
        await enter(app, pilot, ":", "struct task_struct init_task")
        assert '"swapper/0"' in "".join(row.text for row in app.pane.main.view.rows)
        frame = app.store.feed("cpus").rows[0].frames[0]
        await app.go(Place("words", f"{frame.sp:#x}"))
        await press(app, pilot)
        assert shows(app, "◄ returns to labcrash_init")
        await enter(app, pilot, ":", "dis schedule")
        assert shows(app, "void schedule(void)")
        await enter(app, pilot, ":", "sym schedule")
        assert shows(app, "void schedule(void)")


async def test_a_call_that_never_returns_is_marked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = code("schedule")
    last = found.code.instructions[-1]
    address = last.address + len(last.code)
    monkeypatch.setitem(ANSWERS, "code", lambda key: found._replace(address=address, sp=SP, deed=None, context=None))
    async with running() as (app, pilot):
        await app.go(Place("code", f"{address:#x}@{SP:#x}"))
        await press(app, pilot)
        assert app.pane.selected == last
        assert shows(app, "not to come back")


async def test_a_types_name_alone_leads_to_the_type() -> None:
    async with running(Opened(), paths=[bundled_path()]) as (app, pilot):
        await enter(app, pilot, ":", "list_head")
        await settle(app, pilot)
        assert "A type" in text(app) and "its code" not in text(app)
        await press(app, pilot, "enter")
        assert app.pane.key == "struct"
