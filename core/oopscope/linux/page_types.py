"""How a struct page says what its page is: by a page type, by flags, by the lowest bits of its mapping.

Follows include/linux/{mm_types,page-flags}.h. Whether a page is a slab's is a flag of it up to 6.9, and its type since
(46df8e73a4a3 "mm: free up PG_slab", 6.10). A type is a bit that is clear (4.18), a number in the word's top byte since
6.12; before enum pagetype VMCOREINFO names some. It reads one struct at a time and knows no frames: where they lie is
others' business.
"""

from collections.abc import Callable
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.memory.virtual import Memory
from oopscope.structs.plan import Plan

# enum pagetype's names, and what VMCOREINFO calls the same where there is none.
_TYPES = (
    ("buddy", "free"),
    ("offline", "offline"),
    ("table", "page table"),
    ("hugetlb", "huge"),
    ("slab", "slab"),
    ("unaccepted", "free"),
    ("zsmalloc", "other kernel"),
    ("large_kmalloc", "other kernel"),
)
_BASE = 0xF0000000  # PAGE_TYPE_BASE
_BUDDY = 0x80  # PG_buddy from 4.18 on, where VMCOREINFO does not say
MAX_KNOWN, _PERHAPS_HUGE = 1 << 14, "perhaps huge"
_MASK = (1 << 64) - (1 << 32)  # what is above is no place among struct pages but a mask, since 7.1


class PageStruct(NamedTuple):
    """The members of struct page that tell what it is."""

    flags: int
    compound: int
    mapping: int
    private: int
    page_type: int
    refcount: int


PAGE = Plan(
    "page",
    PageStruct,
    flags=("flags.f", "flags"),  # 53fbef56e07d "mm: introduce memdesc_flags_t", 6.18
    compound=("compound_info", "compound_head"),  # 7.1
    refcount="_refcount.counter",
)


class PageTypes:
    """What the words of a struct page mean in this kernel."""

    def __init__(self, kernel: Kernel, memory: Memory) -> None:
        """Take the memory that further structs are read from; Absent where this kernel's flags are not known."""
        bits = {name: bit for name, bit in kernel.types.enum("pageflags").items() if 0 <= bit < 64}
        if "PG_reserved" not in bits:
            raise Absent("this kernel's struct page is not known")
        self._reserved = 1 << bits["PG_reserved"]
        self._slab = 1 << bits["PG_slab"] if "PG_slab" in bits else 0
        self._compound = 1 << bits["PG_head"] if "PG_head" in bits else 1
        self._type = _types_of(kernel)
        self._huge = _find_huge(kernel, memory, bits)
        self._told = self._slab | self._reserved | self._compound
        self._known: dict[tuple[int, int], str] = {}

    def plain(self, flags: int, page_type: int, mapping: int) -> str | None:
        """Return the kind of a page, no tail's, where these members tell it by themselves; None where they do not.

        Much is asked of many pages: what their type and flags say together is reckoned once.
        """
        key = page_type, flags & self._told
        kind = self._known.get(key)
        if kind is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            page = PageStruct(flags, 0, mapping, 0, page_type, 0)
            kind = self._known[key] = self.of_type(page) or self._by_flags(flags)
        if kind:
            return kind if kind != _PERHAPS_HUGE else None
        return "anonymous" if mapping & 1 else "cache" if mapping and not mapping & 3 else "other kernel"

    def _by_flags(self, flags: int) -> str:
        return "reserved" if flags & self._reserved else _PERHAPS_HUGE if flags & self._compound else ""

    def of_type(self, page: PageStruct) -> str | None:
        """Return the kind that a page's type says, or the flag that was one; None for a page without a type."""
        kind = self._type(page.page_type)
        return kind if kind is not None else "slab" if page.flags & self._slab else None

    def kind(self, address: int, page: PageStruct) -> str:
        """Return the kind of the page whose struct, no tail's, lies at an address; other kernel where nothing tells."""
        kind = self.of_type(page)
        if kind is not None:
            return kind
        if page.flags & self._reserved:
            return "reserved"
        if page.flags & self._compound and self._is_huge(address):
            return "huge"
        if page.mapping & 1:
            return "anonymous"  # also what KSM shares (3)
        return "cache" if page.mapping and not page.mapping & 3 else "other kernel"

    def _is_huge(self, address: int) -> bool:
        try:
            return self._huge(address)
        except ReadError:
            return False


def head_of(address: int, page: PageStruct) -> int:
    """Return the first struct of a compound page, from any of its structs: a pointer to it, or (7.1) a mask."""
    if not page.compound & 1:
        return address
    return address & page.compound if page.compound >= _MASK else page.compound - 1


def page_types(kernel: Kernel) -> PageTypes:
    """Return what the words of a struct page mean."""
    return PageTypes(kernel, kernel.memory)


def _find_huge(kernel: Kernel, memory: Memory, bits: dict[str, int]) -> Callable[[int], bool]:
    """Return how a huge page is told by the second of its structs, where it has no page type of its own."""
    types, read, value = kernel.types, memory.u8, kernel.info.number("HUGETLB_PAGE_DTOR")
    if "PG_hugetlb" in bits:  # 6.6 .. 6.8, d99e3140a4d3 "mm: turn folio_test_hugetlb into a PageType"
        at, bit = types.sizeof("page") + bits["PG_hugetlb"] // 8, 1 << bits["PG_hugetlb"] % 8
        return lambda page: read(page + at) & bit != 0
    if value is not None and types.has_member("page", "compound_dtor"):
        at = types.sizeof("page") + types.member("page", "compound_dtor").offset
        return lambda page: read(page + at) == value
    return lambda _page: False


def _types_of(kernel: Kernel) -> Callable[[int], str | None]:
    """Return what tells a kind by page_type: a number in its top byte (6.12), a bit that is clear before (4.18)."""
    try:
        enum = kernel.types.enum("pagetype")
    except OopscopeError:
        enum = {}
    numbers = {enum[f"PGTY_{name}"]: kind for name, kind in _TYPES if f"PGTY_{name}" in enum}
    if numbers:
        return lambda value: numbers.get(value >> 24)
    base, bits = enum.get("PAGE_TYPE_BASE", _BASE) & 0xFFFFFFFF, {}
    for name, kind in _TYPES:
        value = kernel.info.number(f"PAGE_{name.upper()}_MAPCOUNT_VALUE")
        bit = enum.get(f"PG_{name}", ~value & 0xFFFFFFFF if value is not None else 0)
        if name == "buddy":
            bit = bit or _BUDDY
        # no number in VMCOREINFO; it moved with 18b2db3b0385 "mm: Convert page kmemcg type to a page memcg flag", 5.11
        if name == "table" and not bit:
            bit = 0x200 if kernel.types.has_member("page", "memcg_data") else 0x400
        bits[bit] = kind
    bits.pop(0, None)

    def kind_of(value: int) -> str | None:
        if value & base != base or value == 0xFFFFFFFF:
            return None
        return next((kind for bit, kind in bits.items() if not value & bit), None)

    return kind_of
