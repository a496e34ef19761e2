"""ELF cores with physical addresses: a copied /proc/vmcore, makedumpfile -E, QEMU dump-guest-memory, /proc/kcore.

Follows fs/proc/vmcore.c, fs/proc/kcore.c, makedumpfile's writer and QEMU's dump/dump.c. A segment's bytes beyond its
file size were left out when it was written: as zero pages or as filtered ones, the file does not say which. Segments
may overlap (kernel text lies in RAM too); then they hold the same bytes, and one that has bytes wins.
/proc/kcore itself is LIVE: the machine runs on while it is read. Of its notes only VMCOREINFO (4.19, 23c85094fe18
"proc/kcore: add vmcoreinfo note to /proc/kcore") tells of the machine; the others are of the process that reads it.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from time import time_ns

from oopscope.dumps import Facts, PlacedDump, erased_by
from oopscope.elf import ET_CORE, PT_LOAD, PT_NOTE, Segment, is_elf, notes, read_header, segments
from oopscope.errors import FormatError, NotADump
from oopscope.notes import CpuState, Note, qemu_cpu_states
from oopscope.sources import ByteSource
from oopscope.sources.extents import LIMIT, NOWHERE

INCOMPLETE = 1  # e_flags, by makedumpfile when the disk was full
NT_PRPSINFO = 3
KCORE = "vmlinux"  # what /proc/kcore calls its process
MAX_NOTE_SEGMENTS = 1 << 14
TEXT_MAPPED = ("x86_64",)  # machines whose kernel text has a mapping, and so a segment, of its own
_TEXT_MAP = 0xFFFFFFFF80000000  # x86-64: __START_KERNEL_map


def probe(source: ByteSource) -> bool:
    """Tell whether a file is an ELF core; the symbols and objects of ELF are other types."""
    head = source.read_at(0, 64)
    return is_elf(head) and ET_CORE in (int.from_bytes(head[16:18], order) for order in ("little", "big"))


class ElfDump(PlacedDump):
    """An ELF core whose segments have physical addresses."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.header = h = read_header(source)
        if h.phoff + h.phnum * h.phentsize > source.size:
            raise FormatError(f"{source.name}: cut off within its program headers ({source.size} bytes)")
        self._notes = [s for s in segments(source, h) if s.type == PT_NOTE][:MAX_NOTE_SEGMENTS]
        self._check_loads()
        self._kcore = _process(self._all_notes()) == KCORE
        self.live = self._kcore and _in_procfs(source.name)
        qemu = any(note.name == "QEMU" for note in self.notes())
        key = "kcore" if self._kcore else "qemu-elf" if qemu else "elf"
        stretches = chain(self._stretches(stored=False), self._stretches(stored=True))  # later wins
        super().__init__(key, [source], source, stretches)

    def _check_loads(self) -> None:
        """Raise NotADump when the segments of memory have no physical addresses."""
        count, placed = 0, False
        for segment in segments(self._source, self.header):
            count += segment.type == PT_LOAD
            placed |= segment.type == PT_LOAD and segment.paddr != 0
        if not placed and any(s.offset + s.filesz > self._source.size for s in self._notes):
            raise NotADump(self._source.name, "the core of a process, cut off before the notes that name it")
        owner = None if placed else _process(self._all_notes())
        if owner == KCORE:
            raise NotADump(self._source.name, "a /proc/kcore of a kernel before 4.11: it names no physical addresses")
        if owner is not None:
            raise NotADump(self._source.name, f"a core of the process {owner!r}, not of a kernel")
        if not placed and count != 1:
            raise NotADump(self._source.name, "an ELF core without physical memory in it, not a kernel dump")

    def _stretches(self, stored: bool) -> Iterator[tuple[int, int, int]]:
        """Yield the stretches of physical memory whose bytes are in the file, or those whose bytes are not."""
        nowhere = (1 << self.header.bits) - 1  # kcore's vmalloc area has no physical address
        for s in segments(self._source, self.header):
            end = s.paddr + max(s.filesz, s.memsz)
            if s.type != PT_LOAD or s.paddr == nowhere or end >= LIMIT or s.offset + s.filesz >= LIMIT:
                continue
            if stored:
                yield s.paddr, s.paddr + s.filesz, s.offset
            else:
                yield s.paddr + s.filesz, end, NOWHERE

    def notes(self) -> Iterator[Note]:
        """Yield the notes of every note segment; those of /proc/kcore that are of its reader are left out."""
        return (note for note in self._all_notes() if not self._kcore or note.name == "VMCOREINFO")

    def _all_notes(self) -> Iterator[Note]:
        return notes(self._source, self.header, self._notes)

    def cpus(self) -> list[CpuState]:
        """Return the CPUs as QEMU saw them; none in a dump that a kernel wrote."""
        return list(qemu_cpu_states(self.notes(), self.header.machine or "x86_64"))

    def facts(self) -> Facts:
        """Return what the headers say."""
        facts = super().facts()
        facts.machine = self.header.machine
        facts.byteorder = "little" if self.header.endian == "<" else "big"
        facts.phys_base = self._phys_base()
        facts.live = self.live
        if self.live:
            facts.bytes = self._extents.total()  # its size as a file is that of the address space
            facts.read_ns = time_ns()
        for note in self._all_notes():
            if note.name == "ERASEINFO":
                facts.erased = erased_by(note.desc)
        if self.header.flags == INCOMPLETE:
            facts.lacks("the dump's writer says that it is incomplete (the disk was full)")
        return facts

    def _phys_base(self) -> int | None:
        """Return where x86-64's kernel text lies, from the segment that maps it; other writers have no such segment."""
        if self.header.machine not in TEXT_MAPPED:
            return None
        text = (s for s in segments(self._source, self.header) if _is_text(s))
        return next((s.paddr - (s.vaddr - _TEXT_MAP) for s in text), None)


def _in_procfs(name: str) -> bool:
    """Tell whether a file is /proc/kcore, wherever that is mounted, and not a copy: it takes no room on any disk."""
    path = Path(name)
    try:
        found, name = path.stat(), path.resolve().name
    except (OSError, ValueError):
        return False
    regular = stat.S_ISREG(found.st_mode) and os.major(found.st_dev) == 0
    return regular and found.st_blocks == 0 and name == "kcore"


def _is_text(s: Segment) -> bool:
    return s.type == PT_LOAD and s.vaddr >= _TEXT_MAP and s.paddr < LIMIT


def _process(found: Iterator[Note]) -> str | None:
    """Return the name in NT_PRPSINFO, which cores of processes and /proc/kcore have; None where there is none."""
    for note in found:
        if note.name == "CORE" and note.type == NT_PRPSINFO:
            at = 40 if len(note.desc) >= 136 else 28  # pr_fname, 16 bytes, in 64 and 32 bits
            return note.desc[at : at + 16].split(b"\0", 1)[0].decode("ascii", "replace")
    return None


def open(sources: Sequence[ByteSource]) -> ElfDump:
    """Open an ELF core, which is one file; NotADump for the core of a process."""
    if len(sources) != 1:
        raise FormatError(f"{sources[0].name}: an ELF dump is one file, but {len(sources)} were given")
    return ElfDump(sources[0])
