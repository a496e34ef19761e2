"""The report as JSON, for scripts: a row of a table is a line."""

import json
from typing import Any


def render(report: dict[str, Any]) -> str:
    """Return the report as one JSON object, in ASCII, so that no terminal and no locale can spoil it."""
    return "{\n " + ",\n ".join(f"{json.dumps(str(key))}: {_part(part)}" for key, part in report.items()) + "\n}\n"


def _part(part: Any) -> str:
    """Return one member of the report, to stand indented by one; a list of rows has a line for each."""
    if isinstance(part, list) and part:
        return "[\n  " + ",\n  ".join(map(json.dumps, part)) + "\n ]"
    return json.dumps(part, indent=1).replace("\n", "\n ")
