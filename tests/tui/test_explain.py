"""What `e` says: every cause and every column has its words, and what is selected is explained first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import oopscope.triage.rules
from oopscope.explain import KINDS, Topic, every_topic, heading_of, named, text_of, texts
from oopscope.explain.log_lines import kind_of
from oopscope.subsystems import TABLES, table
from oopscope_tui.panes.explain import explained_at, topics_asked
from oopscope_tui.places import Place
from oopscope_tui.reading.here import Seen, topics
from oopscope_tui.reading.store import Store
from tui.driving import LARGE, SMALL, enter, lines, press, running, text
from tui.fake import Fake
from tui.test_hostile import NASTY, nasty_fake

CAUSES = {
    "null-pointer-dereference", "bad-page-fault", "general-protection-fault", "kernel-bug", "invalid-opcode",
    "external-dump", "unknown",
}  # fmt: skip


def causes() -> list[str]:
    """Every slug that a rule writes beside a category."""
    import ast

    found = set(CAUSES)
    for path in Path(oopscope.triage.rules.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "verdict" and len(node.args) > 1:
                found |= {one.value for one in ast.walk(node.args[1]) if isinstance(one, ast.Constant)}  # type: ignore[misc]
    return sorted(found)


def test_every_rule_names_a_cause() -> None:
    known = [f'"{cause}"' for cause in causes()]
    for rule in oopscope.triage.rules.RULES:
        source = Path(oopscope.triage.rules.__file__).with_name(f"{rule}.py").read_text()
        assert any(cause in source for cause in known), rule


@pytest.mark.parametrize("cause", causes())
def test_every_cause_is_explained(cause: str) -> None:
    words = text_of(Topic("cause", cause))
    assert words is not None
    assert words.means
    assert words.how
    assert words.look


@pytest.mark.parametrize("key", [key for key, _ in TABLES])
def test_every_column_is_explained(key: str) -> None:
    for column in table(key).columns:
        assert text_of(Topic("column", f"{key}.{column.key}")), f"{key}.{column.key} wants a line in explain/columns.py"


def test_no_column_is_explained_that_is_not_there() -> None:
    there = {f"{key}.{column.key}" for key, _ in TABLES for column in table(key).columns}
    plain = {name.partition(".")[2] for name in there}
    for name in texts("column"):
        table_key = name.partition(".")[0]
        assert name in there or name in plain or table_key in ("problems", "dumps")


def test_every_kind_has_its_file_and_every_text_its_words() -> None:
    folder = Path(__file__).parents[2] / "core" / "oopscope" / "explain"
    modules = {module.rpartition(".")[2] for _, _, module in KINDS}
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "also"} == modules
    for topic in every_topic():
        words = text_of(topic)
        assert words.means.endswith((".", "0.")), topic
        assert all("  " not in part and part == part.strip() for part in words), topic
        assert heading_of(topic.kind)


@pytest.mark.parametrize(
    ("line", "kind"),
    [("BUG: kernel NULL pointer dereference, address: 0000000000000018", "BUG: NULL pointer"),
     ("BUG: unable to handle page fault for address: ffffa1", "BUG: page fault"),
     ("watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [x:1]", "BUG: soft lockup"),
     ("Oops: 0002 [#1] PREEMPT SMP NOPTI", "Oops"), ("Call Trace:", "Call Trace"), (" <TASK>", "Call Trace"),
     ("RIP: 0010:lab+0x5/0x10 [lab]", "RIP"), ("RSP: 0018:ffffc900 EFLAGS: 00010246", "registers"),
     ("CPU: 1 PID: 241 Comm: insmod Tainted: G  OE", "CPU and PID"),
     ("INFO: task mkdir:232 blocked for more than 10 seconds.", "blocked task"),
     ("---[ end trace 0000000000000000 ]---", "end trace"), ("usb 1-1: new high-speed USB device", None)],
)  # fmt: skip
def test_kinds_of_log_lines(line: str, kind: str | None) -> None:
    assert kind_of(line) == kind


def test_a_place_says_what_it_explains_and_a_word_finds_its_things() -> None:
    asked = [Topic("state", "D"), Topic("column", "tasks.pid")]
    assert topics_asked(explained_at(asked).key) == asked
    assert Topic("cause", "deadlock") in topics_asked("Deadlock")
    assert {topic.kind for topic in named("D")} == {"state", "taint"}
    assert topics_asked("qqq") == []


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
async def test_the_selected_thing_comes_first(size: tuple[int, int]) -> None:
    async with running(size=size) as (app, pilot):
        await press(app, pilot, "e")
        assert "Cause: null-pointer-dereference" in lines(app)[3]
        assert "Look at next" in text(app)
        await press(app, pilot, "escape")
        assert app.pane.key == "overview"
        await press(app, pilot, "3", "D", "e")
        assert "Task state: D" in lines(app)[3]
        await press(app, pilot, "e", "escape")
        assert app.pane.key == "tasks"
        await press(app, pilot, "2", "e")
        assert "CPU: panic" in lines(app)[3]
        await press(app, pilot, "9", "9", "e")
        assert "Taint: " in lines(app)[3]
        await press(app, pilot, "5", "e")
        assert "Kind of log line: BUG: NULL pointer" in lines(app)[3]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
async def test_what_is_selected_on_the_overview_comes_first_and_escape_finds_the_place_again(
    size: tuple[int, int],
) -> None:
    async with running(size=size) as (app, pilot):
        assert app.pane is not None
        text_of_verdict = app.pane.main
        while "Stack of CPU" not in text_of_verdict.words(text_of_verdict.row):
            await press(app, pilot, "j")
        before, place = lines(app), (text_of_verdict.top, text_of_verdict.cursor)
        await press(app, pilot, "e")
        assert "CPU: panic" in lines(app)[3]
        assert "Cause: null-pointer-dereference" in "\n".join(lines(app)[4:])
        await press(app, pilot, "escape")
        assert (text_of_verdict.top, text_of_verdict.cursor) == place
        assert lines(app) == before
        await press(app, pilot, "j", "e")
        assert "Sign: ►" in lines(app)[3]


async def test_the_memory_pane_explains_its_counters() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "4")
        await press(app, pilot, "e")
        assert "Memory: MemAvailable" in lines(app)[3]
        assert "Memory: Shmem" in text(app)
        assert "Zone: low" in text(app)
        assert "Sign: " not in text(app)


async def test_a_word_can_be_asked_for() -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "explain soft-lockup")
        assert "Cause: soft-lockup" in lines(app)[3]
        await enter(app, pilot, ":", "explain MemFree")
        assert "Memory: MemFree" in lines(app)[3]
        await press(app, pilot, "escape", "escape")
        assert app.pane.key == "overview"


async def test_where_nothing_is_said_of_it_that_is_told() -> None:
    fake = Fake(rows={"odd": list})
    async with running(fake) as (app, pilot):
        await enter(app, pilot, ":", "odd")
        await press(app, pilot, "e")
        assert "nothing is said of this" in text(app)


async def test_a_hostile_dump_is_explained_too() -> None:
    async with running(nasty_fake()) as (app, pilot):
        for key in "1234567":
            await press(app, pilot, key)
            await press(app, pilot, "e")
            assert all(strip.cell_length == 80 for strip in app.lines_on_screen())


def test_whatever_a_row_holds_there_is_no_fault() -> None:
    class Row:
        state = level = name = taint = 5
        text = None

    for pane in ("tasks", "cpus", "log", "memory", "meminfo", "system", "zones", "modules", "overview"):
        for odd in (*NASTY, "[" * 5000, "── ── " * 999, "rax 0 " * 999):
            topics(pane, Row(), [Seen(odd), Seen(odd, Place("meminfo", odd))], [odd], Store())
        topics(pane, None, [], [], Store())


# Words in capitals that are no terms: what usage writes for an argument, units, crash's words for states.
PLAIN = {
    "ADDRESS", "COUNT", "FUNCTION", "ID", "NAME", "PATH", "TYPE", "GB", "MB", "IN", "UN", "RU", "RT", "OE", "FU",
    "FZPU", "FRAME", "VALUE", "MEMBER", "TEXT", "HEAD", "ONESHOT", "SQPOLL",
}  # fmt: skip


def own_texts() -> Iterator[str]:
    """All that the program says of things and of its commands."""
    from oopscope.cli import COMMANDS as SHELL
    from oopscope.commands.register import COMMANDS

    for topic in every_topic():
        yield from text_of(topic)[:3]
    for command in COMMANDS:
        yield command.help
        yield from (f"{option.help} {option.missing}" for option in command.options)
    yield from (command.help for command in SHELL)


def test_every_abbreviation_in_the_programs_own_texts_is_explained() -> None:
    import re

    words = set()
    for words_of in own_texts():
        plain = re.sub("`[^`]*`", "", words_of)
        words |= set(re.findall(r"(?<![\w/.-])[A-Z][A-Z0-9]*[A-Z]s?(?![\w=/.-])", plain))
    unknown = {word for word in words - PLAIN if not named(word) and not named(word.removesuffix("s"))}
    assert not unknown, "each wants its entry in explain/terms.py"


def test_what_a_term_leads_to_is_there() -> None:
    from oopscope_tui.panes import FIRST

    there = {key for key, _ in TABLES} | {view.key for view in FIRST}
    for topic in every_topic():
        assert text_of(topic).see in ("", *there), topic


def test_other_words_mean_terms_and_a_search_finds_texts() -> None:
    from oopscope.explain import search
    from oopscope.explain.also import ALSO

    names = {topic.name for topic in every_topic() if topic.kind != "column"}
    assert set(ALSO.values()) <= names
    assert not {word.lower() for word in ALSO} & {name.lower() for name in names}
    assert named("backtrace") == [Topic("term", "stack")]
    assert Topic("term", "RCU") in search("grace period")[:3]
    assert Topic("term", "crashkernel=") in search("crashkernel")[:3]
    assert search("") == [] and search("no such words at all") == []


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("manual", "category:manual"), ("hardware", "category:hardware"), ("hang", "category:hang"),
        ("lock", "term:mutex"), ("mutex", "term:mutex"), ("module", "term:module"), ("#PF", "term:PF"),
        ("#GP", "term:GPF"), ("#UD", "cause:invalid-opcode"), ("kdump", "capture:kdump"), ("vmcore", "term:vmcore"),
        ("watermark", "watermark:min"), ("kworker", "term:workqueue"), ("frame", "term:frame"),
        ("dump level 31", "term:dump level"), ("Call Trace", "log:Call Trace"), ("Code:", "log:Code"),
        ("Waits in", "column:tasks.wait"), ("Last ran", "column:tasks.since_last_run_seconds"), ("GOE", "taint:G"),
        ("P W O", "taint:P"), ("bio", "term:request"), ("race", "kernel-word:race"),
        ("frame pointer", "kernel-word:unwinder"), ("IO error", "log:I/O error"), ("khungtaskd", "term:hung task"),
        ("node", "term:NUMA"), ("ring buffer", "term:printk"), ("System.map", "kernel-word:System.map"),
    ],
)  # fmt: skip
def test_a_word_of_the_trade_opens_what_it_means(words: str, meant: str) -> None:
    from oopscope.explain import search

    first = (named(words) or search(words))[0]
    assert f"{first.kind}:{first.name}" == meant


def test_what_the_prompt_offers_to_explain_is_explained() -> None:
    from oopscope_tui.prompt.completing import of_topics

    for choice in of_topics(None, None):
        asked = choice.line.removeprefix("explain ")
        assert topics_asked(asked), choice
        assert ":" not in asked or topics_asked(asked)[0].name == asked.partition(":")[2], choice


async def test_the_index_lists_every_term_and_leads_to_it() -> None:
    async with running(size=LARGE) as (app, pilot):
        await enter(app, pilot, ":", "glossary")
        assert app.pane.key == "explain" and "null-pointer-dereference" in text(app)
        await enter(app, pilot, ":", "explain grace period")
        assert "Read-copy-update" in text(app)


def test_page_tables_are_no_taint_letters() -> None:
    from oopscope.explain import Topic, named

    assert [topic.name for topic in named("PGD")] == ["page table"]
    assert {topic.kind for topic in named("GOE")} == {"taint"} and Topic("taint", "O") in named("GOE")
    for word in ("gfp_mask", "oom_score_adj", "refcount", "swap", "redzone", "Kernel Offset", "culprit"):
        assert any(topic.kind in ("term", "kernel-word") for topic in named(word)), word
