"""arm64's unwinder on stacks made word by word: records, exceptions, functions without a record, what is broken."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.kernel.fakes import FakeKernel, FakeTypes, Ram
from oopscope.kernel.frame import Frame
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import ModuleMap, module_map
from oopscope.machine.aarch64.code import call_target, follows_call, has_frame
from oopscope.machine.aarch64.machine import MACHINE
from oopscope.machine.aarch64.registers import USUAL, about_register, strip
from oopscope.machine.aarch64.unwind import from_registers, unwinder

TEXT = 0xFFFF800008000000
NAMES = ("leaf", "middle", "outer", "el1h_64_sync", "el0t_64_sync", "ret_from_fork", "el1h_64_irq", "call_on_irq_stack")
AT = {name: TEXT + 0x1000 * (i + 1) for i, name in enumerate(NAMES)}
TASK = Stack(0xFFFF80000A000000, 0xFFFF80000A004000, "task")
IRQ = Stack(0xFFFF800009000000, 0xFFFF800009004000, "irq")
SP = TASK.start + 0x2000
PAC_MASK = 0xFF7F << 48
MOV_FP, RET = 0x910003FD, 0xD65F03C0
EL0, EL1 = 0, 5


def kernel(ram: Ram, types: Any = None, mask: int | None = None) -> FakeKernel:
    found = FakeKernel(
        ram,
        {"_stext": TEXT, "_etext": TEXT + 0x100000, **AT},
        {module_map: ModuleMap([]), MACHINE.stacks_by_cpu: {0: [IRQ]}},
        types,
    )
    found.machine = MACHINE
    found.info = SimpleNamespace(number=lambda name: mask if name == "KERNELPACMASK" else None)  # type: ignore[attr-defined]
    return found


def unwind(found: FakeKernel, start: State) -> tuple[list[str], str | None, list[Frame]]:
    made = unwinder(found, [TASK])
    frames = made.frames(start)
    return [f.symbol or f.kind for f in frames], made.problem, frames


def ret(name: str) -> int:
    return AT[name] + 0x20


def framed(ram: Ram, *names: str) -> None:
    """Let functions begin with their frame record."""
    for name in names:
        ram.put(AT[name], MOV_FP.to_bytes(4, "little"))


def registers(
    ram: Ram,
    at: int,
    pc: int,
    sp: int,
    fp: int,
    pstate: int = EL1,
    link: int = 0,
    record: tuple[int, int] | None = None,
    meta: int = 0,
) -> int:
    """Write a struct pt_regs with its record; return where the record is."""
    ram.words(at, *[0] * 29, fp, link, sp, pc, pstate)
    ram.words(at + USUAL.stackframe, *(record or (fp, pc)), meta)
    return at + USUAL.stackframe


def test_records_lead_to_the_start_of_a_thread() -> None:
    ram = Ram()
    framed(ram, "leaf")
    top = registers(ram, SP + 0x800, 0, 0, 0, record=(0, 0))
    ram.words(SP, SP + 0x40, ret("middle"))
    ram.words(SP + 0x40, SP + 0x80, ret("outer"))
    ram.words(SP + 0x80, top, ret("ret_from_fork"))
    start = from_registers({"pc": AT["leaf"] + 8, "sp": SP, "x29": SP, "x30": ret("middle")})
    names, problem, frames = unwind(kernel(ram), start)
    assert names == ["leaf", "middle", "outer", "ret_from_fork"]
    assert problem is None
    assert [f.offset for f in frames] == [8, 0x20, 0x20, 0x20]
    assert frames[-1].kind == "syscall"


def test_the_link_register_serves_where_no_record_was_made() -> None:
    ram = Ram()
    ram.put(AT["leaf"], bytes(64))
    ram.words(SP, 0, 0)
    start = from_registers({"pc": AT["leaf"] + 8, "sp": SP, "x29": 0, "x30": ret("middle")})
    assert unwind(kernel(ram), start)[0] == ["leaf", "middle"]


def test_a_call_of_what_is_no_code() -> None:
    ram = Ram()
    start = from_registers({"pc": 0x10, "sp": SP, "x29": 0, "x30": ret("middle")})
    assert unwind(kernel(ram), start)[0] == ["task", "middle"]


@pytest.mark.parametrize("marked", [False, True])
def test_through_an_exception_to_the_program(marked: bool) -> None:
    """By the record that an entry's registers hold; since 6.14 that is zeros and a type."""
    ram = Ram()
    framed(ram, "leaf", "middle")
    types = FakeTypes(frame_record_meta=(24, {})) if marked else None
    zeros = (0, 0) if marked else None
    user = registers(ram, SP + 0x800, 0x400123, 0x7FFFF000, 0x7FFFF010, EL0, record=(0, 0), meta=1)
    ram.words(SP + 0x700, user, ret("el0t_64_sync"))
    inner = registers(ram, SP + 0x200, AT["middle"] + 0x44, SP + 0x700, SP + 0x700, record=zeros, meta=2)
    ram.words(SP, inner, ret("el1h_64_sync"))
    start = from_registers({"pc": AT["leaf"] + 8, "sp": SP, "x29": SP, "x30": 0})
    names, problem, frames = unwind(kernel(ram, types), start)
    assert names == ["leaf", "el1h_64_sync", "middle", "el0t_64_sync", "user"]
    assert problem is None
    assert [f.kind for f in frames] == ["task", "exception", "task", "syscall", "user"]
    assert (frames[2].offset, frames[2].sp) == (0x44, SP + 0x700)
    assert (frames[-1].address, frames[-1].sp) == (0x400123, 0x7FFFF000)


