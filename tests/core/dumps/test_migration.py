"""QEMU streams: pages in any order, sent again, in blocks of any name; libvirt's header; mapped-ram; CPUs."""

import struct
from typing import Any

import pytest

from builders import noise_page, text_page
from builders.migration import Migration, arm_cpu, libvirt, libvirt_start, x86_cpu
from oopscope.dumps import open_container
from oopscope.dumps.migration import MigrationDump
from oopscope.errors import FormatError, MissingPage, NotADump, Unsupported
from oopscope.qemu_boards import place
from oopscope.sources.file import BytesSource

GIB = 1 << 30
BLOCKS = {"pc.ram": 300, "pc.bios": 4}
RAM = [noise_page(n) if n % 7 else n % 3 and 0 for n in range(300)]  # mostly pages, some zero
PAGES = [("pc.ram", n, page) for n, page in enumerate(RAM)] + [("pc.bios", n, text_page(n)) for n in range(4)]


def content(page: bytes | int) -> bytes:
    return page if isinstance(page, bytes) else bytes([page]) * 4096


def opened(stream: Migration | bytes) -> Any:
    return open_container([BytesSource(stream if isinstance(stream, bytes) else stream.build(), "dir/vm.save")])


def why(dump: MigrationDump, pfn: int) -> str:
    with pytest.raises(MissingPage) as caught:
        dump.page(pfn)
    return caught.value.why


@pytest.mark.parametrize("footers", [True, False])
@pytest.mark.parametrize("per_section", [1, 13, 1000])
def test_every_page(footers: bool, per_section: int) -> None:
    dump = opened(Migration(BLOCKS, PAGES, footers=footers, per_section=per_section))
    assert [dump.page(n) for n in range(300)] == [content(p) for p in RAM]
    assert [why(dump, n) for n in (-1, 300, 1 << 40)] == ["never-saved"] * 3
    assert dump.ranges() == [(0, 300 * 4096)]
    facts = dump.facts()
    assert (facts.format, facts.machine, facts.pages_saved, facts.pages_total) == ("migration", "x86_64", 300, 300)
    assert (facts.complete, facts.problems) == (True, [])


def test_a_page_counts_as_sent_last() -> None:
    again = [("pc.ram", 5, text_page(5)), ("pc.ram", 0, text_page(0)), ("pc.ram", 6, 0), ("pc.ram", 8, 0x55)]
    dump = opened(Migration(BLOCKS, [*PAGES, *again]))  # type: ignore[list-item]
    assert [dump.page(5), dump.page(0), dump.page(6)] == [text_page(5), text_page(0), bytes(4096)]
    assert dump.page(8) == b"\x55" * 4096
    assert dump.page(7) == content(RAM[7])
    assert dump.page(9) == content(RAM[9])


def test_pages_in_reverse_and_between_blocks() -> None:
    mixed = [("pc.bios", 0, text_page(0)), *reversed(PAGES[:300]), ("pc.bios", 1, text_page(1))]
    assert [opened(Migration(BLOCKS, mixed)).page(n) for n in (0, 7, 299)] == [content(RAM[n]) for n in (0, 7, 299)]


def test_a_long_run_of_zero_pages_with_a_jump_in_it() -> None:
    zeros = [("pc.ram", n, 0) for n in [*range(10), *range(20, 290)]]
    dump = opened(Migration(BLOCKS, zeros))
    assert dump.page(289) == bytes(4096)
    assert [why(dump, n) for n in (10, 19, 290)] == ["excluded"] * 3
    assert dump.facts().pages_saved == 280


def test_a_page_that_looks_like_a_header() -> None:
    """A page may hold the word that the next page would begin with, at the place where one would be looked for."""
    fake = struct.pack(">Q", 2 * 4096 | 0x28) * 512
    pages = [("pc.ram", n, fake if n < 5 else 0) for n in range(300)]
    dump = opened(Migration(BLOCKS, pages))
    assert [dump.page(n) for n in range(300)] == [fake] * 5 + [bytes(4096)] * 295


@pytest.mark.parametrize("before", [b"\x01" + struct.pack(">I", 9) + b"\x05slirp" + bytes(8) + b"whatever it says"])
def test_sections_before_ram_are_passed_over(before: bytes) -> None:
    assert opened(Migration(BLOCKS, PAGES, before=before)).page(1) == RAM[1]


def test_commands_are_passed_over() -> None:
    before = b"\x08" + struct.pack(">HH", 4, 6) + b"abcdef"
    assert opened(Migration(BLOCKS, PAGES, before=before)).page(1) == RAM[1]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_cut_off(share: float) -> None:
    raw = Migration(BLOCKS, PAGES, cpus=[x86_cpu(0)]).build()
    dump = opened(raw[: int(len(raw) * share)])
    assert dump.page(1) == RAM[1]
    assert why(dump, 299) == "truncated"
    assert dump.cpus() == []
    facts = dump.facts()
    assert not facts.complete
    assert "cut off" in facts.problems[0]
    assert 0 < facts.pages_saved < 300


@pytest.mark.parametrize("flag", [0x40, 0x80, 0x100])
def test_pages_that_are_packed_are_refused(flag: int) -> None:
    raw = Migration(BLOCKS, PAGES[:1]).build()
    word = struct.pack(">Q", 0 | 0x2)
    with pytest.raises(Unsupported, match="--memory-only"):
        opened(raw.replace(word + b"\x06pc.ram", struct.pack(">Q", flag) + b"\x06pc.ram"))


def test_a_stream_without_ram_is_refused() -> None:
    raw = Migration(BLOCKS, PAGES).build()
    with pytest.raises(FormatError, match="without RAM"):
        opened(raw[:60])


