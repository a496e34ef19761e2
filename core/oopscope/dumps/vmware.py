"""VMware's suspended machines and snapshots: a .vmss or .vmsn file of state, with memory in it or in a .vmem beside it.

Follows crash's vmware_vmss.c and volatility's vmware layer. The state is groups of tags; a tag has a name, up to three
indices and a value, little-endian. The regions of the group "memory" say where the memory file's pages lie.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from oopscope.dumps import CpuState, Facts, PlacedDump, bare_name, beside
from oopscope.errors import FormatError, NotADump
from oopscope.notes import SegmentRegister
from oopscope.qemu_boards import split
from oopscope.sources import ByteSource
from oopscope.sources.extents import LIMIT

IDS = {0xBED0BED0, 0xBAD1BAD1, 0xBED2BED2, 0xBAD2BAD2, 0xBED3BED3, 0xBED2BED0}
STATE, MEMORY = (".vmss", ".vmsn"), ".vmem"
PAGE = 4096
HOLE = 0xC0000000  # where memory below 4 GiB ends, if no region says so
MAX_GROUPS, MAX_TAGS, MAX_REGIONS, MAX_CPUS, MAX_VALUE = 4096, 1 << 17, 1024, 4096, 1 << 12
_BLOCK, _PACKED_BLOCK = 63, 62
_GENERAL = ("rax", "rcx", "rdx", "rbx", "rbp", "rsp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16)))
_SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr")
_CONTROL = ((0, "cr0"), (2, "cr2"), (3, "cr3"), (4, "cr4"))


class Value(NamedTuple):
    """A tag's value: where it lies, how long it is, and its bytes where they are few."""

    offset: int
    size: int
    data: bytes
    packed: bool = False

    @property
    def number(self) -> int:
        """The value as a number."""
        return int.from_bytes(self.data, "little")


Tags = dict[tuple[str, tuple[int, ...]], Value]


def _is_state(source: ByteSource) -> bool:
    head = source.read_at(0, 12)
    return len(head) == 12 and int.from_bytes(head[:4], "little") in IDS


def probe(source: ByteSource) -> bool:
    """Tell whether a file is a state file, or a memory file with its state file beside it."""
    return _is_state(source) or (bare_name(source).endswith(MEMORY) and bool(beside(source, *STATE)))


def companions(source: ByteSource) -> list[Path]:
    """Return the memory file of a state file, or the state file of a memory file."""
    return beside(source, MEMORY) if _is_state(source) else beside(source, *STATE)[:1]


def _groups(source: ByteSource) -> Iterator[tuple[str, int]]:
    """Yield (name, position) of the groups of tags."""
    _id, _version, count = struct.unpack("<III", source.read_at(0, 12))
    for n in range(min(count, MAX_GROUPS)):
        raw = source.read_at(12 + 80 * n, 80)
        if len(raw) == 80:
            yield raw[:64].split(b"\0", 1)[0].decode("ascii", "replace"), int.from_bytes(raw[64:72], "little")


def _tags(source: ByteSource, at: int) -> Tags:
    """Read one group's tags; what follows damage is left out."""
    old = source.read_at(0, 1)[0] & 0xF == 0  # sizes of blocks have 32 bits
    sizes = struct.Struct("<IIH" if old else "<QQH")
    found: Tags = {}
    for _ in range(MAX_TAGS):
        window = source.read_at(at, 512)
        if len(window) < 2 or window[:2] == b"\0\0":
            break
        kind, name_size = window[0] & 0x3F, window[1]
        indices = window[0] >> 6
        value_at = 2 + name_size + 4 * indices
        if len(window) < value_at + sizes.size and kind >= _PACKED_BLOCK:
            break
        name = window[2 : 2 + name_size].decode("ascii", "replace")
        key = (name, struct.unpack_from(f"<{indices}I", window.ljust(value_at, b"\0"), 2 + name_size))
        if kind < _PACKED_BLOCK:
            found[key] = Value(at + value_at, kind, window[value_at : value_at + kind])
            at += value_at + kind
            continue
        stored, _unpacked, pad = sizes.unpack_from(window, value_at)
        data_at = at + value_at + sizes.size + pad
        small = source.read_at(data_at, stored) if stored <= MAX_VALUE else b""
        found[key] = Value(data_at, stored, small, kind == _PACKED_BLOCK)
        at = data_at + stored
    return found


