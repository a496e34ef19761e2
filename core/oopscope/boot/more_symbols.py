"""Symbols beyond kallsyms: from a file given or lying in /boot, the exports, per-CPU variables by BTF, rings.

A kernel without CONFIG_KALLSYMS_ALL names its functions only, one without CONFIG_KALLSYMS nothing. Each source here is
asked for what those before it do not know, and is opened when first needed. What was given as a file is held against
the dump before anything of it is believed.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from oopscope.boot.attach import ALWAYS, has_all_symbols
from oopscope.boot.extra import Extra, open_file
from oopscope.boot.image import image
from oopscope.boot.unnamed import ModuleList, OrcTables
from oopscope.elf import is_elf
from oopscope.errors import FormatError, OopscopeError
from oopscope.kernel.kernel import Kernel, Lookup
from oopscope.kernel.walk import for_each_list
from oopscope.symbols import elf_symbols, ksymtab, system_map
from oopscope.symbols.named import Named
from oopscope.symbols.search import IMAGE

BOOT = Path("/boot")
LEAST_AGREEING = 3  # of VMCOREINFO's symbols, for a file to be believed
PROBES = ("schedule", "vfs_read", "panic", "do_exit", "kthread_stop", "vprintk_emit")
MAX_RING = 1 << 16
MAX_NAME = 64


def more_symbols(extra: Extra) -> Callable[[Kernel], list[Lookup]]:
    """Return what finds the further tables of a kernel, given the files that its user named."""

    def find(kernel: Kernel) -> list[Lookup]:
        given = [table for path in (extra.symbols, extra.vmlinux) if path and (table := _of_file(kernel, path))]
        if has_all_symbols(kernel):
            return [*given]
        files = given or [table for table in [_of_boot(kernel)] if table is not None]
        found: list[Lookup] = [*files]
        if any(table.lookup(ALWAYS) is not None for table in files):  # it names data: no search can add to it
            return found
        exports = Exports(kernel)
        beyond: list[Lookup] = [PerCpuByTypes(kernel, exports), Rings(kernel), OrcTables(kernel), ModuleList(kernel)]
        return [*found, exports, *beyond]

    return find


def _of_file(kernel: Kernel, path: Path) -> Named | None:
    """Read a System.map or a vmlinux; FormatError for one of another kernel, None for a vmlinux without symbols."""
    source = open_file(path)
    if is_elf(source.read_at(0, 4)):
        table = elf_symbols.read(source, str(path))
    else:
        table = system_map.read(source.read_at(0, system_map.MAX_BYTES).decode("ascii", "replace"), str(path))
    if table is None:
        return None
    if not len(table):
        raise FormatError(f"{path}: neither a System.map nor a vmlinux")
    return _placed(kernel, table)


def _of_boot(kernel: Kernel) -> Named | None:
    """Take /boot/System.map of the dump's release where there is one that agrees; None for none."""
    release = kernel.info.get("OSRELEASE") or ""
    if not release or "/" in release:
        return None
    try:
        return _of_file(kernel, BOOT / f"System.map-{release}")
    except (OopscopeError, OSError):
        return None


def _placed(kernel: Kernel, table: Named) -> Named:
    """Move a file's symbols to where KASLR put this kernel; FormatError where they are another build's."""
    known = dict(_known(kernel))
    shifts = {name: at - found for name, at in known.items() if (found := table.lookup(name)) is not None}
    distinct = set(shifts.values())
    if len(distinct) != 1 or len(shifts) < LEAST_AGREEING:
        text = "names none of the addresses that this dump tells" if not shifts else "is of another build"
        raise FormatError(f"{table.what}: {text}: it does not fit this dump")
    return table.moved(distinct.pop(), kernel.machine.kernel_from(kernel), kernel.memory.top)


def _known(kernel: Kernel) -> Iterator[tuple[str, int]]:
    """Yield symbols of the image that the dump itself tells, to hold a file against: VMCOREINFO's, functions'."""
    stext = kernel.info.symbol("_stext") or 0
    for key in kernel.info.raw:
        if key.startswith("SYMBOL("):
            name = key[len("SYMBOL(") : -1]
            address = kernel.info.symbol(name)
            if address is not None and stext <= address < stext + IMAGE:  # mem_section's is of what it points at
                yield name, address
    for name in PROBES:
        try:
            address = kernel.symbols.lookup(name)
        except OopscopeError:
            return
        if address is not None:
            yield name, address


