"""Rows as text, CSV, JSON, JSON lines, Markdown and HTML: the one writer of each format, for `show` and for the screen.

A writer is a generator: it yields between pieces, so that who writes much can look at what else there is to do. CSV
and JSON have values as the report has them, the others words. Text of a dump is text in each: no markup, no control.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from html import escape
from io import StringIO
from itertools import chain
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TextIO

from oopscope.lazy_re import lazy_re
from oopscope.report.cells import RIGHT, cell, printable, width
from oopscope.report.values import value
from oopscope.subsystems import Column

STEP = 1000  # rows between two pieces
WIDEST = 200  # cells to which a column is aligned
STYLE = (
    ":root{color-scheme:light dark}body{font:14px system-ui;margin:1em}table{border-collapse:collapse}"
    "td,th{padding:.1em .6em}th{text-align:left}.n{text-align:right}"
    "tr:nth-child(even){background:#8882}td,pre{font-family:ui-monospace,monospace;white-space:pre-wrap}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PLAIN = lazy_re(r"[A-Za-z0-9 .%–-]*")  # Markdown makes nothing of it, within a table  # noqa: RUF001


class ShownColumn(Protocol):
    """A column as people see it."""

    @property
    def title(self) -> str:
        """The heading."""

    @property
    def right(self) -> bool:
        """Whether it stands to the right."""

    def text(self, row: Any) -> str:
        """Return the cell of a row in words."""


class DataField(Protocol):
    """A column as scripts see it."""

    @property
    def key(self) -> str:
        """The name."""

    @property
    def kind(self) -> str:
        """The kind of its values."""

    @property
    def value(self) -> Callable[[Any], Any]:
        """What gives the value of a row."""


class Content(NamedTuple):
    """What is written: rows, the words of one, and where it is a table its columns' titles, cells and values."""

    title: str
    rows: Sequence[Any]
    written: Callable[[Any], str]
    columns: Sequence[ShownColumn]
    fields: Sequence[DataField]


class TableColumn(NamedTuple):
    """A table's column, both as people and as scripts see it."""

    key: str
    title: str
    kind: str

    @property
    def right(self) -> bool:
        """Whether it stands to the right."""
        return self.kind in RIGHT

    def text(self, row: Any) -> str:
        """Return the cell in words."""
        return cell(self.value(row), self.kind)

    @property
    def value(self) -> Callable[[Any], Any]:
        """What gives the value of a row."""
        return attrgetter(self.key)


def content_of(title: str, columns: Sequence[Column], rows: Sequence[Any]) -> Content:
    """Return rows with their columns as what is written."""
    shown = [TableColumn(column.key, column.title, column.kind) for column in columns]
    return Content(title, rows, lambda row: " ".join(column.text(row) for column in shown), shown, shown)


def grid(columns: Sequence[Column], rows: Sequence[Any]) -> str:
    """Return rows as lines: a heading, then the rows, columns aligned."""
    return render("text", content_of("", columns, rows))


def _in_steps(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + STEP] for at in range(0, len(rows), STEP))


def _cells(what: Content, row: Any) -> list[str]:
    return [printable(column.text(row)) for column in what.columns] if what.columns else [_line(what, row)]


def _line(what: Content, row: Any) -> str:
    return printable(what.written(row).rstrip())


def _text(file: TextIO, what: Content) -> Iterator[None]:
    """A table's columns aligned under their titles; anything else line by line."""
    if not what.columns:
        for rows in _in_steps(what.rows):
            file.write("".join(f"{_line(what, row)}\n" for row in rows))
            yield
        return
    titles = [column.title for column in what.columns]
    widths = [width(title) for title in titles]
    for rows in _in_steps(what.rows):
        for row in rows:
            texts = _cells(what, row)
            widths = [max(most, min(width(text), WIDEST)) for most, text in zip(widths, texts, strict=True)]
        yield
    sides = [column.right for column in what.columns]
    file.write(_aligned(titles, widths, sides))
    for rows in _in_steps(what.rows):
        file.write("".join(_aligned(_cells(what, row), widths, sides) for row in rows))
        yield


def _aligned(texts: Sequence[str], widths: Sequence[int], sides: Sequence[bool]) -> str:
    padded = []
    for text, most, right in zip(texts, widths, sides, strict=True):
        blank = " " * (most - width(text))
        padded.append(blank + text if right else text + blank)
    return "  ".join(padded).rstrip() + "\n"


FORMULA = ("=", "+", "-", "@")


def _csv(file: TextIO, what: Content) -> Iterator[None]:
    out = csv.writer(file, lineterminator="\n")
    out.writerow([field.key for field in what.fields])
    for rows in _in_steps(what.rows):
        out.writerows([_flat(found) for found in _record(what, row).values()] for row in rows)
        yield


def _flat(found: Any) -> Any:
    """A cell of CSV: what is nested is JSON text, and no control character of a dump is left but for line ends.

    A text that a spreadsheet would take for a formula begins with an apostrophe, which it takes for none.
    """
    if isinstance(found, str):
        text = printable(found, keep="\n")
        return f"'{text}" if text.lstrip(" \n")[:1] in FORMULA else text
    return json.dumps(found) if isinstance(found, list | dict) else found


def _record(what: Content, row: Any) -> dict[str, Any]:
    return {field.key: value(field.value(row), field.kind) for field in what.fields}


def _object(what: Content) -> Callable[[Any], str]:
    """Return what makes a row an object of JSON, as json.dumps of its record does; a table may have 100,000 rows."""
    fields = {field.key: (json.dumps(field.key), field.value, field.kind) for field in what.fields}.values()
    return lambda row: "{" + ", ".join([f"{key}: {_member(get(row), kind)}" for key, get, kind in fields]) + "}"


def _member(raw: Any, kind: str) -> str:
    """Return a value in JSON."""
    if raw is None:
        return "null"
    if raw.__class__ is str:
        return encode_basestring_ascii(raw)
    if raw.__class__ is int and kind != "address":
        return str(raw)
    return json.dumps(value(raw, kind))


def _json(file: TextIO, what: Content) -> Iterator[None]:
    """A list with a line for each row: whole it is JSON, and line by line it can be looked at."""
    start, made = "[\n", _object(what)
    for rows in _in_steps(what.rows):
        file.write(start + ",\n".join(map(made, rows)))
        start = ",\n"
        yield
    file.write("[\n]\n" if start == "[\n" else "\n]\n")


def _json_lines(file: TextIO, what: Content) -> Iterator[None]:
    made = _object(what)
    for rows in _in_steps(what.rows):
        file.write("\n".join(map(made, rows)) + "\n")
        yield


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
    "text": _text,
    "csv": _csv,
    "json": _json,
    "jsonl": _json_lines,
    "markdown": _markdown,
    "html": _html,
}
ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".md": "markdown", ".html": "html"}  # else text


def render(form: str, what: Content) -> str:
    """Return what a format makes of rows, whole; KeyError for no such format."""
    return "".join(pieces(form, what))


def pieces(form: str, what: Content) -> Iterator[str]:
    """Yield what a format makes of rows, piece by piece, for who writes more than is to be held."""
    file = StringIO()
    for _ in chain(WRITERS[form](file, what), [None]):
        yield file.getvalue()
        file.seek(0)
        file.truncate()
