"""The CPUs in a QEMU migration stream, found among the devices' state.

Follows the vmstate of target/i386/machine.c (version 12, whose beginning is the same since version 4) and of
target/arm/machine.c (version 22). Big-endian. Devices have no length, so the CPUs' sections are found by their headers.
"""

import re
import struct
from collections.abc import Iterator

from oopscope.lazy_re import lazy_re
from oopscope.notes import CpuState, SegmentRegister
from oopscope.sources import ByteSource

MAX_STATE = 64 << 20  # bytes of devices' state searched
MAX_CPUS = 4096
_SECTION = lazy_re(rb"\x04.{4}\x03cpu(.{4})(.{4})", re.DOTALL)

_X86_GENERAL = (
    "rax",
    "rcx",
    "rdx",
    "rbx",
    "rsp",
    "rbp",
    "rsi",
    "rdi",
    *(f"r{n}" for n in range(8, 16)),
    "rip",
    "rflags",
)
_X86_SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr", "gdt", "idt")
_X86_SIZE, _SEGMENTS_AT, _CONTROL_AT, _EFER_AT, _KERNEL_GS_AT = 864, 236, 456, 816, 856

_ARM_SIZE, _ARM_X, _ARM_PC = 672, 64, 320
# KVM's numbers of system registers, which QEMU's stream uses: TTBR0_EL1, TTBR1_EL1, TCR_EL1.
_ARM_SYSTEM = {0x603000000013C100: "ttbr0", 0x603000000013C101: "ttbr1", 0x603000000013C102: "tcr"}


def cpu_states(source: ByteSource, at: int, machine: str | None) -> Iterator[CpuState]:
    """Yield the CPUs whose state begins somewhere after an offset; other machines than these two have none here."""
    parse = {"x86_64": _x86, "aarch64": _arm}.get(machine or "")
    if parse is None:
        return
    state = source.read_at(at, MAX_STATE)
    seen: set[int] = set()
    for found in _SECTION.finditer(state):
        cpu, version = (int.from_bytes(found[n], "big") for n in (1, 2))
        if cpu < MAX_CPUS and cpu not in seen and 4 <= version <= 64:
            known = parse(cpu, state[found.end() : found.end() + 65536])
            if known:
                seen.add(cpu)
                yield known


def _x86(cpu: int, state: bytes) -> CpuState | None:
    if len(state) < _X86_SIZE:
        return None
    general = dict(zip(_X86_GENERAL, struct.unpack_from(">18Q", state), strict=True))
    if not general["rflags"] & 2:  # the bit that is always set: this was no CPU
        return None
    segments = {}
    for n, name in enumerate(_X86_SEGMENTS):
        selector, base, limit, flags = struct.unpack_from(">IQII", state, _SEGMENTS_AT + 20 * n)
        segments[name] = SegmentRegister(selector, base, limit, flags)
    control = dict(zip(("cr0", "cr2", "cr3", "cr4"), struct.unpack_from(">4Q", state, _CONTROL_AT), strict=True))
    (control["efer"],) = struct.unpack_from(">Q", state, _EFER_AT)
    (kernel_gs,) = struct.unpack_from(">Q", state, _KERNEL_GS_AT)
    return CpuState(cpu, "x86_64", general, segments, control, kernel_gs)


def _arm(cpu: int, state: bytes) -> CpuState | None:
    if len(state) < _ARM_SIZE:
        return None
    *x, pc = struct.unpack_from(">33Q", state, _ARM_X)
    (pstate,) = struct.unpack_from(">I", state, _ARM_PC + 8)
    general = {f"x{n}": value for n, value in enumerate(x[:31])} | {"sp": x[31], "pc": pc, "pstate": pstate}
    return CpuState(cpu, "aarch64", general, control=_arm_system(state))


def _arm_system(state: bytes) -> dict[str, int]:
    """Return the system registers that page tables need, from the list of (number, value) behind the general ones."""
    for at in range(_ARM_PC + 8, min(len(state) - 4, 1024), 4):
        (count,) = struct.unpack_from(">I", state, at)
        if 32 <= count <= 2048 and at + 4 + 16 * count <= len(state):
            numbers = struct.unpack_from(f">{count}Q", state, at + 4)
            if numbers[0] >> 56 == 0x60:
                values = struct.unpack_from(f">{count}Q", state, at + 4 + 8 * count)
                return {_ARM_SYSTEM[n]: v for n, v in zip(numbers, values, strict=True) if n in _ARM_SYSTEM}
    return {}
