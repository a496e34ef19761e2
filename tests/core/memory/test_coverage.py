"""The strip of a memory map: equal shares of RAM, by the container's own counts, whatever the machine's size."""

from itertools import pairwise
from typing import Any

import pytest

from builders.kdump import EXCLUDED, Kdump
from cases import DUMPS
from oopscope.dumps import PlacedDump, open_path
from oopscope.dumps.kdump import open as open_kdump
from oopscope.memory.coverage import Cell, strip
from oopscope.sources.file import BytesSource

TIB = 1 << 40


def placed(*stretches: Any) -> Any:
    return PlacedDump("raw", [], BytesSource(b""), stretches)


class Blocks:
    """A machine whose ranges and counts are computed, so that none of it is stored anywhere."""

    page_size = 4096

    def __init__(self, ranges: Any) -> None:
        self._ranges = ranges
        self.asked = 0

    def ranges(self) -> Any:
        return self._ranges

    def saved_in(self, start: int, end: int) -> Any:
        self.asked += 1
        return (end - start) // 2


def test_equal_shares_of_ram_go_on_behind_a_hole() -> None:
    dump = placed((0, 0x3000, 0), (0x10000, 0x12000, -1), (0x12000, 0x15000, 0x3000))
    assert strip(dump, 4) == [Cell(0, 2, 2, 2), Cell(2, 17, 1, 2), Cell(17, 19, 1, 2), Cell(19, 21, 2, 2)]
    assert strip(dump, 1) == [Cell(0, 21, 6, 8)]
    assert [c.ram for c in strip(dump, 3)] == [2, 3, 3]


def test_no_more_cells_than_pages_and_none_without_ram() -> None:
    assert strip(placed((0x5000, 0x7000, 0)), 80) == [Cell(5, 6, 1, 1), Cell(6, 7, 1, 1)]
    assert strip(placed(), 80) == strip(placed((0, 4096, 0)), 0) == strip(placed((0, 4096, 0)), -1) == []


def test_a_kdump_counts_by_its_bitmaps() -> None:
    pages = {n: (EXCLUDED if n % 3 else bytes([n]) * 4096) for n in range(10, 70)}
    dump = open_kdump([BytesSource(Kdump(pages).build(), "vmcore")])
    assert strip(dump, 2) == [Cell(10, 40, 10, 30), Cell(40, 70, 10, 30)]


def test_a_container_that_cannot_count() -> None:
    class Uncounted:
        page_size = 65536

        def ranges(self) -> Any:
            return [(0, 1 << 20)]

    assert strip(Uncounted(), 2) == [Cell(0, 8, None, 8), Cell(8, 16, None, 8)]


@pytest.mark.parametrize("cells", [1, 64, 160, 1000])
def test_cells_cover_all_ram_once(cells: int) -> None:
    dump = open_path(DUMPS / "6.1-null.kdump")
    found, facts = strip(dump, cells), dump.facts()
    assert len(found) == cells
    assert sum(c.ram for c in found) == facts.pages_total
    assert sum(c.held for c in found) == facts.pages_saved  # type: ignore[misc]
    assert max(c.ram for c in found) - min(c.ram for c in found) <= 1
    assert all(a.end_pfn <= b.start_pfn for a, b in pairwise(found))


def test_terabytes_cost_a_count_a_cell() -> None:
    dump = Blocks([(0, 3 << 30), (4 << 30, 64 * TIB), (128 * TIB, 192 * TIB)])
    found = strip(dump, 160)
    assert dump.asked == len(found) == 160
    assert sum(c.ram for c in found) * 4096 == sum(end - start for start, end in dump.ranges())
