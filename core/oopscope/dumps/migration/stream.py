"""The grammar of QEMU's migration stream, as far as the machine's RAM goes.

Follows migration/savevm.c, migration/ram.c and docs/devel/migration of QEMU. All numbers are big-endian. Sections have
no length, so the stream is walked; but runs of pages, all of one size, are measured by doubling and halving, so a
walk costs a few reads a run. A page sent twice counts as sent last. In a mapped-ram file every page has its own place.
"""

import re
import struct
from collections.abc import Iterator
from itertools import takewhile

from oopscope.errors import FormatError, Unsupported
from oopscope.lazy_re import lazy_re
from oopscope.sources import ByteSource
from oopscope.sources.bitmap import Bitmap
from oopscope.sources.extents import NOWHERE, Extents

MAGIC = struct.pack(">II", 0x5145564D, 3)  # "QEVM", version 3
EOF, START, PART, END, FULL, SUBSECTION, CONFIGURATION, COMMAND, FOOTER = 0, 1, 2, 3, 4, 5, 7, 8, 0x7E
ZERO, MEM_SIZE, PAGE, EOS, CONTINUE, XBZRLE, HOOK, PACKED, FLUSH = 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200
FILL = 1 << 62  # added to the byte that fills a whole page, where it is not zero
MAX_BLOCKS, MAX_WORDS, MAX_ITEMS = 4096, 1 << 22, 1 << 20
MAX_SKIPPED = 1 << 20  # bytes of other sections before the one for RAM
_WINDOW = 1 << 16
_HEADER = 8  # of every page
_ZEROS = lazy_re(rb"(?:.{6}[\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0]\x22\x00)+", re.DOTALL)
_RAM_START = lazy_re(rb"\x01.{4}\x03ram.{4}\x00\x00\x00\x04", re.DOTALL)


class _End(Exception):
    """The stream ends in the middle, or holds something that it cannot: the text says which."""


class _Reader:
    """A place in the stream, read through a window."""

    def __init__(self, source: ByteSource, at: int) -> None:
        self.source, self.at = source, at
        self._window, self._base = b"", at

    def peek(self, size: int) -> bytes:
        """Return up to size bytes from here on, at most a window of them."""
        start = self.at - self._base
        if start < 0 or start + size > len(self._window):
            self._window, self._base, start = self.source.read_at(self.at, _WINDOW), self.at, 0
        return self._window[start : start + size]

    def take(self, size: int) -> bytes:
        """Read size bytes."""
        data = self.peek(size)
        if len(data) < size:
            raise _End("the stream is cut off")
        self.at += size
        return data

    def number(self, size: int) -> int:
        """Read an unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def text(self, size: int) -> str:
        """Read a name whose length comes first, in so many bytes."""
        return self.take(min(self.number(size), _WINDOW)).decode("ascii", "replace")


class Block:
    """One block of RAM: its name, its size, where it begins among all blocks; and its places in a mapped-ram file."""

    def __init__(self, name: str, size: int, base: int) -> None:
        self.name, self.size, self.base = name, size, base
        self.pages_at = 0
        self.present: Bitmap | None = None


class Stream:
    """What was found: the machine, its blocks of RAM, where each page is, and where the devices' state begins."""

    def __init__(self) -> None:
        self.machine = ""
        self.page_size = 4096
        self.capabilities: set[str] = set()
        self.blocks: list[Block] = []
        self.pages = Extents()  # page n of all blocks lies from n * step on
        self.devices = 0
        self.problem: str | None = None

    @property
    def step(self) -> int:
        """The distance of two pages in the stream, which is the unit of `pages`."""
        return self.page_size + _HEADER


def read_stream(source: ByteSource, at: int) -> Stream:
    """Walk a stream up to the end of its RAM. One that is cut off gives what it has, and its problem."""
    reader, stream = _Reader(source, at), Stream()
    if reader.peek(len(MAGIC)) != MAGIC:
        raise FormatError(f"{source.name}: no QEMU stream where it should begin, at offset {at:#x}")
    reader.at += len(MAGIC)
    walk = _Walk(reader, stream)
    stream.pages = Extents(walk.runs())
    if not stream.blocks:
        raise FormatError(f"{source.name}: a QEMU stream without RAM in it: {stream.problem or 'it ends before'}")
    stream.devices = reader.at
    return stream


