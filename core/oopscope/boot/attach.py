"""Open a dump as a kernel: VMCOREINFO first, then the architecture and its page tables; symbols and types on demand.

Nothing here depends on the machine's size, and nothing is read that is not needed: the log alone needs neither
symbols nor types.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from oopscope.arch import Arch, Mapping
from oopscope.boot.byte_order import hold_byte_order, in_its_order
from oopscope.boot.extra import Extra, open_file
from oopscope.boot.saving import failures_beside
from oopscope.dumps import Dump, open_path, stamp_of, the_one_in
from oopscope.errors import FormatError, NotADump, OopscopeError, Unsupported
from oopscope.kernel.kernel import Kernel, Lookup, Name, machine_of
from oopscope.machine import arch_of_info, arch_of_machine
from oopscope.memory.physical import PhysicalMemory
from oopscope.sources.beside import log_beside
from oopscope.sources.identify import TEXT_MODE, in_text_mode
from oopscope.sources.remote import Location, shown
from oopscope.symbols.cache import IndexCache, cache_directory, index_key, kernel_key, load_types, store_types
from oopscope.symbols.vmcoreinfo import VmcoreInfo

if TYPE_CHECKING:
    from oopscope.structs.layout import Types

Progress = Callable[[str], None]
NOTHING = Extra()
ALWAYS = "init_task"  # data of every kernel: where kallsyms has it, kallsyms has all
USUAL = "x86_64"  # where neither the kernel nor the container tells the machine


def open_kernel(
    paths: Sequence[Location], progress: Progress | None = None, through: Callable[[Dump], Dump] | None = None
) -> Kernel:
    """Open a dump (several paths only for a split set), with the index cache; an OopscopeError is one clear line.

    through: what stands between the kernel and its dump, such as one that can be interrupted.
    """
    say = progress or (lambda _text: None)
    say("opening the dump")
    paths, extra = [the_one_in(path) for path in paths], Extra.of(os.environ)
    try:
        dump = open_path(*paths, say=say)
        kernel = attach(through(dump) if through else dump, say, cache_directory(os.environ), extra)
    except FormatError as e:
        if extra.is_at_fault(e):  # the dump may be read without it
            raise
        kernel = log_in_its_place(paths[0], with_cause(paths[0], e))
    if isinstance(paths[0], Path):
        beside = log_beside(paths[0])
        if beside is not None and kernel.log_beside is None and kernel.facts.format != "log":
            from oopscope.boot.only_log import reader_of

            kernel.log_beside = reader_of(beside)
        kernel.facts.problems += failures_beside(paths[0])
    kernel.path, kernel.on_progress = shown(paths[0]), say
    return kernel


def with_cause(path: Location, error: FormatError) -> FormatError:
    """Return an error that says why, where it is the copying as text that made a dump unreadable."""
    if isinstance(path, Path) and path.is_file() and TEXT_MODE not in str(error):
        with suppress(OSError), path.open("rb") as file:
            head = file.read(1 << 20)
            if b"\0" in head and in_text_mode(head):
                error.args = (f"{error}. {TEXT_MODE}",)
    return error


def log_in_its_place(path: Location, why: FormatError) -> Kernel:
    """Return the kernel of the log beside a dump that is damaged beyond opening; else raise what is wrong with it."""
    beside = log_beside(path) if isinstance(path, Path) and not isinstance(why, NotADump) else None
    if beside is None:
        raise why
    try:
        kernel = attach(open_path(beside), lambda _text: None)
    except OopscopeError:
        raise why from None
    if kernel.facts.format != "log":
        raise why
    kernel.log_from = beside.name
    kernel.facts.lacks(str(why))
    return kernel


def attach(dump: Dump, say: Progress, cache: Path | None = None, extra: Extra = NOTHING) -> Kernel:
    """Make a kernel of an opened dump; FormatError where it holds nothing that names its page tables.

    cache: the folder of the index cache; None for none. extra: files that add what the dump lacks.
    """
    if hasattr(dump, "records"):
        from oopscope.boot.only_log import log_kernel

        return log_kernel(dump)
    physical = PhysicalMemory(dump)
    info = _from_file(dump, physical, extra) if extra.vmcoreinfo else _from_notes(dump)
    if info is None:
        info = _without_note(dump, physical, say)
    found = _arch(dump, info)
    kernel = _kernel(dump, found, info, physical, cache)
    own = in_its_order(kernel)
    if own is not found:
        kernel = _kernel(dump, own, info, physical, cache)
    memory = kernel.memory
    kernel.name_in_module = _name_in_module
    kernel.more_symbols = lambda kernel: _more_symbols(kernel, extra)
    hold_byte_order(kernel)
    memory.without_tables = _Linear(kernel).map
    if extra.has_types():
        _take_types(kernel, extra, cache)
    if info.get("CRASHTIME") is None and info.offset("list_head.next") is None:  # not the kernel's own text
        _complete(kernel)
    return kernel


def _kernel(dump: Dump, found: Arch, info: VmcoreInfo, physical: PhysicalMemory, cache: Path | None) -> Kernel:
    """Make a kernel of an architecture; FormatError where VMCOREINFO does not name its page tables."""
    memory = machine_of(found).kernel_memory(found, info, physical, lambda: dump.facts().phys_base)
    return Kernel(dump, found, info, memory, IndexCache(cache, index_key(kernel_key(info), stamp_of(dump))))


class _Linear:
    """The map of all memory, which is linear: where a dump has lost page tables, it needs none."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._base, self._ram = kernel, 0, range(0)
        self._known = self._said = False

    def map(self, address: int) -> Mapping | None:
        """Return the page that holds an address of the map; None for any other address."""
        if not self._known:
            self._known = True  # what follows reads the kernel's image, and asks here for nothing else
            with suppress(OopscopeError):
                self._find()
        memory = self._kernel.memory
        physical = (address - self._base) % memory.top
        if physical not in self._ram:
            return None
        if not self._said:  # an address that is nobody's says nothing of the tables
            self._said = True
            self._kernel.problems.add("dump", "page tables are missing: the map of all memory is read without them")
        return Mapping(physical & -memory.page_size, memory.page_size)

    def _find(self) -> None:
        base = self._kernel.machine.direct_base(self._kernel)
        if base is not None:
            ranges = self._kernel.dump.ranges() or [(0, 0)]
            self._base, self._ram = base, range(min(start for start, _ in ranges), max(end for _, end in ranges))


