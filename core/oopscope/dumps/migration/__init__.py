"""QEMU's migration stream: plain `virsh dump`, `virsh save`, managed saves, `migrate file:`, mapped-ram.

Follows libvirt's qemu_saveimage.h for the header before the stream, and QEMU for the rest. RAM is in blocks with names
of their own; where they lie in the machine follows from its type. There are no notes: VMCOREINFO is in memory.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from shlex import quote
from typing import NamedTuple

from oopscope.dumps import BLOCK, CpuState, Facts, Note
from oopscope.dumps.migration.cpus import cpu_states
from oopscope.dumps.migration.stream import FILL, MAGIC, Block, Stream, read_stream
from oopscope.errors import FormatError, MissingPage, NotADump
from oopscope.lazy_re import lazy_re
from oopscope.qemu_boards import place
from oopscope.sources import ByteSource
from oopscope.sources.extents import Extents
from oopscope.sources.spliced import Rest, Spliced
from oopscope.sources.wrapped import unwrap, wrapping

LIBVIRT = b"LibvirtQemudSave"
LIBVIRT_HEADER = 92
_KIND_AT = 28  # in the header: how the stream is packed
RAW, SPARSE = 0, 6
UNPACKERS = {1: "gzip", 2: "bzip2", 3: "xz", 4: "lzop", 5: "zstd"}
MAX_XML = 16 << 20
_TYPE = lazy_re(rb"<type[^>]*\bmachine=['\"]([A-Za-z0-9._-]{1,64})['\"]")
_BACKEND = lazy_re(r"(?:/objects/)?(?:ram-node|ram|mem|m)(\d+)")

# The block that is the machine's RAM, and the architecture that has it.
_MAIN = {
    "pc.ram": "x86_64",
    "microvm.ram": "x86_64",
    "mach-virt.ram": "aarch64",
    "riscv_virt_board.ram": "riscv64",
    "ppc_spapr.ram": "ppc64",
    "s390.ram": "s390x",
    "loongarch.ram": "loongarch64",
}
_BIG_ENDIAN = ("s390x",)
_MACHINES = (("pc", "x86_64"), ("q35", "x86_64"), ("microvm", "x86_64"), ("s390", "s390x"), ("pseries", "ppc64"))


def probe(source: ByteSource) -> bool:
    """Tell whether a file is a stream, or a libvirt image with one in it."""
    head = source.read_at(0, len(LIBVIRT))
    return head.startswith((MAGIC, LIBVIRT))


class _Libvirt(NamedTuple):
    """What libvirt's header says: where the stream begins, and the machine's type in the domain's XML."""

    start: int
    machine: str


def _header(source: ByteSource) -> tuple[int, int, int, str]:
    """Return (version, size of the XML, kind of stream, byte order) of libvirt's header."""
    head = source.read_at(0, LIBVIRT_HEADER)
    if len(head) < LIBVIRT_HEADER:
        raise FormatError(f"{source.name}: cut off within its header ({source.size} bytes)")
    endian = "<" if struct.unpack_from("<I", head, 16)[0] <= 0xFFFF else ">"
    version, size, _running, kind = struct.unpack_from(endian + "4I", head, 16)
    return version, size, kind, endian


def unpacked(source: ByteSource, say: Callable[[str], None]) -> ByteSource:
    """Return a libvirt image whose stream is packed with the stream unpacked, and anything else as it is."""
    if source.read_at(0, len(LIBVIRT)) != LIBVIRT:
        return source
    version, size, kind, endian = _header(source)
    rest = Rest(source, LIBVIRT_HEADER + size)
    if version < 2 or size > MAX_XML or UNPACKERS.get(kind) != wrapping(rest.read_at(0, 16)) or kind not in UNPACKERS:
        return source
    head = source.read_at(0, LIBVIRT_HEADER + size)
    plain = head[:_KIND_AT] + struct.pack(endian + "I", RAW) + head[_KIND_AT + 4 :]
    stream = unwrap(rest, os.environ, say)
    if not stream.size:
        raise FormatError(f"{source.name}: {stream.problem or 'nothing is packed in it'}")
    return Spliced(plain, stream, source.name)


