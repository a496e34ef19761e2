"""LoongArch on made memory: windows and tables, frames by ORC and by code, entries, notes; and an oops from its log."""

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.kernel.fakes import Ram
from oopscope.boot.attach import open_kernel
from oopscope.errors import NotMapped
from oopscope.kernel.frame import Frame
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.machine import arch, arch_of_info
from oopscope.machine.loongarch64 import memory, stacks, syndromes, unwind
from oopscope.machine.loongarch64.arch import PT_REGS
from oopscope.machine.loongarch64.prologue import Frame as Made
from oopscope.machine.loongarch64.prologue import frame_of
from oopscope.memory.physical import PhysicalMemory
from oopscope.symbols.orc import OrcEntry, decode_wide
from oopscope.symbols.vmcoreinfo import VmcoreInfo
from oopscope.triage import verdict

LOONG = arch("loongarch64")
WINDOW, ROOT, PAGE = 9 << 60, 0x40000, 0x4000
PAGED = 0xFFFF800002214000
PRESENT, HUGE = 1 << 7, 1 << 6
INFO = {"PAGESIZE": "16384", "SYMBOL(swapper_pg_dir)": f"{WINDOW + ROOT:x}", "SYMBOL(_stext)": "9000000000220000"}


def space(ram: Ram) -> Any:
    return memory.kernel_memory(LOONG, VmcoreInfo(INFO), PhysicalMemory(ram), lambda: None)


