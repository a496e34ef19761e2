"""What commands that print rows share: which rows and columns, in what order, and the forms in which they come."""

import argparse
import json
from collections.abc import Iterable, Sequence
from typing import Any

from oopscope.commands.command import TableOf
from oopscope.report.answer import TableFound
from oopscope.report.card import card_data, card_text, columns_of, rows_section
from oopscope.report.rows import WRITERS, Content, content_of, pieces, render
from oopscope.subsystems.cards import Card

HEADED = ("text", "csv")  # forms whose first line names the columns


def add_rows(parser: argparse.ArgumentParser) -> None:
    """Declare the options for rows, columns and order."""
    group = parser.add_argument_group("which rows, which columns")
    text = "only rows that pass: 'state:D,R rss>100M comm~^kworker -idle', as the screen's filter"
    group.add_argument("--where", metavar="FILTER", default="", help=text)
    group.add_argument("--sort", metavar="COLUMN", default="", help="by a column; -COLUMN for the largest first")
    group.add_argument("--columns", metavar="KEYS", default="", help="only these columns, in this order: pid,comm,rss")
    group.add_argument("--no-headers", action="store_true", help="text and CSV without the line of names")


def add_format(parser: argparse.ArgumentParser, *names: str) -> None:
    """Declare the form in which rows come; names: other names of the option."""
    text = "text for people, or data; jsonl is a line a row"
    parser.add_argument("--format", *names, dest="format", choices=tuple(WRITERS), default="text", help=text)


def wanted(args: argparse.Namespace, request: TableOf) -> TableOf:
    """Return a request with what the options say about rows, columns and order."""
    chosen = tuple(name for name in args.columns.split(",") if name)
    where = f"{request.where} {args.where}".strip()
    return request._replace(where=where, sort=args.sort or request.sort, columns=chosen or request.columns)


def table_in(form: str, found: TableFound, headers: bool = True) -> Iterable[str]:
    """Return rows of a table in a form, in pieces."""
    content = content_of(found.table.title, found.columns, found.rows)
    return pieces(form, content) if headers else [_headed(form, render(form, content), headers)]


def _headed(form: str, text: str, headers: bool) -> str:
    return text if headers or form not in HEADED else text.partition("\n")[2]


def cards_in(form: str, cards: Sequence[Card], one: bool, headers: bool = True) -> str:
    """Return cards in a form; one: exactly one was asked for, so that JSON is an object and no list."""
    if form == "json":
        data: list[Any] = [card_data(card) for card in cards]
        return json.dumps(data[0] if one else data, indent=1) + "\n"
    if form == "jsonl":
        return "".join(json.dumps(card_data(card)) + "\n" for card in cards)
    if form == "csv":
        return "".join(_csv(card, headers and not at) for at, card in enumerate(cards))
    text = "\n".join(card_text(card) for card in cards)
    if form == "text":
        return text
    title = cards[0].name if len(cards) == 1 else f"{len(cards)} cards"
    return render(form, Content(title, text.splitlines(), str, (), ()))


def _csv(card: Card, headers: bool) -> str:
    return _headed("csv", render("csv", content_of("", columns_of(card), rows_section(card))), headers)
