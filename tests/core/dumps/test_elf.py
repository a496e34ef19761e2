"""ELF cores: both word sizes and byte orders, segments of every kind, and cores of other things."""

import struct
from typing import Any

import pytest

from builders import text_page
from builders.elf import TEXT, Elf, Load
from builders.flattened import flatten
from builders.gcore import prpsinfo
from builders.notes import note, qemu_cpu, vmcoreinfo
from oopscope.dumps import open_container
from oopscope.errors import FormatError, MissingPage, NotADump
from oopscope.sources.file import BytesSource

KERNEL = [note("CORE", 1, bytes(336)) + vmcoreinfo()]
RAM = b"".join(text_page(n) for n in range(1, 9))


def opened(elf: Elf | bytes) -> Any:
    return open_container([BytesSource(elf if isinstance(elf, bytes) else elf.build())])


def why(dump: Any, pfn: int) -> str:
    with pytest.raises(MissingPage) as caught:
        dump.page(pfn)
    return caught.value.why


MACHINES = [(64, "<", 62, "x86_64"), (64, ">", 22, "s390x"), (64, "<", 183, "aarch64"), (64, ">", 21, "ppc64")]
MACHINES += [(64, "<", 21, "ppc64le"), (64, "<", 243, "riscv64"), (32, "<", 3, "i686"), (32, ">", 20, "ppc")]
MACHINES += [(64, "<", 999, None)]  # type: ignore[list-item]


@pytest.mark.parametrize("bits, endian, number, machine", MACHINES)
@pytest.mark.parametrize("xnum", [False, True])
def test_word_sizes_and_byte_orders(bits: int, endian: str, number: int, machine: str, xnum: bool) -> None:
    notes = [note("CORE", 1, b"regs", endian), vmcoreinfo(endian=endian)]
    dump = opened(Elf([Load(0x1000, RAM)], notes, bits=bits, endian=endian, machine=number, xnum=xnum))
    assert [dump.page(n) for n in range(1, 9)] == [text_page(n) for n in range(1, 9)]
    assert [why(dump, n) for n in (-1, 0, 9, 1 << 52, 1 << 70)] == ["never-saved"] * 5
    assert [n.name for n in dump.notes()] == ["CORE", "VMCOREINFO"]
    facts = dump.facts()
    assert (facts.format, facts.machine, facts.byteorder) == ("elf", machine, "little" if endian == "<" else "big")
    assert (facts.pages_saved, facts.pages_total, facts.complete, facts.problems) == (8, 8, True, [])


def test_what_a_segment_left_out_is_excluded() -> None:
    dump = opened(Elf([Load(0x1000, RAM[:8192], memsz=0x5000), Load(0x6000, b"", memsz=0x2000)], KERNEL))
    assert dump.page(2) == text_page(2)
    assert [why(dump, n) for n in (3, 5, 6, 7)] == ["excluded"] * 4
    assert dump.ranges() == [(0x1000, 0x8000)]
    assert (dump.facts().pages_saved, dump.facts().pages_total) == (2, 7)


def test_edges_within_a_page() -> None:
    dump = opened(Elf([Load(0x1000, RAM[:0x1C00]), Load(0x2E00, RAM[0x1E00:0x3000])], KERNEL))
    assert dump.page(2) == RAM[0x1000:0x1C00] + bytes(0x200) + RAM[0x1E00:0x2000]
    assert dump.page(3) == text_page(3)


def test_overlapping_segments_and_one_with_bytes_wins() -> None:
    dump = opened(Elf([Load(0x3000, RAM[0x2000:0x4000], vaddr=TEXT), Load(0x1000, b"", memsz=0x8000)], KERNEL))
    assert dump.page(3) == text_page(3)
    assert why(dump, 5) == "excluded"
    assert dump.ranges() == [(0x1000, 0x9000)]


def test_kernel_text_gives_phys_base() -> None:
    text = Load(0x1000000, RAM, vaddr=TEXT + 0x5000000)
    assert opened(Elf([text, Load(0x2000, RAM)], KERNEL)).facts().phys_base == -0x4000000
    assert opened(Elf([Load(0x2000, RAM)], KERNEL)).facts().phys_base is None


@pytest.mark.parametrize("bits, machine", [(64, 62), (32, 3)])
def test_segments_without_a_physical_address_are_passed_over(bits: int, machine: int) -> None:
    nowhere = Load((1 << bits) - 1, RAM, vaddr=0xC9000000)
    dump = opened(Elf([nowhere, Load(0x1000, RAM)], KERNEL, bits=bits, machine=machine))
    assert dump.ranges() == [(0x1000, 0x9000)]


