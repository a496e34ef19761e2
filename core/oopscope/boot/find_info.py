"""VMCOREINFO where no note came with the dump: the kernel's own copies of the text, found in memory and proved.

Follows kernel/vmcore_info.c: a page that begins with the text, and a note around it, both kept since boot; the note
also gets CRASHTIME when the machine dies. Memory holds other such texts as well: of the kernel before a kexec, of guest
machines, of core files in the page cache. One is believed only if the release that it names is what stands in
init_uts_ns, read through the very addresses that it gives.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from oopscope.arch import Arch
from oopscope.dumps import Dump
from oopscope.errors import MissingPage, OopscopeError
from oopscope.kernel.kernel import machine_of
from oopscope.lazy_re import lazy_re
from oopscope.linux.system import UTS_LENGTH
from oopscope.memory.physical import PhysicalMemory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

Progress = Callable[[str], None]
MARK = b"OSRELEASE="
NOTE = b"VMCOREINFO\0"
MAX_TEXT = 1 << 16  # a page of the kernel, at most
MAX_CANDIDATES = 256
MAX_BASES = 256  # places of the image tried for each text that does not tell it
MAX_SEARCHED = 1 << 40  # bytes
ON = 64 << 20  # bytes looked through after a copy that fits, for one that knows when the machine died
BANNER = lazy_re(rb"Linux version ([2-9]\.[0-9]{1,3}[^ \n\0]{0,90}) \([^\n\0]{1,500} #[^\n\0]{1,200}\n\0")
MAX_BANNERS = 16
SAY_EVERY = 256 << 20


class Found:
    """What a search of memory brought: VMCOREINFO, and where banners of kernels stand."""

    def __init__(self) -> None:
        self.info: VmcoreInfo | None = None
        self.banners: list[tuple[int, str]] = []  # (physical address, release)


def search(dump: Dump, physical: PhysicalMemory, arch_of: Callable[[VmcoreInfo], Arch], say: Progress) -> Found:
    """Search all that the dump holds, a block at a time."""
    found, tail, tried, searched, said = Found(), b"", 0, 0, 0
    end: int | None = None  # where a search that has found one ends
    following = -1
    for address, block in dump.blocks():
        searched += len(block)
        if searched > MAX_SEARCHED or (end is not None and address > end):
            break
        if searched - said > SAY_EVERY:
            said = searched
            say(f"looking for VMCOREINFO in memory: {searched >> 20} MiB read")
        data, base = (tail + block, address - len(tail)) if address == following else (block, address)
        for where, text in _texts(data, base, physical):
            tried += 1
            if tried > MAX_CANDIDATES:
                break
            info = _fitting(VmcoreInfo.parse(text), where, physical, arch_of)
            if info is not None:
                if found.info is None or info.get("CRASHTIME"):
                    found.info = info
                if info.get("CRASHTIME"):
                    return found
                end = end or address + ON
        _banners(found, data, base)
        tail, following = block[-1024:], address + len(block)
    return found


def _fitting(
    info: VmcoreInfo, where: int, physical: PhysicalMemory, arch_of: Callable[[VmcoreInfo], Arch]
) -> VmcoreInfo | None:
    """Return a text that fits the dump, with where the image lies if it does not say so itself; None for another's."""
    if fits(info, physical, arch_of):
        return info
    for base in islice(machine_of(arch_of(info)).phys_bases(info, where), MAX_BASES):
        placed = VmcoreInfo({**info.raw, "NUMBER(phys_base)": str(base)})
        if fits(placed, physical, arch_of):
            return placed
    return None


def placed(
    info: VmcoreInfo, dump: Dump, physical: PhysicalMemory, arch_of: Callable[[VmcoreInfo], Arch]
) -> VmcoreInfo | None:
    """Return a text that came beside the dump if it fits, with where the image lies if it does not say so; else None.

    The container may tell that, else the places around the banners of its release are tried.
    """
    base = dump.facts().phys_base
    stated = VmcoreInfo({"NUMBER(phys_base)": str(base), **info.raw}) if base is not None else info
    if fits(stated, physical, arch_of):
        return stated
    if next(machine_of(arch_of(info)).phys_bases(info, 0), None) is None:
        return None
    found, tried, searched = Found(), 0, 0
    for address, block in dump.blocks():
        searched += len(block)
        if searched > MAX_SEARCHED or tried >= MAX_BANNERS:
            break
        _banners(found, block, address)
        for where, release in found.banners[tried:]:
            fitting = _fitting(info, where, physical, arch_of) if release == info.get("OSRELEASE") else None
            if fitting is not None:
                return fitting
        tried = len(found.banners)
    return None


def _texts(data: bytes, base: int, physical: PhysicalMemory) -> Iterator[tuple[int, bytes]]:
    """Yield the texts that begin in a block, each with its address: at a page's start, or behind a note's head."""
    at = data.find(MARK)
    while at >= 0:
        if (base + at) % 4096 == 0 or NOTE in data[max(0, at - 16) : at]:
            text = read_text(physical, base + at)
            if b"\nPAGESIZE=" in text and b"\nSYMBOL(init_uts_ns)=" in text:
                yield base + at, text
        at = data.find(MARK, at + 1)


def read_text(physical: PhysicalMemory, address: int) -> bytes:
    """Read the text that begins at a physical address, up to its NUL, or to where the dump lacks a page."""
    parts: list[bytes] = []
    end = address + MAX_TEXT
    while address < end:
        size = 4096 - address % 4096
        try:
            part = physical.read(address, size)
        except MissingPage:
            break
        text, nul, _ = part.partition(b"\0")
        parts.append(text)
        if nul:
            break
        address += size
    return b"".join(parts)


def _banners(found: Found, data: bytes, base: int) -> None:
    if len(found.banners) < MAX_BANNERS and b"Linux version " in data:
        for match in BANNER.finditer(data):
            found.banners.append((base + match.start(), match[1].decode("ascii", "replace")))


def fits(info: VmcoreInfo, physical: PhysicalMemory, arch_of: Callable[[VmcoreInfo], Arch]) -> bool:
    """Tell whether the release that a text names stands in init_uts_ns, read by the text's own addresses."""
    address, release = info.symbol("init_uts_ns"), info.get("OSRELEASE")
    if address is None or not release:
        return False
    offset = info.offset("uts_namespace.name")
    try:
        found = arch_of(info)
        memory = machine_of(found).kernel_memory(found, info, physical, lambda: None)
        for name in (offset,) if offset is not None else (4, 0):  # behind a kref up to 5.10
            uts = memory.read(address + name, 3 * UTS_LENGTH)
            if uts.startswith(b"Linux\0") and uts[2 * UTS_LENGTH :].split(b"\0")[0] == release.encode():
                return True
    except OopscopeError:
        return False
    return False
