"""kdump-compressed files of every header version, word size, byte order and codec, whole or as one part of a set."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import cramjam
import zstandard
from lzallright import LZOCompressor

EXCLUDED = None  # RAM whose page was filtered out

PACK: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "zlib": (0x01, lambda page: zlib.compress(page, 1)),
    "lzo": (0x02, lambda page: bytes(LZOCompressor().compress(page))),
    "snappy": (0x04, lambda page: bytes(cramjam.snappy.compress_raw(page))),
    "zstd": (0x20, lambda page: zstandard.ZstdCompressor().compress(page)),
}


@lru_cache(8192)
def packed_by(codec: str, page: bytes) -> bytes:
    """The same pages are packed for many files."""
    return PACK[codec][1](page)


@dataclass
class Kdump:
    """What goes into one file. `pages` maps a page's number to its bytes or to EXCLUDED; other numbers are no RAM."""

    pages: Mapping[int, bytes | None]
    codec: str | None = "zlib"
    version: int = 6
    bits: int = 64
    endian: str = "<"
    padded: bool = False  # 32 bits: 64-bit members aligned to 8, as on ARM
    block: int = 4096
    machine: str = "x86_64"
    nodename: str = "lab"
    release: str = "6.1.0-test"
    timestamp: int = 1_700_000_000
    status: int = 0
    notes: bytes = b""
    vmcoreinfo: bytes = b""
    eraseinfo: bytes = b""
    split: tuple[int, int] | None = None
    dump_level: int = 31
    phys_base: int = 0
    max_mapnr: int | None = None
    lost: set[int] = field(default_factory=set)  # pages whose descriptor was never written
    stored: dict[int, tuple[bytes, int]] = field(default_factory=dict)  # a page's bytes in the file, and its flags
    descriptors: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # written as they stand
    signature: bytes = b"KDUMP   "
    one_bitmap: bool = False

    def build(self) -> bytes:
        """Return the file."""
        mapnr = self.max_mapnr if self.max_mapnr is not None else max(self.pages, default=-1) + 1
        blocks = -(-max(mapnr, 1) // (8 * self.block))
        sub = self._sub_header(mapnr)
        sub_blocks = -(-len(sub) // self.block)
        head = self._main_header(mapnr, sub_blocks, blocks * (1 if self.one_bitmap else 2))
        ram = self._bitmap(blocks, lambda page: True)
        saved = self._bitmap(blocks, lambda page: page is not EXCLUDED)
        out = head.ljust(self.block, b"\0") + sub.ljust(sub_blocks * self.block, b"\0")
        out += saved if self.one_bitmap else ram + saved
        return out + self._pages(len(out))

    def _main_header(self, mapnr: int, sub_blocks: int, bitmap_blocks: int) -> bytes:
        uts = b"".join(
            text.encode().ljust(65, b"\0") for text in ("Linux", self.nodename, self.release, "#1", self.machine, "")
        )
        flag = PACK[self.codec][0] if self.codec else 0
        stamp = struct.pack(self.endian + ("6xqq" if self.bits == 64 else "2xii"), self.timestamp, 0)
        tail = struct.pack(
            self.endian + "IiiIIIIIIi",
            *(self.status | flag, self.block, sub_blocks, bitmap_blocks, min(mapnr, 0xFFFFFFFF), 0, 0, 0, 0, 2),
        )
        return self.signature + struct.pack(self.endian + "i", self.version) + uts + stamp + tail

    def _sub_header(self, mapnr: int) -> bytes:
        layout = struct.Struct(
            self.endian
            + ("qiiQQqQqQqQQQQ" if self.bits == 64 else ("IiiII4xqI4xqI4xqI4xQQQ" if self.padded else "IiiIIqIqIqIQQQ"))
        )
        start, end = self.split or (0, 0)
        notes_at = self.block + layout.size
        info_at = notes_at + self.notes.find(self.vmcoreinfo) if self.vmcoreinfo else 0
        note = (notes_at, len(self.notes)) if self.notes else (0, 0)
        old = (start, end) if self.version < 6 else (0, 0)
        new = (start, end, mapnr) if self.version >= 6 else (0xBAD, 0xBAD, 0xBAD)  # garbage, as in older files
        values = (
            self.phys_base,
            self.dump_level,
            bool(self.split),
            *old,
            info_at,
            len(self.vmcoreinfo),
            *note,
            notes_at + len(self.notes) if self.eraseinfo else 0,
            len(self.eraseinfo),
            *new,
        )
        return layout.pack(*values) + self.notes + self.eraseinfo

    def _bitmap(self, blocks: int, wanted: Callable[[bytes | None], bool]) -> bytes:
        bitmap = bytearray(blocks * self.block)
        for pfn, page in self.pages.items():
            if wanted(page):
                bitmap[pfn >> 3] |= 1 << (pfn & 7)
        return bytes(bitmap)

    def _pages(self, at: int) -> bytes:
        """Return the descriptors and the data; zero pages share one place, as makedumpfile and QEMU write them."""
        mine = [
            (n, p)
            for n, p in sorted(self.pages.items())
            if p is not EXCLUDED and (not self.split or self.split[0] <= n < self.split[1])
        ]
        base = at + 24 * len(mine)
        table, data = bytearray(), bytearray(self.block)
        for pfn, page in mine:
            raw, flags = self.stored.get(pfn) or self._pack(page)
            where = (base + len(data), len(raw), flags)
            if not page.strip(b"\0") and pfn not in self.stored:
                where = (base, self.block, 0)
            else:
                data += raw
            where = (0, 0, 0) if pfn in self.lost else self.descriptors.get(pfn, where)
            table += struct.pack(self.endian + "QIIQ", *where, 0)
        return bytes(table + data)

    def _pack(self, page: bytes) -> tuple[bytes, int]:
        if self.codec:
            flag, packed = PACK[self.codec][0], packed_by(self.codec, page)
            if len(packed) < len(page):
                return packed, flag
        return page, 0
