"""kdump-compressed files: what makedumpfile, QEMU and `virsh dump --memory-only` write.

Follows makedumpfile's IMPLEMENTATION and diskdump_mod.h. Header fields are in the dumped machine's byte order and
ABI, and no field says which: the combination that makes sense is taken. A page's descriptor is found by its rank in
the second bitmap; set bits are counted a block of the bitmap at a time, when first asked for, so opening costs the
headers alone, whatever the machine's memory.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oopscope.codecs import by_flag
from oopscope.codecs import names as codec_names
from oopscope.dumps import Facts, Note, iter_notes
from oopscope.errors import FormatError, MissingPage
from oopscope.sources import ByteSource

SIGNATURE = b"KDUMP   "
INCOMPLETE = 0x8
COMPRESSIONS = 0x1 | 0x2 | 0x4 | 0x20
DESCRIPTOR = 24
MAX_NOTES = 64 << 20  # device dumps may be large; more than this is not believed
RANK_BLOCK = 4096  # bytes of bitmap counted at a time: 32,768 pages


class Abi(NamedTuple):
    """How the dumped machine lays out the two headers; see the table in the format's description."""

    endian: str
    bits: int
    fields: int  # offset of `status` in the main header
    timestamp: str
    sub: str  # the sub header after phys_base ... in one struct
    machines: tuple[str, ...]


_SUB64 = "Q i i Q Q q Q q Q q Q Q Q Q"
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

    @property
    def bitmap(self) -> int:
        """The offset of the first bitmap."""
        return (1 + self.sub_blocks) * self.block_size

    @property
    def descriptors(self) -> int:
        """The offset of the page descriptors."""
        return (1 + self.sub_blocks + self.bitmap_blocks) * self.block_size


def probe(head: bytes) -> bool:
    """Tell whether the first bytes are a kdump-compressed file's."""
    return head.startswith(SIGNATURE)


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("ascii", "replace")


def _plausible(abi: Abi, version: int, block: int, sub: int, bitmap_blocks: int, max_mapnr: int) -> bool:
    return (
        0 <= version <= 64
        and 4096 <= block <= 65536
        and block & (block - 1) == 0
        and 0 < sub <= 1 << 16
        and 8 * bitmap_blocks * block >= min(max_mapnr, 0xFFFFFFFF if abi.bits == 64 else max_mapnr)
    )


def parse_header(source: ByteSource) -> Header:
    """Parse both headers under the first ABI that makes sense of them; FormatError when none does."""
    head = source.read_at(0, 512)
    if len(head) < 512:
        raise FormatError(f"{source.name}: cut off within its header ({source.size} bytes)")
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
    return max(candidates, key=lambda h: _sense(h, source))


def _sense(h: Header, source: ByteSource) -> tuple[bool, bool]:
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
    raw = source.read_at(block, layout.size).ljust(layout.size, b"\0")
    v = layout.unpack(raw)
    since = lambda n, value: value if version >= n else 0  # noqa: E731 - older files hold garbage there
    split = bool(since(2, v[2]))
    start, end = (v[11], v[12]) if version >= 6 else (since(2, v[3]), since(2, v[4]))
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
        max_mapnr=v[13] if version >= 6 and v[13] else max_mapnr,
        phys_base=v[0],
        dump_level=since(1, v[1]),
        split=split,
        start_pfn=start if split else 0,
        end_pfn=end if split else 0,
        vmcoreinfo=(since(3, v[5]), since(3, v[6])),
        note=(since(4, v[7]), since(4, v[8])),
    )


