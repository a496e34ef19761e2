"""Processor architectures, each one constant: words, page tables as data, registers of a crash note.

An architecture knows no file and no kernel structure: it is handed a way to read physical memory. Each is the `ARCH`
constant of its folder in `machine`.
"""

import struct
from collections.abc import Callable
from typing import Literal, NamedTuple

from oopscope.errors import NotMapped, ReadError

ByteOrder = Literal["little", "big"]
ReadPhysical = Callable[[int, int], bytes]
Place = Callable[[int], int]
MAX_TABLES = 1 << 15  # whose places are remembered


class Bits(NamedTuple):
    """Some bits of an entry, and what they must be."""

    mask: int
    value: int


ALWAYS = Bits(0, 0)


class Level(NamedTuple):
    """One level of page tables: the lowest address bit that it resolves, how many, and what its entries mean."""

    shift: int
    bits: int
    present: Bits  # an entry that is not so maps nothing
    table: Bits | None  # an entry that leads to a table of the next level; None: none does, all are pages
    address: int  # the bits that are a table's address
    frame: int = 0  # the bits that are a page's address, where they are others
    absent: Bits | None = None  # an entry that is so maps nothing either


class Mapping(NamedTuple):
    """A page that holds a virtual address: its first physical address and its size."""

    start: int
    size: int


class Paging(NamedTuple):
    """Page tables as data: levels from the top, and what the bits of an entry mean."""

    levels: tuple[Level, ...]
    entry: struct.Struct  # its width and byte order
    left: int = 0  # what an entry's address bits are shifted by
    high: tuple[int, int] = (0, 0)  # low bits of an entry that are an address's highest, and what they are shifted by
    sign_extended: bool = False  # the bits above those that the tables resolve repeat the highest of them

    def is_canonical(self, address: int) -> bool:
        """Tell whether the processor takes an address for one at all: any other is nobody's, and no alias of one."""
        if not self.sign_extended:
            return True
        used = self.levels[0].shift + self.levels[0].bits
        return address >> used - 1 in (0, (1 << 65 - used) - 1)

    def translate(
        self,
        root: int,
        address: int,
        read: ReadPhysical,
        ignore: int = 0,
        place: Place | None = None,
        tables: dict[int, int] | None = None,
    ) -> Mapping:
        """Walk from the physical address of the root table; NotMapped says what stopped the walk.

        ignore: address bits of an entry that are flags on this machine (such as the SME mask).
        place: what turns an address in an entry into one that `read` takes, where they differ (ReadError for none).
        tables: where tables of the last level were found to lie, of this root; it is filled.
        """
        if not self.is_canonical(address):
            raise NotMapped(address, "not canonical: no address at all")
        table, entry_of, size, keep = root, self.entry.unpack, self.entry.size, ~ignore
        levels, last = self.levels, self.levels[-1]
        above = address >> last.shift + last.bits
        if tables is not None and (known := tables.get(above)) is not None:
            table, levels = known, levels[-1:]
        for shift, bits, present, inner, mask, frame, absent in levels:
            at = table + (address >> shift & (1 << bits) - 1) * size
            try:
                (entry,) = entry_of(read(at, size))
            except ReadError as e:
                raise NotMapped(address, f"its page table at {at:#x} is unreadable: {e}", lost=True) from None
            if entry & present[0] != present[1] or (absent and entry & absent[0] == absent[1]):
                raise NotMapped(address)
            if inner is None or entry & inner[0] != inner[1]:
                start = self.address_in(entry, (frame or mask) & keep) & -(1 << shift)
                return Mapping(place(start) if place else start, 1 << shift)
            table = self.address_in(entry, mask & keep)
            table = place(table) if place else table
            if tables is not None and shift == last.shift + last.bits:
                if len(tables) >= MAX_TABLES:
                    tables.clear()
                tables[above] = table
        raise NotMapped(address)

    def address_in(self, entry: int, mask: int) -> int:
        """Return the physical address in an entry, given the bits that hold it."""
        found = (entry & mask) << self.left
        return found | (entry & self.high[0]) << self.high[1] if self.high[0] else found


class NoteRegisters(NamedTuple):
    """Where an NT_PRSTATUS note keeps its registers: the PID's offset, the first register's, their names in order."""

    size: int
    pid: int
    first: int
    names: tuple[str, ...]


class Convention(NamedTuple):
    """How the kernel's functions call each other: the registers of arguments, in order, of the result, what is lost."""

    arguments: tuple[str, ...]
    result: str
    clobbered: tuple[str, ...]


class Arch(NamedTuple):
    """What the readers need to know of a processor."""

    name: str
    machines: tuple[str, ...]  # utsname.machine
    elf_machine: int
    bits: int
    byteorder: ByteOrder
    page_shift: int
    pc: str  # the program counter's name among the registers
    sp: str
    fp: str
    prstatus: NoteRegisters
    module: str  # where the kernel-dependent part is: how this architecture's kernel maps itself
    pagings: dict[str, Paging] = {}  # which nobody changes
    orc: str = ""  # the form of ORC tables (of symbols.orc.FORMS) that its kernels may be built with
    convention: Convention | None = None
    other: str = ""  # the module of the same processor's ARCH in the other byte order; "" for none

    @property
    def word(self) -> struct.Struct:
        """One pointer."""
        return struct.Struct(("<" if self.byteorder == "little" else ">") + ("Q" if self.bits == 64 else "I"))

    def registers(self, desc: bytes, order: ByteOrder | None = None) -> dict[str, int] | None:
        """Decode an NT_PRSTATUS descriptor; None when it is too short to be one.

        order: its byte order, where that is not the machine's.
        """
        note = self.prstatus
        first = "<" if (order or self.byteorder) == "little" else ">"
        words = struct.Struct(first + self.word.format[1] * len(note.names))
        if len(desc) < note.first + words.size:
            return None
        return dict(zip(note.names, words.unpack_from(desc, note.first), strict=True))
