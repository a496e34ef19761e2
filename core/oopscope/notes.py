"""ELF notes, and the one kind of note that every container of a virtual machine shares: QEMU's picture of a CPU.

Follows the ELF specification (12-byte header; name and descriptor padded to 4 bytes, in ELF64 too) and QEMU's
target/i386/arch_dump.c (QEMUCPUState). It knows no containers; what NT_PRSTATUS holds is the architecture's to know.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from oopscope.sources import ByteSource

MAX_NOTES = 1 << 18  # 8192 CPUs with 32 notes each
MAX_DESC = 1 << 20  # a descriptor is kept up to here: VMCOREINFO has a page or some, a device dump may have gigabytes
_WINDOW = 4096


class Note(NamedTuple):
    """One ELF note: its name without the NUL, its type and its descriptor.

    `size` is the descriptor's size in the file, where that is more than was kept of it (a driver's device dump);
    `offset` is where it lies in its source.
    """

    name: str
    type: int
    desc: bytes
    size: int = 0
    offset: int = 0


def read_notes(source: ByteSource, offset: int, size: int, endian: str = "<") -> Iterator[Note]:
    """Yield the notes in [offset, offset + size) of a source, one read each; ends at the first that makes no sense."""
    header = struct.Struct(endian + "III")
    at, end = offset, min(offset + size, source.size)
    for _ in range(MAX_NOTES):
        window = source.read_at(at, min(_WINDOW, end - at))
        if len(window) < header.size:
            return
        name_size, desc_size, kind = header.unpack_from(window)
        desc_at = header.size + (name_size + 3 & ~3)
        if not 0 < name_size <= 256 or at + desc_at + desc_size > end:
            return
        name = window[header.size : header.size + name_size].split(b"\0", 1)[0].decode("ascii", "replace")
        kept = min(desc_size, MAX_DESC)
        desc = window[desc_at : desc_at + kept]
        if len(desc) < kept:
            desc = source.read_at(at + desc_at, kept)
        yield Note(name, kind, desc, desc_size, at + desc_at)
        at += desc_at + (desc_size + 3 & ~3)


class SegmentRegister(NamedTuple):
    """One segment or table register of an x86 CPU; ldt, tr, gdt and idt have no selector of use."""

    selector: int
    base: int
    limit: int
    flags: int = 0


class CpuState(NamedTuple):
    """A CPU as an emulator or hypervisor saw it, by the registers' own names; what it did not tell is missing.

    `general` holds rax ... r15, rip and rflags (on other machines, theirs); `segments` cs ds es fs gs ss ldt tr gdt
    idt; `control` cr0 cr2 cr3 cr4 and, where known, efer.
    """

    cpu: int  # the emulator's number, which need not be the kernel's
    machine: str
    general: Mapping[str, int] = {}
    segments: Mapping[str, SegmentRegister] = {}
    control: Mapping[str, int] = {}
    kernel_gs_base: int | None = None

    @property
    def in_user(self) -> bool:
        """Tell whether an x86 CPU ran user code: the privilege in its code selector."""
        return "cs" in self.segments and self.segments["cs"].selector & 3 == 3

    @property
    def per_cpu_base(self) -> int | None:
        """The kernel's GS base, which x86-64 Linux keeps its per-CPU area at, whichever mode the CPU was in."""
        if self.in_user:
            return self.kernel_gs_base
        return self.segments["gs"].base if "gs" in self.segments else None


GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", *(f"r{n}" for n in range(8, 16)), "rip", "rflags")
_SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss", "ldt", "tr", "gdt", "idt")
_QEMU = struct.Struct("<II18Q" + "IIIIQ" * 10 + "5Q")  # always little-endian, the same for 32-bit guests


def qemu_cpu_states(notes: Iterable[Note], machine: str = "x86_64") -> Iterator[CpuState]:
    """Yield what QEMU's own notes say of each CPU, in QEMU's order; notes that make no sense are passed over."""
    cpu = 0
    for note in notes:
        if note.name != "QEMU" or note.type != 0:
            continue
        state = _qemu_cpu_state(note.desc, cpu, machine)
        cpu += 1
        if state:
            yield state


def _qemu_cpu_state(desc: bytes, cpu: int, machine: str) -> CpuState | None:
    if len(desc) < _QEMU.size:
        return None
    version, size, *words = _QEMU.unpack_from(desc)
    if version != 1 or size < _QEMU.size:
        return None
    raw = [words[18 + 5 * n : 23 + 5 * n] for n in range(len(_SEGMENTS))]
    cr0, _cr1, cr2, cr3, cr4 = words[-5:]
    has_kernel_gs = size >= _QEMU.size + 8 and len(desc) >= _QEMU.size + 8  # since QEMU 2.12
    return CpuState(
        cpu=cpu,
        machine=machine,
        general=dict(zip(GENERAL, words, strict=False)),
        segments={
            name: SegmentRegister(selector, base, limit, flags)
            for name, (selector, limit, flags, _pad, base) in zip(_SEGMENTS, raw, strict=True)
        },
        control={"cr0": cr0, "cr2": cr2, "cr3": cr3, "cr4": cr4},
        kernel_gs_base=struct.unpack_from("<Q", desc, _QEMU.size)[0] if has_kernel_gs else None,
    )
