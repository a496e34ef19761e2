"""VMware's debug.guest: what ESXi writes of a guest that panics in debug mode, with memory in debug.vmem beside it.

Follows crash's vmware_guestdump.c. There is no signature: the file's name ends in .guest, and its size and its sums
must be right. The holes that it lists are where no RAM is; all else of the memory file lies one after another. What
follows a CPU's registers is not known, so that a GS base is not either.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from oopscope.dumps import CpuState, Facts, PlacedDump, bare_name, beside
from oopscope.errors import FormatError, NotADump
from oopscope.notes import SegmentRegister
from oopscope.sources import ByteSource

STATE, MEMORY = ".guest", ".vmem"
PAGE = 4096
X86, MAX_HOLES, MAX_CPUS = 1, 2, 4096
# Bytes between the head and the account of memory, by version (1: ESXi to 6.7, 3: 6.8, 4: 7.0, 5 and 6: 8.0, 7: 9.0).
_GAPS = {1: 13, 3: 14, 4: 14, 5: 14, 6: 15, 7: 8}
_HEAD = struct.Struct("<II")  # version, CPUs
_MEMORY_1, _MEMORY = struct.Struct("<QIII4I"), struct.Struct("<QQII4Q")  # last address, pages, -, holes, the holes
_MACHINE = struct.Struct("<I7x")  # version 7 alone
_CONTROL = struct.Struct("<I3Q80xQ")  # cr0, cr2, cr3, cr4, the IDT
_GENERAL = struct.Struct("<21Q65x")
_NAMES = (
    *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"),
    *("orig_rax", "rip", "cs", "rflags", "rsp", "ss"),
)


class _Layout(NamedTuple):
    """What the head says: pages of RAM, (first, count) of the pages that are none, and where the CPUs begin."""

    pages: int
    holes: list[tuple[int, int]]
    cpus: int
    cpus_at: int
    gap: int  # bytes between a CPU's control registers and the others

    @property
    def cpu_size(self) -> int:
        """The room that a CPU takes."""
        return _CONTROL.size + self.gap + _GENERAL.size + PAGE


def _layout(source: ByteSource) -> _Layout | None:
    """Read the head; None where its sums are wrong."""
    raw = source.read_at(0, 256).ljust(256, b"\0")
    version, cpus = _HEAD.unpack_from(raw)
    if version not in _GAPS:
        return None
    account, at = _MEMORY_1 if version == 1 else _MEMORY, _HEAD.size + _GAPS[version]
    last, pages, _, count, *numbers = account.unpack_from(raw, at)
    if count > MAX_HOLES or cpus > MAX_CPUS:
        return None
    at += account.size
    if version == 7 and _MACHINE.unpack_from(raw, at)[0] != X86:
        return None
    at += {1: 8 * count + 4, 7: _MACHINE.size}.get(version, 0)
    holes = sorted((numbers[2 * n], numbers[2 * n + 1]) for n in range(count))
    found = _Layout(pages, holes, cpus, at, 45 if version < 4 else 42)
    whole = (pages + sum(size for _, size in holes)) * PAGE
    return found if last + 1 == whole and source.size == at + cpus * found.cpu_size else None


def _is_state(source: ByteSource) -> bool:
    return bare_name(source).endswith(STATE) and _layout(source) is not None


def probe(source: ByteSource) -> bool:
    """Tell whether a file is a debug.guest, or a memory file with one beside it."""
    return _is_state(source) or (bare_name(source).endswith(MEMORY) and bool(beside(source, STATE)))


def companions(source: ByteSource) -> list[Path]:
    """Return the memory file of a state file, or the state file of a memory file."""
    return beside(source, MEMORY if _is_state(source) else STATE)


class GuestDump(PlacedDump):
    """A guest's memory, and its CPUs as the hypervisor saw them."""

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        state = next((s for s in sources if _is_state(s)), None)
        files = [s for s in sources if s is not state]
        found = _layout(state) if state else None
        if state is None or found is None or len(files) > 1:
            raise FormatError(f"{sources[0].name}: give one .guest file that is whole, and at most one .vmem with it")
        if not files:
            name = Path(bare_name(state)).with_suffix(MEMORY).name
            raise NotADump(state.name, f"VMware's account of a guest, without memory in it: put {name} beside it")
        self._state, self._layout = state, found
        super().__init__("guestdump", list(sources), files[0], _stretches(found))

    def cpus(self) -> list[CpuState]:
        """Return the CPUs, in order."""
        return [self._cpu(n) for n in range(self._layout.cpus)]

    def _cpu(self, cpu: int) -> CpuState:
        at = self._layout.cpus_at + cpu * self._layout.cpu_size
        raw = self._state.read_at(at, self._layout.cpu_size).ljust(self._layout.cpu_size, b"\0")
        cr0, cr2, cr3, cr4, idt = _CONTROL.unpack_from(raw)
        general = dict(zip(_NAMES, _GENERAL.unpack_from(raw, _CONTROL.size + self._layout.gap), strict=True))
        del general["orig_rax"]
        segments = {name: SegmentRegister(general.pop(name), 0, 0) for name in ("cs", "ss")}
        segments["idt"] = SegmentRegister(0, idt, 0)
        return CpuState(cpu, "x86_64", general, segments, {"cr0": cr0, "cr2": cr2, "cr3": cr3, "cr4": cr4})

    def facts(self) -> Facts:
        """Return what the files say."""
        facts = super().facts()
        facts.machine = "x86_64"
        return facts


def _stretches(found: _Layout) -> Iterator[tuple[int, int, int]]:
    """Yield (physical start, end, offset in the memory file) of the RAM between the holes."""
    start = offset = 0
    for first, count in [*found.holes, (found.pages + sum(n for _, n in found.holes), 0)]:
        if first > start:
            yield start * PAGE, first * PAGE, offset * PAGE
            offset += first - start
        start = max(start, first + count)


def open(sources: Sequence[ByteSource]) -> GuestDump:
    """Open a state file with its memory, in any order."""
    return GuestDump(sources)