class VmwareDump(PlacedDump):
    """A suspended machine or a snapshot with its memory."""

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        state = next((s for s in sources if _is_state(s)), None)
        files = [s for s in sources if s is not state]
        if state is None or len(files) > 1:
            raise FormatError(f"{sources[0].name}: give one .vmss or .vmsn file, and at most one .vmem with it")
        self._state = state
        groups = {name: _tags(state, at) for name, at in _groups(state) if name in ("memory", "cpu")}
        self._cpu = groups.get("cpu", {})
        memory, base, size = _memory(state, files, groups.get("memory", {}))
        stretches = list(_stretches(groups.get("memory", {}), base, size))
        super().__init__("vmware", list(sources), memory, stretches)

    def cpus(self) -> list[CpuState]:
        """Return the CPUs that the state holds; the kernel's GS base of one in user mode is not in it."""
        count = self._cpu.get(("cpu:numVCPUs", ()))
        found = (_cpu_state(self._cpu, n) for n in range(min(count.number if count else MAX_CPUS, MAX_CPUS)))
        return [state for state in found if state.general]

    def facts(self) -> Facts:
        """Return what the files say."""
        facts = super().facts()
        facts.machine = "x86_64"
        return facts


def _memory(state: ByteSource, files: list[ByteSource], tags: Tags) -> tuple[ByteSource, int, int]:
    """Return the source that holds memory, the offset in it, and how much there is; NotADump where there is none."""
    inside = tags.get(("Memory", (0, 0))) or tags.get(("Memory", ()))
    if inside and inside.packed:
        raise NotADump(state.name, "a VMware state file with packed memory, which oopscope does not read")
    if inside and inside.size:
        return state, inside.offset, inside.size
    if files:
        return files[0], 0, files[0].size
    name = Path(bare_name(state)).with_suffix(MEMORY).name
    raise NotADump(state.name, f"a VMware state file without memory in it: put {name} beside it")


def _stretches(tags: Tags, base: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (physical start, end, offset in the memory's source) of the regions."""
    count = tags.get(("regionsCount", ()))
    if count is None or not count.number:
        for piece in split(size, HOLE):
            yield piece.physical, piece.physical + piece.size, base + piece.offset
        return
    for n in range(min(count.number, MAX_REGIONS)):
        first, page, pages = (tags.get((name, (n,))) for name in ("regionPageNum", "regionPPN", "regionSize"))
        if first and page and pages:
            start, end = page.number * PAGE, (page.number + pages.number) * PAGE
            if end < LIMIT and base + (first.number + pages.number) * PAGE < LIMIT:
                yield start, end, base + first.number * PAGE


def _cpu_state(tags: Tags, cpu: int) -> CpuState:
    general = {name: tags[name, (cpu,)].number for name in (*_GENERAL, "rip") if (name, (cpu,)) in tags}
    block = tags.get(("gpregs", (cpu,)))
    if block and len(block.data) >= 128:
        general |= dict(zip(_GENERAL, struct.unpack_from("<16Q", block.data), strict=True))
    flags = tags.get(("eflags", (cpu,))) or tags.get(("EFLAGS", (cpu,)))
    if flags:
        general["rflags"] = flags.number
    return CpuState(cpu, "x86_64", general, _segments(tags, cpu), _control(tags, cpu))


def _control(tags: Tags, cpu: int) -> dict[str, int]:
    block = tags.get(("CR64", (cpu,)))
    if block and len(block.data) >= 40:
        values = struct.unpack_from("<5Q", block.data)
        return {name: values[n] for n, name in _CONTROL}
    return {name: tags["CR64", (cpu, n)].number for n, name in _CONTROL if ("CR64", (cpu, n)) in tags}


def _segments(tags: Tags, cpu: int) -> dict[str, SegmentRegister]:
    found = {}
    for n, name in enumerate(_SEGMENTS):
        selector, base = tags.get(("S", (cpu, n))), tags.get(("S.base64", (cpu, n)))
        if selector or base:
            found[name] = SegmentRegister(selector.number if selector else 0, base.number if base else 0, 0)
    block, low, high = (tags.get(("IDTR", key)) for key in ((cpu,), (cpu, 1), (cpu, 2)))
    if block and len(block.data) >= 10:
        limit, base_address = struct.unpack_from("<HQ", block.data)
        found["idt"] = SegmentRegister(0, base_address, limit)
    elif low and high:
        found["idt"] = SegmentRegister(0, (low.number | high.number << 32) & (1 << 64) - 1, 0)
    return found


def open(sources: Sequence[ByteSource]) -> VmwareDump:
    """Open a state file with its memory, in any order."""
    return VmwareDump(sources)
