"""Where an arm64 CPU's stacks for interrupts, overflows and firmware's events (SDEI) are.

Follows arch/arm64/kernel/{irq,traps,sdei}.c and arch/arm64/include/asm/memory.h. A stack that this kernel does not have
is left out.
"""

from contextlib import suppress

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.stack import Stack, thread_size

OVERFLOW_STACK_SIZE = 4096
# Per-CPU pointers to stacks that are as large as a thread's, and what runs on them.
POINTERS: tuple[tuple[str, FrameKind], ...] = (
    ("irq_stack_ptr", "irq"),
    ("sdei_stack_normal_ptr", "nmi"),
    ("sdei_stack_critical_ptr", "nmi"),
)


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the stacks of each CPU that can be found."""
    return {cpu: _of_cpu(kernel, cpu) for cpu in present_cpus(kernel)}


def _of_cpu(kernel: Kernel, cpu: int) -> list[Stack]:
    found = []
    size = kernel.cached(thread_size)
    for symbol, kind in POINTERS:
        if kernel.find_symbol(symbol) is None:
            continue
        try:
            base = kernel.memory.word(kernel.per_cpu(symbol, cpu))
        except OopscopeError as e:
            kernel.problems.lost("cpus", f"CPU {cpu}: {symbol}")(e)
            continue
        if base:
            found.append(Stack(base, base + size, kind))
    if kernel.find_symbol("overflow_stack") is not None:
        with suppress(OopscopeError):
            base = kernel.per_cpu("overflow_stack", cpu)
            found.append(Stack(base, base + OVERFLOW_STACK_SIZE, "exception"))
    return found
