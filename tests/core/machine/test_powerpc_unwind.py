"""The frame of an entry on PowerPC, by its mark: as kernels of both byte orders and ELF ABIs lay it out."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.kernel.fakes import Ram, memory_of
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.machine.powerpc.arch import GENERAL
from oopscope.machine.powerpc.unwind import Unwinder

STACK = Stack(0x20000, 0x24000, "task")
SP, TEXT = 0x21000, 0x8000


@pytest.mark.parametrize(
    "endian, marker, at, regs",
    [
        ("<", 0x53474552, 32, 48),  # 6.2, ELF ABI v2
        (">", 0x52454753, 32, 48),
        (">", 0x52454753, 112, 128),  # ELF ABI v1
        ("<", 0x7265677368657265, 96, 112),
        (">", 0x7265677368657265, 96, 112),
    ],
)
def test_the_registers_of_an_entry(endian: str, marker: int, at: int, regs: int) -> None:
    ram = Ram(endian)
    ram.words(SP, *[0] * 64)
    ram.words(SP + at, marker)
    ram.words(SP + regs, *({"nip": TEXT, "gpr1": SP + 0x800, "msr": 0x8000}.get(name, 7) for name in GENERAL))
    machine = SimpleNamespace(stacks_by_cpu=lambda _kernel: {})
    kernel: Any = SimpleNamespace(memory=memory_of(ram), machine=machine)
    kernel.cached = lambda function: function(kernel)
    found = Unwinder(kernel, [STACK]).step(State(0x9000, SP, 0, False))
    assert (found.pc, found.sp, found.signal, found.registers["msr"]) == (TEXT, SP + 0x800, True, 0x8000)
