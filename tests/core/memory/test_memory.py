"""Physical and virtual memory: reads within and across pages, caches that stay bounded, holes and their reasons."""

import struct
from typing import Any

import pytest

from core.kernel.fakes import Ram, memory_of
from oopscope.arch import Mapping
from oopscope.errors import Implausible, MissingPage, NotMapped, ReadError
from oopscope.memory import physical, virtual
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory


class Big:
    """A dump of 64 KiB pages, each filled with its own number."""

    page_size = 65536

    def __init__(self) -> None:
        self.reads: list[Any] = []

    def page(self, pfn: int) -> Any:
        self.reads.append(pfn)
        if pfn == 3:
            raise MissingPage(pfn << 16, "corrupt")
        return struct.pack("<I", pfn) * 16384


def ramp(pages: int = 4) -> Any:
    """Pages 1.. whose bytes tell where they are."""
    ram = Ram()
    for page in range(1, pages + 1):
        ram.put(page * 4096, bytes((page * 16 + i // 256) % 256 for i in range(4096)))
    return ram


class TestPhysical:
    def test_within_and_across_pages(self) -> None:
        ram = ramp()
        found = PhysicalMemory(ram)
        whole = b"".join(ram.page(n) for n in range(1, 5))
        for address, size in ((4096, 16), (4097, 4095), (8190, 4), (4096, 16384), (5000, 9000), (8192, 0)):
            assert found.read(address, size) == whole[address - 4096 : address - 4096 + size]

    def test_a_page_is_asked_for_once(self) -> None:
        ram = ramp()
        found = PhysicalMemory(ram)
        for _ in range(3):
            found.read(5000, 9000)
        assert ram.reads == [1, 2, 3]

    def test_a_missing_page_is_asked_for_once_and_says_why_each_time(self) -> None:
        found = PhysicalMemory(Big())
        for _ in range(3):
            with pytest.raises(MissingPage, match="damaged") as caught:
                found.read(0x3FFF8, 16)
            assert (caught.value.address, caught.value.reason) == (0x30000, "corrupt")
        assert found._dump.reads.count(3) == 1  # type: ignore[attr-defined]
        assert found.missing == {3: "corrupt"}

    def test_pages_of_other_sizes(self) -> None:
        found = PhysicalMemory(Big())
        assert found.page_size == 65536
        assert found.read(0x1FFFC, 8) == struct.pack("<II", 1, 2)
        assert found.read(0x50000, 4) == struct.pack("<I", 5)

    def test_the_cache_is_bounded(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(physical, "MAX_PAGES", 1 << 20)
        found = PhysicalMemory(Big())
        for pfn in range(4, 400):
            assert found.read(pfn << 16, 4) == struct.pack("<I", pfn)
            assert len(found._pages) <= 64
        assert found._dump.reads == list(range(4, 400))  # type: ignore[attr-defined]
        found.read(399 << 16, 4)
        assert len(found._dump.reads) == 396  # type: ignore[attr-defined]  # what was read last is still there

    def test_missing_pages_remembered_are_bounded(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(physical, "MAX_MISSING", 10)
        found = PhysicalMemory(Ram())
        for pfn in range(100):
            with pytest.raises(MissingPage):
                found.page(pfn)
        assert len(found.missing) == 10

    def test_what_a_search_misses_is_not_asked_for_in_vain(self) -> None:
        found = PhysicalMemory(Ram())
        with found.searching(), pytest.raises(MissingPage):
            found.page(1)
        assert found.missing == {}
        with pytest.raises(MissingPage):
            found.page(1)
        assert found.missing == {1: "excluded"}


class TestVirtual:
    @pytest.mark.parametrize("endian", ["<", ">"])
    @pytest.mark.parametrize("word", [4, 8])
    def test_numbers(self, endian: str, word: int) -> None:
        ram = Ram(endian, word)
        order = "little" if endian == "<" else "big"
        ram.put(0x10000 - 4, (0xFEDCBA9876543210).to_bytes(8, order))
        ram.put(0x20000, bytes(range(1, 33)))
        memory = memory_of(ram)
        assert memory.u32(0x20000) == int.from_bytes(bytes([1, 2, 3, 4]), order)
        across = 0xFEDCBA9876543210.to_bytes(8, order)
        assert memory.word(0x10000 - 4) == int.from_bytes(across[:word], order)
        assert memory.words(0x20000, 3) == tuple(
            int.from_bytes(bytes(range(1 + word * i, 1 + word * (i + 1))), order) for i in range(3)
        )
        assert memory.u8(0x20005) == 6
        ram.put(0x20100, (0xFFFFFFFE).to_bytes(4, order))
        assert memory_of(ram).s32(0x20100) == -2
        assert memory.s32(0x20000) == memory.u32(0x20000)
        assert memory.word_size == word
        assert memory.top == 1 << 8 * word

    def test_a_view_within_a_page_is_the_page_itself(self) -> None:
        memory = memory_of(ramp())
        buffer, at = memory.view(0x1010, 8)
        assert at == 0x10
        assert buffer is memory.view(0x1020, 8)[0]
        buffer, at = memory.view(0x1FFC, 8)
        assert (len(buffer), at) == (8, 0)

    def test_reads_across_pages(self) -> None:
        ram = ramp()
        memory = memory_of(ram)
        whole = b"".join(ram.page(n) for n in range(1, 5))
        assert memory.read(0x1234, 0x2222) == whole[0x234 : 0x234 + 0x2222]
        assert memory.read(0x1234, 0) == memory.read(0x1234, -5) == b""

    def test_the_first_address_that_cannot_be_read_is_told(self) -> None:
        memory = memory_of(ramp(2))
        with pytest.raises(MissingPage) as caught:
            memory.read(0x1800, 0x2000)
        assert caught.value.address == 0x3000

    def test_a_size_that_no_structure_has(self) -> None:
        with pytest.raises(Implausible, match="a read of 1099511627776 bytes at 0x1000"):
            memory_of(ramp()).read(0x1000, 1 << 40)

    @pytest.mark.parametrize("address", [-1, -4096, 1 << 64, (1 << 64) + 8])
    def test_what_is_no_address(self, address: int) -> None:
        with pytest.raises(NotMapped, match="not an address"):
            memory_of(ramp()).read(address, 8)
        with pytest.raises(ReadError):
            memory_of(ramp()).word(address)

    def test_beyond_the_last_address(self) -> None:
        ram = Ram()
        ram.put((1 << 64) - 4096, b"x" * 4096)
        memory = memory_of(ram)
        assert memory.read((1 << 64) - 8, 8) == b"x" * 8
        with pytest.raises(NotMapped):
            memory.read((1 << 64) - 8, 16)

    def test_strings(self) -> None:
        ram = Ram()
        ram.put(0x1000, b"short\0tail")
        ram.put(0x1FFA, b"across pages\0")
        ram.put(0x2FFE, b"cut")
        ram.put(0x4FFC, b"last")
        memory = memory_of(ram)
        assert memory.cstring(0x1000) == b"short"
        assert memory.cstring(0x1005) == b""
        assert memory.cstring(0x1FFA) == b"across pages"
        assert memory.cstring(0x1FFA, 4) == b"acro"
        assert memory.cstring(0x1FFA, 8) == b"across p"
        assert memory.cstring(0x4FFC) == b"last"  # memory ends before the string does
        with pytest.raises(MissingPage):
            memory.cstring(0x9000)

    def test_large_pages_are_looked_up_once(self) -> None:
        asked = []

        def translate(address: int) -> Any:
            asked.append(address)
            return Mapping(0x200000, 1 << 21)

        ram = Ram()
        ram.put(0x200000 + 0x5008, b"here")
        ram.put(0x200000 + 0x9000, b"there")
        memory = Memory(PhysicalMemory(ram), translate, 12, struct.Struct("<Q"))
        assert memory.read(0xFFFF888000005008, 4) == b"here"
        assert memory.read(0xFFFF888000009000, 5) == b"there"
        assert len(asked) == 1
        assert memory.translate(0xFFFF888000009123) == 0x200000 + 0x9123

    def test_a_gigabyte_page(self) -> None:
        ram = Ram()
        ram.put(0x40000000 + 0x2345678, b"deep")
        memory = Memory(PhysicalMemory(ram), lambda _a: Mapping(0x40000000, 1 << 30), 12, struct.Struct("<Q"))
        assert memory.read(0xFFFF888002345678, 4) == b"deep"

    def test_the_cache_is_bounded(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(virtual, "MAX_CACHED", 8)
        ram = ramp(40)
        memory = memory_of(ram)
        for page in range(1, 41):
            assert memory.u8(page << 12) == page * 16 % 256
            assert len(memory._pages) <= 8

    def test_a_dump_with_larger_pages_than_the_kernels(self) -> None:
        memory = Memory(PhysicalMemory(Big()), lambda a: Mapping(a & -4096, 4096), 12, struct.Struct("<Q"))
        assert memory.u32(0x2F000) == 2
        assert memory.read(0x1FFFC, 8) == struct.pack("<II", 1, 2)
