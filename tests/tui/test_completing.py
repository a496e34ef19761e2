"""What `:` offers while a line is typed: the best first, bounded work, and text of a dump as text."""

from typing import Any

import pytest

from cases import case_of
from core.commands.test_crash_words import LINES
from oopscope.report.card import card_text
from oopscope.subsystems.cards import card
from oopscope_tui.places import Place
from oopscope_tui.prompt import fuzzy
from oopscope_tui.prompt.commands import understand
from oopscope_tui.prompt.completing import Completer
from oopscope_tui.reading.store import Store
from tui.driving import LARGE, SMALL, enter, lines, press, running, settle, tap, text
from tui.fake import TABLES, Fake, Module, Task, tasks
from tui.test_hostile import NASTY, nasty_fake

PANES = [("overview", "Overview"), ("tasks", "Tasks"), ("memory", "Memory"), ("meminfo", "Meminfo"), ("log", "Log")]


def store(**rows: list[Task]) -> Store:
    made = Store()
    for key, (_, columns, read) in TABLES.items():
        made.add(key, list(rows.get(key, read())), columns, True, "")
    return made


def found(line: str, made: Any = None) -> Completer:
    completer = Completer(line, made or store(), PANES)
    while completer.work():
        pass
    return completer


def shown(line: str, made: Any = None) -> list[str]:
    return [one.choice.shown for one in found(line, made).rows()]


@pytest.mark.parametrize(
    ("pattern", "word", "fit"),
    [("ins", "insmod", fuzzy.BEGINS), ("241", "241 insmod", fuzzy.EXACT), ("ins", "241 insmod", fuzzy.WORD),
     ("mod", "insmod", fuzzy.INSIDE), ("imd", "insmod", fuzzy.GAPS), ("insmod", "INSMOD", fuzzy.EXACT)],
)  # fmt: skip
def test_how_a_match_fits(pattern: str, word: str, fit: int) -> None:
    match = fuzzy.match(pattern, word)
    assert match.fit == fit
    assert "".join(word[at] for at in match.positions).lower() == pattern


@pytest.mark.parametrize(("pattern", "word"), [("domsni", "insmod"), ("x", ""), ("ad", "a" + "-" * 50 + "d")])
def test_what_does_not_match(pattern: str, word: str) -> None:
    assert fuzzy.match(pattern, word) is None


def test_a_letter_that_grows_when_lowered_shifts_nothing() -> None:
    match = fuzzy.match("abc", "\u0130\u0130 abc")
    assert match.positions == (3, 4, 5)


@pytest.mark.parametrize(
    ("line", "first"),
    [("mem", "memory"), ("insm", "241 insmod"), ("lab", "labcrash"), ("241", "241 insmod"), ("c1", "cpu 1"),
     ("99999", "99999"), ("do_init", "do_init"), ("do_init_module", "do_init_module"), ("cache-7", "cache-7"),
     ("them", "theme NAME"), ("theme l", "light"), ("bt insm", "241 insmod"), ("mod le_3", "module_3"),
     ("explain watim", "watchdog-timer"), ("mod zzz", "zzz"),
     ("quit", "quit"), ("zzz", "zzz")],
)  # fmt: skip
def test_the_best_comes_first(line: str, first: str) -> None:
    assert shown(line)[0] == first


def test_a_symbol_is_looked_up_as_typed_before_one_that_only_begins_so() -> None:
    assert shown("do_init")[:2] == ["do_init", "do_init_module"]
    assert found("do_init").offer() == "do_init_module"
    assert found("bt insm").offer() == "bt 241"


def test_nothing_is_offered_for_nothing_and_after_a_command_that_takes_nothing() -> None:
    assert shown("") == shown("  ") == []
    assert shown("write x") == ["write x"]


