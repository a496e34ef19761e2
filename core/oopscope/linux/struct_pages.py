"""Where the struct page of each page frame lies. Follows include/asm-generic/memory_model.h and include/linux/mmzone.h.

SPARSEMEM_VMEMMAP has one array for all of memory, and a kernel that KASLR can move a variable for it; any SPARSEMEM has
an array for each section of memory, which with VMEMMAP are parts of the one; FLATMEM has mem_map.
"""

from collections.abc import Callable

from oopscope.errors import Absent, NotMapped
from oopscope.kernel.kernel import Kernel

FLAGS, HAS_MEM_MAP = 0xFFF, 1 << 1  # of section_mem_map: the array begins with a page
SECTION_SIZE_BITS = 27  # of x86_64, where VMCOREINFO does not say
SMALLEST, LARGEST = 20, 40
MAX_ROOTS = 1 << 18
MAX_FRAMES = 1 << 40


class StructPages:
    """The arrays of struct pages of one kernel."""

    def __init__(self, size: int, base: Callable[[int], int], top: int) -> None:
        """Take the size of a struct page, and what tells where page frame 0's would be in the array of a frame."""
        self.size, self.base, self._top = size, base, top

    def of(self, frame: int) -> int:
        """Return the address of a page frame's struct page; NotMapped where memory has no such frame, ReadError."""
        return (self.base(frame) + frame * self.size) % self._top

    def frame_of(self, address: int, near: int) -> int | None:
        """Return the frame of a struct page in the array of another frame; None for what is none of that array."""
        frame, rest = divmod((address - self.base(near)) % self._top, self.size)
        return frame if not rest and frame < MAX_FRAMES else None


def struct_pages(kernel: Kernel) -> StructPages:
    """Find the struct pages; Absent where this kernel's are not known."""
    size, top = kernel.types.sizeof("page"), kernel.memory.top
    base, variable = kernel.info.symbol("vmemmap"), kernel.find_symbol("vmemmap_base")
    if base is None and variable is not None:
        base = kernel.memory.word(variable)
    if base is not None:
        known = base
        return StructPages(size, lambda _frame: known, top)
    if kernel.find_symbol("mem_section") is not None:
        return StructPages(size, _Sections(kernel).base, top)
    first = kernel.find_symbol("mem_map")
    if first is None:
        raise Absent("where this kernel's struct pages lie is not known")
    array = kernel.memory.word(first)
    return StructPages(size, lambda _frame: array, top)


class _Sections:
    """The sections of memory by SPARSEMEM_EXTREME: a table of pages of struct mem_section, 83e3c48729d9 (4.15)."""

    def __init__(self, kernel: Kernel) -> None:
        memory, types = kernel.memory, kernel.types
        self._memory, self._size = memory, types.sizeof("mem_section")
        self._map_at = types.member("mem_section", "section_mem_map").offset
        bits = kernel.info.number("SECTION_SIZE_BITS") or SECTION_SIZE_BITS
        if not 0 < self._size <= memory.page_size or not SMALLEST <= bits <= LARGEST:
            raise Absent("this kernel's sections of memory are not known")
        self._frames, self._in_root = (1 << bits) // memory.page_size, memory.page_size // self._size
        self._roots = kernel.info.symbol("mem_section") or memory.word(kernel.symbol("mem_section"))
        self._lowest = kernel.machine.kernel_from(kernel)
        self._known: dict[int, int] = {}

    def base(self, frame: int) -> int:
        """Return where frame 0's struct page would be in the array of a frame's section; NotMapped for no section."""
        number = frame // self._frames
        if number not in self._known:
            self._known[number] = self._read(number)
        found = self._known[number]
        if not found:
            raise NotMapped(frame * self._memory.page_size, "no section of memory")
        return found

    def _read(self, number: int) -> int:
        root, index = divmod(number, self._in_root)
        if not 0 <= root < MAX_ROOTS:
            return 0
        page = self._memory.word(self._roots + root * self._memory.word_size)
        if page < self._lowest:
            return 0
        found = self._memory.word(page + index * self._size + self._map_at)
        return found & ~FLAGS if found & HAS_MEM_MAP else 0
