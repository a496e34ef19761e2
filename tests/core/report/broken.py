"""A copy of a kdump file in which some pages do not unpack any more: their bytes in the file are overwritten."""

import struct
from pathlib import Path
from typing import Any

from oopscope.errors import MissingPage
from oopscope.kernel.kernel import Kernel

DESCRIPTOR = struct.Struct("<QIIQ")


def break_pages(source: Path, out: Path, pfns: list[Any] | set[int]) -> Path:
    """Copy source to out with the data of these page frames spoilt; each must be in the file, packed."""
    raw = bytearray(source.read_bytes())
    _status, block, sub, bitmaps = struct.unpack_from("<Iiii", raw, 424)
    half = bitmaps // 2 * block
    saved_at = (1 + sub) * block + half  # the second half of the bitmaps: what is in the file
    saved = raw[saved_at : saved_at + half]
    for pfn in pfns:
        assert saved[pfn // 8] >> pfn % 8 & 1, f"page frame {pfn:#x} is not in the file"
        rank = int.from_bytes(saved[: pfn // 8], "little").bit_count()
        rank += (saved[pfn // 8] & (1 << pfn % 8) - 1).bit_count()
        offset, size, flags, _ = DESCRIPTOR.unpack_from(raw, (1 + sub + bitmaps) * block + rank * DESCRIPTOR.size)
        assert flags, f"page frame {pfn:#x} is stored raw: no reader could tell"
        raw[offset : offset + size] = b"\xff" * size
    out.write_bytes(raw)
    return out


def frames_of(kernel: Kernel, address: int, size: int = 1) -> set[int]:
    """The page frames that hold size bytes at a virtual address, of those that are in the dump."""
    found = set()
    for at in range(address & -4096, address + size, 4096):
        try:
            kernel.memory.page(at >> 12)
        except MissingPage:
            continue
        found.add(kernel.memory.translate(at) >> 12)
    assert found, f"nothing of {address:#x} is in the dump"
    return found
