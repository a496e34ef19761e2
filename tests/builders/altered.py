"""Dumps with something changed: a container that hands on what another holds, less or more some of it."""

from collections.abc import Callable, Iterator

from oopscope.boot.attach import attach
from oopscope.dumps import Dump, Facts, Note, open_path
from oopscope.errors import MissingPage
from oopscope.kernel.kernel import Kernel
from oopscope.notes import CpuState
from stored import DUMPS


class Altered:
    """A dump without some page frames (`holes`), with others put in or over (`pages`), its bytes passed through
    `change`, and, if `bare`, as a plain image of memory would be: without notes, CPUs and facts.
    """

    def __init__(
        self,
        dump: Dump,
        holes: set[int] | None = None,
        pages: dict[int, bytes] | None = None,
        change: Callable[[int, bytes], bytes] | None = None,
        bare: bool = False,
    ) -> None:
        self._dump, self._holes, self._pages, self._bare = dump, holes or set(), pages or {}, bare
        self._change = change or (lambda _pfn, page: page)
        self.page_size = dump.page_size

    def page(self, pfn: int) -> bytes:
        if pfn in self._holes:
            raise MissingPage(pfn * self.page_size, "excluded")
        return self._change(pfn, self._pages[pfn] if pfn in self._pages else self._dump.page(pfn))

    def ranges(self) -> list[tuple[int, int]]:
        return self._dump.ranges()

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        for pfn in sorted({a // self.page_size for a, _ in self._dump.blocks()} | set(self._pages)):
            if pfn not in self._holes:
                yield pfn * self.page_size, self.page(pfn)

    def notes(self) -> Iterator[Note]:
        return iter(()) if self._bare else self._dump.notes()

    def cpus(self) -> list[CpuState]:
        return [] if self._bare else self._dump.cpus()

    def facts(self) -> Facts:
        facts = self._dump.facts()
        if self._bare:
            facts.phys_base = facts.machine = facts.release = None
        return facts


def stored(name: str) -> Dump:
    """Open a dump of those that lie with the tests."""
    return open_path(DUMPS / name)


def changed(name: str, *changes: Callable[[Kernel], tuple[int, bytes]]) -> Kernel:
    """Open a stored dump with some bytes in place of others: a change gives an address and what is to be there."""
    dump = stored(f"{name}.kdump")
    kernel, pages = attach(dump, lambda _text: None), dict[int, bytearray]()
    for change in changes:
        address, data = change(kernel)
        at = kernel.memory.translate(address)
        page = pages.setdefault(at >> 12, bytearray(dump.page(at >> 12)))
        page[at & 4095 : (at & 4095) + len(data)] = data
    return attach(Altered(dump, pages={number: bytes(page) for number, page in pages.items()}), lambda _text: None)
