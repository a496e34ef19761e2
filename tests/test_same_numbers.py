"""The same question gives the same numbers: in the report, in `show`, on the screen, in what `w` writes, in HTML."""

import csv
import io
import json
import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.cli import run
from oopscope.cli.demo import demo_path
from oopscope.kernel.kernel import Kernel
from oopscope.report.build import build
from oopscope.report.cells import cell, printable
from oopscope.report.html import render as html
from oopscope.report.text import render as text
from oopscope.report.values import row as data
from oopscope.subsystems import TABLES, table
from oopscope_tui.app import OopscopeApp
from oopscope_tui.export import write_steps
from oopscope_tui.places import Place
from oopscope_tui.reading.provider import Core
from tui.driving import LARGE, press, running

KEYS = [key for key, _ in TABLES]
LISTS = [key for key in KEYS if key not in ("system", "meminfo")]  # in a report those are no lists
ANEW = {"coverage"}  # counts what was asked for in vain, which depends on what was shown before
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
    return build(demo(), ["dump", "system", "verdict", *(key for key in KEYS if key != "system")])


def shown(capsys: pytest.CaptureFixture[str], key: str, form: str) -> Any:
    return command(capsys, "show", key, demo_path(), "--format", form)


def told(report: dict[str, Any], key: str) -> Any:
    """A table's rows as the report has them."""
    if key == "meminfo":
        return [{"name": name, "bytes": size} for name, size in report[key].items()]
    if key == "waits":  # a report has the graph, of which the table tells a part
        return [data(table(key).columns, item) for item in table(key).rows(demo())]
    return report[key]


@pytest.mark.parametrize("key", [key for key in KEYS if key != "system"])
def test_show_and_report(capsys: pytest.CaptureFixture[str], report: dict[str, Any], key: str) -> None:
    rows = json.loads(shown(capsys, key, "json"))
    if key not in ANEW:
        assert rows == told(report, key)
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
    for row, line in zip(rows, lines, strict=True):
        for column in table(key).columns:
            assert " ".join(cell(row[column.key], column.kind).split()) in " ".join(line.split())


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


async def test_screen_report_and_files(report: dict[str, Any], tmp_path: Path) -> None:
    async with running(Core(), LARGE, [demo_path()]) as (app, pilot):
        for key in KEYS:
            await app.go(Place(key))
            await press(app, pilot)
            feed = app.store.feed(key)
            if key in ANEW or key == "system":
                continue
            rows = told(report, key)
            assert app.store.feed(key).count._asdict() == report["tables"][key]
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