class Bitmap:
    """One bit a page, least significant first; ranks are counted a block at a time, on demand."""

    def __init__(self, source: ByteSource, offset: int, size: int, pages: int) -> None:
        self._source, self._offset = source, offset
        self.pages = min(pages, size * 8)
        self._ranks = [0]  # set bits before each block of RANK_BLOCK bytes, as far as counted
        self._blocks: dict[int, int] = {}  # block -> its bits as one integer, a few kept

    def _block(self, n: int) -> int:
        bits = self._blocks.get(n)
        if bits is None:
            raw = self._source.read_at(self._offset + n * RANK_BLOCK, RANK_BLOCK)
            bits = int.from_bytes(raw, "little")
            if len(self._blocks) >= 64:
                self._blocks.clear()
            self._blocks[n] = bits
        return bits

    def has(self, pfn: int) -> bool:
        """Tell whether a page's bit is set."""
        if not 0 <= pfn < self.pages:
            return False
        return bool(self._block(pfn // (RANK_BLOCK * 8)) >> pfn % (RANK_BLOCK * 8) & 1)

    def rank(self, pfn: int) -> int:
        """Count the set bits below pfn."""
        n, bit = divmod(pfn, RANK_BLOCK * 8)
        while len(self._ranks) <= n:
            self._ranks.append(self._ranks[-1] + self._block(len(self._ranks) - 1).bit_count())
        return self._ranks[n] + (self._block(n) & ((1 << bit) - 1)).bit_count()

    def count(self) -> int:
        """Count all set bits; reads the whole bitmap."""
        return self.rank(self.pages)

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield the runs [first, end) of set bits, ascending; reads the whole bitmap."""
        start: int | None = None
        for n in range((self.pages + RANK_BLOCK * 8 - 1) // (RANK_BLOCK * 8)):
            base, bits = n * RANK_BLOCK * 8, self._block(n)
            width = min(RANK_BLOCK * 8, self.pages - base)
            bits &= (1 << width) - 1
            at = 0
            while at < width:
                rest = bits >> at
                if start is None:
                    if not rest:
                        break
                    at += (rest & -rest).bit_length() - 1
                    start = base + at
                else:
                    clear = ~rest & ((1 << (width - at)) - 1)
                    if not clear:
                        break
                    at += (clear & -clear).bit_length() - 1
                    yield start, base + at
                    start = None
        if start is not None:
            yield start, self.pages


class _Part:
    """One file of the set: its header, its bitmaps, and where its descriptors are."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.header = h = parse_header(source)
        half = h.bitmap_blocks // 2 * h.block_size
        needed = (h.max_mapnr + 7) // 8
        two = h.bitmap_blocks >= 2 * -(-needed // h.block_size)
        size = half if two else h.bitmap_blocks * h.block_size
        self.ram = Bitmap(source, h.bitmap, size, h.max_mapnr)
        self.saved = Bitmap(source, h.bitmap + half, size, h.max_mapnr) if two else self.ram
        self._descriptor = struct.Struct(h.abi.endian + "QIIQ")

    def holds(self, pfn: int) -> bool:
        """Tell whether the page's descriptor is in this file."""
        h = self.header
        return not h.split or h.start_pfn <= pfn < h.end_pfn

    def page(self, pfn: int) -> bytes:
        """Read and unpack one page whose bit is set."""
        h = self.header
        index = self.saved.rank(pfn) - (self.saved.rank(h.start_pfn) if h.split else 0)
        raw = self.source.read_at(h.descriptors + index * DESCRIPTOR, DESCRIPTOR)
        address = pfn * h.block_size
        if len(raw) < DESCRIPTOR:
            raise MissingPage(address, "truncated")
        offset, size, flags, _ = self._descriptor.unpack(raw)
        if offset == 0:
            raise MissingPage(address, "never-saved" if h.status & INCOMPLETE else "truncated")
        if size > h.block_size or size == 0:
            raise MissingPage(address, "corrupt")
        data = self.source.read_at(offset, size)
        if len(data) < size:
            raise MissingPage(address, "truncated")
        return self._unpack(address, data, flags)

    def _unpack(self, address: int, data: bytes, flags: int) -> bytes:
        block = self.header.block_size
        if not flags & COMPRESSIONS:
            if len(data) != block:
                raise MissingPage(address, "corrupt")
            return data
        try:
            return by_flag(flags)(data, block)
        except ValueError:
            raise MissingPage(address, "corrupt") from None


class KdumpDump:
    """A kdump-compressed dump, of one file or of a split set."""

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        parts = [_Part(s) for s in sources]
        self._parts = sorted(parts, key=lambda p: p.header.start_pfn)
        self._first = self._parts[0]
        self.header = self._first.header
        self.page_size = self.header.block_size

    def page(self, pfn: int) -> bytes:
        """Return one page; MissingPage says whether it was excluded, cut off, damaged or never there."""
        first = self._first
        if not first.saved.has(pfn):
            raise MissingPage(pfn * self.page_size, "excluded" if first.ram.has(pfn) else "never-saved")
        for part in self._parts:
            if part.holds(pfn):
                return part.page(pfn)
        raise MissingPage(pfn * self.page_size, "never-saved")

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges that the first bitmap calls RAM, in bytes; reads that bitmap whole."""
        size = self.page_size
        return [(a * size, b * size) for a, b in self._first.ram.runs()]

    def saved_ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges whose pages are in the dump, in bytes; reads the second bitmap whole."""
        size = self.page_size
        return [(a * size, b * size) for a, b in self._first.saved.runs()]

    def notes(self) -> Iterator[Note]:
        """Yield the notes of the sub header; VMCOREINFO alone for a version 3 file."""
        h, source = self.header, self._first.source
        offset, size = h.note
        if offset and 0 < size <= MAX_NOTES:
            yield from iter_notes(source.read_at(offset, size), h.abi.endian)
        else:
            offset, size = h.vmcoreinfo
            if offset and 0 < size <= MAX_NOTES:
                yield Note("VMCOREINFO", 0, source.read_at(offset, size))

    def facts(self) -> Facts:
        """Return what the headers say; counts the second bitmap."""
        h = self.header
        facts = Facts(
            format="kdump",
            machine=h.machine or None,
            byteorder="little" if h.abi.endian == "<" else "big",
            compression=(codec_names(h.status) or [None])[0],
            parts=len(self._parts),
            dump_level=h.dump_level if h.version >= 1 else None,
            page_size=h.block_size,
            pages_saved=self._first.saved.count(),
            pages_total=self._first.ram.count(),
            bytes=sum(p.source.size for p in self._parts),
            complete=not h.status & INCOMPLETE,
            timestamp=h.timestamp or None,
            phys_base=h.phys_base,
            nodename=h.nodename or None,
            release=h.release or None,
        )
        if h.status & INCOMPLETE:
            facts.problems.append("the dump's writer says that it is incomplete (the disk was full)")
        self._check_end(facts)
        self._check_split(facts)
        return facts

    def _check_end(self, facts: Facts) -> None:
        """A file that ends before its descriptors do, or before the last descriptor's data, was cut off."""
        for part in self._parts:
            h, source = part.header, part.source
            first, end = (h.start_pfn, h.end_pfn) if h.split else (0, part.saved.pages)
            pages = part.saved.rank(min(end, part.saved.pages)) - part.saved.rank(first)
            if pages and not self._reaches_end(part, pages):
                facts.complete = False
                facts.problems.append(f"{source.name} is cut off: it ends at {source.size} bytes, before its last page")

    @staticmethod
    def _reaches_end(part: _Part, pages: int) -> bool:
        end = part.header.descriptors + pages * DESCRIPTOR
        for index in range(pages - 1, max(pages - 9, -1), -1):  # the last few: zero pages share one place
            raw = part.source.read_at(part.header.descriptors + index * DESCRIPTOR, DESCRIPTOR)
            if len(raw) == DESCRIPTOR:
                offset, size, _flags, _ = part._descriptor.unpack(raw)
                end = max(end, offset + size)
        return end <= part.source.size

    def _check_split(self, facts: Facts) -> None:
        if not self.header.split:
            return
        at = 0
        for part in self._parts:
            if part.header.start_pfn > at:
                facts.complete = False
                facts.problems.append(f"a part of the split set is missing: pages {at:#x} to {part.header.start_pfn:#x}")
            at = max(at, part.header.end_pfn)
        if at < self.header.max_mapnr:
            facts.complete = False
            facts.problems.append(f"a part of the split set is missing: pages from {at:#x} on")


def open(sources: Sequence[ByteSource]) -> KdumpDump:  # noqa: A001 - the table's word
    """Open one file, or all the parts of a split set in any order."""
    return KdumpDump(sources)
