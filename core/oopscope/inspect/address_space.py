"""Where things lie in an x86_64 kernel's address space: the map of all memory, vmalloc, struct pages, per-CPU areas.

Follows Documentation/arch/x86/x86_64/mm.rst. The bases are variables of the kernel since KASLR moves them (4.8), and
constants where no symbol names them.
"""

from bisect import bisect_right
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.machine.x86_64.stacks import stacks_by_cpu

TB = 1 << 40
GUARD = 4096  # bytes below a stack where nothing is mapped: who comes there has overflown it
MAX_PFN = 1 << 40
MAX_UNIT = 64 << 20  # bytes of one CPU's area
DYNAMIC = 28 << 10  # PERCPU_DYNAMIC_RESERVE, behind the static variables and those of modules


class Space(NamedTuple):
    """The large areas: first address and the one after the last."""

    bits: int  # of an address that mean something
    direct: range
    vmalloc: range
    vmemmap: range
    page_struct: int  # sizeof(struct page); 0 where types do not say


CPU_ENTRY = range(0xFFFFFE0000000000, 0xFFFFFE8000000000)
FIXMAP = range(0xFFFFFFFFFF000000, 0xFFFFFFFFFFE00000)
EFI = range(0xFFFFFFEF00000000, 0xFFFFFFFF00000000)


def address_space(kernel: Kernel) -> Space | None:
    """Return where the areas are; None on an architecture whose areas are not known here."""
    if kernel.arch.name != "x86_64":
        return None
    five = bool(kernel.info.number("pgtable_l5_enabled"))
    usual = 0xFF11000000000000 if five else 0xFFFF888000000000
    direct = _variable(kernel, "page_offset_base") or _by_per_cpu(kernel) or usual
    moved = direct != usual  # then so are the others, and no constant is right
    vmalloc = _variable(kernel, "vmalloc_base") or (0 if moved else 0xFFA0000000000000 if five else 0xFFFFC90000000000)
    vmemmap = _variable(kernel, "vmemmap_base") or (0 if moved else 0xFFD4000000000000 if five else 0xFFFFEA0000000000)
    pages = _variable(kernel, "max_pfn") or 0
    if not 0 < pages <= MAX_PFN:
        pages = max((end for _start, end in kernel.dump.ranges()), default=0) // kernel.memory.page_size
    try:
        size = kernel.types.sizeof("page")
    except OopscopeError:
        size = 0
    room = (12800 if five else 32) * TB
    return Space(
        57 if five else 48,
        range(direct, direct + pages * kernel.memory.page_size),
        range(vmalloc, vmalloc + room if vmalloc else 0),
        range(vmemmap, vmemmap + pages * size if vmemmap else 0),
        size,
    )


def _variable(kernel: Kernel, name: str) -> int | None:
    try:
        address = kernel.find_symbol(name)
        return kernel.memory.word(address) if address else None
    except OopscopeError:
        return None


def _by_per_cpu(kernel: Kernel) -> int | None:
    """Work the map's base out: the first CPU's area lies in it, and page tables tell its physical address."""
    try:
        address = kernel.per_cpu("__per_cpu_start", 0)
        base = address - kernel.memory.translate(address)
    except OopscopeError:
        return None
    return base if base >> 63 and not base & (1 << 30) - 1 else None  # KASLR moves it by whole GiB


def canonical(space: Space, address: int) -> bool:
    """Tell whether an address can be one: its upper bits all equal the highest that means something."""
    return address >> space.bits - 1 in (0, (1 << 65 - space.bits) - 1)


class PerCpu(NamedTuple):
    """An address in a CPU's area: whose, and the address that its symbol has."""

    cpu: int
    symbol: int
    static: bool  # False: beyond the variables that symbols name


def per_cpu_of(kernel: Kernel, address: int) -> PerCpu | None:
    """Return the CPU's area that an address lies in; None for none."""
    start, end = kernel.find_symbol("__per_cpu_start"), kernel.find_symbol("__per_cpu_end")
    if start is None or end is None or not start < end <= start + MAX_UNIT:
        return None
    size = end - start + DYNAMIC  # what is left of the CPU's first unit beyond that is given to others
    for cpu, offset in enumerate(kernel.cached(per_cpu_offsets)):
        past = (address - start - offset) % kernel.memory.top
        if past < size:
            return PerCpu(cpu, start + past, past < end - start)
    return None


class Owned(NamedTuple):
    """A stack and whose it is: a CPU's, or a task's."""

    stack: Stack
    cpu: int | None
    task: TaskStruct | None


class StackMap:
    """Every stack by address."""

    def __init__(self, found: list[Owned]) -> None:
        self._found = sorted(found, key=lambda owned: owned.stack.start)
        self._starts = [owned.stack.start for owned in self._found]

    def at(self, address: int) -> Owned | None:
        """Return the stack that an address lies in, or whose guard page."""
        at = bisect_right(self._starts, address) - 1
        if at >= 0 and address in self._found[at].stack:
            return self._found[at]
        above = self._found[at + 1] if at + 1 < len(self._found) else None
        return above if above is not None and above.stack.start - GUARD <= address else None


def stack_map(kernel: Kernel) -> StackMap:
    """Return all tasks' and CPUs' stacks that are known."""
    found = [Owned(stack, cpu, None) for cpu, stacks in kernel.cached(stacks_by_cpu).items() for stack in stacks]
    try:
        size = kernel.cached(thread_size)
        tasks = kernel.cached(task_structs).values()
        found += [Owned(Stack(t.stack, t.stack + size, "task"), None, t) for t in tasks if t.stack]
    except OopscopeError:  # the tasks' own section says why
        pass
    return StackMap(found)
