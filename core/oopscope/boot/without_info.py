"""A kernel without VMCOREINFO: found by its page tables and its own symbols, which then say what VMCOREINFO would.

Often the text is there all the same, and the symbols say where. For a kernel built without it, the entries that readers
ask for are made of symbols here, and (once types are known) those of the log's structs.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, Protocol

from oopscope.arch import Arch
from oopscope.boot.find_info import BANNER, MAX_TEXT, Found, fits
from oopscope.dumps import Dump
from oopscope.errors import OopscopeError, Unsupported
from oopscope.kernel.kernel import machine_of
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.structs.layout import Types
from oopscope.symbols.kallsyms import Kallsyms
from oopscope.symbols.vmcoreinfo import VmcoreInfo

SYMBOLS = ("init_uts_ns", "node_online_map", "prb", "log_buf", "log_buf_len", "log_first_idx", "log_next_idx")
# The log's structs, and the members that VMCOREINFO would give the offsets of.
LOG_STRUCTS = {
    "printk_ringbuffer": ("desc_ring", "text_data_ring", "fail"),
    "prb_desc_ring": ("count_bits", "descs", "infos", "head_id", "tail_id"),
    "prb_desc": ("state_var", "text_blk_lpos"),
    "prb_data_blk_lpos": ("begin", "next"),
    "printk_info": ("seq", "ts_nsec", "text_len", "caller_id", "dev_info"),
    "prb_data_ring": ("size_bits", "data", "head_lpos", "tail_lpos"),
    "atomic_long_t": ("counter",),
    "printk_log": ("ts_nsec", "len", "text_len", "dict_len", "caller_id"),
}
ArchOf = Callable[[VmcoreInfo], Arch]


class Search(Protocol):
    """What an architecture's search module offers; what a root and an image are is its own business."""

    def roots_of_cpus(self, dump: Dump) -> Iterator[Any]:
        """Yield the page-table roots that CPUs used."""
        ...

    def roots_near(self, physical: PhysicalMemory, banner: int) -> Iterator[Any]:
        """Yield what looks like page-table roots near a kernel's banner."""
        ...

    def kernels(self, arch: Arch, physical: PhysicalMemory, roots: Iterable[Any]) -> Iterator[Any]:
        """Yield the images that some roots map, each once."""
        ...

    def prove(self, arch: Arch, physical: PhysicalMemory, found: Any) -> tuple[VmcoreInfo, Memory, Kallsyms] | None:
        """Open the symbols of an image; None where there are none."""
        ...


def by_cpus(dump: Dump, physical: PhysicalMemory, arch: Arch, arch_of: ArchOf) -> VmcoreInfo | None:
    """Find the kernel by the page tables that its CPUs used; None where none tells."""
    search = _search(arch)
    return _first(search, arch, physical, search.roots_of_cpus(dump), arch_of) if search else None


def by_banner(found: Found, physical: PhysicalMemory, arch: Arch, arch_of: ArchOf) -> VmcoreInfo | None:
    """Find the kernel by page tables near its banner; Unsupported for an architecture that this is not known of."""
    search = _search(arch)
    if search is None:
        raise Unsupported(f"the dump has no VMCOREINFO, without which {arch.name} cannot be read yet")

    def roots() -> Iterator[Any]:
        for address, _release in found.banners:
            yield from search.roots_near(physical, address)

    return _first(search, arch, physical, roots(), arch_of)


def _search(arch: Arch) -> Search | None:
    module = machine_of(arch).search
    found: Search | None = import_module(module) if module else None
    return found


def _first(
    search: Search, arch: Arch, physical: PhysicalMemory, roots: Iterable[Any], arch_of: ArchOf
) -> VmcoreInfo | None:
    for image in search.kernels(arch, physical, roots):
        proved = search.prove(arch, physical, image)
        if proved:
            info, memory, symbols = proved
            return _kept(info, memory, symbols, physical, arch_of) or _made(info, memory, symbols)
    return None


def _kept(
    proved: VmcoreInfo, memory: Memory, symbols: Kallsyms, physical: PhysicalMemory, arch_of: ArchOf
) -> VmcoreInfo | None:
    """Return the kernel's own text by its symbols: a pointer to it since 4.13, an array before.

    What an old text does not say, such as phys_base, is as it was proved.
    """
    best: VmcoreInfo | None = None
    for name in ("vmcoreinfo_note", "vmcoreinfo_data"):
        address = symbols.lookup(name)
        if address is None:
            continue
        for place in (address, _pointer(memory, address)):
            text = _text(memory, place + 24) if place and name == "vmcoreinfo_note" else b""
            text = text or (_text(memory, place) if place else b"")
            info = VmcoreInfo.parse(text) if text.startswith(b"OSRELEASE=") else None
            info = VmcoreInfo({**proved.raw, **info.raw}) if info else None
            if info and fits(info, physical, arch_of) and (best is None or info.get("CRASHTIME")):
                best = info
    return best


def _text(memory: Memory, address: int) -> bytes:
    """Return the text at an address; none where it cannot be read: what overran memory may have spared the rest."""
    try:
        return memory.cstring(address, MAX_TEXT)
    except OopscopeError:
        return b""


def _pointer(memory: Memory, address: int) -> int:
    try:
        value = memory.word(address)
        memory.u8(value)
    except OopscopeError:
        return 0
    return value


def _made(info: VmcoreInfo, memory: Memory, symbols: Kallsyms) -> VmcoreInfo:
    """Say by symbols what VMCOREINFO would have said."""
    raw = dict(info.raw)
    raw["PAGESIZE"] = str(memory.page_size)
    for name in SYMBOLS:
        address = symbols.lookup(name)
        if address is not None:
            raw[f"SYMBOL({name})"] = f"{address:x}"
    for name in ("swapper_pg_dir", "init_top_pgt", "init_level4_pgt"):
        address = symbols.lookup(name)
        if address is not None:
            raw["SYMBOL(swapper_pg_dir)"] = f"{address:x}"
            break
    banner = BANNER.match(_text(memory, symbols.symbol("linux_banner"))[:1024] + b"\0")
    if banner:
        raw["OSRELEASE"] = banner[1].decode("ascii", "replace")
    return VmcoreInfo(raw)


def complete(info: VmcoreInfo, types: Types) -> None:
    """Add the offsets of the log's structs to what was made of symbols, by the kernel's types as far as they go."""
    if "SYMBOL(prb)" not in info.raw and "SYMBOL(log_buf)" not in info.raw:
        return
    for struct, members in LOG_STRUCTS.items():
        try:
            info.raw[f"SIZE({struct})"] = str(types.sizeof(struct))
        except OopscopeError:
            continue
        for member in members:
            if types.has_member(struct, member):
                info.raw[f"OFFSET({struct}.{member})"] = str(types.member(struct, member).offset)
