"""Kinds of page by struct pages written for each stored kernel's own types; counts, samples, what is not to be had."""

import struct
from typing import Any

import pytest

from cases import case_of
from core.kernel.fakes import memory_of
from oopscope.errors import Absent, MissingPage
from oopscope.kernel.once import reader
from oopscope.linux import page_kinds as module
from oopscope.linux.page_kinds import PageStructs, page_kinds
from oopscope.symbols.vmcoreinfo import VmcoreInfo

KERNELS = ("5.10-sysrq", "6.1-null", "6.12-sysrq", "7.2-sysrq", "7.3-oom")
BASE, IMAGE, BASE_AT = 0x100000000000, 0x200000, 0x7000000000
MAPPING = 0xFFFF888001234560
UNSET = 0xFFFFFFFF
OLD_TYPES = {"buddy": 0x80, "offline": 0x100}


class Machine:
    """A kernel of one real BTF whose array of struct pages a test writes; the array is where it is mapped."""

    def __init__(self, name: str, structs: Any, ranges: Any, saved: Any = lambda start, end: end - start) -> None:
        real = case_of(name).kernel
        self.types, self.endian, self.info, self.arch = real.types, real.endian, real.info, real.arch
        self._member = self.types.member
        self.size = self.types.sizeof("page")
        self.info = VmcoreInfo({key: v for key, v in self.info.raw.items() if key != "SYMBOL(vmemmap)"})
        self._structs, self._ranges, self._saved = structs, ranges, saved
        self.page_size, self.word, self.dump, self.known = 4096, 8, self, {}  # type: ignore[var-annotated]
        self.memory = memory_of(self)

    def page(self, number: int) -> Any:
        if number == BASE_AT >> 12:
            return struct.pack("<Q", BASE).ljust(4096, b"\0")
        if number < BASE >> 12:
            raise MissingPage(number << 12, "excluded")
        first = (number - (BASE >> 12)) * 4096 // self.size
        found = [self._structs(self, pfn) for pfn in range(first, first + 64)]
        if None in found:
            raise MissingPage(number << 12, "excluded")
        return b"".join(found)

    def ranges(self) -> Any:
        return self._ranges

    def saved_in(self, start: int, end: int) -> Any:
        return self._saved(start, end)

    def find_symbol(self, name: str) -> Any:
        return {"vmemmap_base": BASE_AT, "_text": IMAGE, "_end": IMAGE + 0x4000}.get(name)

    def cached(self, read: Any) -> Any:
        if read not in self.known:
            self.known[read] = reader(read)(self)
        return self.known[read]

    # Struct pages.

    def struct(self, *flags: Any, head: int = 0, mapping: int = 0, private: int = 0, kind: str | int = UNSET) -> Any:
        """One struct page, its members where this kernel has them."""
        bits = self.types.enum("pageflags")
        values = {
            "flags": (sum(1 << bits[flag] for flag in flags), "<Q"),
            "compound_info" if self.types.has_member("page", "compound_info") else "compound_head": (head, "<Q"),
            "mapping": (mapping, "<Q"),
            "private": (private, "<Q"),
            "page_type": (kind, "<I"),
        }
        raw = bytearray(self.size)
        for name, (value, layout) in values.items():
            struct.pack_into(layout, raw, self._member("page", name).offset, value)
        return bytes(raw)

    def of_type(self, name: str, **more: Any) -> Any:
        """One whose page type says what it is."""
        if self.types.has_member("page", "compound_dtor"):  # before 6.12
            old = OLD_TYPES | {"table": 0x200 if self.types.has_member("page", "memcg_data") else 0x400}
            return self.struct(kind=UNSET & ~old[name], **more)
        return self.struct(kind=self.types.enum("pagetype")[f"PGTY_{name}"] << 24 | 0xFFFFFF, **more)

    def slab(self, *flags: Any) -> Any:
        """The first struct of a slab of several pages."""
        if "PG_slab" in self.types.enum("pageflags"):
            return self.struct("PG_slab", "PG_head", *flags, mapping=MAPPING)
        return self.of_type("slab")

    def huge(self, pfn: int) -> Any:
        """The structs of a huge page that begins at a frame."""
        if not self.types.has_member("page", "compound_dtor"):
            return self.of_type("hugetlb", mapping=MAPPING)
        if pfn % 2 == 0:
            return self.struct("PG_head", mapping=MAPPING)
        raw = bytearray(self.struct(head=BASE + (pfn - 1) * self.size | 1))
        raw[self._member("page", "compound_dtor").offset] = self.info.number("HUGETLB_PAGE_DTOR")  # type: ignore[assignment]
        return bytes(raw)


