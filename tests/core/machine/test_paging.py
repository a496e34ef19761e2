"""x86_64 page tables made by hand: 4 and 5 levels, three sizes of page, what is not mapped, masks, loops; the table."""

import struct
from importlib import import_module

import pytest

from core.kernel.fakes import Ram
from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import MissingPage, NotMapped, Unsupported
from oopscope.kernel.machine import Machine
from oopscope.machine import arch, arch_of_machine, readable
from oopscope.memory.physical import PhysicalMemory

X86 = arch("x86_64")
FOUR, FIVE = X86.pagings["4-level"], X86.pagings["5-level"]
ROOT = 0x1000
PRESENT, WRITE, LARGE, NX, SME = 1, 2, 1 << 7, 1 << 63, 1 << 47
KERNEL = 0xFFFF888012345678
TEXT = 0xFFFFFFFF81234567


class Tables:
    """Page tables in written memory; each `map` makes the tables on its way."""

    def __init__(self, levels: int = 4, flags: int = PRESENT | WRITE | NX, sme: int = 0) -> None:
        self.ram, self.flags, self.sme = Ram(), flags, sme
        self.shifts = [48, 39, 30, 21, 12][5 - levels :]
        self.free = 0x2000
        self.ram.words(ROOT, 0)

    def entry(self, table: int, address: int, shift: int) -> int:
        return table + (address >> shift & 511) * 8

    def read(self, at: int) -> int:
        return struct.unpack("<Q", bytes(self.ram._pages.get(at >> 12, bytes(4096)))[at & 4095 : (at & 4095) + 8])[0]

    def map(self, address: int, physical: int, last: int = 12, entry_flags: int = 0) -> int:
        table = ROOT
        for shift in self.shifts:
            at = self.entry(table, address, shift)
            if shift == last:
                large = LARGE if shift > 12 else 0
                self.ram.words(at, physical | self.flags | self.sme | large | entry_flags)
                return at
            if not self.read(at) & PRESENT:
                self.ram.words(at, self.free | self.flags | self.sme)
                self.ram.words(self.free, 0)
                self.free += 0x1000
            table = self.read(at) & ~(self.flags | self.sme)
        raise AssertionError(last)

    def translate(self, paging: Paging, address: int, ignore: int = 0) -> Mapping:
        return paging.translate(ROOT, address, PhysicalMemory(self.ram).read, ignore)


@pytest.mark.parametrize("levels, paging", [(4, FOUR), (5, FIVE)])
@pytest.mark.parametrize("last, size", [(12, 1 << 12), (21, 1 << 21), (30, 1 << 30)])
@pytest.mark.parametrize("address", [KERNEL, TEXT, 0x7F0012345678, 0])
def test_pages_of_three_sizes(levels: int, paging: Paging, last: int, size: int, address: int) -> None:
    tables = Tables(levels)
    physical = 0x1C0000000 & -size
    tables.map(address, physical, last)
    assert tables.translate(paging, address) == Mapping(physical, size)
    assert tables.translate(paging, address & -size) == Mapping(physical, size)
    assert tables.translate(paging, address | size - 1) == Mapping(physical, size)
    with pytest.raises(NotMapped):
        tables.translate(paging, (address & -size) + size)


@pytest.mark.parametrize("levels, paging, bits", [(4, FOUR, 48), (5, FIVE, 57)])
@pytest.mark.parametrize("address", [KERNEL, TEXT, 0x7F0012345678, 0])
def test_an_address_with_other_upper_bits_is_no_alias(levels: int, paging: Paging, bits: int, address: int) -> None:
    tables = Tables(levels)
    tables.map(address, 0x5000)
    assert paging.is_canonical(address)
    for bit in range(bits, 64):
        assert not paging.is_canonical(address ^ 1 << bit)
        with pytest.raises(NotMapped, match="not canonical"):
            tables.translate(paging, address ^ 1 << bit)


