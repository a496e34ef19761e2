"""Write a kdump-compressed file: header version 6, pages as their source has them, or one zstd frame a page.

Any kdump reader opens it. Follows makedumpfile's IMPLEMENTATION. Only 64-bit little-endian machines are written so far:
the header has the dumped machine's layout.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

from oopscope.dumps import Facts
from oopscope.errors import MissingPage
from oopscope.notes import GENERAL, CpuState, Note, SegmentRegister
from oopscope.whole_file import whole_file

LEVEL = 19  # takes a millisecond a page
FEW = 8192  # pages that are packed so; of more they stay as they are packed, or are packed fast
FAST = 3
EACH = 2000  # pages between two words of progress
FLAG_ZLIB, FLAG_ZSTD = 0x01, 0x20
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


def _header(
    machine: Machine, block: int, sub_blocks: int, bitmap_blocks: int, status: int, pages: int, top: int
) -> bytes:
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
    head += struct.pack("<Iii", status, block, sub_blocks)
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


class Pages(NamedTuple):
    """The pages to write: their numbers, ascending, of which some may turn out not to be in the dump."""

    wanted: Sequence[int]
    page: Callable[[int], bytes]  # MissingPage
    packed: Callable[[int], tuple[bytes, int]] | None  # as their source stores them, and the codec's flag; MissingPage
    rewritten: Mapping[int, bytes]  # those that are written otherwise
    zlib: bool = False  # pack with it, not with zstd


class Written(NamedTuple):
    """What came of it: pages kept, and bytes of the file."""

    pages: int
    bytes: int


def write(
    path: Path, machine: Machine, notes: Iterable[Note], pages: Pages, block: int, say: Callable[[str], None]
) -> Written:
    """Write the pages, each of `block` bytes, as one file."""
    top = max([*(end // block for _, end in machine.ranges), *(pfn + 1 for pfn in pages.wanted[-1:])])
    note_bytes, info = _notes(notes)
    sub = _sub_header(machine, block, note_bytes, info, top)
    sub_blocks = -(-len(sub) // block)
    half = -(-top // (8 * block)) * block
    ram = _bitmap(((a // block, -(-b // block)) for a, b in machine.ranges), half)
    saved = bytearray(half)
    with whole_file(path) as out:
        table = block * (1 + sub_blocks) + 2 * half
        descriptors, status = _write_pages(out, table, pages, block, (ram, saved), say)
        size = out.tell()
        out.seek(0)
        out.write(_header(machine, block, sub_blocks, 2 * half // block, status, len(descriptors), top))
        out.write(sub.ljust(sub_blocks * block, b"\0"))
        out.write(ram)
        out.write(saved)
        out.write(b"".join(descriptors))
        return Written(len(descriptors), size)


def _write_pages(
    out: BinaryIO, table: int, pages: Pages, block: int, bitmaps: Sequence[bytearray], say: Callable[[str], None]
) -> tuple[list[bytes], int]:
    """Write the pages behind the room of their descriptors; return those, and the codecs met. Zero pages share one."""
    at = out.seek(table + DESCRIPTOR.size * len(pages.wanted))
    pack, nothing, zeros = _packer(pages, block), bytes(block), b""
    descriptors: list[bytes] = []
    status = 0
    for n, pfn in enumerate(pages.wanted):
        if n % EACH == 0:
            say(f"writing page {n} of {len(pages.wanted)}")
        try:
            data, flags = pack(pfn)
        except MissingPage:
            continue
        for bits in bitmaps:
            bits[pfn // 8] |= 1 << pfn % 8
        if not flags and data == nothing and zeros:
            descriptors.append(zeros)
            continue
        status |= flags
        descriptors.append(DESCRIPTOR.pack(at, len(data), flags, 0))
        if not flags and data == nothing:
            zeros = descriptors[-1]
        at += out.write(data)
    return descriptors, status


def _packer(pages: Pages, block: int) -> Callable[[int], tuple[bytes, int]]:
    """Return what gives a page's bytes as they are written, with the codec's flag: 0 for one that does not shrink."""
    few = len(pages.wanted) <= FEW
    compress, flag = zstandard.ZstdCompressor(LEVEL if few else FAST, write_content_size=True).compress, FLAG_ZSTD
    if pages.zlib:
        compress, flag = partial(zlib.compress, level=9 if few else 1), FLAG_ZLIB

    def pack(pfn: int) -> tuple[bytes, int]:
        page = pages.rewritten.get(pfn)
        if page is None and pages.packed is not None and not few:
            return pages.packed(pfn)
        page = pages.page(pfn) if page is None else page
        if not page.strip(b"\0"):
            return page, 0
        data = compress(page)
        return (data, flag) if len(data) < block else (page, 0)

    return pack


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
