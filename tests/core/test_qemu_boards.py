"""Where QEMU puts RAM: what `info mtree` of QEMU 7.2 says of the same machines."""

import pytest

from oopscope.qemu_boards import GIB, Placement, place

MIB = 1 << 20
AT_4_GIB, AT_1_TIB = 0x100000000, 0x10000000000


@pytest.mark.parametrize(
    "machine, cpu, mib, low, high",
    [
        ("q35", "EPYC", 1001472, 2 * GIB, AT_4_GIB),
        ("q35", "EPYC", 1001473, 2 * GIB, AT_1_TIB),
        ("q35", "Haswell", 1024000, 2 * GIB, AT_4_GIB),
        ("q35", "Dhyana", 1024000, 2 * GIB, AT_4_GIB),
        ("q35", "Opteron_G5", 1024000, 2 * GIB, AT_1_TIB),
        ("pc-q35-7.0", "EPYC", 1024000, 2 * GIB, AT_4_GIB),
        ("pc-q35-7.1", "EPYC,phys-bits=48", 1024000, 2 * GIB, AT_1_TIB),
        ("pc", "EPYC", 1033216, 3 * GIB, AT_4_GIB),
        ("pc", "EPYC", 1033217, 3 * GIB, AT_1_TIB),
        ("pc", "phenom", 1034240, 3 * GIB, AT_1_TIB),
        ("pc", "host", 1034240, 3 * GIB, AT_4_GIB),
    ],
)
def test_a_terabyte(machine: str, cpu: str, mib: int, low: int, high: int) -> None:
    size = mib * MIB
    assert place(machine, size, cpu=cpu) == [Placement(0, 0, low), Placement(high, low, size - low)]


def test_small_ones() -> None:
    assert place("q35", 2 * GIB, cpu="EPYC") == [Placement(0, 0, 2 * GIB)]
    assert place("virt", GIB, "aarch64") == [Placement(GIB, 0, GIB)]
    low = 256 * MIB
    assert place("virt", low, "loongarch64") == [Placement(0, 0, low)]
    assert place("virt", GIB, "loongarch64") == [Placement(0, 0, low), Placement(2 * GIB, low, GIB - low)]
