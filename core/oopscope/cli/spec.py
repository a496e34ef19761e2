"""What the command line takes, read from the argparse parsers: for completion scripts and the man page."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from oopscope.cli import every, parser_of, top_parser
from oopscope.cli.demo import demos
from oopscope.cli.examples import epilog
from oopscope.report.build import sections
from oopscope.subsystems import TABLES

FILES = ("PATH", "FILE", "OUT")  # metavars that stand for a file


class Value(NamedTuple):
    """What an option or a place on the command line takes: words that are known, or a file, or anything."""

    name: str
    words: tuple[str, ...] = ()
    files: bool = False
    usage: str = ""  # as a synopsis shows it


class Option(NamedTuple):
    """One option; value is None for a switch."""

    names: tuple[str, ...]
    help: str
    value: Value | None


class Spec(NamedTuple):
    """One command; the empty name is `oopscope` itself."""

    name: str
    help: str
    description: str
    examples: str
    options: tuple[Option, ...]
    places: tuple[Value, ...]  # the last may be repeated


def specs() -> list[Spec]:
    """Return `oopscope` itself, then every command."""
    return [_spec("", "", top_parser()), *(_spec(c.name, c.help, parser_of(c)) for c in every())]


def known_words(metavar: str) -> tuple[str, ...]:
    """Return the words that a metavar stands for; none where it stands for anything."""
    if metavar == "TABLE":
        return tuple(key for key, _ in TABLES)
    if metavar == "NAME":
        return tuple(demos())
    if metavar == "A,B":
        return tuple(sections(["dump", "system", "verdict", *(key for key, _ in TABLES)]))
    return ()


def _spec(name: str, text: str, parser: argparse.ArgumentParser) -> Spec:
    actions: Sequence[argparse.Action] = parser._actions
    options = tuple(_option(a) for a in actions if a.option_strings)
    places = tuple(_value(a) for a in actions if not a.option_strings)
    examples = epilog(name) if name else parser.epilog
    return Spec(name, text, parser.description or "", examples or "", options, places)


def _option(action: argparse.Action) -> Option:
    help_text = (action.help or "").replace("%%", "%")
    if not help_text and action.choices is not None:
        help_text = f"one of {', '.join(map(str, action.choices))}"
    return Option(tuple(action.option_strings), help_text, None if action.nargs == 0 else _value(action))


def _value(action: argparse.Action) -> Value:
    choices = tuple(map(str, action.choices or ()))
    name = action.metavar if isinstance(action.metavar, str) else "|".join(choices) or action.dest.upper()
    many = name + (" ..." if action.nargs in ("*", "+") else "")
    usage = f"[{many}]" if action.nargs in ("?", "*") else many
    return Value(name, choices or known_words(name), name in FILES, usage)
