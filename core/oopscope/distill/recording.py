"""Distil a dump: keep only the pages that the report and the panes read, and the kernel's own tables.

The whole report is made while it is remembered which pages were asked for; then come the tables that any other
question needs (kallsyms, BTF, ORC), the code that stacks and registers point into, and what other tools read. No page
of a program's memory is among them unless asked for: oopscope reads none. Searches (for VMCOREINFO, for tables that it
does not name) are made on the dump itself: of the image that they pass through, only what they need to find the same
again is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from oopscope.boot.attach import NOTHING, attach
from oopscope.boot.extra import Extra
from oopscope.distill import kdump_file, other_readers, redact
from oopscope.distill.host_tables import at_home
from oopscope.distill.user_pages import touch_user_pages
from oopscope.dumps import Dump, Facts
from oopscope.errors import OopscopeError, Unsupported
from oopscope.inspect.code import code
from oopscope.inspect.code import registers as registers_of
from oopscope.inspect.task_accounting import accounting
from oopscope.inspect.task_facts import task_facts
from oopscope.inspect.task_rights import limits, namespaces_of, rights
from oopscope.inspect.task_signals import signals_of
from oopscope.inspect.words import CHUNK, words
from oopscope.kernel.kernel import Kernel, btf_place
from oopscope.linux.module import module_list
from oopscope.linux.module_types import module_tables
from oopscope.linux.system import the_system
from oopscope.linux.task_files import task_files
from oopscope.linux.task_memory import task_memory
from oopscope.memory.virtual import Memory
from oopscope.notes import CpuState, Note
from oopscope.report.build import build
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.registers import NT_PRSTATUS, registers
from oopscope.stacks.tasks import all_tasks, stack
from oopscope.subsystems import TABLES, table
from oopscope.symbols.kallsyms import Kallsyms
from oopscope.symbols.kallsyms_scan import STRIDE
from oopscope.symbols.vmcoreinfo import VmcoreInfo

MAX_TABLE = 64 << 20
MAX_FRAMES = 64  # of the stack that was died on, whose code and words are kept
MAX_NOTE = 1 << 20  # device dumps are left out
MAX_DETAILS = 1000  # tasks of which files and mappings are kept
PAGE = 4096
Progress = Callable[[str], None]


class Recording:
    """A dump that remembers which of its pages were asked for, and were there; with VMCOREINFO among its notes.

    Numbers alone are kept: the pages are read again when they are written.
    """

    def __init__(self, dump: Dump, info: VmcoreInfo) -> None:
        self._dump, self._info = dump, info
        self.page_size = dump.page_size
        self.place: Callable[[int], int] | None = getattr(dump, "place", None)
        self.wanted: set[int] = set()

    def page(self, pfn: int) -> bytes:
        """Return a page, and remember that it was asked for."""
        page = self._dump.page(pfn)
        self.wanted.add(pfn)
        return page

    def mark(self, memory: Memory, start: int, end: int) -> None:
        """Remember the pages of a virtual range unread; those that nothing maps are left out."""
        for address in range(start & -self.page_size, end, self.page_size):
            with suppress(OopscopeError):
                self.wanted.add(memory.translate(address) // self.page_size)

    def packed(self) -> Callable[[int], tuple[bytes, int]] | None:
        """Return what gives a page as the dump stores it, with its codec's flag; None where it does not."""
        found: Callable[[int], tuple[bytes, int]] | None = getattr(self._dump, "packed", None)
        return found

    def ranges(self) -> list[tuple[int, int]]:
        """As the dump has it."""
        return self._dump.ranges()

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """As the dump has them: a search through all memory asks for no page."""
        return self._dump.blocks()

    def notes(self) -> Iterator[Note]:
        """As the dump has them, and VMCOREINFO in any case."""
        info = False
        for note in self._dump.notes():
            info |= note.name == "VMCOREINFO"
            yield note
        if not info:
            text = "".join(f"{key}={value}\n" for key, value in self._info.raw.items())
            yield Note("VMCOREINFO", 0, text.encode("ascii", "replace"))

    def cpus(self) -> list[CpuState]:
        """As the dump has them."""
        return self._dump.cpus()

    def facts(self) -> Facts:
        """As the dump has them."""
        return self._dump.facts()


