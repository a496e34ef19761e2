"""Rows of any values, written and read again: CSV and JSON give back the values, no form lets a control through."""

import csv
import json
import re
from html.parser import HTMLParser
from io import StringIO
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from oopscope.report.cells import printable
from oopscope.report.rows import FORMULA, WRITERS, Content, TableColumn, render
from oopscope.report.values import value
from properties import ANY, few, text

KINDS = ("int", "bytes", "seconds", "address", "bool", "text", "text")
COLUMNS = [TableColumn(f"c{n}", f"Title {n}", kind) for n, kind in enumerate(KINDS)]


class Row(NamedTuple):
    """A value for each of the columns."""

    c0: int | None
    c1: int | None
    c2: float | None
    c3: int | None
    c4: bool | None
    c5: str | None
    c6: list[str | int] | None


TEXT = text(ANY, max_size=12) | st.sampled_from(
    ["=1+1", "<b>", "a|b", "\x1b[2J", 'x,\n"y"', "\r\n", "`` ` ``", "-", "\u202e"]
)
INT = st.none() | st.integers(0, (1 << 64) - 1)
ROWS = st.lists(
    st.builds(
        Row,
        INT,
        INT,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        INT,
        st.none() | st.booleans(),
        st.none() | TEXT,
        st.none() | st.lists(TEXT | st.integers(0, 9), max_size=3),
    ),
    max_size=5,
)


def content(rows: list[Row]) -> Content:
    return Content("A title", rows, lambda row: " ".join(column.text(row) for column in COLUMNS), COLUMNS, COLUMNS)


def records(rows: list[Row]) -> list[dict[str, Any]]:
    return [{column.key: value(column.value(row), column.kind) for column in COLUMNS} for row in rows]


@few
@given(ROWS)
def test_json_gives_the_values_back(rows: list[Row]) -> None:
    assert json.loads(render("json", content(rows))) == records(rows)
    lines = render("jsonl", content(rows)).splitlines()
    assert [json.loads(line) for line in lines] == records(rows)


@few
@given(ROWS)
def test_csv_gives_the_values_back(rows: list[Row]) -> None:
    read = list(csv.DictReader(StringIO(render("csv", content(rows)), newline="")))
    assert len(read) == len(rows)
    for cells, record in zip(read, records(rows), strict=True):
        for key, held in record.items():
            if isinstance(held, str):
                shown = printable(held, keep="\n")
                guard = "'" if shown.lstrip(" \n")[:1] in FORMULA and shown.lstrip(" \n") else ""
                assert cells[key] == guard + shown
            elif isinstance(held, list):
                assert json.loads(cells[key]) == held
            else:
                assert cells[key] == ("" if held is None else str(held))


@few
@given(ROWS)
def test_no_form_lets_a_control_through(rows: list[Row]) -> None:
    for form in WRITERS:
        written = render(form, content(rows))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", written), form
    assert len(render("text", content(rows)).splitlines()) == 1 + len(rows)
    assert len(render("markdown", content(rows)).splitlines()) == 4 + len(rows)


class Page(HTMLParser):
    """Collects the cells of a page and every tag that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


@few
@given(ROWS)
def test_html_shows_the_cells_and_no_tag_of_theirs(rows: list[Row]) -> None:
    page = Page()
    page.feed(render("html", content(rows)))
    page.close()
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "h1"),
        *("table", "thead", "tr", "th", "tbody", "td"),
    }
    shown = [column.text(row) for row in rows for column in COLUMNS]
    assert [cell.strip("\n") for cell in page.cells] == shown
