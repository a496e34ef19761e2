"""Writing what a pane shows to a file: text, CSV, JSON or a picture, by the file's name; in steps, on the worker.

What is written is what shows: the filter's rows in the sort's order.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from textual.message import Message

from oopscope_tui.messages import Written
from oopscope_tui.query import Field
from oopscope_tui.text import clean, plural
from oopscope_tui.values import plain
from oopscope_tui.widgets.lines import Lines

STEP = 1000  # rows between two looks at what else the worker has to do


def write_steps(
    name: str, title: str, lines: Lines, picture: Callable[[], str], post: Callable[[Message], object]
) -> Iterator[None]:
    """Write the rows that `lines` shows, or the screen as `picture`; over a file that exists only with a `!`."""
    force = name.endswith("!")
    path = Path(name.rstrip("!").strip()).expanduser()
    rows = [lines.view.row(at) for at in range(len(lines.view))]
    written = lines.written
    fields = list(lines.fields()) or [Field("line", "Line", "text", written)]
    drawn = picture() if path.suffix.lower() == ".svg" else ""

    def steps() -> Iterator[None]:
        try:
            with path.open("w" if force else "x", encoding="utf-8", errors="backslashreplace", newline="") as file:
                if drawn:
                    file.write(drawn)
                else:
                    yield from _write(file, path.suffix.lower(), fields, rows, written)
        except FileExistsError:
            post(Written(f"{path} exists: write to {path}! to replace it", failed=True))
        except OSError as error:
            post(Written(f"{path}: {error.strerror}", failed=True))
        else:
            post(Written(f"wrote {title.lower()} to {path}" + ("" if drawn else f": {plural(len(rows), 'row')}")))

    return steps()


def _write(
    file: TextIO, suffix: str, fields: Sequence[Any], rows: Sequence[Any], written: Callable[[Any], str]
) -> Iterator[None]:
    if suffix in (".csv", ".json"):
        yield from (_csv if suffix == ".csv" else _json)(file, fields, rows)
        return
    for at in range(0, len(rows), STEP):
        file.write("".join(f"{clean(written(row).rstrip())}\n" for row in rows[at : at + STEP]))
        yield


def _csv(file: TextIO, fields: Sequence[Any], rows: Sequence[Any]) -> Iterator[None]:
    out = csv.writer(file)
    out.writerow([field.key for field in fields])
    for at in range(0, len(rows), STEP):
        for row in rows[at : at + STEP]:
            out.writerow([_cell(plain(field.kind, field.value(row))) for field in fields])
        yield


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, dict) else value


def _json(file: TextIO, fields: Sequence[Any], rows: Sequence[Any]) -> Iterator[None]:
    file.write("[")
    for at in range(0, len(rows), STEP):
        buffer = StringIO()
        for number, row in enumerate(rows[at : at + STEP], at):
            record = {field.key: plain(field.kind, field.value(row)) for field in fields}
            buffer.write(("," if number else "") + "\n" + json.dumps(record, ensure_ascii=False))
        file.write(buffer.getvalue())
        yield
    file.write("\n]\n")
