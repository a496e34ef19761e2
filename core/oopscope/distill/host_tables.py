"""What `distill` writes of a paravirtualized guest of Xen: page tables that hold the guest's pages, not its host's.

So its file is one like others, without the host's list of pages. The kernel's own tables are followed from their root;
an entry whose page is not the guest's maps nothing there.
"""

from collections.abc import Callable, Set

from oopscope.arch import Level, Paging
from oopscope.errors import ReadError

Place = Callable[[int], int]


def at_home(
    paging: Paging, root: int, place: Place, kept: Set[int], page: Callable[[int], bytes], page_size: int = 4096
) -> dict[int, bytes]:
    """Return the page tables among the pages that are kept, by number, written anew.

    root: the physical address of the topmost table. place: from an address in an entry to the guest's.
    """
    found: dict[int, bytes] = {}
    numbers = {root // page_size}
    for level in paging.levels:
        below: set[int] = set()
        for number in numbers & kept - found.keys():
            found[number], tables = _rewritten(paging, level, place, page(number))
            below |= {address // page_size for address in tables}
        numbers = below
    return found


def _rewritten(paging: Paging, level: Level, place: Place, table: bytes) -> tuple[bytes, list[int]]:
    """Return one table with its entries placed, and the addresses of the tables that it names."""
    entries, tables = [], []
    for (entry,) in paging.entry.iter_unpack(table):
        new = entry
        if entry & level.present.mask == level.present.value:
            try:
                address = place(entry & level.address)
            except ReadError:
                new = 0
            else:
                new = entry & ~level.address | address
                if level.table is not None and entry & level.table.mask == level.table.value:
                    tables.append(address)
        entries.append(new)
    return b"".join(map(paging.entry.pack, entries)), tables
