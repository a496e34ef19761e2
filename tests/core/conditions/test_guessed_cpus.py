"""CPUs without registers: their stacks alone give what the registers gave, but for the innermost frames."""

import pytest

from builders.altered import Altered, stored
from cases import Case, case_of
from oopscope.boot.attach import attach
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import task_stack
from oopscope.linux.task import task_structs
from oopscope.machine.x86_64.guess import guess
from oopscope.machine.x86_64.stacks import live_stacks
from oopscope.stacks.cpus import all_cpus

INNERMOST = 3  # what panic() called, and what stood in registers alone


def panicked(kernel: Kernel) -> tuple[Kernel, int, tuple[Frame, ...], int]:
    """The kernel, the CPU that panicked, its frames by its registers, and its task."""
    cpu = next(c for c in all_cpus(kernel) if c.state == "panic" and c.frames)
    assert cpu.task
    return kernel, cpu.cpu, cpu.frames, cpu.task


def in_nmi(name: str) -> Kernel:
    """A kernel whose CPU 0 was in an NMI, with the page that says so: it is not among those that were kept."""
    kernel = case_of(name).kernel
    at = kernel.memory.translate(kernel.per_cpu("nmi_state", 0))
    page = bytes(at % 4096) + b"\1\0\0\0"
    return attach(Altered(stored(f"{name}.kdump"), pages={at >> 12: page.ljust(4096, b"\0")}), print)


def guessed(kernel: Kernel, cpu: int, task: int) -> list[Frame]:
    stack = task_stack(kernel, kernel.cached(task_structs)[task].stack)
    return guess(kernel, stack, live_stacks(kernel, cpu))


@pytest.mark.thorough
def test_the_panicking_cpu(case: Case) -> None:
    kernel, cpu, known, task = panicked(in_nmi(case.name) if case.name == "6.12-nmi" else case.kernel)
    found = guessed(kernel, cpu, task)
    assert not any(f.reliable for f in found)
    common = 0
    while common < min(len(known), len(found)) and known[-1 - common].address == found[-1 - common].address:
        common += 1
    assert common >= len(known) - INNERMOST
    assert [f.kind for f in found[-common:]] == [f.kind for f in known[-common:]]


@pytest.mark.parametrize(
    ("name", "kinds"), [("6.1-irq", ["irq"]), ("5.10-softlockup", ["irq"]), ("6.12-nmi", ["nmi"]), ("6.1-null", [])]
)
def test_only_stacks_in_use_are_looked_at(name: str, kinds: list[str]) -> None:
    kernel, cpu, _known, _task = panicked(in_nmi(name) if "nmi" in kinds else case_of(name).kernel)
    assert [stack.kind for stack in live_stacks(kernel, cpu)] == kinds


def test_without_its_irq_stack_the_interrupt_is_not_seen() -> None:
    """The proof that the frames come from there."""
    kernel, cpu, known, task = panicked(case_of("6.1-irq").kernel)
    stack = task_stack(kernel, kernel.cached(task_structs)[task].stack)
    inside = {f.address for f in known if f.kind == "irq"}
    assert len(inside & {f.address for f in guess(kernel, stack)}) < len(inside)
    assert inside <= {f.address for f in guessed(kernel, cpu, task)}
