"""Writing what a pane shows to a file, in steps on the worker: the name's ending chooses what it becomes.

What is written is what shows: the filter's rows in the sort's order; of CPUs that are one row on the screen each has
its own. CSV and JSON have values as the headless tables have them, the others words as the screen has them.
"""

import csv
import errno
import json
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from textual.message import Message

from oopscope_tui.look.text import cells, clean, plural
from oopscope_tui.look.values import plain
from oopscope_tui.query import Field
from oopscope_tui.reading.messages import Written
from oopscope_tui.widgets.lines import Lines

STEP = 1000  # rows between two looks at what else the worker has to do
WIDEST = 200  # cells to which a column is aligned
STYLE = (
    ":root{color-scheme:light dark}body{font:14px system-ui;margin:1em}table{border-collapse:collapse}"
    "td,th{padding:.1em .6em}th{text-align:left}.n{text-align:right}"
    "tr:nth-child(even){background:#8882}td,pre{font-family:ui-monospace,monospace;white-space:pre-wrap}"
)
_PLAIN = re.compile(r"[A-Za-z0-9 .%–-]*")  # Markdown makes nothing of it, within a table  # noqa: RUF001
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Content(NamedTuple):
    """What is written: rows, the words of one, and where it is a table its columns' titles, cells and values."""

    title: str
    rows: Sequence[Any]
    written: Callable[[Any], str]
    columns: Sequence[Any]
    fields: Sequence[Any]


def content(title: str, lines: Lines) -> Content:
    """Take what a view shows; of rows that stand for several, those."""
    rows: list[Any] = []
    told: set[int] = set()  # those of a group that is open stand under it once more
    for row in map(lines.view.row, range(len(lines.view))):
        members = getattr(row, "members", None)
        if members is not None:
            rows.extend(members)
            told.update(map(id, members))
        elif id(row) not in told:
            rows.append(row)
    fields = list(lines.fields()) or [Field("line", "Line", "text", lines.written)]
    return Content(title, rows, lines.written, getattr(lines, "columns", ()), fields)


def target(name: str) -> Path:
    """Return the file that a name typed at the prompt means; ValueError says why it is none."""
    name = name.removesuffix("!").strip()
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        raise ValueError(f"{name}: no such user") from None
    if not name or name.endswith("/") or path.is_dir():
        raise ValueError(f"{name} is a folder: give the name of a file")
    return path


def would_replace(name: str) -> bool:
    """Tell whether a file of that name is there, and was not said to be replaced."""
    try:
        return not name.endswith("!") and target(name).exists()
    except (ValueError, OSError):
        return False


def write_steps(
    name: str, title: str, lines: Lines, picture: Callable[[], str], post: Callable[[Message], object]
) -> Iterator[None]:
    """Write the rows that `lines` shows, or the screen as `picture`; over a file that exists only with a `!`."""
    try:
        path, force = target(name), name.endswith("!")
    except (ValueError, OSError) as error:
        post(Written(str(error), failed=True))
        return iter(())
    suffix = path.suffix.lower()
    drawn = picture() if suffix == ".svg" else ""
    what = content(title, lines)

    def steps() -> Iterator[None]:
        try:
            with path.open("w" if force else "x", encoding="utf-8", errors="backslashreplace", newline="") as file:
                if drawn:
                    file.write(drawn)
                else:
                    yield from WRITERS.get(suffix, _text)(file, what)
        except FileExistsError:
            post(Written(f"{path} exists: write to {path}! to replace it", failed=True))
        except OSError as error:
            cut = ": what it holds is not whole" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
            post(Written(f"{path}: {error.strerror}{cut}", failed=True))
        else:
            post(Written(f"wrote {title.lower()} to {path}" + ("" if drawn else f": {plural(len(what.rows), 'row')}")))

    return steps()


def _in_steps(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + STEP] for at in range(0, len(rows), STEP))


def _cells(what: Content, row: Any) -> list[str]:
    return [clean(column.text(row)) for column in what.columns] if what.columns else [_line(what, row)]


def _line(what: Content, row: Any) -> str:
    return clean(what.written(row).rstrip())


