"""Where a virtual machine's RAM lies in its physical address space: what a hypervisor's own files do not say.

Follows QEMU's hw/i386/pc_piix.c, pc_q35.c, microvm.c and the virt boards. What is above the hole below 4 GiB goes on at
4 GiB; a guest of AMD's with a terabyte or more has it at 1 TiB, which cannot be told from here.
"""

import re
from typing import NamedTuple

GIB = 1 << 30
_OLD_PC = re.compile(r"pc(-i440fx)?-(0\.|1\.[0-7]$)")


class Placement(NamedTuple):
    """A stretch of a guest's RAM: where it lies, where it begins in the RAM as one, and how long it is, in bytes."""

    physical: int
    offset: int
    size: int


def place(machine: str, size: int, arch: str = "x86_64") -> list[Placement]:
    """Return where the RAM of a QEMU machine type lies, ascending. An unknown one of x86 is taken for "pc"."""
    if arch == "aarch64":
        return [Placement(GIB, 0, size)]
    if arch == "riscv64":
        return [Placement(2 * GIB, 0, size)]
    if arch != "x86_64":
        return [Placement(0, 0, size)]
    return split(size, _low(machine, size))


def split(size: int, low: int) -> list[Placement]:
    """Return a PC's RAM with `low` bytes of it below the hole, the rest from 4 GiB on."""
    if size <= low:
        return [Placement(0, 0, size)]
    return [Placement(0, 0, low), Placement(4 * GIB, low, size - low)]


def _low(machine: str, size: int) -> int:
    if "q35" in machine:
        return size if size < 0xB0000000 else 0x80000000
    if "microvm" in machine:
        return 0xC0000000
    if _OLD_PC.match(machine):
        return 0xE0000000
    return size if size < 0xE0000000 else 0xC0000000
