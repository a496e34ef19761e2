"""What crash, makedumpfile and drgn read of a kernel beyond what the report does, so that they open what is distilled.

They read the kernel's data where they please (.data, .bss, the CPUs' own copies of per-CPU data), each task_struct and
its stack to their ends, the sparse memory's sections, and what the first lines of crash ask for. Pages are marked,
not read: what is not in the dump is left out when it is written. No program's memory is among all this.
"""

from collections.abc import Callable, Iterator

from oopscope.dumps import Dump
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.stack import task_stack
from oopscope.kernel.walk import for_each_list
from oopscope.linux.module import module_list
from oopscope.linux.task import task_structs

MAX_DATA = 64 << 20  # bytes of .data and .bss
MAX_AREA = 8 << 20  # bytes of one CPU's own data
MAX_NODES = 64
MAX_ROOTS = 1 << 18  # entries of mem_section
PAGE = 4096
Range = tuple[int, int]  # virtual: where it begins and ends
# Where the linker says that data lies; the kernel's initial data is not among it: it was freed, and is another's now.
_DATA = (
    ("_sdata", "_edata"),
    ("__bss_start", "__bss_stop"),
    ("__start_ro_after_init", "__end_ro_after_init"),
)
# Read-only tables that crash prints flags and states by, with the texts that they point to; its first look at code.
_NAMED = ("linux_banner", "taint_flags", "task_state_array", "pageflag_names")
_CODE = ("__do_sys_fork", "sys_fork", "__x64_sys_fork", "vfs_read", "do_sys_open", "sys_open", "do_futex")
_TEXTS = 64  # words of such a table that are followed


def ranges(kernel: Kernel) -> Iterator[Range]:
    """Yield the ranges of memory that other readers ask for; what cannot be found is left out."""
    parts: tuple[Callable[[Kernel], Iterator[Range]], ...] = (
        *(_data, _named, _per_cpu, _sections, _nodes, _slabs, _modules, _tasks),
    )
    for part in parts:
        try:
            yield from part(kernel)
        except OopscopeError:
            continue


def roots(dump: Dump) -> set[int]:
    """Return the numbers of the pages that the CPUs' cr3 names: libkdumpfile begins there, whose process it may be."""
    return {cr3 // dump.page_size for cpu in dump.cpus() if (cr3 := cpu.control.get("cr3", 0) & ~0xFFF)}


def _data(kernel: Kernel) -> Iterator[Range]:
    for first, last in _DATA:
        start, end = kernel.find_symbol(first), kernel.find_symbol(last)
        if start and end and start < end <= start + MAX_DATA:
            yield start, end
    lookup, end = kernel.find_symbol("orc_lookup"), kernel.find_symbol("orc_lookup_end")
    if lookup and end and lookup < end <= lookup + MAX_DATA:
        yield lookup, end


def _named(kernel: Kernel) -> Iterator[Range]:
    for name in (*_NAMED, *_CODE):
        if (at := kernel.find_symbol(name)) is None:
            continue
        yield at, at + PAGE // 2
        if name in _NAMED:
            start, end = kernel.find_symbol("_stext") or 0, kernel.find_symbol("_end") or 0
            yield from ((word, word + 64) for word in kernel.memory.words(at, _TEXTS) if start <= word < end)


def _per_cpu(kernel: Kernel) -> Iterator[Range]:
    start = kernel.find_symbol("__per_cpu_start") or 0  # at address 0 where per-CPU symbols are offsets: x86_64
    end = kernel.find_symbol("__per_cpu_end")
    if end is not None and start < end <= start + MAX_AREA:
        for offset in kernel.cached(per_cpu_offsets):
            yield start + offset & kernel.memory.top - 1, end + offset & kernel.memory.top - 1


def _sections(kernel: Kernel) -> Iterator[Range]:
    """SPARSEMEM: mem_section is a table of pointers to pages of mem_section, by the extreme kind a pointer to that."""
    root = kernel.find_symbol("mem_section")
    if root is None:
        return
    table = kernel.memory.word(root)
    if not table:
        return
    size = kernel.memory.word_size
    count = _roots(kernel)
    yield table, table + count * size
    for n in range(count):
        try:
            section = kernel.memory.word(table + n * size)
        except OopscopeError:
            return
        if section < kernel.machine.kernel_from(kernel):
            return
        yield section, section + PAGE


def _nodes(kernel: Kernel) -> Iterator[Range]:
    """Every struct pglist_data."""
    size = kernel.types.sizeof("pglist_data")
    for name, count in (("node_data", MAX_NODES), ("contig_page_data", 0)):
        at = kernel.find_symbol(name)
        if at is None:
            continue
        nodes = kernel.memory.words(at, count) if count else (at,)
        for node in nodes:
            if node < kernel.machine.kernel_from(kernel):
                break
            yield node, node + size


def _slabs(kernel: Kernel) -> Iterator[Range]:
    """What each CPU has of each slab cache (struct kmem_cache_cpu), in memory given out beside the CPUs' own data."""
    member, link = (kernel.types.member("kmem_cache", name).offset for name in ("cpu_slab", "list"))
    size = kernel.types.sizeof("kmem_cache_cpu")
    for cache in for_each_list(kernel.memory, kernel.symbol("slab_caches"), link, lambda _error: None):
        each = kernel.memory.word(cache + member)
        for offset in kernel.cached(per_cpu_offsets):
            start = each + offset & kernel.memory.top - 1
            yield start, start + size


def _modules(kernel: Kernel) -> Iterator[Range]:
    """The memory of every module: crash reads it whole for the symbols."""
    for module in kernel.cached(module_list):
        for start, size in module.regions:
            yield start, start + min(size, MAX_DATA)


def _roots(kernel: Kernel) -> int:
    """Return how long the table of mem_section is, by what VMCOREINFO tells of physical addresses; a page otherwise."""
    bits, shift = kernel.info.number("MAX_PHYSMEM_BITS"), kernel.info.number("SECTION_SIZE_BITS")
    size = kernel.types.sizeof("mem_section")
    if bits is None or shift is None or not 0 <= bits - shift <= 40 or not 0 < size <= PAGE:
        return PAGE // kernel.memory.word_size
    return min(max((1 << bits - shift) // (PAGE // size), 1), MAX_ROOTS)


def _tasks(kernel: Kernel) -> Iterator[Range]:
    size = kernel.types.sizeof("task_struct")
    for task in kernel.cached(task_structs).values():
        yield task.address, task.address + size
        if task.stack:
            stack = task_stack(kernel, task.stack)
            yield stack.start, stack.end
