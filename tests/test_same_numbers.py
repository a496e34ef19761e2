"""The same question gives the same numbers: in the report, in `show`, on the screen, in what `w` writes, in HTML."""

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.cli import run
from oopscope.cli.demo import demo_path
from oopscope.kernel.fact import flat
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.kinds import told as of_kind
from oopscope.linux.system import KINDS
from oopscope.report.build import build
from oopscope.report.card import card_data, card_text
from oopscope.report.cells import cell, printable
from oopscope.report.html import render as html
from oopscope.report.text import render as text
from oopscope.report.values import row as data
from oopscope.report.values import value
from oopscope.subsystems import TABLES, table
from oopscope.subsystems.cards import CARDS, Facts, Frames, Rows, Section, card
from oopscope_tui.app import OopscopeApp
from oopscope_tui.export import write_steps
from oopscope_tui.look.text import clean
from oopscope_tui.places import Place
from tui.driving import LARGE, Opened, press, running

pytestmark = pytest.mark.usefixtures("kept_index")

LOST = {
    "consoles",
    "routes",
    "pci",
    "sysctls",
    "virtqueues",
    "auditrecords",
}  # tables that came when the demo had been distilled: it lacks their pages
KEYS = [key for key, _ in TABLES if key not in LOST]
LISTS = [key for key in KEYS if key not in ("system", "meminfo")]  # in a report those are no lists
ANEW = {"coverage"}  # its later rows count what was asked for in vain, which depends on what was shown before
ON_PAGE = [
    key for key in LISTS if key not in ("cpus", "zones", "log", "waits")
]  # the others stand elsewhere on the page


def command(capsys: pytest.CaptureFixture[str], *args: Any) -> Any:
    capsys.readouterr()
    assert run([str(arg) for arg in args]) == 0
    return capsys.readouterr().out


@cache
def demo() -> Kernel:
    """The demo, opened once."""
    return open_kernel([demo_path()])


@pytest.fixture(scope="module")
def report() -> Any:
    return build(demo(), ["dump", "verdict", *KEYS])


def shown(capsys: pytest.CaptureFixture[str], key: str, form: str) -> Any:
    return command(capsys, "show", key, demo_path(), "--format", form)


def steady(key: str, rows: Any) -> Any:
    """A table's rows without those that depend on what was asked before."""
    return [row for row in rows if "asked" not in row["what"]] if key in ANEW else rows


def told(report: dict[str, Any], key: str) -> Any:
    """A table's rows as the report has them."""
    if key == "system":
        offset = int(report[key]["kaslr_offset"], 16)  # there it is an address, in the table a number
        facts = report[key] | {"kaslr_offset": offset}
        return [{"name": name, "value": of_kind(value, KINDS.get(name, "text"))} for name, value in facts.items()]
    if key == "meminfo":
        return [{"name": name, "bytes": size} for name, size in report[key].items()]
    if key == "waits":  # a report has the graph, of which the table tells a part
        return [data(table(key).columns, item) for item in table(key).rows(demo())]
    return report[key]


@pytest.mark.thorough
@pytest.mark.parametrize("key", KEYS)
def test_show_and_report(capsys: pytest.CaptureFixture[str], report: dict[str, Any], key: str) -> None:
    rows = json.loads(shown(capsys, key, "json"))
    assert steady(key, rows) == steady(key, told(report, key))
    assert [json.loads(line) for line in shown(capsys, key, "jsonl").splitlines()] == rows
    written = list(csv.DictReader(io.StringIO(shown(capsys, key, "csv"))))
    for row, cells in zip(rows, written, strict=True):
        for column in table(key).columns:
            value = row[column.key]
            flat = (
                ""
                if value is None
                else json.dumps(value)
                if isinstance(value, list | dict)
                else printable(str(value), "\n")
            )
            assert cells[column.key].removeprefix("'") == flat, column.key  # a sign begins a formula elsewhere
    if key == "waits":  # drawn as a graph for a reader
        return
    lines = shown(capsys, key, "text").splitlines()[1:]
    kinds = told(report, key) if key == "system" else rows  # whose numbers are shown each in its own way
    for row, line in zip(kinds, lines, strict=True):
        for column in table(key).columns:
            assert " ".join(cell(row[column.key], column.kind).split()) in " ".join(line.split())


@pytest.mark.thorough
@pytest.mark.parametrize("key", ON_PAGE)
def test_html_and_report(report: dict[str, Any], key: str) -> None:
    page = html(report)
    columns = [c for c in table(key).columns if c.brief and c.kind not in ("frames", "registers")]
    body = re.search(rf'<table id="t-{key}">.*?<tbody>(.*?)</tbody>', page, re.S)
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in body[1].split("</tr>") if "<td" in row]
    expected = [[cell(row[c.key], c.kind) for c in columns] for row in table(key).ordered(report[key], dict.get)]
    assert [[unescape(re.sub("<[^>]*>", "", one)) for one in row] for row in found] == expected


