"""The stacks of a CPU before 5.2: irq_stack_ptr, and the tops that struct orig_ist keeps."""

import pytest

from core.kernel.fakes import FakeKernel, Ram
from oopscope.kernel.stack import thread_size
from oopscope.machine.x86_64.stacks import stacks_by_cpu

IRQ_TOP, IST = 0xFFFF880000100000, 0xFFFFFE0000010000
POINTER, OLD, PRESENT = 0x1000, 0x2000, 0x3000


class PerCpuKernel(FakeKernel):
    """Its first CPU's copies lie where the symbols are."""

    def per_cpu(self, symbol: int | str, _cpu: int) -> int:
        return self.symbol(symbol) if isinstance(symbol, str) else symbol


def kernel(tops: list[int], top: int = IRQ_TOP, size: int = 0x4000) -> PerCpuKernel:
    ram = Ram()
    ram.words(POINTER, top)
    ram.words(OLD, *tops, *[0] * (7 - len(tops)))
    ram.words(PRESENT, 1)
    symbols = {"irq_stack_ptr": POINTER, "orig_ist": OLD, "__cpu_present_mask": PRESENT}
    return PerCpuKernel(ram, symbols, {thread_size: size})


@pytest.mark.parametrize("top", [IRQ_TOP, IRQ_TOP - 64])
def test_the_interrupt_stack(top: int) -> None:
    stacks = stacks_by_cpu(kernel([], top))[0]
    assert [(s.start, s.end, s.kind) for s in stacks] == [(IRQ_TOP - 0x4000, IRQ_TOP, "irq")]


def test_with_kasan_it_is_as_large_as_a_tasks() -> None:
    stack = stacks_by_cpu(kernel([], IRQ_TOP - 8, 0x8000))[0][0]
    assert (stack.start, stack.end) == (IRQ_TOP - 0x8000, IRQ_TOP)


@pytest.mark.parametrize(
    "tops, nmi",
    [
        ([0x1000, 0x2000, 0x4000, 0x5000], 1),  # double fault, NMI, debug, machine check
        ([0x1000, 0x2000, 0x3000, 0x5000, 0x6000], 2),  # with a stack fault's before them
        ([0x2000, 0x4000, 0x8000, 0xA000], 1),  # KASAN
    ],
)
def test_the_exception_stacks(tops: list[int], nmi: int) -> None:
    found = kernel([IST + top for top in tops])
    stacks = [s for s in stacks_by_cpu(found)[0] if s.kind != "irq"]
    assert [s.end - IST for s in stacks] == tops
    assert [i for i, s in enumerate(stacks) if s.kind == "nmi"] == [nmi]
    assert [s.start - IST for s in stacks[1:]] == tops[:-1]  # each ends where the next begins
    assert not list(found.problems)
