"""The two headers of a kdump-compressed file, in the dumped machine's byte order and ABI, which no field names.

Follows makedumpfile's IMPLEMENTATION and diskdump_mod.h. The combination that makes sense is taken. Files before
version 6 cut some fields short or lack them.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import FormatError
from oopscope.sources import ByteSource

SIGNATURE = b"KDUMP   "
HEADER = 464  # bytes of the main header that are read; QEMU writes no more


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


class Header(NamedTuple):
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
    if not head.startswith(SIGNATURE):
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