def _from_file(dump: Dump, physical: PhysicalMemory, extra: Extra) -> VmcoreInfo:
    """Read VMCOREINFO from the file that a user gave, and hold it against the dump."""
    from oopscope.boot.extra import info_of
    from oopscope.boot.find_info import placed

    assert extra.vmcoreinfo
    info = placed(info_of(extra.vmcoreinfo), dump, physical, lambda info: _arch(dump, info))
    if info is None:
        raise FormatError(f"{extra.vmcoreinfo}: of another kernel or another boot: its addresses do not fit this dump")
    return info


def _take_types(kernel: Kernel, extra: Extra, cache: Path | None) -> None:
    """Take the types from the file that a user gave, unless the dump tells that they are another kernel's."""
    from oopscope.boot.types_file import hold_against, types_of

    types = types_of(extra, kernel.info.get("BUILD-ID"), kernel.memory.word_size)
    path = extra.btf or extra.vmlinux
    key = index_key(kernel_key(kernel.info), open_file(path).stamp) if path else None
    if extra.btf is None and key is not None:
        _keep_types(kernel, types, cache, key)
    assert path
    if not hold_against(kernel, types, str(path)):
        kernel.problems.add("dump", f"{path}: nothing in the dump tells whether these are the types of its kernel")
    kernel.types_from = lambda: types


def _keep_types(kernel: Kernel, types: "Types", cache: Path | None, key: str) -> None:
    """Take what an earlier run resolved of a vmlinux's types, and see to it that the next finds what this one does."""
    known = load_types(cache, key)
    if known:
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            types.preload(known)

    def keep() -> None:
        if types.changed:
            store_types(cache, key, types.export())

    kernel.on_remember = keep


def _complete(kernel: Kernel) -> None:
    """Add to what was found without VMCOREINFO what the kernel's types tell of its log."""
    from oopscope.boot.without_info import complete

    kernel.problems.add("dump", "there is no VMCOREINFO: the kernel was found by its page tables and symbols")
    try:
        complete(kernel.info, kernel.types)
    except OopscopeError as e:
        kernel.problems.lost("log", "types of the log")(e)


def _more_symbols(kernel: Kernel, extra: Extra) -> list[Lookup]:
    """Find the tables beyond kallsyms when kallsyms does not name what is asked."""
    if not extra.symbols and not extra.vmlinux and has_all_symbols(kernel):
        return []
    from oopscope.boot.more_symbols import more_symbols

    return more_symbols(extra)(kernel)


def has_all_symbols(kernel: Kernel) -> bool:
    """Tell whether kallsyms has data too, and so all symbols."""
    try:
        return kernel.symbols.lookup(ALWAYS) is not None
    except OopscopeError:
        return False


def _name_in_module(kernel: Kernel, address: int) -> Name | None:
    """Name an address within a module; the modules are read when the first such address is met."""
    from oopscope.linux.module import name_in_module

    found = name_in_module(kernel, address)
    if found is not None or address < kernel.machine.kernel_from(kernel):
        return found
    from oopscope.linux.bpf_names import bpf_names

    program = bpf_names(kernel).at(address)  # machine code that BPF made, which no module has
    return Name(*program, None) if program is not None else None


def _from_notes(dump: Dump) -> VmcoreInfo | None:
    for note in dump.notes():
        if note.name == "VMCOREINFO":
            info = VmcoreInfo.parse(note.desc)
            if info.get("OSRELEASE"):
                return info
    return None


def _without_note(dump: Dump, physical: PhysicalMemory, say: Progress) -> VmcoreInfo:
    """Find the kernel by its CPUs' page tables, else its own copy of VMCOREINFO in memory, else its banner."""
    from oopscope.boot import find_info, without_info

    def arch_of(info: VmcoreInfo) -> Arch:
        return _arch(dump, info)

    unknown: Unsupported | None = None
    try:
        machine_arch: Arch | None = arch_of(VmcoreInfo({}))
    except Unsupported as e:  # QEMU's kdump names not every machine; the kernel's own VMCOREINFO does
        machine_arch, unknown = None, e
    say("looking for the kernel by its page tables")
    info = without_info.by_cpus(dump, physical, machine_arch, arch_of) if machine_arch else None
    if info is None:
        say("looking for VMCOREINFO in memory")
        found = find_info.search(dump, physical, arch_of, say)
        info = found.info
        if info is None and machine_arch is not None:
            info = without_info.by_banner(found, physical, machine_arch, arch_of)
    if info is None and unknown is not None:
        raise unknown
    if info is None:
        raise FormatError("the dump has no VMCOREINFO note, and no kernel was found in its memory")
    return info


def _arch(dump: Dump, info: VmcoreInfo) -> Arch:
    """VMCOREINFO's keys tell the architecture by themselves; the container is asked only where they do not."""
    return arch_of_info(info.raw) or arch_of_machine(dump.facts().machine or USUAL)
