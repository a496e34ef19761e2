"""Notes: streamed, bounded, and QEMU's picture of a CPU."""

import struct

import pytest

from builders.notes import note, qemu_cpu, vmcoreinfo
from oopscope.notes import MAX_DESC, Note, qemu_cpu_states, read_notes
from oopscope.sources.file import BytesSource


def read(raw: bytes, endian: str = "<", before: bytes = b"") -> list[Note]:
    return list(read_notes(BytesSource(before + raw), len(before), len(raw), endian))


@pytest.mark.parametrize("endian", ["<", ">"])
def test_names_types_and_padding(endian: str) -> None:
    raw = note("CORE", 1, b"abcde", endian) + note("LINUX", 0x700, b"", endian) + vmcoreinfo(b"A=1\n", endian)
    assert [(n.name, n.type, n.desc) for n in read(raw, endian, b"###")] == [
        ("CORE", 1, b"abcde"),
        ("LINUX", 0x700, b""),
        ("VMCOREINFO", 0, b"A=1\n"),
    ]


def test_the_last_note_needs_no_padding() -> None:
    assert [n.desc for n in read(note("CORE", 1, b"abcde")[:-3])] == [b"abcde"]


def test_a_huge_descriptor_is_cut_and_says_so() -> None:
    big = note("LINUX", 0x700, bytes(3 << 20))
    device, after = read(big + note("CORE", 1, b"x"))
    assert (len(device.desc), device.size) == (MAX_DESC, 3 << 20)
    assert after.desc == b"x"


@pytest.mark.parametrize(
    "bad", [struct.pack("<III", 0, 4, 1), struct.pack("<III", 4, 1 << 31, 1), b"\xff" * 40, b"abc"]
)
def test_ends_where_it_makes_no_sense(bad: bytes) -> None:
    assert [n.name for n in read(note("CORE", 1, b"x") + bad)] == ["CORE"]


def test_a_range_beyond_the_file_is_cut_to_it() -> None:
    raw = note("CORE", 1, b"x")
    assert len(list(read_notes(BytesSource(raw), 0, 1 << 50))) == 1
    assert list(read_notes(BytesSource(raw), 1 << 50, 1 << 50)) == []


def test_qemu_cpu_registers() -> None:
    raw = note("CORE", 1, bytes(336)) + qemu_cpu(0) + qemu_cpu(1, user=True) + vmcoreinfo()
    first, second = qemu_cpu_states(read(raw))
    assert (first.cpu, second.cpu, first.machine) == (0, 1, "x86_64")
    assert first.general["rax"] == 0x1000
    assert first.general["rsp"] == 0x1006
    assert first.general["r8"] == 0x1008
    assert (first.general["rip"], first.general["rflags"]) == (0x1010, 0x1011)
    assert first.segments["gs"].base == 0x500000
    assert first.segments["idt"].base == 0xA00000
    assert (second.control["cr0"], second.control["cr3"]) == (0x80050033, 0x1234001)
    assert first.per_cpu_base == 0x500000
    assert second.in_user
    assert second.per_cpu_base == second.kernel_gs_base == 0xFFFF888000000001


def test_old_qemu_has_no_kernel_gs_base() -> None:
    (state,) = qemu_cpu_states(read(qemu_cpu(0, kernel_gs=False)))
    assert state.kernel_gs_base is None
    assert state.control["cr4"] == 0x6F0


def test_notes_that_are_no_cpu_are_passed_over() -> None:
    raw = note("QEMU", 0, b"short") + note("QEMU", 0, struct.pack("<II", 9, 440) + bytes(432)) + qemu_cpu(7)
    assert [state.cpu for state in qemu_cpu_states(read(raw))] == [2]
