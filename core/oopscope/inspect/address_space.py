"""Where an address lies in a kernel's address space: how it is laid out, whose stack.

Where the large areas are is the machine's to say.
"""

from bisect import bisect_right
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Space
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.task import TaskStruct, task_structs

GUARD = 4096  # bytes below a stack where nothing is mapped: who comes there has overflown it


def address_space(kernel: Kernel) -> Space | None:
    """Return where the areas are; None on a machine whose areas are not known here."""
    return kernel.machine.address_space(kernel)


def canonical(space: Space, address: int) -> bool:
    """Tell whether an address can be one: its upper bits all equal the highest that means something."""
    return address >> space.bits - 1 in (0, (1 << 65 - space.bits) - 1)


class Owned(NamedTuple):
    """A stack and whose it is: a CPU's, or a task's."""

    stack: Stack
    cpu: int | None
    task: TaskStruct | None


class StackMap:
    """Every stack by address."""

    def __init__(self, found: list[Owned]) -> None:
        self.owned = sorted(found, key=lambda owned: owned.stack.start)
        self._starts = [owned.stack.start for owned in self.owned]

    def at(self, address: int) -> Owned | None:
        """Return the stack that an address lies in, or whose guard page."""
        at = bisect_right(self._starts, address) - 1
        if at >= 0 and address in self.owned[at].stack:
            return self.owned[at]
        above = self.owned[at + 1] if at + 1 < len(self.owned) else None
        return above if above is not None and above.stack.start - GUARD <= address else None


def stack_map(kernel: Kernel) -> StackMap:
    """Return all tasks' and CPUs' stacks that are known."""
    found = [
        Owned(stack, cpu, None)
        for cpu, stacks in kernel.cached(kernel.machine.stacks_by_cpu).items()
        for stack in stacks
    ]
    try:
        size = kernel.cached(thread_size)
        tasks = kernel.cached(task_structs).values()
        found += [Owned(Stack(t.stack, t.stack + size, "task"), None, t) for t in tasks if t.stack]
    except OopscopeError:  # the tasks' own section says why
        pass
    return StackMap(found)
