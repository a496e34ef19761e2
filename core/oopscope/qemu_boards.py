"""Where a virtual machine's RAM lies in its physical address space: what a hypervisor's own files do not say.

Follows QEMU's hw/i386/pc_piix.c, pc_q35.c, microvm.c and the virt boards. What is above the hole below 4 GiB goes on at
4 GiB; of a guest whose processor is AMD's, from QEMU 7.1 on, at 1 TiB where it and the window for devices behind it
would reach into what AMD keeps for HyperTransport. Only a processor's name tells AMD from others ("host" does not).
"""

from typing import NamedTuple

from oopscope.lazy_re import lazy_re

GIB = 1 << 30
PCS = ("x86_64",)
STARTS = {"aarch64": GIB, "riscv64": 2 * GIB}  # of the virt boards' RAM; of others it is 0
HOLES = {"loongarch64": (GIB // 4, 2 * GIB)}  # what lies below a hole in RAM, and where the rest goes on
HYPERTRANSPORT, TIB = 0xFD00000000, 1 << 40
_AMD = lazy_re("EPYC|Opteron|phenom|athlon")
_BEFORE_7_1 = lazy_re(r"-(([0-6])\.|7\.0)")
_OLD_PC = lazy_re(r"pc(-i440fx)?-(0\.|1\.[0-7]$)")


class Placement(NamedTuple):
    """A stretch of a guest's RAM: where it lies, where it begins in the RAM as one, and how long it is, in bytes."""

    physical: int
    offset: int
    size: int


def place(machine: str, size: int, arch: str = "x86_64", cpu: str = "") -> list[Placement]:
    """Return where the RAM of a QEMU machine type lies, ascending. An unknown one of x86 is taken for "pc".

    cpu: what -cpu says, "" where that is not known.
    """
    if arch in HOLES:
        return split(size, *HOLES[arch])
    if arch not in PCS:
        return [Placement(STARTS.get(arch, 0), 0, size)]
    low = _low(machine, size)
    return split(size, low, TIB if _AMD.match(cpu) and _collides(machine, 4 * GIB + size - low) else 4 * GIB)


def split(size: int, low: int, high: int = 4 * GIB) -> list[Placement]:
    """Return RAM with `low` bytes of it below the hole, the rest from `high` on."""
    if size <= low:
        return [Placement(0, 0, size)]
    return [Placement(0, 0, low), Placement(high, low, size - low)]


def _collides(machine: str, end: int) -> bool:
    """Tell whether RAM up to an end, and the window behind it, leave no room for HyperTransport (pc_max_used_gpa)."""
    window = 32 * GIB if "q35" in machine else 2 * GIB
    return -(-end // GIB) * GIB + window > HYPERTRANSPORT and not _BEFORE_7_1.search(machine)


def _low(machine: str, size: int) -> int:
    if "q35" in machine:
        return size if size < 0xB0000000 else 0x80000000
    if "microvm" in machine:
        return 0xC0000000
    if _OLD_PC.match(machine):
        return 0xE0000000
    return size if size < 0xE0000000 else 0xC0000000
