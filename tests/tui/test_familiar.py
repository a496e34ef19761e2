"""What fingers that know less, vim and k9s press first, and what must then not happen."""

import pytest
from textual.events import Key

from tui.driving import LARGE, SMALL, enter, lines, press, running, settle


@pytest.mark.parametrize(
    ("opener", "label"), [("slash", " /"), ("f", " filter:"), ("colon", " :"), ("w", " write to:")]
)
async def test_ctrl_c_leaves_a_prompt_and_not_the_program(opener: str, label: str) -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", opener, "i")
        assert lines(app)[-1].startswith(label)
        await press(app, pilot, "ctrl+c")
        assert not app.prompt_line.is_open
        assert app.return_value is None
        assert app.pane.main.scan is None and app.pane.main.filter_text == ""
        await press(app, pilot, "ctrl+c")
        assert app.return_value == 0


async def test_a_search_that_finds_nothing_leaves_the_cursor_where_it_was() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g", "j", "j", "j")
        await press(app, pilot, "slash", "i", "n", "s", "m")
        assert app.pane.main.cursor != 3
        await press(app, pilot, "x")
        assert app.pane.main.cursor == 3
        await press(app, pilot, "enter")
        assert "no match" in lines(app)[2]
        assert app.pane.main.cursor == 3


@pytest.mark.parametrize("opener", ["question_mark", "e"])
async def test_q_leaves_the_keys_and_an_explanation_for_the_place(opener: str) -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g", opener)
        assert app.pane.key in ("help", "explain")
        assert "q back" in lines(app)[-1]
        await press(app, pilot, "q")
        assert app.pane.key == "tasks"
        assert app.return_value is None
        assert "q quit" in lines(app)[-1]
        await press(app, pilot, "q")
        assert app.return_value == 0


async def test_keys_typed_ahead_of_the_help_are_not_the_logs() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "5", "g")
        for key, character in (("question_mark", "?"), ("c", "c")):
            app.post_message(Key(key, character))
        await settle(app, pilot)
        assert app.pane.key == "help"
        await press(app, pilot, "escape")
        assert app.pane.key == "log"
        assert "only" not in lines(app)[2]


async def test_each_line_of_the_help_has_its_own_key() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "c", "escape", "5", "question_mark")
        shown = [app.pane.main.words(row).split("  ") for row in app.pane.main.view.rows]
        written = {words[-1].strip(): words[0].strip() or words[1].strip() for words in shown if len(words) > 1}
        assert written["to the next error or oops"] == "]"
        assert written["to the previous one"] == "["


async def test_l_is_the_right_arrow_but_in_the_log_the_levels() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g", "l")
        assert app.pane.opened
        await press(app, pilot, "h")
        assert not app.pane.opened
        await press(app, pilot, "5", "l")
        assert "warnings and worse" in lines(app)[2]
        assert "→ l" not in "".join(key.shown for key in app.pane.active.KEYS)


async def test_the_filter_says_what_it_takes() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "f")
        assert "column:value" in lines(app)[-1]


async def test_how_much_was_copied_is_not_what_a_narrow_screen_cuts() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "enter", "Y")
        count = app.clipboard.count("\n") + 1
        assert f"copied {count} lines: " in lines(app)[-2]
        await press(app, pilot, "y")
        assert "copied" in lines(app)[-2] and "lines:" not in lines(app)[-2]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_the_crashing_stack_is_copied_by_one_key_from_the_first_pane(size: tuple[int, int]) -> None:
    async with running(size=size) as (app, pilot):
        await enter(app, pilot, "/", "lab_init")
        await press(app, pilot, "Y")
        copied = app.clipboard.split("\n")
        assert "Stack of CPU 1" in copied[0]
        assert "exception" in copied[1] and "lab_read_balance" in copied[2]
        assert "entry_SYSCALL_64_after_hwframe" in copied[-1]


async def test_enter_on_a_line_that_leads_nowhere_says_so() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "2", "enter")
        await enter(app, pilot, "/", "^ *rip")
        assert app.pane.active.link is None
        before = app.pane.here()
        await press(app, pilot, "enter")
        assert "nothing to open on this line" in lines(app)[-2]
        assert app.pane.here() == before