def test_qemu_notes_make_it_qemu_elf() -> None:
    dump = opened(Elf([Load(0, RAM)], [note("CORE", 1, bytes(336)) + qemu_cpu(0) + qemu_cpu(1)]))
    assert dump.facts().format == "qemu-elf"
    assert [cpu.control["cr3"] for cpu in dump.cpus()] == [0x1234000, 0x1234001]


def test_incomplete_flag() -> None:
    facts = opened(Elf([Load(0x1000, RAM)], KERNEL, flags=1)).facts()
    assert not facts.complete
    assert "disk was full" in facts.problems[0]


def test_a_file_cut_off_keeps_what_it_has() -> None:
    dump = opened(Elf([Load(0x1000, RAM)], KERNEL).build()[:-5000])
    assert dump.page(6) == text_page(6)
    assert [why(dump, 7), why(dump, 8)] == ["truncated", "truncated"]
    assert not dump.facts().complete


@pytest.mark.parametrize("size", [18, 40, 63, 100, 170])
def test_a_file_cut_off_in_its_headers_does_not_open(size: int) -> None:
    raw = Elf([Load(0x1000, RAM), Load(0x100000, RAM)], KERNEL).build()
    with pytest.raises(FormatError, match="cut off"):
        opened(raw[:size])


def test_flattened() -> None:
    dump = opened(flatten(Elf([Load(0x1000, RAM)], KERNEL).build(), 500, seed=4))
    assert [dump.page(n) for n in range(1, 9)] == [text_page(n) for n in range(1, 9)]
    assert (dump.facts().flattened, dump.facts().format) == (True, "elf")


def test_a_core_of_a_process_is_refused_by_name() -> None:
    for bits, machine in ((64, 62), (32, 3)):
        core = Elf(
            [Load(0, RAM, vaddr=0x400000), Load(0, RAM, vaddr=0x7F0000)], [prpsinfo(b"bash", bits)], bits, "<", machine
        )
        with pytest.raises(NotADump, match="process 'bash', not of a kernel"):
            opened(core)
    with pytest.raises(NotADump, match=r"before 4\.11"):
        opened(Elf([Load(0, RAM), Load(0, RAM)], [prpsinfo(b"vmlinux")]))
    with pytest.raises(NotADump, match="without physical memory"):
        opened(Elf([Load(0, RAM), Load(0, RAM)]))


def test_kcore_is_read() -> None:
    dump = opened(Elf([Load((1 << 64) - 1, RAM), Load(0x1000, RAM)], [prpsinfo(b"vmlinux") + vmcoreinfo()]))
    assert dump.page(1) == text_page(1)


def test_other_kinds_of_elf_are_no_dump() -> None:
    assert [opened(Elf([Load(0x1000, RAM)], type=kind)) for kind in (1, 2, 3)] == [None, None, None]


def test_a_huge_device_dump_is_not_read_whole() -> None:
    notes = note("LINUX", 0x700, bytes(5 << 20)) + vmcoreinfo()
    kinds = [(n.name, len(n.desc), n.size) for n in opened(Elf([Load(0x1000, RAM)], [notes])).notes()]
    assert kinds[0] == ("LINUX", 1 << 20, 5 << 20)
    assert kinds[1][0] == "VMCOREINFO"


def test_program_headers_counted_in_a_section_that_is_not_there() -> None:
    raw = bytearray(Elf([Load(0x1000, RAM)], KERNEL, xnum=True).build())
    struct.pack_into("<Q", raw, 40, 1 << 50)  # e_shoff
    with pytest.raises(FormatError, match="not in the file"):
        opened(bytes(raw))


@pytest.mark.parametrize("count", [1 << 20, (1 << 32) - 1])
def test_more_program_headers_than_the_file_has(count: int) -> None:
    raw = bytearray(Elf([Load(0x1000, RAM)], KERNEL, xnum=True).build())
    struct.pack_into("<I", raw, 64 + 44, count)
    with pytest.raises(FormatError, match=r"cut off|claims"):
        opened(bytes(raw))


def test_70_000_segments() -> None:
    page = text_page(1)
    loads = [Load(n * 0x2000, page[:64]) for n in range(70_000)]
    dump = opened(Elf(loads, KERNEL, xnum=True))
    assert dump.page(2 * 69_999)[:64] == page[:64]
    assert why(dump, 1) == "never-saved"