def _text(file: TextIO, what: Content) -> Iterator[None]:
    """A table's columns aligned under their titles; anything else line by line."""
    if not what.columns:
        for rows in _in_steps(what.rows):
            file.write("".join(f"{_line(what, row)}\n" for row in rows))
            yield
        return
    titles = [column.title for column in what.columns]
    widths = [cells(title) for title in titles]
    for rows in _in_steps(what.rows):
        for row in rows:
            widths = [
                max(width, min(cells(text), WIDEST)) for width, text in zip(widths, _cells(what, row), strict=True)
            ]
        yield
    sides = [column.right for column in what.columns]
    file.write(_aligned(titles, widths, sides))
    for rows in _in_steps(what.rows):
        file.write("".join(_aligned(_cells(what, row), widths, sides) for row in rows))
        yield


def _aligned(texts: Sequence[str], widths: Sequence[int], sides: Sequence[bool]) -> str:
    padded = []
    for text, width, right in zip(texts, widths, sides, strict=True):
        blank = " " * (width - cells(text))
        padded.append(blank + text if right else text + blank)
    return "  ".join(padded).rstrip() + "\n"


def _csv(file: TextIO, what: Content) -> Iterator[None]:
    out = csv.writer(file)
    out.writerow([field.key for field in what.fields])
    for rows in _in_steps(what.rows):
        for row in rows:
            out.writerow([_cell(plain(field.kind, field.value(row))) for field in what.fields])
        yield


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return clean(" ".join(str(item) for item in value))
    if isinstance(value, str):
        return "\n".join(clean(line) for line in value.split("\n"))
    return json.dumps(value) if isinstance(value, dict) else value


def _json(file: TextIO, what: Content) -> Iterator[None]:
    file.write("[")
    comma = ""
    for rows in _in_steps(what.rows):
        buffer = StringIO()
        for row in rows:
            record = {field.key: plain(field.kind, field.value(row)) for field in what.fields}
            buffer.write(f"{comma}\n{json.dumps(record)}")
            comma = ","
        file.write(buffer.getvalue())
        yield
    file.write("\n]\n")


def _markdown(file: TextIO, what: Content) -> Iterator[None]:
    """A table of code spans, or a block of code: nothing in it takes effect."""
    from oopscope.report.markdown import code, fenced, table_cell

    def marked(text: str) -> str:
        return text if _PLAIN.fullmatch(text) else table_cell(code(text))

    file.write(f"## {what.title}\n\n")
    if not what.columns:
        file.write(fenced("\n".join(_line(what, row) for row in what.rows)))
        yield
        return
    file.write(f"| {' | '.join(column.title for column in what.columns)} |\n")
    file.write(f"|{'|'.join(' ---: ' if column.right else ' --- ' for column in what.columns)}|\n")
    for rows in _in_steps(what.rows):
        file.write("".join(f"| {' | '.join(marked(text) for text in _cells(what, row))} |\n" for row in rows))
        yield


def _html(file: TextIO, what: Content) -> Iterator[None]:
    title = escape(what.title)
    file.write(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><h1>{title}</h1>\n'
    )
    sides = [' class="n"' if column.right else "" for column in what.columns]
    heads = "".join(
        f'<th scope="col"{side}>{escape(column.title)}</th>' for column, side in zip(what.columns, sides, strict=True)
    )
    file.write(f"<table><thead><tr>{heads}</tr></thead><tbody>\n" if what.columns else "<pre>\n")
    for rows in _in_steps(what.rows):
        for row in rows:
            texts = [escape(text) for text in _cells(what, row)]
            drawn = (f"<td{side}>{text}</td>" for text, side in zip(texts, sides, strict=False))
            file.write(f"<tr>{''.join(drawn)}</tr>\n" if what.columns else f"{texts[0]}\n")
        yield
    file.write("</tbody></table></body></html>\n" if what.columns else "</pre></body></html>\n")


WRITERS: dict[str, Callable[[TextIO, Content], Iterator[None]]] = {
    ".csv": _csv,
    ".json": _json,
    ".md": _markdown,
    ".html": _html,
}