def every_kind(m: Any, pfn: int) -> Any:
    """Unit 0: one of each; unit 1: not to be had; units 2 and 3: one free block."""
    if 64 <= pfn < 128:
        return None
    if 128 <= pfn < 256:
        return m.of_type("buddy", private=7) if pfn == 128 else m.struct(kind=0 if pfn % 2 else UNSET)
    written = {
        0: lambda: m.struct("PG_reserved"),
        1: lambda: m.struct("PG_lru", "PG_uptodate", mapping=MAPPING),
        2: lambda: m.struct("PG_swapbacked", mapping=MAPPING | 1),
        3: lambda: m.struct("PG_swapbacked", mapping=MAPPING | 3),
        4: lambda: m.slab(),
        5: lambda: m.struct(head=BASE + 4 * m.size | 1),
        6: lambda: m.of_type("table"),
        7: lambda: m.of_type("offline"),
        8: lambda: m.of_type("buddy", private=2),
        12: lambda: m.huge(12),
        13: lambda: m.huge(13),
        14: lambda: m.struct(mapping=MAPPING | 2),
        15: lambda: m.struct(head=BASE + 40 * m.size | 1),  # of a page behind it
        16: lambda: m.struct("PG_head", mapping=MAPPING | 1),
        17: lambda: m.struct(head=BASE + 16 * m.size | 1),
    }
    return written[pfn]() if pfn in written else m.struct()


EXPECTED = [
    *("reserved", "cache", "anonymous", "anonymous", "slab", "slab", "page table", "offline"),
    *(["free"] * 4),
    *("huge", "huge", "other kernel", "unknown", "anonymous", "anonymous"),
]