@pytest.mark.parametrize("key", ["tasks", "zones", "modules", "mounts", "runqueues", "locks"])
def test_text_and_report(report: dict[str, Any], key: str) -> None:
    part = " ".join(text(report).split())
    for row in report[key]:
        words = [cell(row[c.key], c.kind) for c in table(key).columns if c.brief]
        assert " ".join(" ".join(words).split()) in part


@pytest.mark.thorough
async def test_screen_report_and_files(report: dict[str, Any], tmp_path: Path) -> None:
    async with running(Opened(), LARGE, [demo_path()]) as (app, pilot):
        for key in KEYS:
            await app.go(Place(key))
            await press(app, pilot)
            feed = app.store.feed(key)
            if key in ANEW:
                continue
            rows = told(report, key)
            if key != "system":  # a report has it as no table, and counts no rows of it
                assert feed.count._asdict() == report["tables"][key]
            columns = {column.key: column for column in table(key).columns}
            for item, row in zip(feed.rows, rows, strict=True):
                for name, column in columns.items():
                    assert cell(getattr(item, name), column.kind) == cell(row[name], column.kind)
            for column in getattr(app.pane.main, "columns", ()):
                if column.key in columns and column.words is None and not hasattr(column, "lead"):
                    for item in feed.rows:
                        assert (
                            column.text(item)[:200] == cell(getattr(item, column.key), columns[column.key].kind)[:200]
                        )
            written(app, key, rows, columns, tmp_path)


def written(app: OopscopeApp, key: str, rows: Any, columns: Any, folder: Path) -> None:
    """What `w` writes of a list has the report's values, whatever its order."""
    if key in ("log", "cpus", "stacks") or not getattr(app.pane.main, "columns", ()):
        return
    for ending in ("json", "csv"):
        path = folder / f"{key}.{ending}"
        said: list[Any] = []
        for _ in write_steps(str(path), app.pane.title, app.pane.main, str, said.append):
            pass
        assert path.exists(), said
    found = json.loads((folder / f"{key}.json").read_text())
    names = [name for name in (found[0] if found else ()) if name in columns]
    assert sorted(json.dumps([row[name] for name in names]) for row in found) == sorted(
        json.dumps([row[name] for name in names]) for row in rows
    )
    again = list(csv.DictReader(io.StringIO((folder / f"{key}.csv").read_text())))
    assert len(again) == len(rows)


# A thing of the demo for each kind of card; it has no lock that anybody waits for.
CARD_OF = {
    "task": "1",
    "cpu": "0",
    "module": "labcrash",
    "symbol": "schedule",
    "code": "schedule",
    "struct": "task_struct@init_task",
    "memory": "init_task/4",
    "value": "task(1).mm.total_vm",
    "stack": "0",
    "states": "0",
    "symbols": "sym:lab_read",
    "translation": "v:init_task",
    "search": "init_task",
    "references": "init_task",
}


def squeezed(text: str) -> str:
    return " ".join(text.split())


def cells_of(section: Section) -> Iterator[str]:
    """What a section shows wherever it is shown, as cells; a fact's parts that are nothing are told or not."""
    if isinstance(section, Facts):
        for fact in section.facts:
            if fact.value not in (None, ()):
                yield cell(fact.value, fact.kind)
            yield from (cell(part.value, part.kind) for part in fact.parts if part.value)
    elif isinstance(section, Rows):
        for row in section.rows:
            for column in section.columns:
                if column.key != "sure" and getattr(row, column.key) not in (None, "", False):
                    yield cell(getattr(row, column.key), column.kind)
    elif isinstance(section, Frames):
        yield from (f"{frame.symbol}+{frame.offset:#x}" for frame in section.frames if frame.symbol)
    else:
        yield from section.lines


def test_each_kind_of_card_is_looked_at() -> None:
    assert CARD_OF.keys() | {"lock", "whatis"} == dict(CARDS).keys()


@pytest.mark.parametrize("kind", CARD_OF)
def test_a_card_in_text_and_as_data(kind: str) -> None:
    made = card(demo(), kind, CARD_OF[kind])
    written, found = squeezed(card_text(made)), card_data(made)
    assert made.sections
    for section in made.sections:
        assert all(squeezed(printable(one)) in written for one in cells_of(section)), section.key
        if isinstance(section, Rows):
            assert found[section.key] == [data(section.columns, row) for row in section.rows]
        elif isinstance(section, Facts):
            known = flat(section.facts)
            assert (found[section.key] or {}) == {key: value(fact.value, fact.kind) for key, fact in known.items()}
        elif isinstance(section, Frames):
            assert [one["symbol"] for one in found[section.key]] == [frame.symbol for frame in section.frames]


async def test_a_card_on_the_screen() -> None:
    async with running(Opened(), LARGE, [demo_path()]) as (app, pilot):
        for kind, key in CARD_OF.items():
            await app.go(Place("card", f"{kind}:{key}"))
            await press(app, pilot)
            drawn = squeezed(" ".join(line.text for line in app.pane.lines(1000)))
            for section in card(demo(), kind, key).sections:
                for one in cells_of(section):
                    assert squeezed(clean(one)) in drawn, (kind, section.key)