class Exports:
    """What the kernel exports to its modules."""

    what = "the exported symbols"

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @cached_property
    def table(self) -> Named | None:
        """The table; None where none is found."""
        kernel = self._kernel
        stext = kernel.info.symbol("_stext")
        if stext is None:
            return None
        with kernel.memory.physical.searching():
            names = kernel.cached(image).exported_names()
            return ksymtab.find(kernel.memory.read, stext, kernel.arch.bits, kernel.endian, names)

    def lookup(self, name: str) -> int | None:
        """Return a symbol's address; None for none."""
        return self.table.lookup(name) if self.table is not None else None


class PerCpuByTypes:
    """Per-CPU variables by BTF, which has each one's offset in their section; an exported one tells where that lies."""

    what = "the types of per-CPU variables"

    def __init__(self, kernel: Kernel, exports: Exports) -> None:
        self._kernel, self._exports = kernel, exports
        self._places: dict[str, int] | None = None

    def _read(self) -> dict[str, int]:
        """Return addresses by name; empty where BTF has none, or no exported ones agree on where the section lies."""
        kernel = self._kernel
        try:
            offsets = {name: one.offset for name, one in kernel.types.btf.variables().items()}
        except OopscopeError:
            return {}
        found = ((offset, self._exports.lookup(name)) for name, offset in offsets.items())
        bases = [at - offset for offset, at in found if at is not None]
        if len(bases) < LEAST_AGREEING or len(set(bases)) != 1:
            return {}
        return {name: (bases[0] + offset) % kernel.memory.top for name, offset in offsets.items()}

    def lookup(self, name: str) -> int | None:
        """Return a variable's address, as its symbol would have it; None for none."""
        if self._places is None:
            self._places = {}  # opening the types asks for symbols too
            self._places = self._read()
        return self._places.get(name)


class Rings:
    """Heads of lists, by a walk around the ring from a member that is exported."""

    what = "the rings that exported variables are members of"
    # The list's head: an exported pointer to (or array of pointers to) a member, its struct, the link in it.
    KNOWN = {
        "slab_caches": ("kmalloc_caches", "kmem_cache", "list"),
        "super_blocks": ("blockdev_superblock", "super_block", "s_list"),
    }

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def lookup(self, name: str) -> int | None:
        """Return the head of a list; None for one that is not known, or cannot be walked."""
        known = self.KNOWN.get(name)
        if known is None:
            return None
        try:
            return self._head(*known)
        except OopscopeError:
            return None

    def _head(self, exported: str, struct: str, link: str) -> int | None:
        """Find the one node of a ring that lies in the kernel's image: its members were allocated."""
        kernel = self._kernel
        table, stext = kernel.symbol(exported), kernel.info.symbol("_stext") or 0
        member = next((word for word in kernel.memory.words(table, 16) if word), 0)
        if not member:
            return None
        start = member + kernel.types.member(struct, link).offset
        ring = for_each_list(kernel.memory, start, 0, None, MAX_RING)
        inside = [node for node in ring if stext <= node < stext + IMAGE]
        if len(inside) > 1:  # a first member may lie there too, as CONFIG_SLAB's kmem_cache_boot
            inside = [node for node in inside if not self._is_named(node, struct, link)]
        return inside[0] if len(inside) == 1 else None

    def _is_named(self, node: int, struct: str, link: str) -> bool:
        """Tell whether what is around a node has a name, as a member would and the head would not."""
        types, memory = self._kernel.types, self._kernel.memory
        if not types.has_member(struct, "name"):
            return False
        try:
            at = memory.word(node - types.member(struct, link).offset + types.member(struct, "name").offset)
            text = memory.cstring(at, MAX_NAME)
        except OopscopeError:
            return False
        return bool(text) and all(0x20 < byte < 0x7F for byte in text)