@pytest.mark.thorough
def test_a_hundred_thousand_tasks_are_gone_through_in_slices() -> None:
    made = store(tasks=tasks(100_000))
    completer = Completer("kworker", made, PANES)
    assert completer.work(0.0)  # one step, and more to do
    assert completer.found < 200
    while completer.work():
        pass
    assert completer.found == sum("kworker" in row.comm for row in made.feed("tasks").rows)
    assert len(completer.rows()) <= 41


async def test_the_list_is_shown_chosen_from_and_left() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "colon", *"kworker")
        listed = [line for line in lines(app) if "kworker" in line and " task " in line and "──" not in line]
        assert len(listed) == 8
        assert listed[0].startswith(" ►2 kworker/1:1")
        assert "Enter goes" in text(app)
        await press(app, pilot, "down", "down", "up", "enter")
        assert app.pane.here() == Place("tasks", 3, True)
        assert not app.asking.choices.display
        await press(app, pilot, "colon", *"kw", "escape")
        assert "Enter goes" not in text(app)
        assert app.pane.here() == Place("tasks", 3, True)


async def test_tab_completes_and_what_was_typed_before_comes_back() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "colon", *"lab_r", "tab")
        assert app.prompt_line.text == "lab_read_balance"
        await press(app, pilot, "enter")
        assert app.pane.here() == Place("symbol", "lab_read_balance")
        await enter(app, pilot, ":", "log")
        await press(app, pilot, "colon", "up", "up")
        assert app.prompt_line.text == "lab_read_balance"
        await press(app, pilot, "down", "enter")
        assert app.pane.key == "log"


async def test_enter_takes_the_best_for_what_is_no_name_of_anything() -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "insm")
        assert app.pane.here() == Place("tasks", 241, True)
        await enter(app, pilot, ":", "no_such_symbol")
        assert app.pane.here() == Place("symbol", "no_such_symbol")


async def test_a_command_that_needs_more_waits_for_it() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "colon", *"theme", "enter")
        assert app.prompt_line.text == "theme "
        await press(app, pilot, "escape", "colon", *"them", "enter")
        assert app.prompt_line.text == "theme "
        assert "dark text on a light ground" in text(app)
        await press(app, pilot, "down", "down", "enter")
        assert app.paint.name == "light"
        assert "theme light" in text(app)


async def test_a_click_takes_a_row() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "colon", *"module_")
        await pilot.click(app.asking.choices, offset=(5, 3))
        await press(app, pilot)
        assert app.pane.here() == Place("modules", "module_2", True)


@pytest.mark.parametrize("size", [SMALL, (30, 8)], ids=str)
async def test_names_from_a_dump_are_text(size: tuple[int, int]) -> None:
    async with running(nasty_fake(), size=size) as (app, pilot):
        for typed in ("x", "bt ", "mod ", "slab ", "sym "):
            await press(app, pilot, "colon")
            for key in typed:
                await tap(app, pilot, key)
            await press(app, pilot)
            for strip in app.lines_on_screen():
                assert strip.cell_length == size[0]
                assert not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in strip.text)
            await press(app, pilot, "escape")


async def test_a_module_with_a_space_in_its_name_is_found_by_choosing_it() -> None:
    rows = [Module(name or "m", 1, 2, None, (), "live", "") for name in ("two words", *NASTY)]
    async with running(Fake(rows={"modules": lambda: rows})) as (app, pilot):
        await press(app, pilot, "colon", *"two", "enter")
        assert app.pane.here() == Place("modules", "two words", True)


async def test_what_is_being_chosen_stays_while_more_is_found() -> None:
    async with running(Fake(rows={"tasks": lambda: tasks(3000)})) as (app, pilot):
        await press(app, pilot, "colon", *"kw", "down")
        asking = app.asking
        chosen, asking._completer = asking.choices.chosen, Completer("kw", app.store, app.known_panes())
        asking._complete()
        assert asking.choices.moved
        assert asking.choices.chosen is chosen
        await press(app, pilot, "o")
        assert not asking.choices.moved
        assert asking.choices.at == 0


