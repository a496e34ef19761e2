"""Every key that `?` lists, pressed in every pane of the demo dump: each does what it says."""

import pytest

from oopscope.cli.demo import demo_path
from oopscope.subsystems import TABLES, table
from oopscope_tui.panes import SPECIAL, views
from oopscope_tui.places import Place
from oopscope_tui.settings import keys
from oopscope_tui.settings.keys import Key
from tui import checks_everywhere as everywhere
from tui import checks_of_lists as lists
from tui import checks_of_panes as panes
from tui.driving import LARGE, SMALL, Opened, paint, running
from tui.stage import Check, Stage

CHECKS: dict[str, Check] = {
    "section(1)": lists.sections,
    "section(-1)": lists.sections,
    "columns": lists.chooses,
    "blocked": panes.blocked,
    "tree": panes.trees,
    "fold_or_page": panes.folds_or_pages,
    "fold": panes.folds,
    "unfold": panes.folds,
    "times": panes.times,
    "level(1)": panes.levels,
    "oops": panes.oops,
    "trouble(1)": panes.troubles(1),
    "trouble(-1)": panes.troubles(-1),
    "follow": panes.follows,
    "fold_all": panes.folds_all,
    "wrap": panes.wraps,
    "app.command_palette": everywhere.palette,
    "app.explain": everywhere.explains,
    "move(1)": lists.moves(1),
    "move(-1)": lists.moves(-1),
    "page(1)": lists.pages(1),
    "page(-1)": lists.pages(-1),
    "half(1)": lists.halves(1),
    "half(-1)": lists.halves(-1),
    "edge(0)": lists.edges(0),
    "edge(1)": lists.edges(1),
    "app.prompt('search')": everywhere.prompts("search"),
    "app.prompt('filter')": everywhere.prompts("filter"),
    "app.prompt('goto')": everywhere.prompts("goto"),
    "app.prompt('write')": everywhere.prompts("write"),
    "hit(1)": lists.hits(1),
    "hit(-1)": lists.hits(-1),
    "open": lists.opens,
    "aside(1)": lists.aside(1),
    "aside(-1)": lists.aside(-1),
    "app.back": everywhere.back,
    "app.copy": everywhere.copies,
    "app.copy_all": everywhere.copies_all,
    "app.help": everywhere.helps,
    "app.leave": everywhere.leaves,
    "app.quit": everywhere.calls("exit"),
    "app.suspend_process": everywhere.calls("action_suspend_process"),
    "app.repaint": everywhere.calls("action_repaint"),
    "": everywhere.numbers,
    "app.next_view(1)": everywhere.next_views(1),
    "app.next_view(-1)": everywhere.next_views(-1),
    "app.next_pane(1)": everywhere.neighbours(1),
    "app.next_pane(-1)": everywhere.neighbours(-1),
    "sort(1)": lists.sorts(1),
    "sort(-1)": lists.sorts(-1),
    "reverse": lists.reverses,
}

PLACES = [
    *(Place(view.key) for view in views([table(key) for key, _ in TABLES])),
    *(
        Place("cpus", None, True),
        Place("tasks", 1, True),
        Place("log", None, True),
        Place("modules", None, True),
    ),
    *(Place("symbol", "do_idle"), Place("help"), Place("struct", "task_struct@init_task"), Place("words", "init_task")),
    *(Place("code", "do_idle"), Place("explain", "cause:null-pointer-dereference")),
]
EACH = 6  # places are gone to in one run of the screen
OF_A_SIZE = PLACES[::2], PLACES[1::2]
RUNS = [half[at : at + EACH] for half in OF_A_SIZE for at in range(0, len(half), EACH)]

# The places of the generic pane, and the keys that do the same there whatever its rows are: one in TURNS is pressed in
# each of them, in the next one another. So are, everywhere, the keys that no place knows of. All else is pressed
# everywhere.
GENERIC = [place for place in PLACES if place.pane not in {one.key for one in SPECIAL}]
ALIKE = {
    "", "app.next_view(1)", "app.next_view(-1)", "app.next_pane(1)", "app.next_pane(-1)", "app.prompt('goto')",
    "app.command_palette", "app.back", "app.help", "app.leave", "app.quit", "app.suspend_process", "app.repaint",
    "move(1)", "move(-1)", "page(1)", "page(-1)", "half(1)", "half(-1)", "edge(0)", "edge(1)", "app.prompt('search')",
    "app.prompt('write')", "hit(1)", "hit(-1)", "app.prompt('filter')", "columns", "reverse", "sort(-1)", "aside(-1)",
}  # fmt: skip
ELSEWHERE = {"app.command_palette", "app.quit", "app.suspend_process", "app.repaint"}
TURNS = 4


def named(place: Place) -> str:
    return f"{place.pane}{'-detail' if place.open else ''}"


def is_pressed(place: Place, turn: int, key: Key) -> bool:
    """Tell whether a key has its turn in a place."""
    known = key.action not in ALIKE or (place not in GENERIC and key.action not in ELSEWHERE)
    among = GENERIC if place in GENERIC else PLACES
    return known or (among.index(place) + turn) % TURNS == 0


def test_every_key_has_its_turn_on_small_and_large_screens() -> None:
    for turn, key in enumerate((*keys.TABLE, *keys.LINES, *keys.EVERYWHERE)):
        pressed = [PLACES.index(place) % 2 for place in GENERIC if is_pressed(place, turn, key)]
        assert len(pressed) >= len(GENERIC) // TURNS and {*pressed} == {0, 1}, key


@pytest.mark.thorough
@pytest.mark.parametrize("places", RUNS, ids=lambda places: ",".join(map(named, places)))
async def test_every_key(places: list[Place]) -> None:
    """Of several names of a key all are bound to it, and one is pressed, in each place another."""
    async with running(Opened(), (SMALL, LARGE)[PLACES.index(places[0]) % 2], [demo_path()]) as (app, pilot):
        for place in places:
            await every_key(Stage(app, pilot, place))


async def every_key(stage: Stage) -> None:
    at = PLACES.index(stage.place)
    await stage.begin()
    for turn, key in enumerate((*stage.lines.KEYS, *keys.EVERYWHERE)):
        if not is_pressed(stage.place, turn, key):
            continue
        names = key.keys.split(",")
        await stage.begin()
        bound = stage.app.screen.active_bindings
        assert all(bound[name].binding.action == key.action for name in names if key.action), (stage.place, key)
        await CHECKS[key.action](stage, names[(at + turn) % len(names)])
        paint(stage.app)


def test_no_check_is_of_a_key_that_is_gone() -> None:
    tables = (
        table for name, table in keys.TABLES.items() if name not in ("columns", "dumps")
    )  # test_columns and test_folder press theirs
    assert set(CHECKS) == {key.action for table in tables for key in table}
