"""The report as JSON, for scripts: a row of a table is a line."""

import json
from collections.abc import Iterator
from typing import Any


def render(report: dict[str, Any]) -> str:
    """Return the report as one JSON object, in ASCII, so that no terminal and no locale can spoil it."""
    return "".join(_pieces(report))  # once: every stack of a large machine is tens of megabytes


def _pieces(report: dict[str, Any]) -> Iterator[str]:
    before = "{\n "
    for key, part in report.items():
        yield f"{before}{json.dumps(str(key))}: "
        yield from _part(part)
        before = ",\n "
    yield "\n}\n" if report else "{\n \n}\n"


def _part(part: Any) -> Iterator[str]:
    """Yield one member of the report, to stand indented by one; a list of rows has a line for each."""
    if not isinstance(part, list) or not part:
        yield json.dumps(part, indent=1).replace("\n", "\n ")
        return
    before = "[\n  "
    for row in part:
        yield before
        yield json.dumps(row)
        before = ",\n  "
    yield "\n ]"