async def test_what_is_not_there_is_said_and_the_place_stays() -> None:
    async with running(size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "log")
        for line, words in (
            ("gdb", "gdb is not there"),
            ("ps -y 1", "ps -y: "),
            ("dis -s do_exit", "source lines"),
            ("ps | grep UN", "no pipes here"),
            ("bt -a > /tmp/x", "no files here"),
            ("!ls", "Ctrl-Z"),
            ("foo bar", "no command foo"),
        ):
            await enter(app, pilot, ":", line)
            assert app.pane.key == "log"
            assert words in text(app)
        await enter(app, pilot, ":", "help ps")
        assert "ps [PID | NAME]" in text(app) and app.pane.key == "help" and "by when they last ran" in text(app)
        await press(app, pilot, "escape", "question_mark")
        assert "Keys of Log" in text(app)


async def test_a_command_narrows_the_list_and_esc_widens_it_again() -> None:
    async with running(size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "ps -k")
        assert app.pane.key == "tasks"
        rows = [app.pane.main.view.row(at) for at in range(len(app.pane.main.view))]
        assert rows and all(row.kernel_thread for row in rows)
        await press(app, pilot, "escape")
        assert len(app.pane.main.view) > len(rows)
        await enter(app, pilot, ":", "ps -m")
        assert app.pane.main.sorted_by.key == "since_last_run_seconds"


async def test_a_topic_with_a_blank_in_its_name_is_explained() -> None:
    """It was offered, and chosen it said that nothing is said of its last word."""
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "colon", *"explain Call", "space", *"Trace", "enter")
        assert app.pane.key == "explain"
        assert "Call Trace" in text(app)
        completer = Completer("explain Call Tr", app.store, PANES)
        while completer.work():
            pass
        assert "Call Trace" in completer.offer()


async def test_an_expression_is_a_card() -> None:
    async with running(size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "p task(1).mm.total_vm")
        assert app.pane.here() == Place("card", "value:task(1).mm.total_vm")
        assert "565" in text(app) and "Expression" in text(app)


async def test_an_empty_line_offers_what_fits_here_and_what_was_typed_last() -> None:
    async with running(size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "241")
        await press(app, pilot, "colon")
        shown = [one.choice.shown for one in app.asking.choices.rows]
        assert shown[0].startswith("241")
        assert {"bt 241", "files 241", "ps -m"} <= set(shown)
        assert all(one.choice.what for one in app.asking.choices.rows[1:])
        await press(app, pilot, "up")
        assert app.prompt_line.text.startswith("241")
        await tap(app, pilot, "escape")
        assert not app.prompt_line.is_open


async def test_a_line_with_options_says_in_a_sentence_what_it_does() -> None:
    rows = found("bt -a").rows()
    assert rows[0].choice.what == "the stack of a task or of a CPU: every CPU's"
    assert "source lines" in found("dis -l do_exit").rows()[0].choice.what


async def test_a_message_is_told_in_full_at_80_columns() -> None:
    async with running(size=SMALL) as (app, pilot):
        await enter(app, pilot, ":", "ps | grep UN")
        told = " ".join(line.strip() for line in lines(app)[-2:])
        assert told.endswith("oopscope COMMAND PATH | grep WORD") and told.startswith("no pipes here")
        app.status.quiet()
        await settle(app, pilot)
        assert "q quit" in lines(app)[-1]


async def test_whatis_says_what_a_name_is_whichever_it_is() -> None:
    for name, word in (("jiffies", "Symbol"), ("list_head", "Bytes")):
        kernel = case_of("6.1-null").kernel
        assert word in card_text(card(kernel, "whatis", name))
    assert understand("whatis jiffies", PANES) == Place("card", "whatis:jiffies")


def test_none_of_crashs_lines_is_taken_for_a_symbol_at_the_prompt() -> None:
    meant = {"sym", "kmem", "whatis"}
    taken = [line for line in LINES if understand(line, PANES) == Place("symbol", line.split()[0])]
    assert [line for line in taken if line.split()[0] not in meant] == []
    assert len(LINES) > 400
