"""The report as JSON, for scripts."""

import json
from typing import Any


def render(report: dict[str, Any]) -> str:
    """Return the report as one JSON object, in ASCII, so that no terminal and no locale can spoil it."""
    return json.dumps(report, indent=1, ensure_ascii=True) + "\n"
