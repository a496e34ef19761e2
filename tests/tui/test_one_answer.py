"""The same question has the same words in the report, in `show`, on the screen and in what `w` writes."""

import pytest

from cases import case_of
from oopscope.errors import MissingPage
from oopscope.report.cells import cell
from oopscope.report.html import render as html
from oopscope.report.markdown import render as markdown
from oopscope.report.rows import content_of, render
from oopscope.report.text import render as text
from oopscope.report.values import row
from oopscope.subsystems import TABLES, table
from oopscope_tui.look.text import LONGEST
from oopscope_tui.look.values import show


@pytest.mark.parametrize("key", [key for key, _ in TABLES if key != "log"])
def test_a_cell_is_the_same_from_a_row_and_from_the_reports_data(key: str) -> None:
    case = case_of("6.1-null")
    found = table(key)
    try:
        rows = list(found.rows(case.kernel))
    except MissingPage:  # the dump was distilled before there was this table
        assert found.asked
        pytest.skip("its pages are not in the stored dump")
    for one in rows[:200]:
        data = row(found.columns, one)
        for column in found.columns:
            words = cell(getattr(one, column.key), column.kind)
            assert cell(data[column.key], column.kind) == words, column.key
            assert show(column.kind, getattr(one, column.key))[:LONGEST] == words[:LONGEST]


def test_the_shares_of_memory_are_the_same_in_every_format() -> None:
    from oopscope.report.build import build

    report = build(case_of("6.1-null").kernel, ["memory_shares", "meminfo"])
    forms = text(report), markdown(report), html(report)
    for one in report["memory_shares"]["shares"]:
        for form in forms:
            line = next(part for part in form.replace("<li>", "\n").splitlines() if f"{one['name']}" in part)
            assert cell(one["bytes"], "bytes") in line


def test_show_and_w_write_the_same_json_and_csv() -> None:
    found = table("cpus")
    rows = list(found.rows(case_of("6.1-null").kernel))
    for form in ("json", "csv"):
        written = render(form, content_of(found.title, found.columns, rows))
        assert '"symbol"' in written or '""symbol""' in written, "frames are whole"