@pytest.mark.parametrize("name", KERNELS)
class TestKinds:
    def test_every_kind(self, name: str) -> None:
        structs = PageStructs(Machine(name, every_kind, []))
        assert structs.kinds(0, 64) == EXPECTED + ["other kernel"] * 46

    def test_a_free_block_goes_on_into_other_units(self, name: str) -> None:
        structs = PageStructs(Machine(name, every_kind, []))
        assert structs.kinds(192, 64) == ["free"] * 64
        assert structs.kinds(150, 8) == ["free"] * 8
        assert structs.kinds(256, 4) == ["other kernel"] * 4

    def test_the_first_page_tells_of_a_free_block_whose_other_structs_are_lost(self, name: str) -> None:
        lost = lambda m, pfn: None if 192 <= pfn < 256 else every_kind(m, pfn)  # noqa: E731
        structs = PageStructs(Machine(name, lost, []))
        assert structs.kinds(128, 64) == structs.kinds(192, 64) == ["free"] * 64

    def test_the_image_is_told_from_what_else_is_reserved(self, name: str) -> None:
        structs = PageStructs(Machine(name, lambda m, pfn: m.struct("PG_reserved" if pfn % 2 else "PG_locked"), []))
        first = IMAGE >> 12
        assert structs.kinds(first, 6) == ["other kernel", "kernel image"] * 2 + ["other kernel", "reserved"]

    def test_counts_and_what_of_it_is_held(self, name: str) -> None:
        ranges = [(0, 256 << 12), (1 << 32, (1 << 32) + 4096)]
        found = page_kinds(Machine(name, every_kind, ranges, lambda start, end: (end - start) // 8192 * 4096))
        assert found.part == 1
        assert sum(share.pages for share in found.shares) == 257
        shares = {share.kind: share[1:] for share in found.shares}
        assert shares["free"] == (4 + 128, 2 + 64)
        assert shares["unknown"] == (65, 32)
        assert shares["slab"] == (2, 1)
        assert shares["page table"] == (1, 0)


def test_a_mask_leads_to_the_first_page() -> None:
    """Since 7.1 a tail's word may be a mask of its struct's address: structs are aligned as their pages are."""

    def structs(m: Any, pfn: int) -> Any:
        return m.slab() if pfn == 8 else m.struct(head=(1 << 64) - 8 * m.size | 1)

    found = PageStructs(Machine("7.2-sysrq", structs, []))
    assert found.kinds(8, 8) == ["slab"] * 8


def test_a_bit_for_each_type_as_in_6_11(monkeypatch: pytest.MonkeyPatch) -> None:
    m = Machine("6.1-null", lambda m, pfn: m.struct(kind=kinds[pfn % 4]), [])  # type: ignore[has-type]
    base, enum = 0x80000000, {"PG_buddy": 0x40000000, "PG_table": 0x10000000, "PG_slab": 0x02000000}
    kinds = [UNSET & ~enum["PG_slab"], UNSET & ~enum["PG_table"], UNSET, 3]
    real = m.types.enum
    monkeypatch.setattr(m.types, "enum", lambda e: {**enum, "PAGE_TYPE_BASE": base} if e == "pagetype" else real(e))
    assert PageStructs(m).kinds(0, 4) == ["slab", "page table", "other kernel", "other kernel"]


def test_a_sample_of_a_large_machine_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tib, read = 1 << 40, []

    def structs(m: Any, pfn: int) -> Any:
        if pfn >= (1 << 27) + (1 << 26):  # the last quarter
            return m.struct("PG_lru", mapping=MAPPING)
        return m.struct("PG_reserved")

    monkeypatch.setattr(module, "MAX_UNITS", 200)
    m = Machine("6.1-null", lambda m, pfn: read.append(pfn) or structs(m, pfn), [(0, tib)], lambda start, end: 0)  # type: ignore[func-returns-value]
    monkeypatch.setattr(PageStructs, "find_array", lambda self, ranges: None)
    found = page_kinds(m)
    shares = {share.kind: share.pages for share in found.shares}
    assert found.part == pytest.approx(200 * 64 * 4096 / tib)
    assert sum(shares.values()) == pytest.approx(tib / 4096, rel=0.001)
    assert shares["cache"] == pytest.approx(tib / 4096 / 4, rel=0.02)
    assert len(set(read)) < 200 * 64 * 12


class TestHostile:
    """What lies in a damaged kernel's types and a damaged dump's ranges ends in one clear reason, at once."""

    @pytest.mark.parametrize("size", [0, 8, 1 << 40])
    def test_a_struct_page_of_no_such_size(self, size: int, monkeypatch: Any) -> None:
        m = Machine("6.1-null", every_kind, [(0, 1 << 20)])
        monkeypatch.setattr(m.types, "sizeof", lambda _name: size)
        with pytest.raises(Absent, match="struct page"):
            page_kinds(m)

    @pytest.mark.parametrize("bit", [-1, 64, 1 << 40])
    def test_a_flag_beyond_the_word(self, bit: int, monkeypatch: Any) -> None:
        m = Machine("6.1-null", every_kind, [])
        monkeypatch.setattr(m.types, "enum", lambda _name: {"PG_reserved": bit, "PG_slab": bit})
        with pytest.raises(Absent):
            page_kinds(m)

    def test_ram_without_an_end(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(module, "MAX_SECTIONS", 4)
        monkeypatch.setattr(module, "MAX_UNITS", 8)
        found = page_kinds(Machine("6.1-null", lambda m, pfn: None, [(0, 1 << 62)], lambda start, end: 0))
        assert [share.kind for share in found.shares] == ["unknown"]


def test_the_array_itself_is_told() -> None:
    m = Machine("6.1-null", lambda m, pfn: m.struct("PG_reserved"), [(BASE, BASE + (1 << 20))])
    structs = PageStructs(m)
    structs.find_array([(0, 8 << 12)])
    assert structs.kinds(BASE >> 12, 2) == ["struct page"] * 2
    assert structs.kinds((BASE >> 12) + 512, 1) == ["reserved"]


def test_the_array_is_where_vmcoreinfo_says() -> None:
    m = Machine("6.12-sysrq", every_kind, [])
    m.find_symbol = {"vmemmap_base": 0x1000}.get  # type: ignore[assignment, method-assign]  # unreadable
    m.info.raw["SYMBOL(vmemmap)"] = f"{BASE:x}"
    assert PageStructs(m).kinds(0, 2) == ["reserved", "cache"]


def test_without_an_array() -> None:
    m = Machine("6.1-null", every_kind, [])
    m.find_symbol = lambda _name: None  # type: ignore[assignment, method-assign]
    m.info = VmcoreInfo({})
    with pytest.raises(Absent, match="struct pages lie is not known"):
        page_kinds(m)
