"""kdump-compressed files: what makedumpfile, QEMU and `virsh dump --memory-only` write.

Follows makedumpfile's IMPLEMENTATION and diskdump_mod.h. Header fields are in the dumped machine's byte order and
ABI, and no field says which: the combination that makes sense is taken. A page's descriptor is found by its rank in
the second bitmap; set bits are counted a block of the bitmap at a time, when first asked for, so opening costs the
headers alone, whatever the machine's memory. Files before version 6 cut some fields short or lack them.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from oopscope.codecs import by_flag
from oopscope.codecs import names as codec_names
from oopscope.dumps import Facts, erased_by
from oopscope.errors import FormatError, MissingPage, OopscopeError, Why
from oopscope.notes import CpuState, Note, qemu_cpu_states, read_notes
from oopscope.sources import ByteSource
from oopscope.sources.bitmap import Bitmap
from oopscope.sources.file import FileSource
from oopscope.sources.wrapped import beginning

SIGNATURE = b"KDUMP   "
INCOMPLETE = 0x8
COMPRESSIONS = 0x1 | 0x2 | 0x4 | 0x20
DESCRIPTOR = 24
HEADER = 464  # bytes of the main header that are read; QEMU writes no more
MAX_VMCOREINFO = 1 << 20
MAX_COUNTED = 1 << 33  # pages: beyond 32 TiB, facts do without counting them
MAX_RANGES = 1 << 16
BATCH = 2048  # descriptors read at once in passing through all pages
AT_ONCE, MAX_HELD = 170, 512  # for a page its descriptor is read with its neighbours, a page of them; so many are kept
SAMPLES = 64  # pages looked at for zero bytes in their place
MAX_WINDOWS = 32  # of descriptors looked at for the file's end
MAX_NEIGHBOURS = 4096  # files looked at for the other parts of a split set


class Abi(NamedTuple):
    """How the dumped machine lays out the two headers; see the table in the format's description."""

    endian: str
    bits: int
    fields: int  # offset of `status` in the main header
    timestamp: str
    sub: str  # the sub header after phys_base ... in one struct
    machines: tuple[str, ...]


_FIELDS = (1, 2, 5, 7, 9, 11, 14)  # members of the sub header, by version
_SUB64 = "q i i Q Q q Q q Q q Q Q Q Q"
_SUB32_PACKED = "I i i I I q I q I q I Q Q Q"
_SUB32_PADDED = "I i i I I 4x q I 4x q I 4x q I 4x Q Q Q"


