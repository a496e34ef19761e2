"""ELF notes."""

import struct
from typing import Any

VMCOREINFO = b"OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff82a10000\n"


def pad4(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def note(name: str, kind: int, desc: bytes, endian: Any = "<") -> bytes:
    raw = name.encode() + b"\0"
    return struct.pack(endian + "III", len(raw), len(desc), kind) + pad4(raw) + pad4(desc)


def vmcoreinfo(text: bytes = VMCOREINFO, endian: str = "<") -> bytes:
    return note("VMCOREINFO", 0, text, endian)


def qemu_cpu(cpu: int, kernel_gs: bool = True, user: bool = False) -> bytes:
    """Return QEMU's note of one CPU: register n holds 0x1000 * (cpu + 1) + n, segment n's base 0x100000 * (n + 1)."""
    general = [0x1000 * (cpu + 1) + n for n in range(18)]
    segments = b"".join(
        struct.pack("<IIIIQ", 0x33 if user and n == 0 else n * 8, 0xFFFF, 0xA0, 0, 0x100000 * (n + 1))
        for n in range(10)
    )
    control = struct.pack("<5Q", 0x80050033, 0, 0xDEAD000, 0x1234000 + cpu, 0x6F0)
    size = 440 if kernel_gs else 432
    body = struct.pack("<II18Q", 1, size, *general) + segments + control
    return note("QEMU", 0, body + (struct.pack("<Q", 0xFFFF888000000000 + cpu) if kernel_gs else b""))
