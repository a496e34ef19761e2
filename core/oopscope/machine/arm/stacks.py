"""Where an ARM CPU's stacks for interrupts and overflows are. Follows arch/arm/kernel/{irq,traps}.c.

Both came with VMAP_STACK and IRQSTACKS in 5.18; a pointer there is the stack's end.
"""

from oopscope.errors import NoTypes, OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.stack import Stack, thread_size

OVERFLOW_STACK_SIZE = 4096
POINTERS: tuple[tuple[str, FrameKind], ...] = (("irq_stack_ptr", "irq"), ("overflow_stack_ptr", "exception"))


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the interrupt and overflow stacks that can be found, by CPU."""
    found: dict[int, list[Stack]] = {}
    size = kernel.cached(thread_size)
    for cpu in present_cpus(kernel):
        own = found.setdefault(cpu, [])
        for symbol, kind in POINTERS:
            if kernel.find_symbol(symbol) is None:
                continue
            try:
                end = kernel.memory.word(kernel.per_cpu(symbol, cpu))
            except NoTypes:  # the sections that need types say so
                continue
            except OopscopeError as e:
                kernel.problems.lost("cpus", f"CPU {cpu}: {symbol}")(e)
                continue
            own += [Stack(end - (size if kind == "irq" else OVERFLOW_STACK_SIZE), end, kind)] if end else []
    return found
