"""Memory that a test writes word by word, and a kernel made of it: symbols, stacks and unwinding tables by hand."""

import struct
from collections.abc import Callable
from typing import Any

from oopscope.arch import Mapping
from oopscope.errors import MissingPage, NoMember, NoSymbol, NoType
from oopscope.kernel.kernel import Name
from oopscope.kernel.once import reader
from oopscope.kernel.problems import Problems
from oopscope.machine.x86_64.machine import MACHINE
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.structs.layout import Member

PAGE = 4096


class Ram:
    """A dump of the pages that were written; all others are missing."""

    page_size = PAGE

    def __init__(self, endian: str = "<", word: int = 8) -> None:
        self._pages: dict[Any, Any] = {}
        self.endian, self.word = endian, word
        self.reads: list[Any] = []

    def put(self, address: int, data: bytes) -> None:
        """Write bytes, making the pages that they touch."""
        for i, byte in enumerate(data):
            self._pages.setdefault(address + i >> 12, bytearray(PAGE))[address + i & PAGE - 1] = byte

    def words(self, address: int, *values: int) -> None:
        """Write pointer-sized numbers, one after the other."""
        code = "Q" if self.word == 8 else "I"
        self.put(address, struct.pack(f"{self.endian}{len(values)}{code}", *(v % (1 << 8 * self.word) for v in values)))

    def lose(self, address: int) -> None:
        """Take a page out again."""
        del self._pages[address >> 12]

    def page(self, pfn: int) -> bytes:
        self.reads.append(pfn)
        if pfn not in self._pages:
            raise MissingPage(pfn << 12, "excluded")
        return bytes(self._pages[pfn])


def memory_of(ram: Ram) -> Memory:
    """An address space in which every virtual address is its own physical one."""
    word = struct.Struct(ram.endian + ("Q" if ram.word == 8 else "I"))
    return Memory(PhysicalMemory(ram), lambda address: Mapping(address & -PAGE, PAGE), 12, word)


class FakeTypes:
    """Structs by name: (size, members by path)."""

    def __init__(self, **structs: tuple[int, dict[str, Member]]) -> None:
        self._structs = structs

    def sizeof(self, name: str) -> int:
        if name not in self._structs:
            raise NoType(name)
        return self._structs[name][0]

    def member(self, name: str, path: str) -> Member:
        self.sizeof(name)
        if path not in self._structs[name][1]:
            raise NoMember(name, path)
        return self._structs[name][1][path]


class FakeKernel:
    """A kernel of written memory; `known` answers in place of what it would read."""

    def __init__(
        self,
        ram: Ram | None = None,
        symbols: Any = (),
        known: dict[Callable[..., Any], Any] | tuple[()] = (),
        types: FakeTypes | None = None,
    ) -> None:
        self.ram = ram or Ram()
        self.memory = memory_of(self.ram)
        self.endian = self.ram.endian
        self.problems = Problems()
        self.types = types or FakeTypes()
        self.machine = MACHINE
        self._symbols, self._known = dict(symbols), dict(known)
        self._places = sorted((address, name) for name, address in self._symbols.items())

    def find_symbol(self, name: str) -> int | None:
        return self._symbols.get(name)

    def symbol(self, *names: str) -> int:
        for name in names:
            if name in self._symbols:
                return self._symbols[name]
        raise NoSymbol(" or ".join(names))

    def name_of(self, address: int) -> Name | None:
        below = [(at, name) for at, name in self._places if at <= address < at + 0x1000]
        return Name(below[-1][1], address - below[-1][0], None) if below else None

    def bind(self, plan: Any) -> Any:
        return plan.bind(self.types, self.memory, self.endian)

    def cached(self, read: Callable[..., Any]) -> Any:
        if read not in self._known:
            self._known[read] = reader(read)(self)
        return self._known[read]