@pytest.mark.parametrize("version, kind", [(1, 0), (2, 0)])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_libvirt_header(version: int, kind: int, endian: str) -> None:
    dump = opened(libvirt(Migration(BLOCKS, PAGES).build(), kind, version, endian=endian))
    assert dump.page(299) == content(RAM[299])
    assert dump.facts().format == "libvirt"


def test_a_packed_libvirt_image_says_how_to_unpack_it() -> None:
    with pytest.raises(NotADump, match=r"tail -c \+493 vm.save \| zstd -dc > vm.save.stream"):
        opened(libvirt(b"anything", kind=5))


def test_a_libvirt_image_of_the_future_is_refused() -> None:
    with pytest.raises(FormatError, match="format 9"):
        opened(libvirt(b"anything", kind=9))


def test_the_machine_comes_from_the_xml_when_the_stream_names_none() -> None:
    raw = libvirt(Migration({"/objects/anything": 300}, [("/objects/anything", 3, RAM[3])], machine="").build())
    dump = opened(raw)
    assert (dump.facts().machine, dump.page(3)) == ("x86_64", RAM[3])


@pytest.mark.parametrize("behind_libvirt", [False, True])
def test_mapped_ram(behind_libvirt: bool) -> None:
    at = libvirt_start() if behind_libvirt else 0
    raw = Migration(BLOCKS, PAGES, capabilities=["mapped-ram"], cpus=[x86_cpu(0)], at=at).build()
    dump = opened(libvirt(raw, kind=6) if behind_libvirt else raw)
    assert [dump.page(n) for n in range(300)] == [content(p) for p in RAM]
    assert why(dump, 300) == "never-saved"
    assert dump.facts().complete
    assert [cpu.control["cr3"] for cpu in dump.cpus()] == [0x1234000]


def test_mapped_ram_cut_off() -> None:
    raw = Migration(BLOCKS, PAGES, capabilities=["mapped-ram"]).build()
    dump = opened(raw[: (1 << 20) + 100 * 4096])
    assert dump.page(99) == RAM[99]
    assert why(dump, 299) == "truncated"
    assert not dump.facts().complete


def test_numa_backends_follow_each_other() -> None:
    blocks = {"ram-node1": 10, "pc.bios": 2, "ram-node0": 20}
    pages = [(name, n, text_page(n + base)) for name, base in (("ram-node1", 100), ("ram-node0", 0)) for n in (0, 9)]
    dump = opened(Migration(blocks, pages))
    assert [dump.page(n) for n in (0, 9, 20, 29)] == [text_page(n) for n in (0, 9, 100, 109)]
    assert dump.ranges() == [(0, 30 * 4096)]


def test_ignored_shared_memory_has_an_address_more() -> None:
    dump = opened(Migration(BLOCKS, PAGES, capabilities=["x-ignore-shared"]))
    assert dump.page(299) == content(RAM[299])


def test_x86_cpus() -> None:
    dump = opened(Migration(BLOCKS, PAGES, cpus=[x86_cpu(0), x86_cpu(1, user=True)]))
    first, second = dump.cpus()
    assert (first.general["rax"], first.general["rsp"], first.general["rip"]) == (0x1000, 0x1004, 0x1010)
    assert (first.segments["gs"].base, first.segments["idt"].base) == (0x600000, 0xA00000)
    assert (second.control["cr3"], second.control["cr4"], second.control["efer"]) == (0x1234001, 0x6F0, 0xD01)
    assert (first.per_cpu_base, second.per_cpu_base) == (0x600000, 0xFFFF888000000001)


def test_aarch64() -> None:
    pages = [("mach-virt.ram", 3, text_page(3))]
    dump = opened(
        Migration({"mach-virt.ram": 10}, pages, machine="virt-9.1", page_bits=12, cpus=[arm_cpu(0), arm_cpu(1)])
    )
    assert dump.page(GIB // 4096 + 3) == text_page(3)
    assert dump.facts().machine == "aarch64"
    second = dump.cpus()[1]
    assert (second.general["x0"], second.general["pc"], second.general["pstate"]) == (1, 0xFFFF800008002000, 0x3C5)
    assert second.control == {"ttbr0": 0x40000000, "ttbr1": 0x41000001, "tcr": 0x500}


@pytest.mark.parametrize(
    "machine, size, low",
    [
        ("pc-q35-7.2", 2 * GIB, 2 * GIB),
        ("pc-q35-7.2", 0xB0000000, 0x80000000),
        ("pc-q35-7.2", 4 * GIB, 0x80000000),
        ("pc-i440fx-7.2", 3 * GIB, 3 * GIB),
        ("pc-i440fx-7.2", 0xE0000000, 0xC0000000),
        ("pc-i440fx-1.7", 4 * GIB, 0xE0000000),
        ("pc-1.0", 4 * GIB, 0xE0000000),
        ("microvm", 4 * GIB, 0xC0000000),
        ("", 8 * GIB, 0xC0000000),
    ],
)
def test_the_hole_below_4_gib(machine: str, size: int, low: int) -> None:
    placed = place(machine, size)
    assert placed[0] == (0, 0, low)
    assert placed[1:] == ([(4 * GIB, low, size - low)] if size > low else [])


def test_other_boards() -> None:
    assert place("virt", GIB, "aarch64") == [(GIB, 0, GIB)]
    assert place("virt", GIB, "riscv64") == [(2 * GIB, 0, GIB)]
    assert place("pseries", 9 * GIB, "ppc64") == [(0, 0, 9 * GIB)]