def _abis() -> Iterator[Abi]:
    wide = ("x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "riscv64", "loongarch64", "mips64", "ia64", "alpha")
    for endian in "<>":
        yield Abi(endian, 64, 424, "qq", _SUB64, wide)
    for endian in "<>":
        for layout in (_SUB32_PACKED, _SUB32_PADDED):
            yield Abi(endian, 32, 412, "ii", layout, ())


@dataclass(frozen=True, slots=True)
class Header:
    """The main and sub header of one file, as plain numbers; a field that its version lacks is 0."""

    abi: Abi
    version: int
    nodename: str
    release: str
    machine: str
    timestamp: int
    status: int
    block_size: int
    sub_blocks: int
    bitmap_blocks: int
    max_mapnr: int
    phys_base: int
    dump_level: int
    split: bool
    start_pfn: int
    end_pfn: int
    vmcoreinfo: tuple[int, int]
    note: tuple[int, int]
    eraseinfo: tuple[int, int]

    @property
    def bitmap(self) -> int:
        """The offset of the first bitmap."""
        return (1 + self.sub_blocks) * self.block_size

    @property
    def descriptors(self) -> int:
        """The offset of the page descriptors."""
        return (1 + self.sub_blocks + self.bitmap_blocks) * self.block_size


def probe(source: ByteSource) -> bool:
    """Tell whether a file is kdump-compressed."""
    return source.read_at(0, len(SIGNATURE)) == SIGNATURE


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("ascii", "replace")


def _plausible(abi: Abi, version: int, block: int, sub: int, bitmap_blocks: int, max_mapnr: int) -> bool:
    return (
        0 <= version <= 16
        and 4096 <= block <= 65536
        and block & (block - 1) == 0
        and 0 < sub <= 1 << 16
        and 8 * bitmap_blocks * block >= min(max_mapnr, 0xFFFFFFFF if abi.bits == 64 else max_mapnr)
    )


def parse_header(source: ByteSource) -> Header:
    """Parse both headers under the first ABI that makes sense of them; FormatError when none does."""
    head = source.read_at(0, HEADER)
    if len(head) < HEADER:
        raise FormatError(f"{source.name}: cut off within its header ({source.size} bytes)")
    if not probe(source):
        raise FormatError(f"{source.name}: not a kdump-compressed file, so no part of such a set")
    uts = [_text(head[12 + 65 * i : 12 + 65 * (i + 1)]) for i in range(6)]
    candidates = []
    for abi in _abis():
        (version,) = struct.unpack_from(abi.endian + "i", head, 8)
        at = abi.fields
        _status, block, sub, bitmap_blocks, max_mapnr = struct.unpack_from(abi.endian + "IiiII", head, at)
        if _plausible(abi, version, block, sub, bitmap_blocks, max_mapnr):
            candidates.append(_fill(source, head, abi, uts))
    if not candidates:
        raise FormatError(f"{source.name}: a kdump file whose header makes no sense in any byte order or word size")
    header = max(candidates, key=_sense)
    if header.descriptors > source.size and header.bitmap >= source.size:
        raise FormatError(f"{source.name}: cut off within its headers ({source.size} bytes)")
    return header


def _sense(h: Header) -> tuple[bool, bool]:
    """Rank a reading: does the machine's name agree, and does the VMCOREINFO range lie within the headers?"""
    offset, size = h.vmcoreinfo
    inside = (offset, size) == (0, 0) or (h.block_size < offset and offset + size <= h.bitmap)
    wide = h.abi.bits == 64
    return (not h.machine or (h.machine in h.abi.machines) == wide, inside)


def _fill(source: ByteSource, head: bytes, abi: Abi, uts: list[str]) -> Header:
    (version,) = struct.unpack_from(abi.endian + "i", head, 8)
    stamp, _usec = struct.unpack_from(abi.endian + abi.timestamp, head, 408 if abi.bits == 64 else 404)
    status, block, sub, bitmap_blocks, max_mapnr = struct.unpack_from(abi.endian + "IiiII", head, abi.fields)
    layout = struct.Struct(abi.endian + abi.sub)
    v = list(layout.unpack(source.read_at(block, layout.size).ljust(layout.size, b"\0")))
    known = _FIELDS[min(version, 6)]
    v[known:] = [0] * (len(v) - known)  # an older file holds garbage there
    start, end = (v[11], v[12]) if version >= 6 else (v[3], v[4])
    return Header(
        abi=abi,
        version=version,
        nodename=uts[1],
        release=uts[2],
        machine=uts[4],
        timestamp=stamp,
        status=status,
        block_size=block,
        sub_blocks=sub,
        bitmap_blocks=bitmap_blocks,
        max_mapnr=v[13] or max_mapnr,
        phys_base=v[0],
        dump_level=v[1],
        split=bool(v[2]),
        start_pfn=start if v[2] else 0,
        end_pfn=end if v[2] else 0,
        vmcoreinfo=(v[5], v[6]),
        note=(v[7], v[8]),
        eraseinfo=(v[9], v[10]),
    )


class _Part:
    """One file of the set: its header, its bitmaps, and where its descriptors are."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.header = h = parse_header(source)
        half = h.bitmap_blocks // 2 * h.block_size
        two = h.bitmap_blocks >= 2 * -(-h.max_mapnr // (8 * h.block_size))  # else one bitmap plays both roles
        size = half if two else h.bitmap_blocks * h.block_size
        self.ram = Bitmap(source, h.bitmap, size, h.max_mapnr)
        self.saved = Bitmap(source, h.bitmap + half, size, h.max_mapnr) if two else self.ram
        self.first, self.end = (h.start_pfn, h.end_pfn) if h.split else (0, self.saved.bits)
        self._descriptor = struct.Struct(h.abi.endian + "QII")
        self._descriptors, self._block = h.descriptors, h.block_size
        self._held: dict[int, bytes] = {}  # blocks of descriptors
        self._bitmaps = h.bitmap_blocks * h.block_size

    @cached_property
    def before(self) -> int:
        """How many pages of the dump come before this file's first; their descriptors are in other files."""
        return self.saved.rank(self.first) if self.first else 0

    def descriptor(self, index: int) -> tuple[int, int, int] | None:
        """Return (offset, size, flags) of a stored page; None where the file ends before its descriptor."""
        block, at = divmod(index, AT_ONCE)
        raw = self._held.get(block)
        if raw is None:
            if len(self._held) >= MAX_HELD:
                self._held.clear()
            size = AT_ONCE * DESCRIPTOR
            raw = self._held[block] = self.source.read_at(self._descriptors + block * size, size)
        if len(raw) < (at + 1) * DESCRIPTOR:
            return None
        found: tuple[int, int, int] = self._descriptor.unpack_from(raw, at * DESCRIPTOR)
        return found

    def page(self, rank: int, address: int) -> bytes:
        """Read and unpack the page with so many pages of the dump below it."""
        where = self.descriptor(rank - self.before)
        if where is None:
            raise MissingPage(address, "truncated")
        return self._unpack(*where, address)

    def packed(self, rank: int, address: int) -> tuple[bytes, int]:
        """Read the page with so many pages of the dump below it as it is stored: its bytes, its descriptor's flags."""
        where = self.descriptor(rank - self.before)
        if where is None:
            raise MissingPage(address, "truncated")
        return self._stored(*where, address), where[2] & COMPRESSIONS

    def _unpack(self, offset: int, size: int, flags: int, address: int) -> bytes:
        data, flag = self._stored(offset, size, flags, address), flags & COMPRESSIONS
        if not flag and size == self._block:
            return data
        try:
            return by_flag(flag)(data, self._block)
        except ValueError:
            raise MissingPage(address, "corrupt") from None

    def _stored(self, offset: int, size: int, flags: int, address: int) -> bytes:
        if offset == 0:  # the disk was full before its turn came
            raise MissingPage(address, "truncated")
        if size > self._block or offset < self._descriptors:
            raise MissingPage(address, "corrupt")
        data = self.source.read_at(offset, size)
        if len(data) < size:
            raise MissingPage(address, "truncated")
        if not flags & COMPRESSIONS and size != self._block:
            raise MissingPage(address, "corrupt")
        return data

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number, bytes) of the pages in this file, without those that share the one place of zero pages."""
        index, zeros = 0, -1
        for first, end in self.saved.runs():
            for start in range(max(first, self.first), min(end, self.end), BATCH):
                count = min(BATCH, min(end, self.end) - start)
                raw = self.source.read_at(self._descriptors + index * DESCRIPTOR, count * DESCRIPTOR)
                index += count
                for n in range(len(raw) // DESCRIPTOR):
                    offset, size, flags = self._descriptor.unpack_from(raw, n * DESCRIPTOR)
                    if offset == zeros:
                        continue
                    with suppress(MissingPage):
                        page = self._unpack(offset, size, flags, 0)
                        if flags or any(page):
                            yield start + n, page
                        else:
                            zeros = offset

    def fault(self) -> str | None:
        """Say what the file's end and a sample of its pages tell; None when all is there."""
        end = self.source.size
        if end < self._descriptors:
            held = 8 * max(0, end - self.header.bitmap)
            return f"is cut off within its bitmaps, which tell of {held} of {8 * self._bitmaps} pages"
        return self._end_fault(end) or self._blank()

    def _end_fault(self, end: int) -> str | None:
        for window in self._from_the_end(self.saved.rank(self.end) - self.before):
            if any(d is None or d[0] + d[1] > end for d in window):
                return "is cut off: it ends before its last pages"
            if any(d is not None and d[0] == 0 for d in window):
                return "was not finished: its last pages were never written"
            if any(d != window[0] for d in window):
                break
        return None

    def _blank(self) -> str | None:
        """Look at some pages all over the file: where zero bytes stand for them, a copy lost what was there.

        No page that is stored for itself is of zero bytes: makedumpfile and QEMU give those one place.
        """
        pages = self.saved.rank(self.end) - self.before
        wanted = SAMPLES if getattr(self.source, "fetched", None) is None else SAMPLES // 16
        looked: dict[int, bool] = {}
        for n in range(min(wanted, pages)):
            where = self.descriptor(pages * n // min(wanted, pages))
            if where and where[0] and 8 <= where[1] <= self._block and where[0] not in looked:
                looked[where[0]] = not self.source.read_at(where[0], where[1]).strip(b"\0")
        blank = sum(looked.values())
        if blank < 2:
            return None
        return f"has zero bytes in the place of pages ({blank} of {len(looked)} looked at): a copy of it went wrong"

    def _from_the_end(self, pages: int) -> Iterator[list[tuple[int, int, int] | None]]:
        """Yield descriptors from the last on, in windows that grow: zero pages share one place, which is an early one.

        After many windows of nothing else, the next ones lie further and further apart.
        """
        size = 8
        for n in range(MAX_WINDOWS):
            start = max(0, pages - size)
            raw = self.source.read_at(self._descriptors + start * DESCRIPTOR, (pages - start) * DESCRIPTOR)
            whole = len(raw) // DESCRIPTOR
            found = [self._descriptor.unpack_from(raw, at * DESCRIPTOR) for at in range(whole)]
            yield [*found, None] if whole < pages - start else list(found)
            pages, size = (start if n < MAX_WINDOWS // 2 else start // 2), BATCH
            if not pages:
                return


class KdumpDump:
    """A kdump-compressed dump, of one file or of a split set."""

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        self._parts = sorted((_Part(s) for s in sources), key=lambda p: (p.first, p.end))
        self._starts = [p.first for p in self._parts]
        self._first = self._parts[0]
        self.header = h = self._first.header
        self.page_size = h.block_size
        self._base = h.phys_base // h.block_size if _counts_from_base(h) else 0
        if any(_identity(p.header) != _identity(h) or not p.header.split for p in self._parts[1:]):
            raise FormatError(f"{sources[0].name} and the files given with it are not parts of one split dump")

    @property
    def files(self) -> list[ByteSource]:
        """All the files that it is read from."""
        return [part.source for part in self._parts]

    def page(self, pfn: int) -> bytes:
        """Return one page; MissingPage says whether it was excluded, cut off, damaged or never there."""
        part, rank = self._place_of(pfn)
        return part.page(rank, pfn * self.page_size)

    def packed(self, pfn: int) -> tuple[bytes, int]:
        """Return one page as it is stored, unproven, and the bit of its codec, 0 for none; MissingPage as of `page`."""
        part, rank = self._place_of(pfn)
        return part.packed(rank, pfn * self.page_size)

    def _place_of(self, pfn: int) -> tuple[_Part, int]:
        """Return the file that a page is in, and how many of the dump's pages come before it; MissingPage."""
        n = pfn - self._base
        part = self._first if len(self._parts) == 1 else self._parts[max(0, bisect_right(self._starts, n) - 1)]
        rank = part.saved.find(n)
        if rank < 0:
            raise MissingPage(pfn * self.page_size, _why(part, n))
        if not part.first <= n < part.end:  # in a part that is not here
            raise MissingPage(pfn * self.page_size, "never-saved")
        return part, rank

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges that the first bitmap calls RAM, in bytes; reads that bitmap whole."""
        return list(self._bytes(self._first.ram.runs(MAX_RANGES)))

    def saved_ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the physical ranges whose pages are in the dump, in bytes; reads the second bitmap as it goes."""
        return self._bytes(self._first.saved.runs())

    def saved_in(self, start: int, end: int) -> int:
        """Return how many bytes from physical address start to end are in the dump; counts its bitmap up to there."""
        first, last = start // self.page_size - self._base, -(-end // self.page_size) - self._base
        spans = ((p.saved, max(first, p.first), min(last, p.end)) for p in self._parts)
        return sum(saved.rank(b) - saved.rank(a) for saved, a, b in spans if a < b) * self.page_size

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (physical address, bytes) of the pages that can be unpacked, without those known to be zero."""
        for part in self._parts:
            for n, page in part.blocks():
                yield (n + self._base) * self.page_size, page

    def _bytes(self, runs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        base, size = self._base, self.page_size
        return (((a + base) * size, (b + base) * size) for a, b in runs)

    def notes(self) -> Iterator[Note]:
        """Yield the notes of the sub header; VMCOREINFO alone for a version 3 file."""
        h, source = self.header, self._first.source
        offset, size = h.note
        if offset and size > 0:
            yield from read_notes(source, offset, size, h.abi.endian)
        elif h.vmcoreinfo[0] and 0 < h.vmcoreinfo[1] <= MAX_VMCOREINFO:
            offset, size = h.vmcoreinfo
            yield Note("VMCOREINFO", 0, source.read_at(offset, size), size, offset)

    def cpus(self) -> list[CpuState]:
        """Return the CPUs as QEMU saw them; none in a dump that a kernel wrote."""
        return list(qemu_cpu_states(self.notes(), self.header.machine or "x86_64"))

    def facts(self) -> Facts:
        """Return what the headers say; counts both bitmaps, half a second for 6 TiB."""
        h, first = self.header, self._first
        countable = first.saved.bits <= MAX_COUNTED
        saved, total = (first.saved.count(), first.ram.count()) if countable else (None, None)
        faults = [f"{p.source.name} {fault}" for p in self._parts if countable and (fault := p.fault())]
        facts = Facts.of("kdump", [p.source for p in self._parts])  # after the counting, which may meet bad blocks
        facts.machine = h.machine or None
        facts.byteorder = "little" if h.abi.endian == "<" else "big"
        facts.compression = next(iter(codec_names(h.status)), None)
        facts.dump_level = h.dump_level if h.version >= 1 else None
        facts.page_size = h.block_size
        facts.pages_saved, facts.pages_total = saved, total
        facts.timestamp = h.timestamp or None
        facts.phys_base = h.phys_base
        facts.nodename = h.nodename or None
        facts.release = h.release or None
        offset, size = h.eraseinfo
        if offset and 0 < size <= MAX_VMCOREINFO:
            facts.erased = erased_by(first.source.read_at(offset, size))
        if h.status & INCOMPLETE:
            facts.lacks("the dump's writer says that it is incomplete (the disk was full)")
        for fault in faults:
            facts.lacks(fault)
        self._check_split(facts)
        return facts

    def _check_split(self, facts: Facts) -> None:
        """Say which pages no part of a split set covers."""
        if not self.header.split:
            return
        at = 0
        for part in self._parts:
            if part.first > at:
                facts.lacks(f"a part of the split set is missing: pages {at:#x} to {part.first:#x}")
            at = max(at, part.end)
        if at < self.header.max_mapnr:
            facts.lacks(f"a part of the split set is missing: pages from {at:#x} on")


def _why(part: _Part, n: int) -> Why:
    """Say why page n, whose bit is clear or not there, is missing."""
    if 0 <= n < part.saved.bits and not part.saved.known(n):
        return "truncated"
    return "excluded" if part.ram.has(n) else "never-saved"


def _counts_from_base(h: Header) -> bool:
    """Tell whether page 0 is the first of RAM, not of the address space: makedumpfile on 32-bit ARM."""
    return h.abi.bits == 32 and h.machine.startswith("arm") and bool(h.release)


def _identity(h: Header) -> tuple[object, ...]:
    """Return what the parts of one split set have in common."""
    return h.timestamp, h.nodename, h.release, h.machine, h.block_size, h.bitmap_blocks, h.max_mapnr


def companions(source: ByteSource) -> list[Path]:
    """Return the other parts of a split set that lie beside one of them, by their headers; none for a whole dump."""
    header, path = parse_header(source), Path(source.name)
    if not header.split:
        return []
    found: dict[tuple[int, int], Path] = {}
    for other in islice(sorted(path.parent.iterdir()), MAX_NEIGHBOURS):
        try:
            if other.is_file() and not other.samefile(path):
                theirs = parse_header(candidate) if probe(candidate := beginning(FileSource(other))) else None
                if theirs and theirs.split and _identity(theirs) == _identity(header):
                    found.setdefault((theirs.start_pfn, theirs.end_pfn), other)
        except (OSError, OopscopeError):
            continue
    return [other for bounds, other in found.items() if bounds != (header.start_pfn, header.end_pfn)]


def open(sources: Sequence[ByteSource]) -> KdumpDump:
    """Open one file, or all the parts of a split set in any order."""
    return KdumpDump(sources)