def _read_libvirt(source: ByteSource) -> _Libvirt:
    version, size, kind, _endian = _header(source)
    start = LIBVIRT_HEADER + size
    if version >= 2 and kind in UNPACKERS:
        name = source.name.rsplit("/", 1)[-1]
        command = f"tail -c +{start + 1} {quote(name)} | {UNPACKERS[kind]} -dc > {quote(name + '.stream')}"
        raise NotADump(source.name, f"a libvirt image packed with {UNPACKERS[kind]}: unpack it first, with `{command}`")
    if version not in (1, 2) or (version == 2 and kind not in (RAW, SPARSE)):
        raise FormatError(f"{source.name}: a libvirt image of unknown version {version} or format {kind}")
    found = _TYPE.search(source.read_at(LIBVIRT_HEADER, min(size, MAX_XML)))
    return _Libvirt(start, found[1].decode() if found else "")


class MigrationDump:
    """The RAM in a stream, at its physical addresses."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._libvirt = _read_libvirt(source) if source.read_at(0, len(LIBVIRT)) == LIBVIRT else None
        self.stream = read_stream(source, self._libvirt.start if self._libvirt else 0)
        self.page_size = self.stream.page_size
        machine = self.stream.machine or (self._libvirt.machine if self._libvirt else "")
        self.machine = next((_MAIN[b.name] for b in self.stream.blocks if b.name in _MAIN), None) or next(
            (arch for prefix, arch in _MACHINES if machine.startswith(prefix)), None
        )
        self._mapped_ram = self.stream.blocks[0].present is not None
        self._placed = Extents(_place(self.stream, machine, self.machine or "x86_64"))

    def page(self, pfn: int) -> bytes:
        """Return one page; MissingPage says whether the stream ended before it, left it out, or there is no RAM."""
        at = pfn * self.page_size
        found = next(self._placed.pieces(at, at + self.page_size), None)
        if found is None or found[0] != at:
            raise MissingPage(at, "never-saved")
        return self._mapped(at, found[2]) if self._mapped_ram else self._streamed(at, found[2])

    def _streamed(self, address: int, ram: int) -> bytes:
        """Return the page at an offset of all blocks, from the runs of the stream."""
        stream, size = self.stream, self.page_size
        unit = ram // size * stream.step
        found = next(stream.pages.pieces(unit, unit + 1), None)
        if found is None:
            raise MissingPage(address, "truncated" if stream.problem else "excluded")
        where = found[2]
        if where < 0:
            return bytes(size)
        if where >= FILL:
            return bytes([where - FILL & 0xFF]) * size
        return self._read(address, where)

    def _mapped(self, address: int, ram: int) -> bytes:
        """Return the page at an offset of all blocks, from its own place in a mapped-ram file."""
        block = next(b for b in self.stream.blocks if b.base <= ram < b.base + b.size)
        n = (ram - block.base) // self.page_size
        if block.present and block.present.has(n):
            return self._read(address, block.pages_at + ram - block.base)
        if block.present and not block.present.known(n):
            raise MissingPage(address, "truncated")
        return bytes(self.page_size)

    def _read(self, address: int, where: int) -> bytes:
        data = self._source.read_at(where, self.page_size)
        if len(data) < self.page_size:
            raise MissingPage(address, "truncated")
        return data

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges of RAM, in bytes, as the machine's type has them."""
        return self._placed.runs()

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (physical address, bytes) of the pages that are not zero, runs of them in pieces."""
        for start, end, ram in self._placed:
            runs = self._present(ram, ram + end - start) if self._mapped_ram else self._sent(ram, ram + end - start)
            for at, data in runs:
                yield start + at - ram, data

    def _sent(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Yield (offset among all blocks, bytes) of the pages sent, without the words between them."""
        size, step = self.page_size, self.stream.step
        for start, end, where in self.stream.pages.pieces(first // size * step, last // size * step):
            for unit in range(start, end, BLOCK // size * step) if 0 <= where < FILL else ():
                raw = self._source.read_at(where + unit - start, min(BLOCK // size * step, end - unit))
                if not raw:
                    return
                yield unit // step * size, b"".join(raw[n : n + size] for n in range(0, len(raw), step))

    def _present(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Yield (offset among all blocks, bytes) of the pages that have a place of their own."""
        size = self.page_size
        for block in self.stream.blocks:
            for run in block.present.runs() if block.present else ():
                start, end = (max(first, block.base + run[0] * size), min(last, block.base + run[1] * size))
                for at in range(start, end, BLOCK):
                    data = self._source.read_at(block.pages_at + at - block.base, min(BLOCK, end - at))
                    if not data:
                        return
                    yield at, data

    def notes(self) -> Iterator[Note]:
        """Yield nothing: a stream has no notes."""
        return iter(())

    def cpus(self) -> list[CpuState]:
        """Return the CPUs in the devices' state; none where the stream is cut off before it."""
        if self.stream.problem:
            return []
        return sorted(cpu_states(self._source, self.stream.devices, self.machine), key=lambda state: state.cpu)

    def facts(self) -> Facts:
        """Return what the header and the stream say."""
        facts = Facts.of("libvirt" if self._libvirt else "migration", [self._source])
        facts.machine = self.machine
        facts.byteorder = "big" if self.machine in _BIG_ENDIAN else "little"
        facts.page_size = self.page_size
        facts.pages_total = sum(end - start for start, end in self.ranges()) // self.page_size
        facts.pages_saved = self._saved(facts.pages_total)
        if self.stream.problem:
            facts.lacks(f"{self._source.name}: {self.stream.problem}")
        if any(b.present and b.pages_at + b.size > self._source.size for b in self.stream.blocks):
            facts.lacks(f"{self._source.name} is cut off: it ends before its last pages")
        return facts

    def _saved(self, total: int) -> int:
        """Count the pages of RAM whose content is known, zero pages with them."""
        if self._mapped_ram:
            return total
        size, step = self.page_size, self.stream.step
        units = [(where // size * step, (where + end - start) // size * step) for start, end, where in self._placed]
        return sum(b - a for first, last in units for a, b, _ in self.stream.pages.pieces(first, last)) // step


def _place(stream: Stream, machine: str, arch: str) -> Iterator[tuple[int, int, int]]:
    """Yield (physical start, end, offset among all blocks) of the machine's RAM."""
    blocks = _ram_blocks(stream.blocks)
    ends, total = [], 0
    for block in blocks:
        ends.append((total, total + block.size, block))
        total += block.size
    for piece in place(machine, total, arch):
        for start, end, block in ends:
            first, last = max(start, piece.offset), min(end, piece.offset + piece.size)
            if first < last:
                at = piece.physical + first - piece.offset
                yield at, at + last - first, block.base + first - start


def _ram_blocks(blocks: list[Block]) -> list[Block]:
    """Return the blocks that together are the machine's RAM: the one of its type, or its backends in their order."""
    main = [b for b in blocks if b.name in _MAIN]
    if main:
        return main[:1]
    backends = [(b, _BACKEND.fullmatch(b.name)) for b in blocks]
    numbered = [(int(m[1]), b) for b, m in backends if m]
    if numbered:
        return [b for _n, b in sorted(numbered, key=lambda pair: pair[0])]
    return sorted(blocks, key=lambda b: b.size)[-1:]


def open(sources: Sequence[ByteSource]) -> MigrationDump:
    """Open a stream, which is one file."""
    if len(sources) != 1:
        raise FormatError(f"{sources[0].name}: a QEMU stream is one file, but {len(sources)} were given")
    return MigrationDump(sources[0])
