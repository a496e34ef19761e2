"""Processor architectures, each one constant: words, page tables as data, registers of a crash note.

An architecture knows no file and no kernel structure: it is handed a way to read physical memory. Each is the `ARCH`
constant of its folder in `machine`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from oopscope.errors import NotMapped, ReadError

ReadPhysical = Callable[[int, int], bytes]
Place = Callable[[int], int]


class Level(NamedTuple):
    """One level of page tables: the lowest address bit that it resolves, and how many."""

    shift: int
    bits: int
    leaf: int  # the bit that makes an entry a large page; 0: never; -1: always (the last level)


class Mapping(NamedTuple):
    """A page that holds a virtual address: its first physical address and its size."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Paging:
    """Page tables as data: levels from the top, and what the bits of an entry mean."""

    levels: tuple[Level, ...]
    present: int  # an entry with none of these bits maps nothing
    address: int  # the bits of an entry that are an address
    entry: struct.Struct
    sign_extended: bool = False  # the bits above those that the tables resolve repeat the highest of them

    def is_canonical(self, address: int) -> bool:
        """Tell whether the processor takes an address for one at all: any other is nobody's, and no alias of one."""
        if not self.sign_extended:
            return True
        used = self.levels[0].shift + self.levels[0].bits
        return address >> used - 1 in (0, (1 << 65 - used) - 1)

    def translate(
        self, root: int, address: int, read: ReadPhysical, ignore: int = 0, place: Place | None = None
    ) -> Mapping:
        """Walk from the physical address of the root table; NotMapped says what stopped the walk.

        ignore: address bits of an entry that are flags on this machine (such as the SME mask).
        place: what turns an address in an entry into one that `read` takes, where they differ (ReadError for none).
        """
        if not self.is_canonical(address):
            raise NotMapped(address, "not canonical: no address at all")
        table, mask = root, self.address & ~ignore
        for shift, bits, leaf in self.levels:
            at = table + (address >> shift & (1 << bits) - 1) * self.entry.size
            try:
                (entry,) = self.entry.unpack(read(at, self.entry.size))
            except ReadError as e:
                raise NotMapped(address, f"its page table at {at:#x} is unreadable: {e}") from None
            if not entry & self.present:
                raise NotMapped(address)
            last = leaf < 0 or entry & leaf
            table = entry & mask & -(1 << shift) if last else entry & mask
            table = place(table) if place else table
            if last:
                return Mapping(table, 1 << shift)
        raise NotMapped(address)


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


@dataclass(frozen=True, slots=True)
class Arch:
    """What the readers need to know of a processor."""

    name: str
    machines: tuple[str, ...]  # utsname.machine
    elf_machine: int
    bits: int
    byteorder: Literal["little", "big"]
    page_shift: int
    pc: str  # the program counter's name among the registers
    sp: str
    fp: str
    prstatus: NoteRegisters
    module: str  # where the kernel-dependent part is: how this architecture's kernel maps itself
    pagings: dict[str, Paging] = field(default_factory=dict)
    unwinder: str = ""
    convention: Convention | None = None

    @property
    def word(self) -> struct.Struct:
        """One pointer."""
        return struct.Struct(("<" if self.byteorder == "little" else ">") + ("Q" if self.bits == 64 else "I"))

    def registers(self, desc: bytes) -> dict[str, int] | None:
        """Decode an NT_PRSTATUS descriptor; None when it is too short to be one."""
        note = self.prstatus
        words = struct.Struct(self.word.format[0] + self.word.format[1] * len(note.names))
        if len(desc) < note.first + words.size:
            return None
        return dict(zip(note.names, words.unpack_from(desc, note.first), strict=True))