def distill(
    dump: Dump,
    out: Path,
    say: Progress,
    user: bool = False,
    zlib: bool = False,
    hide: bool = False,
    extra: Extra = NOTHING,
) -> kdump_file.Written:
    """Write a small kdump file that gives the same report; an OopscopeError where the dump cannot be read at all.

    user: keep the tops of the programs' stacks as well. zlib: pack with it, for readers that know no zstd.
    hide: without the machine's names, command line and what programs logged, and nothing between slab objects.
    extra: files that add what the dump lacks; who opens the small one with them finds what they lead to.
    """
    if user and hide:
        raise Unsupported("what programs have on their stacks cannot be redacted: leave out --user")
    if user and getattr(dump, "place", None) is not None:  # only the kernel's own page tables are written anew
        raise Unsupported("of a paravirtualized guest of Xen no user pages can be kept: leave out --user")
    known = attach(dump, say, extra=extra)
    recording = Recording(dump, known.info)
    kernel = attach(recording, say, extra=extra)
    if hide:
        redact.watch(kernel)
    _take_searches(kernel, known)
    build(kernel, None, stacks=True, progress=say)
    build(
        kernel,
        ["log", *(key for key, _ in TABLES if key != "system" and table(key).asked and table(key).kept)],
        progress=say,
    )
    say("gathering the kernel's tables")
    users = (touch_user_pages,) if user else ()
    for gather in (_touch_tables, _touch_symbols, _touch_modules, _touch_code, _touch_meanings, _touch_details, *users):
        try:
            gather(kernel)
        except OopscopeError:  # what is not in the dump cannot be kept
            continue
    for start, end in other_readers.ranges(kernel):
        recording.mark(kernel.memory, start, end)
        if isinstance(kernel.memory, redact.Touched):
            kernel.memory.touch(start, end - start)
    recording.wanted |= other_readers.roots(dump)
    machine = _machine(kernel)
    notes = [n for n in recording.notes() if len(n.desc) <= MAX_NOTE and n.size <= MAX_NOTE]
    if not any(n.name == "CORE" for n in notes):  # what a hypervisor's own files tell of the CPUs
        notes += kdump_file.cpu_notes(dump.cpus())
    wanted = sorted(recording.wanted)
    rewritten: dict[int, bytes] = _rewritten(kernel, recording)
    if hide:
        rewritten |= {pfn: bytes(page) for pfn, page in redact.rewritten(kernel, recording.wanted).items()}
        machine.facts.nodename = None
    pages = kdump_file.Pages(wanted, recording.page, None if zlib else recording.packed(), rewritten, zlib)
    return kdump_file.write(out, machine, notes, pages, recording.page_size, say)


def _rewritten(kernel: Kernel, recording: Recording) -> dict[int, bytes]:
    """Return the pages that are written otherwise: of a paravirtualized guest its page tables, of its own pages."""
    place, root = recording.place, kernel.info.symbol("swapper_pg_dir")
    if place is None or root is None:
        return {}
    paging = kernel.machine.user_paging(kernel)
    return at_home(paging, kernel.memory.translate(root), place, recording.wanted, recording.page)


def _take_searches(kernel: Kernel, known: Kernel) -> None:
    """Take from a kernel of the dump itself where symbols and types are; keep what leads a search to the symbols."""
    with suppress(OopscopeError):
        kernel.know(btf_place, known.cached(btf_place))
    try:
        tables = known.symbols.tables
    except OopscopeError as e:  # a search of the whole image for nothing
        kernel.know_missing("kallsyms", e)
        return
    with suppress(OopscopeError):
        kernel.symbols = Kallsyms(kernel.memory.read, tables)
        stext = kernel.info.symbol("_stext")
        if stext is not None and kernel.info.symbol("kallsyms_token_table") is None:
            for page in range(stext & -PAGE, tables.token_table, STRIDE):
                _touch(kernel, page, page + 1)


def _machine(kernel: Kernel) -> kdump_file.Machine:
    """What the header says: as the source's, filled in from the kernel where an emulator left it empty."""
    facts, system = kernel.facts, the_system(kernel)
    if facts.machine not in kernel.arch.machines:  # QEMU says "Unknown" of those that it has no name for
        facts.machine = kernel.arch.machines[0]
    facts.nodename, facts.release = facts.nodename or system.nodename, facts.release or system.release
    base = kernel.info.number("phys_base")
    return kdump_file.Machine(
        facts,
        system.version or "",
        base if base is not None else facts.phys_base or 0,
        _cpus(kernel),
        kernel.dump.ranges(),
    )


