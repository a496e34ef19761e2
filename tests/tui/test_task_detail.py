"""A task's detail: all sections, links in each, jumps between them, and what could not be read."""

from typing import Any, NamedTuple

import pytest
from textual.pilot import Pilot

from oopscope.errors import Implausible
from oopscope_tui.app import OopscopeApp
from oopscope_tui.places import Place
from tui.driving import LARGE, SMALL, enter, press, running, text
from tui.fake import ANSWERS, SLEEP, Fake
from tui.fake_details import FILE, LACKING, facts, files, part

DOWN, UP = "right_square_bracket", "left_square_bracket"
SECTIONS = ["Stack", "Task", "Family", "Memory", "Files", "Mappings"]


class Wait(NamedTuple):
    """A row of the table of locks."""

    pid: int
    comm: str
    kind: str
    lock: int
    name: str | None
    owner_pid: int | None
    owner_comm: str | None
    readers: bool | None
    task: int
    owner: int | None
    ended: bool = False
    holder: int | None = None


ADDRESS = 0xFFFF888000000000  # of PID 1; each further one is 0x2000 higher


def shown(app: OopscopeApp) -> Any:
    view = app.pane.side.view
    return [view.row(at) for at in range(len(view))]


def told(app: OopscopeApp) -> Any:
    return [row.text for row in shown(app)]


async def opened(app: OopscopeApp, pilot: Pilot[int], pid: int = 3) -> None:
    await enter(app, pilot, ":", str(pid))


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_all_sections_in_their_order(size: tuple[int, int]) -> None:
    async with running(size=size) as (app, pilot):
        await opened(app, pilot)
        lines = told(app)
        heads = [
            line.split()[0] for line in lines if line[1:].split() and line.split()[0] in SECTIONS and line[1] != " "
        ]
        assert heads == SECTIONS
        whole = "\n".join(lines)
        for words in (
            *("worker_thread+0xb0", "normal, nice 0", "SIGTERM, SIGKILL", "3.50s after boot, 2026-11-23 03:19:59"),
            *("Children  25", "and 5 more", "3.0M   anonymous 1.0M, files 2.0M", "400000-585000", "[stack]"),
            *("inet tcp 0.0.0.0:22", "/var/log/app.log", "at 4.0K of 1.0M", "4 open"),
            "pages of programs are not in the dump",
        ):
            assert words in whole
        assert "Own namespaces" not in whole, "what is empty is not told"


async def test_every_relative_file_and_mapping_leads_somewhere() -> None:
    async with running(size=LARGE) as (app, pilot):
        await opened(app, pilot)
        links = {row.text.strip(): row.link for row in shown(app) if row.link is not None}
        leads = {(link.pane, link.key) for link in links.values()}
        assert {("tasks", 12), ("tasks", 1), ("tasks", 300), ("struct", f"file@{FILE:#x}"),
                ("struct", f"vm_area_struct@{FILE + 0x400:#x}"), ("struct", f"mm_struct@{FILE + 0x800:#x}"),
                ("symbol", "worker_thread"), ("cpus", 0)} <= leads  # fmt: skip


async def test_the_words_of_the_stack_are_a_link_where_it_is_known_where_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(size=LARGE) as (app, pilot):
        await opened(app, pilot)
        assert "the stack's words" not in "".join(told(app))
    sp = ADDRESS + 0x3F00
    monkeypatch.setitem(ANSWERS, "stack", lambda address: (SLEEP[0]._replace(sp=sp), *SLEEP[1:]))
    async with running(size=LARGE) as (app, pilot):
        await opened(app, pilot)
        at = next(at for at, row in enumerate(shown(app)) if row.link == Place("words", f"{sp:#x}"))
        assert "worker_thread" in told(app)[at - 1]


async def test_what_cannot_be_read_stands_beside_it_and_the_rest_is_there() -> None:
    fake = Fake(fails={"task.memory": Implausible("a page of it is gone")})
    async with running(fake, size=LARGE) as (app, pilot):
        await opened(app, pilot)
        lines = told(app)
        assert " a page of it is gone" in lines
        assert LACKING in " ".join(line.strip().removeprefix("! ") for line in lines)
        assert any("/dev/null" in line for line in lines)


async def test_brackets_go_from_heading_to_heading() -> None:
    async with running() as (app, pilot):
        await opened(app, pilot)
        tops = []
        for _ in range(3):
            await press(app, pilot, DOWN)
            tops.append(told(app)[app.pane.side.top].split()[0])
        assert tops == ["Stack", "Task", "Family"]
        await press(app, pilot, UP)
        assert told(app)[app.pane.side.top].split()[0] == "Task"
        await press(app, pilot, *[UP] * 7)
        assert app.pane.side.top == 0
        await press(app, pilot, *[DOWN] * 10)
        assert "Mappings" in text(app)


async def test_the_holder_of_a_lock_is_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = [Wait(4, "waiter", "mutex", 0xFFFFFFFFC0001000, "lab_lock [labcrash]", 3, "holder", False,
                  ADDRESS + 3 * 0x2000, ADDRESS + 2 * 0x2000, holder=ADDRESS + 2 * 0x2000)]  # fmt: skip
    async with running(Fake(rows={"locks": lambda: waits}), size=LARGE) as (app, pilot):
        await opened(app, pilot, 4)
        head = next(row for row in shown(app) if "waits for the mutex lab_lock [labcrash]" in row.text)
        assert "held by 3 holder" in head.text
        assert (head.link.pane, head.link.key) == ("tasks", 3)
        await opened(app, pilot, 3)
        head = next(row for row in shown(app) if "holds the mutex" in row.text)
        assert (head.link.pane, head.link.key) == ("tasks", 4)


async def test_text_of_a_dump_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = "[red]\x1b[2J世\u202e" * 20
    one, opened_files = facts(0), files(0)
    told_facts = tuple(fact._replace(value=nasty) for fact in one.facts if fact.kind != "seconds")
    relatives = (one.parents[0]._replace(comm=nasty),)
    hostile = one._replace(parents=relatives, facts=told_facts)
    all_nasty = tuple(one._replace(path=nasty, note=nasty, kind=nasty, why=nasty) for one in opened_files.files)
    read = {"facts": lambda at: hostile, "files": lambda at: opened_files._replace(files=all_nasty)}
    for name in ("facts", "family", "files"):
        monkeypatch.setitem(ANSWERS, f"task.{name}", part(name, **read))
    for size in (SMALL, LARGE):
        async with running(size=size) as (app, pilot):
            await opened(app, pilot)
            assert "\x1b" not in "".join(told(app))
            assert "[red]" in "".join(told(app))
