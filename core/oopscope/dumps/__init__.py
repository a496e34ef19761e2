"""Containers of a machine's memory: what every one of them offers, and the table of those that are known.

A container knows files and physical addresses; it knows nothing of virtual addresses or of the kernel.
To add one: a file here with a class that has `probe` and the members of Dump, and a line in FORMATS.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import NamedTuple, Protocol

from oopscope.sources import ByteSource


class Note(NamedTuple):
    """One ELF note: its name without the NUL, its type and its descriptor."""

    name: str
    type: int
    desc: bytes


@dataclass(slots=True)
class Facts:
    """What the container says of itself; None where it does not say."""

    format: str
    machine: str | None = None  # as utsname.machine: x86_64, aarch64, s390x ...
    byteorder: str = "little"
    compression: str | None = None
    flattened: bool = False
    parts: int = 1
    dump_level: int | None = None
    page_size: int = 4096
    pages_saved: int | None = None
    pages_total: int | None = None
    bytes: int = 0
    complete: bool = True
    timestamp: int | None = None  # seconds since 1970, of the dump's writing
    phys_base: int | None = None
    nodename: str | None = None
    release: str | None = None
    problems: list[str] = field(default_factory=list)


class Dump(Protocol):
    """One opened dump."""

    @property
    def page_size(self) -> int:
        """The unit of `page`; the kernel's own page may be smaller."""
        ...

    def page(self, pfn: int) -> bytes:
        """Return the page_size bytes at physical address pfn * page_size; raise MissingPage with the reason."""
        ...

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges [start, end) that may hold RAM, in bytes, ascending."""
        ...

    def notes(self) -> Iterator[Note]:
        """Yield the ELF notes that came with the dump, in their order."""
        ...

    def facts(self) -> Facts:
        """Return what the container says of itself."""
        ...


class Format(NamedTuple):
    """A line of the table: a key, a title, and the module whose `probe` and `open` read it."""

    key: str
    title: str
    module: str


# Tried in this order; the first whose probe says yes opens it.
FORMATS: tuple[Format, ...] = (
    Format("kdump", "kdump-compressed (makedumpfile, QEMU, virsh --memory-only)", "oopscope.dumps.kdump"),
)

Opener = Callable[[Sequence[ByteSource]], Dump]


def open_container(sources: Sequence[ByteSource]) -> Dump | None:
    """Open the sources (more than one only for a split set) as the first format that knows them; None if none does."""
    head = sources[0].read_at(0, 4096)
    for line in FORMATS:
        module = import_module(line.module)
        if module.probe(head):
            dump: Dump = module.open(sources)
            return dump
    return None


def iter_notes(data: bytes, endian: str = "<") -> Iterator[Note]:
    """Yield the notes of a PT_NOTE segment: 12-byte header, name and descriptor each padded to 4 bytes."""
    header = struct.Struct(endian + "III")
    at = 0
    while at + header.size <= len(data):
        name_size, desc_size, kind = header.unpack_from(data, at)
        name_at = at + header.size
        desc_at = name_at + (name_size + 3 & ~3)
        if name_size == 0 or name_size > 256 or desc_at + desc_size > len(data):
            return
        name = data[name_at : name_at + name_size].split(b"\0", 1)[0].decode("ascii", "replace")
        yield Note(name, kind, data[desc_at : desc_at + desc_size])
        at = desc_at + (desc_size + 3 & ~3)
