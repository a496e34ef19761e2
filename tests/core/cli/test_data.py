"""Rows that are written as they come are the JSON of all of them."""

import json
from typing import Any

import pytest

from oopscope.cli import common

ROW = {"comm": "a\nb \u2028 ü", "frames": [{"symbol": "schedule", "why": None}, {}], "none": []}


@pytest.mark.parametrize("rows", [[], [ROW], [ROW, {}, ROW], [ROW] * 2000], ids=len)
def test_rows_in_parts_are_the_rows(rows: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    written = list[str]()
    monkeypatch.setattr(common, "write", written.append)
    common.write_data(iter(rows), "json")
    assert "".join(written) == json.dumps(rows, indent=1) + "\n"
    assert max(map(len, written)) < 2 * common.AT_ONCE
    written.clear()
    common.write_data(iter(rows), "jsonl")
    assert [json.loads(line) for line in "".join(written).splitlines()] == rows