def test_the_fifth_level_tells_addresses_apart() -> None:
    tables = Tables(5)
    tables.map(0xFF11000000000000, 0x5000)
    tables.map(0xFF12000000000000, 0x6000)
    assert tables.translate(FIVE, 0xFF11000000000000).start == 0x5000
    assert tables.translate(FIVE, 0xFF12000000000000).start == 0x6000


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_not_present_at_any_level(level: int) -> None:
    tables = Tables()
    at = tables.map(KERNEL, 0x7000)
    table = ROOT
    for shift in tables.shifts[: level + 1]:
        at = tables.entry(table, KERNEL, shift)
        table = tables.read(at) & 0xFFFFFFFFFF000
    tables.ram.words(at, tables.read(at) & ~PRESENT)
    with pytest.raises(NotMapped) as caught:
        tables.translate(FOUR, KERNEL)
    assert caught.value.address == KERNEL
    assert "not mapped" in str(caught.value)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_table_that_is_not_in_the_dump_is_told_from_what_is_not_mapped(level: int) -> None:
    tables = Tables()
    tables.map(KERNEL, 0x7000)
    table = ROOT
    for shift in tables.shifts[:level]:
        table = tables.read(tables.entry(table, KERNEL, shift)) & 0xFFFFFFFFFF000
    tables.ram.lose(table)
    with pytest.raises(NotMapped, match=r"its page table at 0x[0-9a-f]+ is unreadable: physical page"):
        tables.translate(FOUR, KERNEL)


@pytest.mark.parametrize("last", [12, 21])
def test_the_encryption_bit_is_no_address(last: int) -> None:
    """With memory encryption every entry has a high bit of the address set, of tables too."""
    tables = Tables(sme=SME)
    tables.map(KERNEL, 0x600000, last)
    assert tables.translate(FOUR, KERNEL, SME) == Mapping(0x600000, 1 << last)
    with pytest.raises(NotMapped):
        tables.translate(FOUR, KERNEL)


def test_pat_and_protection_bits_are_no_address() -> None:
    tables = Tables(flags=PRESENT | WRITE | NX | 1 << 62 | 1 << 59 | 0x178)  # PWT, PCD, accessed, dirty, global, keys
    tables.map(KERNEL, 0x40200000, 21, entry_flags=1 << 12)  # PAT of a large page
    assert tables.translate(FOUR, KERNEL) == Mapping(0x40200000, 1 << 21)


def test_tables_that_point_at_themselves_end() -> None:
    tables = Tables()
    tables.ram.words(ROOT, *[ROOT | PRESENT] * 512)
    assert tables.translate(FOUR, KERNEL) == Mapping(ROOT, 4096)  # its own table, as a page: four steps, no more
    assert tables.ram.reads == [1]  # one page, from the cache


def test_a_root_that_is_missing() -> None:
    with pytest.raises(NotMapped, match="unreadable"):
        FOUR.translate(0x999000, KERNEL, PhysicalMemory(Ram()).read)


READ = list(readable().items())


@pytest.mark.parametrize("key, module", READ)
def test_a_line_of_the_table(key: str, module: str) -> None:
    found = arch(key)
    assert isinstance(found, Arch)
    assert found is import_module(f"{module}.arch").ARCH
    assert {found.name, key} <= set(found.machines)
    assert {found.pc, found.sp, found.fp} <= set(found.prstatus.names)
    assert isinstance(import_module(found.module).MACHINE, Machine)
    for paging in found.pagings.values():
        shifts = [level.shift for level in paging.levels]
        assert shifts == sorted(shifts, reverse=True)
        assert paging.levels[-1].table is None
        for upper, lower in zip(paging.levels, paging.levels[1:], strict=False):
            assert lower.shift + lower.bits == upper.shift
        assert paging.levels[-1].shift in (found.page_shift, 12, 14, 16)


def test_by_machine_name() -> None:
    assert arch_of_machine("x86_64") is arch_of_machine("amd64") is X86
    with pytest.raises(Unsupported, match="machine 'vax' is not supported yet; known: x86_64"):
        arch_of_machine("vax")


def test_registers_of_a_note() -> None:
    names = X86.prstatus.names
    desc = bytes(X86.prstatus.first) + struct.pack(f"<{len(names)}Q", *range(100, 100 + len(names)))
    found = X86.registers(desc)
    assert found["r15"] == 100
    assert found["rip"] == 100 + names.index("rip")
    assert X86.registers(desc + bytes(8)) == found
    assert X86.registers(desc[:-1]) is None
    assert X86.registers(b"") is None


def test_missing_page_is_no_mapping_error() -> None:
    """What a mapped page's own absence raises is another thing, and says why."""
    tables = Tables()
    tables.map(KERNEL, 0x7000000)
    physical = PhysicalMemory(tables.ram)
    mapping = FOUR.translate(ROOT, KERNEL, physical.read)
    with pytest.raises(MissingPage, match="filtered out"):
        physical.read(mapping.start, 8)