def _cpus(kernel: Kernel) -> int:
    """How many CPUs left registers; as many as there are notes where the kernel's own tables are damaged."""
    try:
        return len(registers(kernel))
    except OopscopeError:
        return sum(n.name == "CORE" and n.type == NT_PRSTATUS for n in kernel.dump.notes())


def _touch(kernel: Kernel, start: int, end: int) -> None:
    """Read a range page by page; what is not in the dump cannot be kept. No table is as long as MAX_TABLE."""
    for address in range(start & -PAGE, min(end, start + MAX_TABLE), PAGE):
        try:
            kernel.memory.page(address // PAGE)
        except OopscopeError:
            continue


def _touch_tables(kernel: Kernel) -> None:
    """The kernel's types and ORC tables, whole."""
    for first, last in (
        ("__start_BTF", "__stop_BTF"),
        ("__start_orc_unwind_ip", "__stop_orc_unwind_ip"),
        ("__start_orc_unwind", "__stop_orc_unwind"),
        ("__start_orc_header", "__stop_orc_header"),
    ):
        start, end = kernel.find_symbol(first), kernel.find_symbol(last)
        if start and end:
            _touch(kernel, start, end)


def _touch_symbols(kernel: Kernel) -> None:
    """The kernel's symbols."""
    tables = kernel.symbols.tables
    if tables.seqs:
        _touch(kernel, tables.seqs, tables.seqs + 3 * tables.count)
    kernel.symbols.read_all()


def _touch_modules(kernel: Kernel) -> None:
    """The modules' own types, ORC tables and symbols."""
    for start, size in module_tables(kernel):
        _touch(kernel, start, start + size)
    for module in kernel.cached(module_list):
        row = module.row
        if row.num_orcs and row.orc_unwind_ip and row.orc_unwind:
            _touch(kernel, row.orc_unwind_ip, row.orc_unwind_ip + 4 * row.num_orcs)
            _touch(kernel, row.orc_unwind, row.orc_unwind + 6 * row.num_orcs)
        with suppress(OopscopeError):
            if module.symbols is not None:
                list(module.symbols.symbols())


def _touch_details(kernel: Kernel) -> None:
    """What the screen tells of one task: its files, its mappings, its facts; of the blocked and the largest first.

    The threads of a process share its files and mappings, which are read once.
    """
    tasks = sorted(all_tasks(kernel), key=lambda t: (t.state != "D", -(t.rss_bytes or 0)))
    processes: set[int | None] = {None}
    for task in tasks[:MAX_DETAILS]:
        task_facts(kernel, task.address)
        if task.tgid not in processes:
            processes.add(task.tgid)
            task_files(kernel, task.address)
            task_memory(kernel, task.address, arguments=False)
            for look in (rights, limits, namespaces_of, signals_of, accounting):
                with suppress(OopscopeError):
                    look(kernel, task.address)


def _touch_code(kernel: Kernel) -> None:
    """The code around every frame and every register that points into the kernel."""
    addresses: set[int] = set()
    for cpu in all_cpus(kernel):
        addresses.update(f.address for f in cpu.frames if f.kind != "user")
        addresses.update((cpu.registers or {}).values())
    for task in all_tasks(kernel):
        addresses.update(f.address for f in stack(kernel, task.address) if f.kind != "user")
    for address in addresses:
        if kernel.name_of(address) is not None:
            _touch(kernel, address - 64, address + 64)


def _touch_meanings(kernel: Kernel) -> None:
    """What the registers of the CPUs and the words of the stack of the one that died point at."""
    for cpu in all_cpus(kernel):
        registers_of(kernel, cpu.cpu)
    died = all_cpus(kernel)[:1]
    frames = [frame for cpu in died for frame in cpu.frames if frame.kind != "user" and frame.sp]
    for start in sorted({frame.sp & -8 * CHUNK for frame in frames[:MAX_FRAMES]}):
        words(kernel, start)
    for frame in frames[:MAX_FRAMES]:
        with suppress(OopscopeError):
            code(kernel, f"{frame.address:#x}@{frame.sp:#x}")
