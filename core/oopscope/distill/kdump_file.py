"""Write a kdump-compressed file: header version 6, one zstd frame a page. Any kdump reader opens it.

Follows makedumpfile's IMPLEMENTATION. Only 64-bit little-endian machines are written so far: the header has the dumped
machine's layout.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import zstandard

from oopscope.dumps import Facts
from oopscope.notes import GENERAL, CpuState, Note, SegmentRegister
from oopscope.whole_file import whole_file

LEVEL = 19
FLAG_ZSTD, STATUS_ZSTD = 0x20, 0x20
DESCRIPTOR = struct.Struct("<QIIQ")
SUB_HEADER = struct.Struct("<QiiQQqQqQqQQQQ")


# The beginning of struct user_regs_struct (arch/x86/include/asm/user_64.h); QEMU's segments (target/i386/arch_dump.c).
_PRSTATUS = (
    *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"),
    *("orig_rax", "rip", "cs", "rflags", "rsp", "ss", "fs", "gs"),
)
QEMU_NOTES = ("x86_64",)  # machines of whose CPUs QEMU writes notes of its own
_SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt", "idt")
_NONE = SegmentRegister(0, 0, 0)


class Machine(NamedTuple):
    """What the header says of the machine."""

    facts: Facts
    version: str  # utsname.version
    phys_base: int
    cpus: int
    ranges: list[tuple[int, int]]  # physical, in bytes: what is RAM


def _bitmap(pfns: Iterable[tuple[int, int]], size: int) -> bytearray:
    """Return a bitmap with the bits of some runs [first, end) set."""
    bits = bytearray(size)
    for first, end in pfns:
        while first < end and first % 8:
            bits[first // 8] |= 1 << first % 8
            first += 1
        whole = (end - first) // 8 if end > first else 0
        bits[first // 8 : first // 8 + whole] = b"\xff" * whole
        for pfn in range(first + 8 * whole, end):
            bits[pfn // 8] |= 1 << pfn % 8
    return bits


def _notes(notes: Iterable[Note]) -> tuple[bytes, tuple[int, int]]:
    """Return the notes as bytes, and where in them VMCOREINFO's text lies (offset, size)."""
    out, info = bytearray(), (0, 0)
    for note in notes:
        name = note.name.encode() + b"\0"
        out += struct.pack("<III", len(name), len(note.desc), note.type) + name.ljust(len(name) + 3 & ~3, b"\0")
        if note.name == "VMCOREINFO":
            info = (len(out), len(note.desc))
        out += note.desc.ljust(len(note.desc) + 3 & ~3, b"\0")
    return bytes(out), info


def _header(machine: Machine, block: int, sub_blocks: int, bitmap_blocks: int, pages: int, top: int) -> bytes:
    facts = machine.facts
    # Every field but the last must be there: libkdumpfile takes a gap for a header never filled in.
    names = (
        "Linux",
        facts.nodename or "(none)",
        facts.release or "?",
        machine.version or "?",
        facts.machine or "?",
        "",
    )
    uts = b"".join(n.encode("utf-8", "replace")[:64].ljust(65, b"\0") for n in names)
    head = b"KDUMP   " + struct.pack("<i", 6) + uts + bytes(6)
    head += struct.pack("<qq", facts.timestamp or 0, 0)
    head += struct.pack("<Iii", STATUS_ZSTD, block, sub_blocks)
    head += struct.pack("<IIIIIIi", bitmap_blocks, min(top, 0xFFFFFFFF), 0, 1, pages & 0xFFFFFFFF, 0, machine.cpus)
    return head.ljust(block, b"\0")


def _sub_header(machine: Machine, block: int, note_bytes: bytes, info: tuple[int, int], top: int) -> bytes:
    at = block + SUB_HEADER.size
    fixed = SUB_HEADER.pack(
        machine.phys_base % (1 << 64),
        machine.facts.dump_level or 0,
        0,
        0,
        0,
        at + info[0] if info[1] else 0,
        info[1],
        at,
        len(note_bytes),
        0,
        0,
        0,
        0,
        top,
    )
    return fixed + note_bytes


def write(path: Path, machine: Machine, notes: Iterable[Note], pages: Mapping[int, bytes], block: int) -> int:
    """Write the pages (by page number, each of `block` bytes) as one file; return its size in bytes."""
    top = max([*(end // block for _, end in machine.ranges), *(pfn + 1 for pfn in pages)])
    note_bytes, info = _notes(notes)
    sub = _sub_header(machine, block, note_bytes, info, top)
    sub_blocks = -(-len(sub) // block)
    half = -(-top // (8 * block)) * block
    chosen = sorted(pages)
    ram = _bitmap(((a // block, -(-b // block)) for a, b in machine.ranges), half)
    for pfn in chosen:
        ram[pfn // 8] |= 1 << pfn % 8
    saved = _bitmap(((pfn, pfn + 1) for pfn in chosen), half)
    with whole_file(path) as out:
        out.write(_header(machine, block, sub_blocks, 2 * half // block, len(chosen), top))
        out.write(sub.ljust(sub_blocks * block, b"\0"))
        out.write(ram)
        out.write(saved)
        at = out.tell() + DESCRIPTOR.size * len(chosen)
        packed = _pack(pages, chosen, block)
        for data, flags in packed:
            out.write(DESCRIPTOR.pack(at, len(data), flags, 0))
            at += len(data)
        for data, _flags in packed:
            out.write(data)
        return out.tell()


def _pack(pages: Mapping[int, bytes], chosen: list[int], block: int) -> list[tuple[bytes, int]]:
    """Compress each page; one that does not shrink is stored raw."""
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True)
    packed = []
    for pfn in chosen:
        data = compressor.compress(pages[pfn])
        packed.append((data, FLAG_ZSTD) if len(data) < block else (pages[pfn], 0))
    return packed


def cpu_notes(cpus: Iterable[CpuState]) -> Iterator[Note]:
    """Yield the notes that QEMU writes of x86_64 CPUs: first each CPU's NT_PRSTATUS, then what only QEMU tells."""
    known = [c for c in cpus if c.machine in QEMU_NOTES]
    for c in known:
        s = {name: c.segments.get(name, _NONE) for name in _SEGMENTS}
        general = {**c.general, **{name: s[name].selector for name in ("cs", "ss")}}
        general |= {name: s[name].base for name in ("fs", "gs")}
        words = [general.get(name, 0) for name in _PRSTATUS] + [s[name].selector for name in ("ds", "es", "fs", "gs")]
        yield Note("CORE", 1, bytes(112) + struct.pack("<27Q", *words) + bytes(8))
    for c in known:
        desc = struct.pack("<II18Q", 1, 440, *(c.general.get(name, 0) for name in GENERAL))
        for register in (c.segments.get(name, _NONE) for name in _SEGMENTS):
            desc += struct.pack("<IIIIQ", register.selector, register.limit, register.flags, 0, register.base)
        control = [c.control.get(name, 0) for name in ("cr0", "cr1", "cr2", "cr3", "cr4")]
        yield Note("QEMU", 0, desc + struct.pack("<6Q", *control, c.kernel_gs_base or 0))
