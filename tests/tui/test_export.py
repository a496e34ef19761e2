"""Files that `w` writes: every pane in every format, one row for each CPU, and one line for whatever goes wrong."""

import csv
import json
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from oopscope.report.rows import STEP
from oopscope_tui.export import target, would_replace, write_steps
from oopscope_tui.panes.cpus import CpuTable
from oopscope_tui.widgets.table import Col, col
from tui.driving import LARGE, enter, press, running, text
from tui.fake import Cpu, Fake

HOSTILE = "a|b `c` <img src=x> \x1b[31m@me #1 \u202e"


class Row:
    """A row of hostile text and a number."""

    def __init__(self, number: int | None, name: str | None = HOSTILE) -> None:
        self.number, self.name = number, name


COLUMNS = (col("name", "Name"), col("number", "Number", "int"))


class Shown:
    """As much of a view's widget as is written."""

    def __init__(self, rows: list[Row], columns: tuple[Col, ...] = COLUMNS) -> None:
        self.view = Rows(rows)
        self.columns = columns

    def fields(self) -> Any:
        return self.columns

    def written(self, row: Row) -> str:
        return f"{row.name} {row.number}"


class Rows(list):
    def row(self, at: int) -> Row:
        return self[at]


def write(name: Path | str, lines: Shown, picture: Callable[..., Any] = lambda: "<svg/>") -> str:
    """Write, and return what was told of it."""
    told: list[Any] = []
    for _ in write_steps(str(name), "Things", lines, picture, told.append):
        pass
    return told[-1].text


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.text = [], []  # type: ignore[var-annotated]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("columns", [COLUMNS, ()])
def test_hostile_text_is_text_in_every_format(tmp_path: Path, columns: tuple[Col, ...]) -> None:
    rows = [Row(at) for at in range(2 * STEP + 1)]
    for ending in ("txt", "csv", "md", "html"):
        lines = Shown(rows, columns)
        if not columns:
            lines.fields = tuple  # type: ignore[method-assign]
        assert "2,001 rows" in write(tmp_path / f"a.{ending}", lines)
        found = (tmp_path / f"a.{ending}").read_text()
        assert "\x1b" not in found
        assert "\u202e" not in found
        assert found.count("@me") == len(rows)
    page = Tags((tmp_path / "a.html").read_text())
    assert "img" not in page.tags
    assert page.tags.count("td") == 2 * len(rows) * bool(columns)
    assert any("<img src=x>" in words for words in page.text)
    marked = (tmp_path / "a.md").read_text().splitlines()
    if columns:
        assert marked[4].startswith("| ``a\\|b `c` <img src=x>")
    else:
        assert marked[2] == "```text"


def test_a_table_as_text_has_titles_and_columns_that_meet(tmp_path: Path) -> None:
    rows = [Row(5, "short"), Row(12345, "wide 漢字"), Row(1, "x" * 500), Row(2, "")]
    write(tmp_path / "a.txt", Shown(rows))
    titles, first, second, third, last = (tmp_path / "a.txt").read_text().splitlines()
    assert titles.startswith("Name ")
    assert titles.endswith("Number")
    assert len(first) == len(titles)
    assert len(second) == len(titles) - 2  # two of its characters take two cells each
    assert third.startswith("x" * 500)
    assert last.split()[-1] == "2"


def test_values_are_plain_in_csv_and_json(tmp_path: Path) -> None:
    rows = [Row(1 << 40, 'quoted "text", comma'), Row(None, None)]
    for ending in ("csv", "json"):
        write(tmp_path / f"a.{ending}", Shown(rows))
    assert list(csv.reader(StringIO((tmp_path / "a.csv").read_text()))) == [
        ["name", "number"], ['quoted "text", comma', str(1 << 40)], ["", ""],
    ]  # fmt: skip
    assert json.loads((tmp_path / "a.json").read_text()) == [
        {"name": 'quoted "text", comma', "number": 1 << 40}, {"name": None, "number": None},
    ]  # fmt: skip


@pytest.mark.parametrize("opened", [False, True])
async def test_grouped_cpus_have_a_row_each(tmp_path: Path, opened: bool) -> None:
    idle = [Cpu(n, True, "idle", 0, f"swapper/{n}", None, (), None) for n in range(20) if n != 1]
    fake = Fake(rows={"cpus": lambda: [*idle, Cpu(1, True, "panic", 241, "insmod", None, (), None)]})
    async with running(fake, LARGE) as (app, pilot):
        await press(app, pilot, "2")
        assert isinstance(app.pane.main, CpuTable)
        assert len(app.pane.main.view) == 2
        if opened:
            await press(app, pilot, "j", "enter")
            assert len(app.pane.main.view) == 21
        for ending in ("csv", "json", "txt", "md", "html"):
            await enter(app, pilot, "w", str(tmp_path / f"cpus.{ending}"))
            assert "20 rows" in text(app)
    rows = list(csv.DictReader(StringIO((tmp_path / "cpus.csv").read_text())))
    assert [row["cpu"] for row in rows] == ["1", "0", *(str(n) for n in range(2, 20))]
    assert [row["comm"] for row in json.loads((tmp_path / "cpus.json").read_text())][7] == "swapper/7"


@pytest.mark.thorough
async def test_every_pane_is_written_in_every_format(tmp_path: Path) -> None:
    async with running(size=LARGE) as (app, pilot):
        for tab in list(app.views):
            await enter(app, pilot, ":", tab.key)
            count = len(app.pane.active.view)
            for ending in ("txt", "csv", "json", "md", "html", "svg"):
                path = tmp_path / f"{tab.key}.{ending}"
                await enter(app, pilot, "w", str(path))
                assert f"wrote {app.pane.title.lower()}" in text(app)
                assert path.stat().st_size
            assert len(json.loads((tmp_path / f"{tab.key}.json").read_text())) == count
            assert len(list(csv.reader(StringIO((tmp_path / f"{tab.key}.csv").read_text())))) == count + 1


def test_what_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there.txt").write_text("mine")
    rows = Shown([Row(1)])
    assert "exists" in write(tmp_path / "there.txt", rows)
    assert (tmp_path / "there.txt").read_text() == "mine"
    assert "is a folder" in write(f"{tmp_path}/", rows)
    assert "is a folder" in write(tmp_path, rows)
    assert "no such user" in write("~nobody-of-that-name/a.txt", rows)
    assert "No such file" in write(tmp_path / "no" / "a.txt", rows)
    assert "File name too long" in write(tmp_path / ("x" * 300), rows)
    if Path("/dev/full").exists():
        assert write("/dev/full!", rows) == "/dev/full: No space left on device: nothing is written"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert target("~/a.csv") == tmp_path / "a.csv"
    assert would_replace("~/there.txt")
    assert not would_replace("~/there.txt!")
    assert not would_replace("~/new.txt")
    assert "wrote" in write("~/there.txt!", rows)
    assert (tmp_path / "there.txt").read_text() != "mine"


async def test_the_prompt_tells_the_formats(tmp_path: Path) -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "w")
        assert ".csv .json .md .html" in text(app)


def test_an_empty_pane_is_an_empty_table(tmp_path: Path) -> None:
    for ending in ("txt", "csv", "json", "md", "html"):
        assert "0 rows" in write(tmp_path / f"a.{ending}", Shown([]))
    assert json.loads((tmp_path / "a.json").read_text()) == []
