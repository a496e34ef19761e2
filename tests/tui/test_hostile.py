"""Whatever a dump says, the screen keeps its shape: brackets, escapes, wide and combining text, long names, nothing."""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from importlib import import_module
from itertools import cycle
from typing import Any

import pytest
from rich.cells import get_character_cell_size

from oopscope.commands.questions import Question
from oopscope.inspect.code import Register
from oopscope.kernel.frame import Frame
from oopscope.linux.memory_shares import Shares
from oopscope.memory.coverage import Cell
from oopscope.subsystems import TABLES, Column
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope_tui.app import OopscopeApp
from oopscope_tui.look.text import fit
from oopscope_tui.panes import SPECIAL
from oopscope_tui.places import Place
from oopscope_tui.widgets.table import Table
from tui.driving import LARGE, SMALL, enter, lines, press, running, tap, text
from tui.fake import Cpu, Fact, Fake, Module, Mount, Named, Problem, Record, Slab, Task, Zone

NASTY = [
    "[red]bold[/red] [/] [@click=app.quit]x[/]",
    "\x1b[2J\x1b[31mescape\x1b]52;c;eA==\x07",
    "世界世界 wide",
    "e\u0301\u0302\u0303\u0304\u0305 combining",
    "a\u202egnp.exe",
    "zero\u200bwidth\ufeff\u2028line",
    "line\nfeed\ttab\rreturn",
    "\udc80\udcff raw",
    "x" * 10_000,
    "世" * 10_000,
    "\u0301" * 10_000,
    "",
    " ",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 family \ufe0f",
    "{curly} %s %d \\ \\n $HOME `id`",
]


def frames(name: str) -> tuple[Frame, Frame, Frame]:
    return (Frame(0x10, name, 1, name, "exception", True), Frame(0x20, name, 2, None, "task", False),
            Frame(0xFFFFFFFFFFFFFFFF, None, None, None, "user", True))  # fmt: skip


def log_rows() -> list[Record]:
    return [
        Record(at, at * 10**9 if at % 2 else None, at % 8, 0, name[:20] or None, name) for at, name in enumerate(NASTY)
    ]


def system_rows() -> list[Fact]:
    names = ("nodename", "release", "version", "command_line", "taint")
    return [Fact(name, "[red]\x1b[31m" + name * 30) for name in names]


def cpu_rows() -> list[Cpu]:
    known = [
        Cpu(at, True, "panic" if at == 1 else None, at, name, at, frames(name), {name[:40]: at, "rip": 1})
        for at, name in enumerate(NASTY)
    ]
    return [*known, Cpu(99, False, None, None, None, None, (), None)]


def task_rows() -> list[Task]:
    known = [
        Task(at, at, None, name, name[:1] or "S", None, at, False, None, None, None, None, name)
        for at, name in enumerate(NASTY)
    ]
    return [*known, Task(100, 100, None, None, "D", None, 5, False, None, None, None, None, None)]


def memory_rows() -> list[Named]:
    known = [Named("MemTotal", 1 << 50), Named("MemFree", None), Named("Cached", 0)]
    return [*known, *(Named(name, 5) for name in NASTY)]


def zone_rows() -> list[Zone]:
    return [*(Zone(0, name, 5, None, None, None, 0) for name in NASTY), Zone(1, "x", 1 << 60, 1, 2, 3, 1 << 60)]


def nasty_rows() -> dict[str, Callable[..., Any]]:
    return {
        "log": log_rows,
        "system": system_rows,
        "cpus": cpu_rows,
        "tasks": task_rows,
        "meminfo": memory_rows,
        "zones": zone_rows,
        "slabs": lambda: [Slab(name, 1, None, None, 1 << at) for at, name in enumerate(NASTY)],
        "modules": lambda: [Module(name, 1, 2, None, (name, name), name, name) for name in NASTY],
        "mounts": lambda: [*(Mount(name, name, name, name) for name in NASTY), Mount(None, None, None, None)],
        "weird": lambda: [Mount(name, name, name, name) for name in NASTY],
    }


def nasty_verdict(name: str) -> Verdict:
    return Verdict("software", name, name or "t", name, "possible", name, 1, 1, name, name, name,
                   tuple(Evidence(one, Source(kind, one[:30])) for one in NASTY for kind in ("log", "table")),
                   tuple(NASTY))  # fmt: skip


# A value of each kind that suits it least; text gets the nasty names in turn.
ODD = {"int": -1, "bytes": 1 << 70, "address": 1 << 64, "seconds": 1e30, "bool": 2, "frames": frames(NASTY[1]),
       "registers": {NASTY[0]: 1, "rip": 1 << 64}}  # fmt: skip


def odd_rows(columns: tuple[Column, ...]) -> list[Any]:
    """Return rows of a table that the fake has no types for."""
    made = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]
    known = [made(*(ODD.get(column.kind, name) for column in columns)) for name in NASTY]
    return [*known, made(*([None] * len(columns)))]