class _Walk:
    """The state of one walk: the section that holds RAM, the block of the last page."""

    def __init__(self, reader: _Reader, stream: Stream) -> None:
        self._reader, self._stream = reader, stream
        self._ram: int | None = None  # the id of RAM's section
        self._block: Block | None = None
        self._words = 0

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield the runs of pages in their order, for Extents."""
        try:
            for _ in range(MAX_ITEMS):
                kind = self._reader.number(1)
                if kind == EOF or (kind == FULL and self._ram is not None):
                    self._reader.at -= 1
                    return
                yield from self._item(kind)
                if kind == END:
                    return
        except _End as e:
            self._stream.problem = str(e)

    def _item(self, kind: int) -> Iterator[tuple[int, int, int]]:
        reader = self._reader
        if kind == CONFIGURATION:
            self._configuration()
        elif kind in (START, FULL):
            section, name = reader.number(4), reader.text(1)
            reader.take(8)  # instance, version
            if name != "ram":
                self._skip_to_ram()
                return
            self._ram = section
            yield from self._payload()
        elif kind in (PART, END):
            if reader.number(4) != self._ram:
                raise _End("a section that is not RAM comes between those that are")
            yield from self._payload()
        elif kind == COMMAND:
            reader.take(2)
            reader.take(reader.number(2))
        else:
            raise _End(f"the stream is damaged: no section at offset {reader.at - 1:#x}")

    def _configuration(self) -> None:
        """Read the machine's name and what follows it, which says how pages are laid out."""
        reader, stream = self._reader, self._stream
        stream.machine = reader.text(4)
        while reader.peek(1) == bytes([SUBSECTION]):
            reader.at += 1
            name = reader.text(1)
            reader.take(4)
            if name == "configuration/target-page-bits":
                bits = reader.number(4)
                if not 12 <= bits <= 16:
                    raise _End(f"the stream is damaged: pages of 2**{bits} bytes")
                stream.page_size = 1 << bits
            elif name == "configuration/capabilities":
                stream.capabilities |= {reader.text(1) for _ in range(min(reader.number(4), 64))}
            elif name == "configuration/uuid":
                reader.take(16)
            else:
                self._skip_to_ram()
                return

    def _skip_to_ram(self) -> None:
        """Go to where RAM's section begins, past sections whose length only their devices know."""
        found = _RAM_START.search(self._reader.source.read_at(self._reader.at, MAX_SKIPPED))
        if found is None or self._ram is not None:
            raise _End("the stream holds other sections than RAM, whose length is not known")
        self._reader.at += found.start()

    def _payload(self) -> Iterator[tuple[int, int, int]]:
        """Yield the runs of one section of RAM, and pass its footer."""
        reader, mask = self._reader, self._stream.page_size - 1
        while True:
            self._words += 1
            if self._words > MAX_WORDS:
                raise Unsupported(f"{reader.source.name}: its memory is in too many pieces; dump it --memory-only")
            word = reader.number(8)
            flags, address = word & mask, word & ~mask
            if flags & EOS:
                break
            if flags & MEM_SIZE:
                self._read_blocks(address)
            elif flags & (ZERO | PAGE):
                yield self._run(flags, address)
            elif flags & (XBZRLE | PACKED | HOOK):
                raise Unsupported(f"{reader.source.name}: QEMU packed its pages one by one; dump it --memory-only")
            elif flags & ~FLUSH:
                raise _End(f"the stream is damaged: no page at offset {reader.at - 8:#x}")
        if reader.peek(1) == bytes([FOOTER]):
            reader.take(5)

    def _run(self, flags: int, address: int) -> tuple[int, int, int]:
        """Return the run of pages that begins with a word just read, and go to its end."""
        reader, stream = self._reader, self._stream
        if not flags & CONTINUE:
            name = reader.text(1)
            self._block = next((b for b in stream.blocks if b.name == name), None)
        block = self._block
        if block is None or address >= block.size:
            raise _End(f"the stream is damaged: a page of no block at offset {reader.at:#x}")
        first = (block.base + address) // stream.page_size
        most = (block.size - address) // stream.page_size
        where = NOWHERE
        if flags & PAGE:
            where = reader.at
            count = min(self._count_pages(address), most)
            reader.at += (count - 1) * stream.step + stream.page_size
        else:
            byte = reader.number(1)
            where = FILL + byte if byte else NOWHERE
            count = 1 if byte else min(1 + self._count_zeros(address), most)
            reader.at += (count - 1) * (_HEADER + 1)
        return first * stream.step, (first + count) * stream.step, where

    def _count_pages(self, address: int) -> int:
        """Measure a run of pages that follow each other, in the block and in the stream.

        A word that stands n pages on, in both, can only do so if n whole pages lie between.
        """
        reader, stream = self._reader, self._stream
        data = reader.at

        def goes_on(n: int) -> bool:
            word = reader.source.read_at(data + n * stream.step - _HEADER, _HEADER)
            return int.from_bytes(word, "big") == (address + n * stream.page_size) | PAGE | CONTINUE

        if not goes_on(1):
            return 1
        good = max(takewhile(goes_on, (1 << shift for shift in range(48))))
        bad = good * 2
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if goes_on(middle) else (good, middle)
        return good + 1

    def _count_zeros(self, address: int) -> int:
        """Count the zero pages that follow one, as far as a window shows."""
        reader, stream = self._reader, self._stream
        size = _HEADER + 1
        window = reader.peek(_WINDOW // 2 // size * size)
        found = _ZEROS.match(window)
        count = len(found[0]) // size if found else 0
        while count:
            last = int.from_bytes(window[(count - 1) * size :][:_HEADER], "big")
            if last == (address + count * stream.page_size) | ZERO | CONTINUE:
                break
            count //= 2
        return count

    def _read_blocks(self, total: int) -> None:
        """Read the list of blocks, whose sizes add up to a total."""
        reader, stream = self._reader, self._stream
        if stream.blocks:
            raise _End("the stream is damaged: it lists its blocks twice")
        base = 0
        while base < total and len(stream.blocks) < MAX_BLOCKS:
            block = Block(reader.text(1), reader.number(8), base)
            if block.size > total - base or block.size % stream.page_size:
                raise _End(f"the stream is damaged: a block of {block.size} bytes")
            if "x-ignore-shared" in stream.capabilities:
                reader.take(8)
            if "mapped-ram" in stream.capabilities:
                self._read_places(block)
            stream.blocks.append(block)
            base += block.size

    def _read_places(self, block: Block) -> None:
        """Read where a mapped-ram file has a block's pages, and go past them."""
        reader = self._reader
        version, size, bitmap_at, pages_at = struct.unpack(">IQQQ", reader.take(28))
        if version != 1 or size != self._stream.page_size or not reader.at <= bitmap_at < pages_at < FILL:
            raise _End(f"the stream is damaged: no places of block {block.name!r}")
        pages = block.size // size
        block.present = Bitmap(reader.source, bitmap_at, (pages + 63) // 64 * 8, pages)
        block.pages_at = pages_at
        reader.at = pages_at + block.size
