"""ELF cores of both word sizes and byte orders."""

import struct
from dataclasses import dataclass, field

PT_NULL, PT_LOAD, PT_NOTE = 0, 1, 4
TEXT = 0xFFFFFFFF80000000


@dataclass
class Load:
    """One segment of memory; memsz is more than its data where pages were left out."""

    paddr: int
    data: bytes
    memsz: int | None = None
    vaddr: int | None = None


@dataclass
class Elf:
    """What goes into the file: segments in this order, one note segment for each of `notes`."""

    loads: list[Load]
    notes: list[bytes] = field(default_factory=list)
    bits: int = 64
    endian: str = "<"
    machine: int = 62
    type: int = 4
    flags: int = 0
    xnum: bool = False  # count the program headers in section 0

    def build(self) -> bytes:
        """Return the file: header, section 0 if need be, program headers, notes, memory."""
        wide = self.bits == 64
        ehsize, phsize, shsize = (64, 56, 64) if wide else (52, 32, 40)
        count = len(self.loads) + len(self.notes)
        shoff = ehsize if self.xnum else 0
        phoff = ehsize + (shsize if self.xnum else 0)
        at = phoff + phsize * count
        table, body = bytearray(), bytearray()
        for raw in self.notes:
            table += self._phdr(PT_NOTE, at + len(body), 0, 0, len(raw), len(raw))
            body += raw
        for load in self.loads:
            size = len(load.data)
            vaddr = load.paddr if load.vaddr is None else load.vaddr
            memsz = size if load.memsz is None else load.memsz
            table += self._phdr(PT_LOAD, at + len(body) if size else 0, vaddr, load.paddr, size, memsz)
            body += load.data
        ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if self.endian == "<" else 2, 1]) + bytes(9)
        fields = (self.type, self.machine, 1, 0, phoff, shoff, self.flags, ehsize, phsize)
        counts = (0xFFFF if self.xnum else count, shsize, 1 if self.xnum else 0, 0)
        head = ident + struct.pack(self.endian + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), *fields, *counts)
        layout = "IIQQQQIIQQ" if wide else "IIIIIIIIII"
        section = struct.pack(self.endian + layout, 0, 0, 0, 0, 0, 1, 0, count, 0, 0) if self.xnum else b""
        return head + section + bytes(table + body)

    def _phdr(self, kind: int, offset: int, vaddr: int, paddr: int, filesz: int, memsz: int) -> bytes:
        if self.bits == 64:
            return struct.pack(self.endian + "IIQQQQQQ", kind, 7, offset, vaddr, paddr, filesz, memsz, 0)
        return struct.pack(self.endian + "IIIIIIII", kind, offset, vaddr, paddr, filesz, memsz, 7, 0)
