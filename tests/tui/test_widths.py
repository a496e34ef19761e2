"""Nothing is cut beside blanks: on the demo, at each size, in each place."""

import pytest

from oopscope.bundled import bundled_path
from oopscope_tui.places import Place
from tui.driving import Opened, running, settle

SIZES = ((80, 24), (120, 36), (160, 48), (220, 60))
FREE = 10  # cells
PLACES = ("overview", "cpus", "interrupts", "tasks", "memory", "slabs", "sockets", "modules", "waits", "disks")
MORE = ("overview", "tasks", "log", "stacks", "timeline", "waits")  # of another demo


def cut_beside_blanks(rows: list[str]) -> list[str]:
    """The parts of lines, as the rule between two views divides them, that are cut and end in so many free cells."""
    parts = [part for row in rows[2:-2] for part in row.split("│")]
    bare = [(part, part.rstrip(" ▐█")) for part in parts]
    cut = [told for part, told in bare if "…" in told and len(part) - len(told) >= FREE]
    return [told for told in cut if "▸" not in told]  # a fold's "from … to" is no cut


@pytest.mark.thorough
@pytest.mark.parametrize(("demo", "places"), [("null-pointer", PLACES), ("deadlock", MORE)])
async def test_nothing_is_cut_beside_ten_free_cells(demo: str, places: tuple[str, ...]) -> None:
    async with running(Opened(), SIZES[0], [bundled_path(demo)]) as (app, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            for key in places:
                await app.go(Place(key))
                await settle(app, pilot)
                rows = ["".join(segment.text for segment in strip) for strip in app.lines_on_screen()]
                assert not cut_beside_blanks(rows), (size, key)
