"""Where an i386 CPU's stacks for interrupts and softirqs are. Follows arch/x86/kernel/irq_32.c.

A frame pointer that was saved there leads back to the stack that was left.
"""

from oopscope.errors import NoTypes, OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.stack import Stack, thread_size

# By their names since and before 5.2; in pcpu_hot from 6.2 to 6.14.
POINTERS = (("hardirq_stack_ptr", "hardirq_stack"), ("softirq_stack_ptr", "softirq_stack"))


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the interrupt stacks that can be found, by CPU."""
    found: dict[int, list[Stack]] = {}
    size, hot = kernel.cached(thread_size), kernel.find_symbol("pcpu_hot")
    for cpu in present_cpus(kernel):
        own = found.setdefault(cpu, [])
        for names in POINTERS:
            try:
                if hot is not None and kernel.types.has_member("pcpu_hot", names[0]):
                    at = kernel.per_cpu(hot, cpu) + kernel.types.member("pcpu_hot", names[0]).offset
                elif (symbol := next(filter(kernel.find_symbol, names), None)) is not None:
                    at = kernel.per_cpu(symbol, cpu)
                else:
                    continue
                start = kernel.memory.word(at)
                own += [Stack(start, start + size, "irq")] if start else []
            except NoTypes:  # the sections that need types say so
                continue
            except OopscopeError as e:
                kernel.problems.lost("cpus", f"CPU {cpu}: {names[0]}")(e)
    return found