def tables(levels: int) -> Ram:
    """Tables as a kernel makes them: an empty entry leads to a table of empty ones; one page is mapped."""
    ram, empty, free = Ram(), 0x100000, 0x200000
    fill = [WINDOW + empty + n * PAGE for n in range(levels - 1)] + [0]  # of the last level no entry leads anywhere
    for n, entry in enumerate(fill):
        ram.words(ROOT if not n else empty + (n - 1) * PAGE, *[entry] * (PAGE // 8))
    table, shift = ROOT, 14 + 11 * (levels - 1)
    for n in range(1, levels):
        made = free + shift * PAGE
        ram.words(table + (PAGED >> shift & 0x7FF) * 8, WINDOW + made)
        ram.words(made, *[fill[n]] * (PAGE // 8))
        table, shift = made, shift - 11
    ram.words(table + (PAGED >> 14 & 0x7FF) * 8, 0x88000 | PRESENT | 1)
    return ram


@pytest.mark.parametrize("levels", [2, 3])
def test_the_tables_tell_how_many_levels_they_have(levels: int) -> None:
    ram = tables(levels)
    assert memory.levels(ROOT, 14, PhysicalMemory(ram)) == levels
    assert space(ram).translate(PAGED + 0x60) == 0x88060


def test_memory_in_the_windows_takes_no_tables() -> None:
    made = space(Ram())
    assert made.translate(WINDOW + 0x5678) == made.translate((8 << 60) + 0x5678) == 0x5678
    for address in (0x1234, (0xB << 60) + 0x5678, PAGED):
        with pytest.raises(NotMapped):
            made.translate(address)


def test_a_large_page_is_there_or_not() -> None:
    paging, ram = LOONG.pagings["16K 3"], tables(3)
    at = 0x200000 + 36 * PAGE + (PAGED >> 25 & 0x7FF) * 8
    ram.words(at, 0x6000000 | PRESENT | HUGE | 1 << 12)
    found = paging.translate(ROOT, PAGED, PhysicalMemory(ram).read)
    assert (found.start, found.size) == (0x6000000, 32 << 20)
    ram.words(at, 0x6000000 | HUGE)  # being moved
    with pytest.raises(NotMapped):
        paging.translate(ROOT, PAGED, PhysicalMemory(ram).read)


def test_tables_in_the_window_tell_the_machine() -> None:
    assert arch_of_info(INFO) is LOONG
    assert arch_of_info({"SYMBOL(swapper_pg_dir)": "c000000000000000"}) is None
    assert arch_of_info({"SYMBOL(swapper_pg_dir)": "none"}) is None


ADD_96, ST_RA, ST_FP, SET_FP = 0x02FE8063, 0x29C16061, 0x29C14076, 0x02C18076  # addi.d sp, sp, -96 ...
CALL, FREE_96, RETURN, NOP = 0x54000400, 0x02C18063, 0x4C000020, 0x03400000


def code_of(*words: int) -> Any:
    code = struct.pack(f"<{len(words)}I", *words)
    read = lambda address, size: code[address - 0x1000 :][:size]  # noqa: E731
    return SimpleNamespace(
        memory=SimpleNamespace(read=read, u32=lambda at: int.from_bytes(read(at, 4), "little")), find_symbol=None
    )


@pytest.mark.parametrize(
    "words, pc, interrupted, frame",
    [
        ((ADD_96, ST_FP, ST_RA, CALL, NOP), 4, False, Made(96, -8, -16, False)),
        ((ADD_96, ST_FP, ST_RA, SET_FP, CALL, NOP), 5, False, Made(96, -8, -16, True)),  # whatever alloca() takes
        ((ADD_96, ST_FP, ST_RA), 1, True, Made(96, None, None, False)),  # ra is in its register yet
        ((NOP, NOP), 1, True, Made(0, None, None, False)),
        ((ADD_96, ST_RA, CALL, FREE_96, RETURN), 4, True, Made(0, None, None, False)),  # about to return
        # addi.d sp, sp, -2032; st.d ra, sp, 2024; lu12i.w t0, -1; add.d sp, sp, t0
        ((0x02E04063, 0x29DFA061, 0x15FFFFEC, 0x0010B063, CALL), 5, False, Made(6128, -8, None, False)),
        # lu12i.w t0, 1; ori t0, t0, 16; addi.d sp, sp, -32; stptr.d ra, sp, 24; sub.d sp, sp, t0
        ((0x1400002C, 0x0380418C, 0x02FF8063, 0x27001861, 0x0011B063, CALL), 6, False, Made(4144, -8, None, False)),
    ],
)
def test_the_head_of_a_function(words: tuple[int, ...], pc: int, interrupted: bool, frame: Made) -> None:
    assert frame_of(code_of(*words), 0x1000, 0x1000 + 4 * pc, interrupted) == frame


@pytest.mark.parametrize(
    "numbers, entry",
    [
        ((96, -16, -8, 0x2112), OrcEntry("sp", 96, "prev_sp", -16, "call", False, False, ra_offset=-8)),
        ((16, 0, 0, 0x2002), OrcEntry("sp", 16, "undefined", 0, "call", False, False)),
        ((0, -16, -8, 0x2113), OrcEntry("fp", 0, "prev_sp", -16, "call", False, False, ra_offset=-8)),
        ((0, 0, 0, 0x3002), OrcEntry("sp", 0, "undefined", 0, "regs", False, False)),
        ((0, 0, 0, 0x1000), OrcEntry("undefined", 0, "undefined", 0, "end_of_stack", False, True)),
        ((0, 0, 0, 0x7FFF), OrcEntry("unknown", 0, "unknown", 0, "undefined", False, False)),
    ],
)
def test_an_entry_of_orc(numbers: tuple[int, int, int, int], entry: OrcEntry) -> None:
    assert decode_wide(*numbers) == entry


TEXT, TASK, IRQ = WINDOW + 0x220000, Stack(WINDOW + 0x8000, WINDOW + 0xC000, "task"), WINDOW + 0x10000
NAMES = ("leaf", "middle", "outer", "do_vint", "handle_vint", "handle_syscall", "tlb_do_page_fault_0", "start_kernel")
AT = {name: TEXT + n * 0x1000 for n, name in enumerate(NAMES)}
VECTORS = WINDOW + 0x300000


def walk(ram: Ram, orc: dict[str, OrcEntry], state: State, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Frame], Any]:
    def name_of(address: int) -> Any:
        name = next((n for n, start in AT.items() if 0 <= address - start < 0x1000), None)
        return SimpleNamespace(symbol=name, offset=address - AT[name], module=None) if name else None

    ram.words(0x310000, VECTORS)
    for page in {where & -4 for where in ram._pages}:  # the kernel's page is four of the dump's
        for number in set(range(page, page + 4)) - set(ram._pages):
            ram.put(number << 12, bytes(4096))
    symbols = {**AT, "eentry": WINDOW + 0x310000}
    machine = SimpleNamespace(
        stacks_by_cpu=lambda _kernel: {0: [Stack(IRQ, IRQ + PAGE - 16, "irq")]},
        in_user=unwind.in_user,
        kernel_from=lambda _kernel: 1 << 63,
    )
    kernel: Any = SimpleNamespace(memory=space(ram), machine=machine, name_of=name_of, find_symbol=symbols.get)
    kernel.cached = lambda function: PAGE if function.__name__ == "thread_size" else function(kernel)
    table = SimpleNamespace(lookup=lambda address: orc[name_of(address).symbol])
    for where in ("oopscope.machine.common.chain", "oopscope.machine.loongarch64.stacks"):
        monkeypatch.setattr(f"{where}.in_text", lambda _kernel, address: TEXT <= address < TEXT + 0x10000)
    monkeypatch.setattr(unwind, "kernel_orc", lambda _kernel: table if orc else None)
    monkeypatch.setattr(unwind, "orc_for", lambda _kernel, _address: table)
    made = unwind.Unwinder(kernel, [TASK])
    return made.frames(state), made.problem


def call(size: int, ra: int | None = -8, fp: int | None = None, by: Any = "sp") -> OrcEntry:
    return OrcEntry(by, size, "undefined" if fp is None else "prev_sp", fp or 0, "call", False, False, ra_offset=ra)


def pt_regs(**registers: int) -> list[int]:
    return [registers.get(name, 0) for name in PT_REGS]


def physical(address: int) -> int:
    return address - WINDOW


def test_through_an_interrupt_to_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the interrupt's own stack to the task's, by a leaf that has not saved ra, a system call, to a program."""
    ram, end = tables(3), IRQ + PAGE - 16
    ram.words(physical(end - 8), AT["do_vint"] + 0x9C)  # what leaf returns to
    regs, sp = TASK.start + 0x100, TASK.start + 0x800
    ram.words(physical(end), regs)
    ram.words(physical(regs), *pt_regs(pc=AT["outer"] + 8, ra=AT["middle"] + 0x20, sp=sp))
    ram.words(physical(sp + 32), AT["handle_syscall"] + 0x40)
    ram.words(physical(sp + 40), *pt_regs(pc=0x120001000, sp=0x7FFF0000, prmd=3))
    orc = {"leaf": call(16), "do_vint": call(64), "outer": call(0, None), "middle": call(40)}
    frames, problem = walk(ram, orc, State(AT["leaf"] + 4, end - 16, 0, True), monkeypatch)
    assert problem is None
    assert [(frame.symbol, frame.kind) for frame in frames] == [
        *(("leaf", "irq"), ("do_vint", "irq"), ("outer", "task"), ("middle", "task")),
        *(("handle_syscall", "syscall"), (None, "user")),
    ]


def test_a_handler_s_copy_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    ram, sp = tables(3), TASK.start + 0x100
    ram.words(physical(sp + 8), VECTORS + 70 * 0x200 + 0x44)
    ram.words(physical(sp + 16), *pt_regs(pc=AT["outer"] + 8, sp=TASK.end - 0x140, ra=1))
    orc = {"leaf": call(16), "outer": OrcEntry("undefined", 0, "undefined", 0, "end_of_stack", False, True)}
    frames, problem = walk(ram, orc, State(AT["leaf"] + 4, sp, 0, False), monkeypatch)
    assert ([(frame.symbol, frame.kind) for frame in frames], problem) == (
        [("leaf", "task"), ("handle_vint", "irq"), ("outer", "task")],
        None,
    )
    assert frames[1].offset == 0x44


def test_without_tables_the_code_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that took room by alloca() is found by fp, which the called one saved."""
    ram, sp = tables(3), TASK.start + 0x100
    for name, words in (
        ("leaf", (ADD_96, ST_FP, ST_RA, CALL)),
        ("middle", (ADD_96, ST_FP, ST_RA, SET_FP, CALL)),
        ("outer", (0x02FF8063, 0x29C06061, CALL)),
    ):
        for n, word in enumerate(words):
            ram.put(physical(AT[name] + 4 * n), struct.pack("<I", word))
    above = TASK.start + 0x400
    ram.words(physical(sp + 80), above, AT["middle"] + 20)
    ram.words(physical(above - 16), 0, AT["outer"] + 12)
    ram.words(physical(above + 24), AT["start_kernel"] + 0x10)
    frames, problem = walk(ram, {}, State(AT["leaf"] + 16, sp, 0, False), monkeypatch)
    assert ([frame.symbol for frame in frames], problem) == (["leaf", "middle", "outer", "start_kernel"], None)


def test_where_nothing_more_is_known_the_walk_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    ram = tables(3)
    start = State(AT["leaf"] + 4, TASK.start + 0x100, 0, False)
    assert "was not saved" in walk(ram, {"leaf": call(16, None)}, start, monkeypatch)[1]
    assert "on no stack" in walk(ram, {"leaf": call(1 << 20)}, start, monkeypatch)[1]
    assert "does not tell" in walk(ram, {"leaf": decode_wide(0, 0, 0, 0)}, start, monkeypatch)[1]


@pytest.mark.parametrize(
    "crmd, called, pc",
    [
        (0xB0, None, AT["leaf"] + 8),  # the kernel's own note is taken at its word
        (0, AT["leaf"], AT["leaf"] + 8),  # ERA lies in what was called last
        (0, AT["middle"], AT["outer"] + 8),
        (0, None, AT["outer"] + 8),
    ],
)
def test_qemu_s_note_has_no_program_counter(
    crmd: int, called: int | None, pc: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    kernel: Any = SimpleNamespace(
        name_of=lambda address: SimpleNamespace(offset=address - AT["leaf"]),
        problems=SimpleNamespace(add=lambda _section, text: said.append(text)),
    )
    monkeypatch.setattr(stacks, "in_text", lambda _kernel, _address: True)
    monkeypatch.setattr(stacks, "call_target", lambda _kernel, _address: called)
    given = {"pc": AT["leaf"] + 8, "ra": AT["outer"] + 8, "sp": TASK.start, "fp": 0, "crmd": crmd}
    found = stacks.note_registers(kernel, given)
    assert found["pc"] == pc
    assert bool(said) is (pc != given["pc"])
    assert unwind.from_registers(found).signal is (pc == given["pc"])


def test_syndromes() -> None:
    assert syndromes.words(0x10800) == "a load from a page that is not there"
    assert syndromes.words(8 << 16) == "an instruction fetch from a wrong address"
    assert syndromes.words(8 << 16 | 1 << 22) == "a wrong address"
    assert (syndromes.words(0x800), syndromes.words(0), syndromes.words(63 << 16)) == ("an interrupt", "", "")
    assert syndromes.about_register(None, "prmd", 7) == "a program, interrupts on"
    assert syndromes.about_register(None, "estat", 13 << 16) == "an illegal instruction"
    assert syndromes.about_register(None, "a0", 3) is None


OOPS = """\
[    1.440952] CPU 0 Unable to handle kernel paging request at virtual address ffff800000008064, \
era == 9000000000eb8228, ra == 9000000000eb8210
[    1.441665] Oops[#1]:
[    1.442055] CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 7.2.13+deb14-loong64 #1 PREEMPTLAZY  Debian 7.2.13-1
[    1.442544] pc 9000000000eb8228 ra 9000000000eb8210 tp 90000000062d1340 sp 90000000062a3ce0
[    1.442813] a0 00000000000000b4 a1 0000000000000000 a2 90000000062a3b50 a3 90000000062a3b48
[    1.451264] t0 ffff800000008000 t1 0000000000000064 t2 0000000000008000 t3 0000000000000001
[    1.451300] t8 0000000000000000 u0 0000000088bf0000 s9 90000000018a8c30 s0 9000000001bf44a8
[    1.451360]    ra: 9000000000eb8210 i8042_flush+0x40/0x160
[    1.451572]   ERA: 9000000000eb8228 i8042_flush+0x58/0x160
[    1.451591]  CRMD: 000000b0 (PLV0 -IE -DA +PG DACF=CC DACM=CC -WE)
[    1.451723]  PRMD: 00000000 (PPLV0 -PIE -PWE)
[    1.452006] ESTAT: 00010800 [PIL] (IS=11 ECode=1 EsubCode=0)
[    1.452051]  BADV: ffff800000008064
[    1.452178] Process swapper/0 (pid: 1, threadinfo=00000000d980abe2, task=00000000d980abe2)
[    1.452780] Call Trace:
[    1.452946] [<9000000000eb8228>] i8042_flush+0x58/0x160
[    1.453204] [<9000000001351f64>] i8042_init+0x4ac/0x560
[    1.453302] [<9000000000236a18>] ret_from_kernel_thread_asm+0x10/0x98
[    1.453390] Code: 28d2436c  1400010e  0010b98c <38203599> 38720005  0340072c  4000b580  29c0207c  02804017
[    1.455125] ---[ end trace 0000000000000000 ]---
[    1.468914] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b
"""


def test_an_oops_from_its_log(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(OOPS)
    kernel = open_kernel([tmp_path / "log.txt"])
    found = verdict(kernel)
    assert (found.cause, found.symbol, found.comm) == ("bad-page-fault", "i8042_flush+0x58", "swapper/0")
    assert found.summary.startswith("i8042_flush+0x58 used the wild pointer 0xffff800000008064, which is not mapped")
    assert found.fault is not None
    assert (found.fault.verb, found.fault.formula, found.fault.address) == ("reads", "t0 + t1", 0xFFFF800000008064)