def test_an_interrupt_on_a_stack_of_its_own() -> None:
    ram = Ram()
    framed(ram, "leaf", "middle")
    inner = registers(ram, SP + 0x200, AT["middle"] + 0x44, SP + 0x700, 0)
    ram.words(SP + 0x100, inner, ret("el1h_64_irq"))
    ram.words(IRQ.end - 0x20, SP + 0x100, ret("call_on_irq_stack"))
    start = from_registers({"pc": AT["leaf"] + 8, "sp": IRQ.end - 0x80, "x29": IRQ.end - 0x20, "x30": 0})
    names, problem, frames = unwind(kernel(ram), start)
    assert names == ["leaf", "call_on_irq_stack", "el1h_64_irq", "middle"]
    assert [f.kind for f in frames] == ["irq", "irq", "irq", "task"]
    assert problem is None


def test_signed_return_addresses_are_stripped() -> None:
    found = kernel(Ram(), mask=PAC_MASK)
    assert strip(found, 0x00AB_8000_0800_1020 | 1 << 55) == 0xFFFF_8000_0800_1020 | 1 << 55
    assert strip(found, 0x400123) == 0x400123
    assert strip(kernel(Ram()), ret("leaf")) == ret("leaf")


BROKEN = [
    (SP + 4, "is on no stack"),
    (0xFFFF800099999000, "is on no stack"),
    (SP + 0x40, "is not a return address"),
    (SP + 0x80, "the stack loops"),
    (TASK.start + 0x3000, "unreadable"),
]


@pytest.mark.parametrize("fp, why", BROKEN)
def test_what_is_broken_is_said(fp: int, why: str) -> None:
    ram = Ram()
    framed(ram, "leaf")
    ram.words(SP + 0x40, SP + 0x60, 0x1234)
    ram.words(SP + 0x80, SP + 0x80, ret("middle"))
    start = from_registers({"pc": AT["leaf"] + 8, "sp": SP, "x29": fp, "x30": 0})
    names, problem, _ = unwind(kernel(ram), start)
    assert names[0] == "leaf"
    assert why in problem


def test_a_stack_of_hostile_records_ends() -> None:
    """Each points at the next, more of them than any stack has frames."""
    ram = Ram()
    for at in range(TASK.start, TASK.end - 16, 16):
        ram.words(at, at + 16, ret("middle"))
    names, _, _ = unwind(kernel(ram), State(ret("leaf"), TASK.start, TASK.start, False))
    assert 1000 < len(names) <= 1025


def test_calls() -> None:
    ram = Ram()
    ram.put(ret("outer") - 4, (0x94000000 | (AT["leaf"] - ret("outer") + 4 >> 2) & 0x3FFFFFF).to_bytes(4, "little"))
    found = kernel(ram)
    assert call_target(found, ret("outer")) == AT["leaf"]
    assert follows_call(found, ret("outer"))
    assert not follows_call(found, ret("outer") + 2)
    for word, is_call in (
        (0xD63F0260, True),
        (0xD73F0A34, True),
        (0xD61F0260, False),
        (RET, False),
        (0x14000001, False),
    ):
        ram.put(ret("outer") - 4, word.to_bytes(4, "little"))
        assert follows_call(kernel(ram), ret("outer")) is is_call
        assert call_target(kernel(ram), ret("outer")) is None
    assert not follows_call(kernel(Ram()), ret("outer"))


def test_where_a_function_has_its_record() -> None:
    ram = Ram()
    code = (0xA9BE7BFD, MOV_FP, 0xB4000041, 0xA8C27BFD, RET, 0xD503201F)  # stp, mov, cbz, ldp, ret, nop
    ram.put(AT["leaf"], b"".join(word.to_bytes(4, "little") for word in code))
    made = [has_frame(kernel(ram), AT["leaf"], AT["leaf"] + 4 * n) for n in range(7)]
    assert made == [False, False, True, True, False, True, True]
    assert has_frame(kernel(Ram()), AT["leaf"], AT["leaf"] + 8)  # its code is not in the dump


def test_pstate_in_words() -> None:
    assert about_register(None, "pstate", 0x60400005) == "nZCv, EL1h"
    assert about_register(None, "pstate", 0x80000000) == "Nzcv, EL0, a program"
    assert about_register(None, "pstate", 0x3C5) == "nzcv, EL1h; masked: debug, SError, IRQ, FIQ"
    assert about_register(None, "x0", 5) is None
