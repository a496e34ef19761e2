"""The register's options as argparse takes them, those that are not there too: they say what is nearest."""

import argparse
from collections.abc import Sequence
from typing import Any

from oopscope.commands.command import Command

HELP = ("-h", "--help")  # argparse's own


def add_options(parser: argparse.ArgumentParser, command: Command, but: Sequence[str] = ()) -> None:
    """Declare a command's options, those that are not there too: they say what is nearest."""
    for option in command.options:
        if option.name in but or (option.name in HELP and option.missing):
            continue
        told = argparse.SUPPRESS if option.missing else option.help
        nargs: Any = None if option.value else 0
        metavar = option.value or None
        parser.add_argument(option.name, dest="given", action=_Given, nargs=nargs, metavar=metavar, help=told)


class _Given(argparse.Action):
    """Keeps an option of the register with its value, in the order in which they came."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        given = [*(getattr(namespace, self.dest, None) or ()), str(option_string)]
        setattr(namespace, self.dest, [*given, values] if isinstance(values, str) else given)
