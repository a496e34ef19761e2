"""The kernel's messages of a journal in JSON: journalctl -o json, json-seq or json-sse, one object a line.

Follows systemd.journal-fields(7). Only what came by the kernel's transport is taken.
"""

import json
from collections.abc import Iterable, Iterator

from oopscope.decode import decoded
from oopscope.dumps.log.lines import USER, Entry

LONGEST = 1 << 20  # characters of a line


def is_journal(head: str) -> bool:
    """Return whether a text begins as a journal in JSON does."""
    line = next((text for text in head.splitlines() if text.strip("\x1e ")), "").removeprefix("data: ").lstrip("\x1e")
    return line.startswith("{") and any(f'"{key}"' in head for key in ("_TRANSPORT", "__REALTIME_TIMESTAMP", "MESSAGE"))


def entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the kernel's records; what is no object of a journal is left out."""
    for line in lines:
        text = line.lstrip("\x1e").removeprefix("data: ").strip()
        if not text.startswith("{") or len(text) > LONGEST:
            continue
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and fields.get("_TRANSPORT", "kernel") == "kernel":
            entry = _entry(fields)
            if entry is not None:
                yield entry


def _entry(fields: dict[str, object]) -> Entry | None:
    message = fields.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no UTF-8
        try:
            message = decoded(bytes(message))
        except (ValueError, TypeError):
            return None
    if not isinstance(message, str):
        return None
    usec = _number(fields.get("_SOURCE_MONOTONIC_TIMESTAMP"))
    wall = _number(fields.get("__REALTIME_TIMESTAMP"))
    facility = _number(fields.get("SYSLOG_FACILITY"))
    if facility is None and fields.get("SYSLOG_IDENTIFIER", "kernel") != "kernel":
        facility = USER
    host = fields.get("_HOSTNAME")
    return Entry(
        usec * 1000 if usec is not None else None,
        _number(fields.get("PRIORITY")),
        facility,
        None,
        message,
        wall * 1000 if wall is not None and usec is None else None,
        host if isinstance(host, str) else None,
    )


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, str | int) and str(value).isdigit() and len(str(value)) < 20 else None
