"""Cores of a QEMU process."""

from builders.elf import Elf, Load
from builders.notes import note

MIB = 1 << 20


def prpsinfo(name: bytes, bits: int = 64) -> bytes:
    """Return the note that names a process."""
    at, size = (40, 136) if bits == 64 else (28, 124)
    return note("CORE", 3, bytes(at) + name.ljust(16, b"\0")[:16] + bytes(size - at - 16))


def gcore(
    ram: bytes,
    command: str,
    name: bytes = b"qemu-system-x86_64",
    parts: int = 1,
    memsz: int | None = None,
    machine: int = 62,
) -> bytes:
    """Return a core with the RAM in so many mappings, other mappings about it, and the command line on the stack."""
    base, step = 0x7F81D7E00000, len(ram) // parts
    stack = bytes(5000) + b"\0".join([b"", *(a.encode() for a in command.split()), b"PATH=/bin", b"end", b""])
    mappings = [
        Load(0, b"\x90" * 5000, vaddr=0x55A938000000),
        Load(0, bytes(MIB), vaddr=base - MIB),
        *(Load(0, ram[n * step : (n + 1) * step], memsz, base + n * step) for n in range(parts)),
        Load(0, bytes(MIB), vaddr=base + len(ram)),
        Load(0, stack, vaddr=0x7FFD87F09000),
        Load(0, bytes(4096), vaddr=0xFFFFFFFFFF600000),
    ]
    return Elf(mappings, [note("CORE", 1, bytes(336)) + prpsinfo(name)], machine=machine).build()
