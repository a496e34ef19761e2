"""Commands of the register at the shell: a table's rows or a thing's card, headless, with crash's words and options."""

import argparse
from typing import Any

from oopscope.cli import DAMAGED, DONE, USAGE, complain
from oopscope.cli.common import Progress, add_extra, load, write
from oopscope.cli.options import add_options
from oopscope.cli.rows import add_format, add_rows, cards_in, table_in, wanted
from oopscope.commands.command import Command, EachTask, Say, TableOf
from oopscope.commands.register import BY_WORD
from oopscope.errors import NoTypes, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.report.answer import cards_of, rows_of
from oopscope.report.query import QueryError
from oopscope.sources.remote import location
from oopscope.subsystems.cards import NoSuchThing


def prepare(parser: argparse.ArgumentParser, word: str) -> None:
    """Declare the arguments of a command of the register."""
    command = BY_WORD[word]
    parser.description = f"{command.help[:1].upper()}{command.help[1:]}."
    parser.set_defaults(command=command)
    parser.add_argument("path", type=location, metavar="PATH", help="a dump or its URL")
    for argument in command.arguments:
        parser.add_argument(
            "words", nargs="*", metavar=argument.name, help="" if argument.needed else "may be left out"
        )
        break
    parser.add_argument("--part", type=location, action="append", default=[], metavar="FILE",
                        help="another part of a split dump")  # fmt: skip
    add_options(parser, command)
    add_format(parser)
    add_rows(parser)
    add_extra(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    command: Command = args.command
    words = list(args.words)
    line = command.take(words)
    if command.needs and not isinstance(line, Say) and not line.names:
        return complain(f"{command.name} wants {command.arguments[0].name}: oopscope {command.name} PATH "
                        f"{command.usage}", USAGE)  # fmt: skip
    request = command.ask(words)
    if isinstance(request, Say):
        return complain(request.text, USAGE)
    if lacks := command.lacks(words):
        complain(lacks, DONE)
    progress = Progress()
    try:
        return answer(args, request, load([args.path, *args.part], progress))
    finally:
        progress.done()


def answer(args: argparse.Namespace, request: Any, kernel: Kernel) -> int:
    """Print what a request comes to."""
    command: Command = args.command
    try:
        if isinstance(request, TableOf):
            found = rows_of(kernel, wanted(args, request))
            texts = table_in(args.format, found, not args.no_headers)
            if not found.rows and args.format == "text":
                complain(f"{command.name}: there are none among the {found.table.title.lower()}", DONE)
        else:
            several = isinstance(request, EachTask)
            cards = cards_of(kernel, request)
            texts = [cards_in(args.format, cards, not several, not args.no_headers)]
            if several and not cards:
                complain(f"{command.name}: no task is {request.where}", DONE)
    except (QueryError, NoSuchThing) as error:
        return complain(str(error), USAGE)
    except OopscopeError as error:
        return complain(f"{command.name}: {error}", DAMAGED if isinstance(error, ReadError | NoTypes) else USAGE)
    for text in texts:
        write(text)
    kernel.remember()
    for problem in kernel.problems:
        complain(f"{problem.section}: {problem.message}", DONE)
    return DONE
