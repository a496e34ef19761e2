"""What the dump holds of the machine's memory: a strip over physical memory, and each kind of page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oopscope_tui.look import theme
from oopscope_tui.look.text import ABSENT, clean, fit
from oopscope_tui.look.values import human_bytes
from oopscope_tui.panes.base import empty
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store
from oopscope_tui.widgets.textview import Line, line, wrapped

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Cell

CELLS = 192  # of the strip: four lines of a wide screen
PAGE = 4096  # until the dump says what its pages are
DENSITY = "·░▒▓█"  # nothing held, up to all
KINDS = " pages"  # how the coverage table names a kind of page
LABEL = 14  # cells of an address


def held_lines(store: Store, width: int) -> list[Line]:
    """Return the strip with its legend, then how much of each kind of page is held."""
    lines = [
        line((" In the dump", theme.TITLE), "  of physical memory, from the lowest address on", link=Place("coverage"))
    ]
    answer = store.answer("strip", CELLS)
    if answer is None or answer.value is None:
        return [*lines, *empty(answer.why if answer else "reading", width)]
    cells = answer.value
    if not cells:
        return [*lines, *empty("the dump does not say where RAM is", width)]
    if cells[0].held is None:
        return [*lines, *empty("this kind of dump does not say which pages it holds", width)]
    size = store.facts.page_size if store.facts is not None else PAGE
    each, part = human_bytes(cells[0].ram * size), DENSITY[3:0:-1]
    legend = f"a cell is {each}: {DENSITY[-1]} all of it is in the dump, {part} part, {DENSITY[0]} nothing"
    lines += [*strip_lines(cells, size, width), *wrapped(legend, width, theme.DIM, "   ", "   ")]
    return [*lines, *_kinds(store, width)]


def strip_lines(cells: "Sequence[Cell]", size: int, width: int) -> list[Line]:
    """Return the cells in lines, each behind the address of its first."""
    room = max(16, min(96, (width - LABEL - 4) // 16 * 16))
    lines = []
    for at in range(0, len(cells), room):
        row = cells[at : at + room]
        drawn = "".join(_mark(cell) for cell in row)
        lines.append(line((f"  {row[0].start_pfn * size:#{LABEL}x} ", theme.DIM), drawn))
    return lines


def _mark(cell: "Cell") -> str:
    """The density of one cell: nothing and all are only what they say."""
    if not cell.held:
        return DENSITY[0]
    if cell.held >= cell.ram:
        return DENSITY[-1]
    return DENSITY[1 + min(2, 3 * cell.held // cell.ram)]


def _kinds(store: Store, width: int) -> list[Line]:
    lines = []
    for row in store.coverage:
        if not (row.what or "").endswith(KINDS) or not row.size:
            continue
        held = ABSENT if row.saved is None else f"{100 * row.saved / row.size:.0f} %"
        text = f"   {fit(clean(row.what.removesuffix(KINDS)), 15)}{human_bytes(row.size):>6}{held:>8} held  "
        cells = min(width - len(text) - 1, 40)
        full = min(cells, round(cells * (row.saved or 0) / row.size)) if cells > 0 else 0
        bar = [("■" * full, theme.PLAIN), ("·" * max(0, cells - full), theme.DIM)]
        lines.append(line(text, *bar, link=Place("coverage", row.what, True)))
    return lines