def poisoned(value: Any, names: cycle) -> Any:
    """Return a value with every text in it replaced by a nasty one."""
    if isinstance(value, str):
        return next(names)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(poisoned(item, names) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(poisoned(item, names) for item in value)
    if isinstance(value, dict):
        return {key: poisoned(item, names) for key, item in value.items()}
    if is_dataclass(value):
        return replace(value, **{one.name: poisoned(getattr(value, one.name), names) for one in fields(value)})  # type: ignore[type-var]
    return value


class NastyFake(Fake):
    """Its answers are nasty, too, whatever is asked."""

    def answer(self, kernel: object, question: Question) -> Shares | list[Cell] | tuple[Register, ...]:
        return poisoned(super().answer(kernel, question), cycle(NASTY))


def nasty_fake(name: str = "[red]\x1b[31m世") -> NastyFake:
    fake = NastyFake(rows=nasty_rows(), found=nasty_verdict(name))
    kinds = {"source": "address", "target": "frames", "fstype": "bytes", "options": "registers"}
    fake.columns["weird"] = tuple(Column(key, "[bold]\x1b" + key, kind) for key, kind in kinds.items())
    for key, module in TABLES:
        if key not in fake.rows:
            columns = import_module(module).TABLE.columns
            fake.columns[key], fake.rows[key] = columns, partial(odd_rows, columns)
    fake.said = [Problem(name, one, None) for one in NASTY]
    return fake


def keeps_its_shape(app: OopscopeApp, size: Any) -> None:
    strips = app.lines_on_screen()
    assert len(strips) == size[1]
    for words in {strip.text for strip in strips}:
        line_keeps_its_shape(words, size[0])
    if isinstance(app.pane.main, Table) and app.pane.main.display:
        cells_stand_in_their_columns(app.pane.main, strips)


@cache
def line_keeps_its_shape(words: str, width: int) -> None:
    assert sum(map(get_character_cell_size, words)) == width
    assert all(ord(char) >= 0x20 and not 0x7F <= ord(char) <= 0x9F for char in words)
    assert not set(words) & set("\u202e\u200b\u200d\ufeff\u2028\ufe0f")
    assert len(words) <= 5 * width
    words.encode("utf-8")


def cells_stand_in_their_columns(table: Any, strips: Any) -> None:
    left, top = table.region.offset
    for y in range(min(table.page, len(table.view) - table.top)):
        strip, row = strips[top + table.heads + y], table.view.row(table.top + y)
        x = left + 1
        for column, size in table.laid_out():
            assert strip.crop(x, x + size).text == fit(column.text(row), size, column.right)
            x += size + 2


KEYS_PRESSED = ("j", "j", "enter", "G", "right")


@pytest.mark.thorough
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_every_pane(size: tuple[int, int]) -> None:
    async with running(nasty_fake(), size) as (app, pilot):
        assert {key for key, _ in TABLES} <= {tab.key for tab in app.views}
        for tab in app.views:
            await app.go(Place(tab.key))
            await press(app, pilot)
            assert app.pane.key == tab.key
            keeps_its_shape(app, size)
            for keys in KEYS_PRESSED:
                await tap(app, pilot, keys)
                keeps_its_shape(app, size)
            assert app.pane.key is not None


@pytest.mark.thorough
@pytest.mark.parametrize("key", [one.key for one in SPECIAL if not one.group and one.key != "dumps"])
async def test_every_pane_that_has_no_tab(key: str) -> None:
    async with running(nasty_fake(), SMALL) as (app, pilot):
        for thing in ("schedule", "0xffffffff81000000", NASTY[1], NASTY[9], ""):
            await app.go(Place(key, thing, True))
            await press(app, pilot)
            keeps_its_shape(app, SMALL)
            for keys in KEYS_PRESSED:
                await tap(app, pilot, keys)
                keeps_its_shape(app, SMALL)


async def test_brackets_are_text() -> None:
    async with running(nasty_fake(), LARGE) as (app, pilot):
        await press(app, pilot, "3")
        assert "[red]bold[/red] [/]" in text(app)
        assert "␛[2J␛[31mescape" in text(app)
        await press(app, pilot, "5")
        assert "[@click=app.quit]x[/]" in text(app)


async def test_search_filter_and_sort_over_them() -> None:
    async with running(nasty_fake(), SMALL) as (app, pilot):
        await press(app, pilot, "3")
        for word in ("[red]", "世", "\u0301", "(", "[", "\\"):
            await enter(app, pilot, "slash", word)
            keeps_its_shape(app, SMALL)
        for _ in range(6):
            await press(app, pilot, "s")
            keeps_its_shape(app, SMALL)
        await enter(app, pilot, "f", "[red]")
        assert len(app.pane.main.view) == 1
        keeps_its_shape(app, SMALL)


async def test_a_missing_value_is_a_dash() -> None:
    async with running(nasty_fake(), LARGE) as (app, pilot):
        await press(app, pilot, "6", "G")
        cells = lines(app)[4 + app.pane.main.cursor].split()[:4]
        assert [cell.strip("►") for cell in cells] == ["\u2013"] * 4
