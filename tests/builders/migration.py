"""QEMU migration streams, bare or behind libvirt's header, with pages in the stream or in places of their own."""

import struct
from dataclasses import dataclass, field

PAGE = 4096
Piece = tuple[str, int, bytes | int]  # block, page, its bytes or the byte that fills it


def _name(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def x86_cpu(cpu: int, user: bool = False) -> bytes:
    """Return a CPU's state: register n holds 0x1000 * (cpu + 1) + n, segment n's base 0x100000 * (n + 1)."""
    general = [0x1000 * (cpu + 1) + n for n in range(17)] + [0x246]
    out = struct.pack(">18QI4H", *general, 0, 0, 0, 0, 0) + bytes(80)
    for n in range(10):
        out += struct.pack(">IQII", 0x33 if user and n == 1 else n * 8, 0x100000 * (n + 1), 0xFFFF, 0xA0)
    out += struct.pack(">IQQ", 0x10, 0, 0) + struct.pack(">4Q", 0x80050033, 0xDEAD, 0x1234000 + cpu, 0x6F0) + bytes(64)
    out += struct.pack(">II", 1, 0x1F80) + bytes(256) + struct.pack(">6Q", 0xD01, 0, 1, 2, 3, 0xFFFF888000000000 + cpu)
    return out + bytes(200)


def arm_cpu(cpu: int) -> bytes:
    """Return a CPU's state of aarch64: x0 is the CPU's number, and TTBR1_EL1 is 0x41000000 + it."""
    out = bytes(64) + struct.pack(">33Q", cpu, *range(1, 31), 0xFFFF800008001000, 0xFFFF800008002000)
    out += struct.pack(">I", 0x3C5) + bytes(4 + 64 + 64 + 40 + 64)
    numbers = [0x603000000013C100 + n for n in range(3)] + [0x603000000013D000 + n for n in range(40)]
    values = [0x40000000, 0x41000000 + cpu, 0x500, *[7] * 40]
    return out + struct.pack(">I", len(numbers)) + struct.pack(f">{len(numbers) * 2}Q", *numbers, *values) + bytes(300)


@dataclass
class Migration:
    """What goes into a stream. Pages are written in their order, in sections of `per_section`."""

    blocks: dict[str, int]  # sizes in pages
    pages: list[Piece]
    machine: str = "pc-q35-7.2"
    cpus: list[bytes] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    page_bits: int | None = None
    footers: bool = True
    per_section: int = 100
    end: bool = True
    before: bytes = b""  # another section, before RAM's
    at: int = 0  # where the stream begins in the file, for the places of mapped-ram

    def build(self) -> bytes:
        """Return the stream."""
        out = struct.pack(">II", 0x5145564D, 3) + self._configuration() + self.before
        out += b"\x01" + struct.pack(">I", 2) + _name("ram") + struct.pack(">II", 0, 4)
        out += struct.pack(">Q", sum(self.blocks.values()) * PAGE | 4)
        mapped = "mapped-ram" in self.capabilities
        for name, size in self.blocks.items():
            out += _name(name) + struct.pack(">Q", size * PAGE)
            if "x-ignore-shared" in self.capabilities:
                out += struct.pack(">Q", 0)
            if mapped:
                out = self._places(out, name, size)
        out += struct.pack(">Q", 0x10) + self._footer()
        if not mapped:
            for first in range(0, len(self.pages), self.per_section):
                out += b"\x02" + struct.pack(">I", 2) + self._words(self.pages[first : first + self.per_section])
        out += b"\x03" + struct.pack(">IQ", 2, 0x10) + self._footer()
        for n, cpu in enumerate(self.cpus):
            for name, version, state in (("cpu_common", 1, bytes(8)), ("cpu", 12, cpu)):
                out += b"\x04" + struct.pack(">I", 10 + n) + _name(name) + struct.pack(">II", n, version) + state
                out += b"\x7e" + struct.pack(">I", 10 + n)
        return out + b"\0" if self.end else out

    def _configuration(self) -> bytes:
        out = b"\x07" + struct.pack(">I", len(self.machine)) + self.machine.encode()
        if self.page_bits:
            out += b"\x05" + _name("configuration/target-page-bits") + struct.pack(">II", 1, self.page_bits)
        if self.capabilities:
            out += b"\x05" + _name("configuration/capabilities") + struct.pack(">II", 1, len(self.capabilities))
            out += b"".join(map(_name, self.capabilities))
        return out + b"\x05" + _name("configuration/uuid") + struct.pack(">I", 1) + bytes(16)

    def _footer(self) -> bytes:
        return b"\x7e" + struct.pack(">I", 2) if self.footers else b""

    def _words(self, pages: list[Piece]) -> bytes:
        out, last = b"", None
        for name, n, content in pages:
            flags = (0x2 if isinstance(content, int) else 0x8) | (0x20 if name == last else 0)
            out += struct.pack(">Q", n * PAGE | flags) + (b"" if name == last else _name(name))
            out += bytes([content]) if isinstance(content, int) else content
            last = name
        return out + struct.pack(">Q", 0x10) + self._footer()

    def _places(self, out: bytes, name: str, size: int) -> bytes:
        """Append a block's places, and its pages in them; the bitmap is of 64-bit words, little-endian."""
        mine = {n: c for block, n, c in self.pages if block == name and isinstance(c, bytes)}
        bitmap = bytearray((size + 63) // 64 * 8)
        for n in mine:
            bitmap[n >> 3] |= 1 << (n & 7)
        bitmap_at = self.at + len(out) + 28
        pages_at = -(-(bitmap_at + len(bitmap)) // (1 << 20)) << 20
        out += struct.pack(">IQQQ", 1, PAGE, bitmap_at, pages_at) + bytes(bitmap)
        body = bytearray(size * PAGE)
        for n, content in mine.items():
            body[n * PAGE : (n + 1) * PAGE] = content
        stale = next((n for n in range(size) if n not in mine), None)
        if stale is not None:
            body[stale * PAGE : (stale + 1) * PAGE] = (
                b"\xee" * PAGE
            )  # a page that became zero: its place is not cleared
        return out.ljust(pages_at - self.at, b"\0") + bytes(body)


def libvirt(stream: bytes, kind: int = 0, version: int = 2, machine: str = "pc-q35-7.2", endian: str = "<") -> bytes:
    """Return a stream behind libvirt's header; with mapped-ram it must have been built `at` libvirt_start()."""
    xml = _xml(machine)
    return b"LibvirtQemudSave" + struct.pack(endian + "5I", version, len(xml), 1, kind, 0) + bytes(56) + xml + stream


def libvirt_start(machine: str = "pc-q35-7.2") -> int:
    """Return the offset at which libvirt() puts the stream."""
    return 92 + len(_xml(machine))


def _xml(machine: str) -> bytes:
    return f"<domain><os><type arch='x86_64' machine='{machine}'>hvm</type></os></domain>".encode().ljust(400, b"\0")
