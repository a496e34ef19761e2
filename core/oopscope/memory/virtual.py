"""Virtual memory: an address space's reads, with a cache of virtual pages in front of the page tables.

It knows page tables as the architecture describes them; it knows no symbols and no structures.
"""

import struct
from collections.abc import Callable

from oopscope.arch import Mapping
from oopscope.decode import decoded
from oopscope.errors import Implausible, NotMapped, ReadError
from oopscope.memory.physical import PhysicalMemory

MAX_READ = 64 << 20  # no single read of a dump is larger
MAX_CACHED = 1024
MAX_KEPT = 32 << 20  # bytes of ends of pages that are kept
MAX_LAYOUTS = 512

Translate = Callable[[int], Mapping]


class Memory:
    """One address space, usually the kernel's. `page_shift` is the kernel's page, not the dump's block."""

    def __init__(self, physical: PhysicalMemory, translate: Translate, page_shift: int, word: struct.Struct) -> None:
        self.physical = physical
        self._translate = translate
        self._shift = page_shift
        self.page_size = 1 << page_shift
        self._mask = self.page_size - 1
        self._word = word
        self.word_size = word.size
        self._last_word = self.page_size - word.size  # within a page
        self._last_pair = self._last_word - word.size
        self.pair_in = struct.Struct(f"{word.format[0]}2{word.format[1]}").unpack_from  # of what was read before
        self._several: dict[int, struct.Struct] = {}  # so many words, by their number
        self._half = struct.Struct(word.format[0] + "I")
        self._pages: dict[int, bytes] = {}
        self._kept: dict[int, bytes] = {}  # ends of pages, by the page's number
        self._room = MAX_KEPT
        self._large: dict[int, Mapping] = {}  # by 2 MiB of address: large pages met so far
        self.top = 1 << word.size * 8
        self.steps = 0  # nodes of lists and trees that were followed so far
        # What maps an address where the page tables for it are not in the dump; None where nothing does.
        self.without_tables: Callable[[int], Mapping | None] = lambda _address: None

    def translate(self, address: int) -> int:
        """Return the physical address that a virtual address maps to; NotMapped with the reason."""
        if not 0 <= address < self.top:
            raise NotMapped(address % self.top, "not an address")
        large = self._large.get(address >> 21)
        if large is None:
            large = self._look_up(address)
            if large.size >= 1 << 21:
                self._large[address >> 21] = large
        return large.start + (address & large.size - 1)

    def _look_up(self, address: int) -> Mapping:
        try:
            return self._translate(address)
        except NotMapped as e:
            found = self.without_tables(address) if e.lost else None
            if found is None:
                raise
            return found

    def page(self, number: int) -> bytes:
        """Return one virtual page by its number; ReadError with the reason."""
        page = self._pages.get(number)
        if page is not None:
            return page
        page = self.physical.read(self.translate(number << self._shift), self.page_size)
        if len(self._pages) >= MAX_CACHED:
            self._pages.clear()
        self._pages[number] = page
        return page

    def view(self, address: int, size: int) -> tuple[bytes, int]:
        """Return (buffer, offset): size bytes from there; the page itself, uncopied, when they lie within one."""
        offset = address & self._mask
        if offset + size > self.page_size:
            return self.read(address, size), 0
        number = address >> self._shift
        page = self._pages.get(number)
        if page is None:
            kept = self._kept.get(number)
            if kept is not None and (at := offset - self.page_size + len(kept)) >= 0:
                return kept, at
            page = self.page(number)
        return page, offset

    def keep(self, address: int, data: bytes) -> bool:
        """Keep what was read from an address to the end of a page for all later reads of it; False: it has no room.

        It is for stacks: many tasks have a page each, of which only the end is in use, and which is read again and
        again. What is not kept is read anew.
        """
        if len(data) > self._room:
            return False
        self._room -= len(data)
        while data:
            size = self.page_size - (address & self._mask)
            if len(data) >= size:
                self._kept[address >> self._shift] = data[:size]
            address, data = address + size, data[size:]
        return True

    def let_go(self) -> None:
        """Forget what was kept."""
        self._kept.clear()
        self._room = MAX_KEPT

    def read(self, address: int, size: int) -> bytes:
        """Read size bytes; ReadError carries the first address that could not be read."""
        if size <= 0:
            return b""
        if size > MAX_READ:
            raise Implausible(f"a read of {size} bytes", address)
        number, offset = address >> self._shift, address & self._mask
        if offset + size <= self.page_size:
            buffer, at = self.view(address, size)
            return buffer[at : at + size]
        parts = [self.page(number)[offset:]]
        size -= len(parts[0])
        while size > 0:
            number += 1
            parts.append(self.page(number)[:size])
            size -= self.page_size
        return b"".join(parts)

    def word(self, address: int) -> int:
        """Read one pointer-sized unsigned number."""
        page, offset = self._pages.get(address >> self._shift), address & self._mask
        if page is None or offset > self._last_word:
            page, offset = self.view(address, self.word_size)
        value: int = self._word.unpack_from(page, offset)[0]
        return value

    def u32(self, address: int) -> int:
        """Read an unsigned 32-bit number."""
        buffer, offset = self.view(address, 4)
        value: int = self._half.unpack_from(buffer, offset)[0]
        return value

    def s32(self, address: int) -> int:
        """Read a signed 32-bit number."""
        value = self.u32(address)
        return value - (value >> 31 << 32)

    def signed(self, word: int) -> int:
        """Return a word as a signed number: a long."""
        bits = 8 * self.word_size
        return word - (word >> bits - 1 << bits)

    def u8(self, address: int) -> int:
        """Read one byte."""
        buffer, offset = self.view(address, 1)
        return buffer[offset]

    def pair(self, address: int) -> tuple[int, ...]:
        """Read two pointer-sized unsigned numbers: the links of a list."""
        page, offset = self._pages.get(address >> self._shift), address & self._mask
        if page is None or offset > self._last_pair:
            page, offset = self.view(address, 2 * self.word_size)
        return self.pair_in(page, offset)

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Read count pointer-sized unsigned numbers."""
        size = count * self.word_size
        if size <= 0:
            return ()
        page, offset = self._pages.get(address >> self._shift), address & self._mask
        if page is None or not 0 < size <= self.page_size - offset:
            page, offset = (self.read(address, size), 0) if size > self.page_size else self.view(address, size)
        return self.words_in(page, count, offset)

    def words_in(self, data: bytes, count: int, offset: int = 0) -> tuple[int, ...]:
        """Return count pointer-sized unsigned numbers of what was read before, from an offset in bytes on."""
        layout = self._several.get(count)
        if layout is None:
            layout = struct.Struct(f"{self._word.format[0]}{count}{self._word.format[1]}")
            if len(self._several) < MAX_LAYOUTS:
                self._several[count] = layout
        return layout.unpack_from(data, offset)

    def text(self, address: int, limit: int = 4096) -> str:
        """Read a string as cstring does, as text."""
        return decoded(self.cstring(address, limit))

    def cstring(self, address: int, limit: int = 4096) -> bytes:
        """Read a NUL-terminated string of at most limit bytes; cut there, or where memory ends after its start."""
        parts: list[bytes] = []
        while limit > 0:
            offset = address & self._mask
            try:
                chunk = self.page(address >> self._shift)[offset : offset + limit]
            except ReadError:
                if parts:
                    break
                raise
            end = chunk.find(b"\0")
            if end >= 0:
                parts.append(chunk[:end])
                break
            parts.append(chunk)
            address += len(chunk)
            limit -= len(chunk)
        return b"".join(parts)
