"""The command line: arguments, exit statuses, and one file for each headless sub-command.

`oopscope [PATH]` opens the screen, which this package does not know: the caller hands in a way to open it.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import oopscope
from oopscope.cli.stdin import STDIN, kept_input
from oopscope.errors import NotADump, OopscopeError, Unsupported
from oopscope.lazy_re import lazy_re
from oopscope.sources.remote import Location, location
from oopscope.subsystems import TABLES

if TYPE_CHECKING:
    from oopscope.commands.command import Command as Word
    from oopscope.commands.command import Say

CRASHES = Path("/var/crash")  # where kdump writes by itself
DONE, FAULT, USAGE, NOT_A_DUMP, DAMAGED = 0, 1, 2, 3, 4
TYPE_LIKE = lazy_re(r"[A-Za-z]\w*_\w*(\.[\w.,]+)?")
HELP_WORDS = ("help", "man", "?")
OpenScreen = Callable[[list[Location]], int]


class Command(NamedTuple):
    """A line of the table: a sub-command, its one-line help, and its module with `prepare(parser)` and `run(args)`."""

    name: str
    help: str
    module: str


COMMANDS: tuple[Command, ...] = (
    Command("report", "print everything that a dump tells, as text, JSON, Markdown or HTML", "oopscope.cli.report"),
    Command("verdict", "print why the machine died, with the evidence", "oopscope.cli.verdict"),
    Command("show", "print one table: tasks, modules, slabs ...", "oopscope.cli.show"),
    Command("log", "print the kernel log", "oopscope.cli.log"),
    Command("bt", "print stacks", "oopscope.cli.bt"),
    Command("triage", "print one line of JSON for each of many dumps", "oopscope.cli.triage"),
    Command("distill", "write a small dump that gives the same report", "oopscope.cli.distill"),
    Command("serve", "show the screen in a web browser on this machine", "oopscope.cli.serve"),
    Command(
        "completion", "print a completion script for bash, zsh or fish, or the man page", "oopscope.cli.completion"
    ),
    Command("schema", "print the JSON Schema of what the commands print as JSON", "oopscope.cli.schema"),
    Command("explain", "explain a term: a cause, a state, a column, a word of crash analysis", "oopscope.cli.explain"),
    Command("learn", "lessons in reading dumps, step by step", "oopscope.cli.learn"),
    Command("doctor", "tell whether a crash of this machine would be captured", "oopscope.cli.doctor"),
    Command("demo", "open a real dump that ships with oopscope", "oopscope.cli.demo"),
)

ASK = "oopscope.cli.ask"
MIXED = (ASK, "oopscope.cli.bt", "oopscope.cli.log")  # options may stand between words


@cache
def asked() -> tuple[Command, ...]:
    """Return the commands of the register that have no file of their own here: a report does without it."""
    from oopscope.commands.register import HERE

    own = {command.name for command in COMMANDS} | {"*"}
    return tuple(Command(one.name, one.help, ASK) for one in HERE if one.on == "both" and one.name not in own)


def every() -> tuple[Command, ...]:
    """Return all commands of the shell."""
    return (*COMMANDS, *asked())


def _words() -> "dict[str, Word]":
    """Return the commands of the register by all their words."""
    from oopscope.commands.register import BY_WORD

    return BY_WORD


def told(word: str) -> str:
    """Return a command of the register in one line; an empty text for none."""
    from oopscope.commands.register import told as of_register

    return of_register(word)


EXAMPLES = """\
examples:
  oopscope                                   the dumps of /var/crash, newest first: Enter opens one
  oopscope /var/crash/*/vmcore               just those; a single dump opens at once
  oopscope report vmcore                     the same as text
  oopscope report vmcore --format json       the same for a script
  oopscope log vmcore --grep 'oom|panic'     the kernel log, searched
  oopscope bt vmcore --state D --group       stacks of blocked tasks, identical ones once
  oopscope demo                              try it on a dump that ships with oopscope

settings: ~/.config/oopscope/config.toml has keys, theme, time and columns; `:settings` on the screen writes one

exit status: 0 done, 2 wrong usage, 3 not a dump, 4 damaged or too incomplete for a verdict, 1 a fault of oopscope's own
"""


def run(argv: Sequence[str], open_screen: OpenScreen | None = None) -> int:
    """Run a command line and return the exit status; messages go to stderr, data to stdout."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends quietly
    try:
        return _dispatch(list(argv), open_screen)
    except OopscopeError as e:
        return complain(str(e), NOT_A_DUMP if isinstance(e, NotADump | Unsupported) else DAMAGED)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE
    except OSError as e:
        if e.filename is None:
            raise
        if e.filename == "standard output" and sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to write is nobody's at the exit
        return complain(f"{e.filename}: {e.strerror}", USAGE)


def complain(text: str, status: int) -> int:
    """Write one line to stderr and return a status; text of a dump or a file's name in it stays text."""
    from oopscope.report.cells import printable

    if sys.stderr is not None:
        sys.stderr.write(f"oopscope: {printable(text)}\n")
    return status


def _dispatch(argv: list[str], open_screen: OpenScreen | None) -> int:
    if argv and argv[0] in dict(TABLES) and _named(argv) is None and not (len(argv) == 1 and Path(argv[0]).exists()):
        argv.insert(0, "show")
    command = _named(argv)
    if command is not None:
        args = parsed(command, joined(argv[1:]))
        if not isinstance(args, argparse.Namespace):
            return complain(args.text, USAGE)
        args.open_screen = open_screen
        status: int = import_module(command.module).run(args)
        return status
    if argv and not Path(argv[0]).exists():
        if argv[0] in HELP_WORDS:
            return _help(argv[1:])
        if argv[0] in _words() and not _words()[argv[0]].there:
            return complain(told(argv[0]), USAGE)
    return _screen(argv, open_screen)


def _screen(argv: list[str], open_screen: OpenScreen | None) -> int:
    """Open the screen on what is named; what is neither a file nor a command is said."""
    paths = top_parser().parse_args(argv).paths or [CRASHES]
    word = str(paths[0])
    if "/" not in word and not Path(word).exists() and word != STDIN:
        if told(word):
            return complain(told(word), USAGE)
        if len(argv) > 1 and Path(argv[1]).exists() and TYPE_LIKE.fullmatch(word):  # as crash takes a type's name
            return complain(f"{word} is no command; of a type: oopscope struct {argv[1]} {word}", USAGE)
        near = nearest(word, [c.name for c in every()])
        hint = f"did you mean `oopscope {near}`?" if near else "`oopscope --help` lists the commands"
        return complain(f"{word!r} is neither a file here nor a command; {hint}", USAGE)
    if open_screen is None or sys.stdout is None or not sys.stdout.isatty():
        return complain("the screen needs a terminal; try `oopscope report PATH`", USAGE)
    if paths == [CRASHES] and not CRASHES.exists():
        return complain(
            f"there is no {CRASHES} here: give a dump or a folder of them, or try `oopscope demo`", NOT_A_DUMP
        )
    if word == STDIN:
        with kept_input() as path:
            return open_screen([path])
    return open_screen(paths)


def parsed(command: Command, argv: list[str]) -> "argparse.Namespace | Say":
    """Read a command's arguments; those of the register's commands as the `:` prompt reads them."""
    parser = parser_of(command)
    if command.module not in MIXED:
        return parser.parse_args(argv)
    from oopscope.cli.options import apart, spelt

    if command.module != ASK:
        line = spelt(parser, _words()[command.name], argv)
        return parser.parse_intermixed_args(line) if isinstance(line, list) else line
    read, words = apart(parser, _words()[command.name], argv)
    args = parser.parse_intermixed_args(read)
    args.words = words
    return args


def _help(words: list[str]) -> int:
    """Show how a command is used, `help bt`, or which there are."""
    if not words:
        top_parser().print_help()
        return DONE
    command = _named([words[0]])
    if command is not None:
        parser_of(command).print_help()
        return DONE
    return complain(told(words[0]) or f"no command {words[0]}", DONE if told(words[0]) else USAGE)


def _named(argv: list[str]) -> Command | None:
    """Return the command that a line begins with; crash's other words for it too, unless a file is called so."""
    word = argv[0] if argv else ""
    found = next((c for c in COMMANDS if c.name == word), None)
    if found is not None or not argv or word not in _words() or (len(argv) == 1 and Path(word).exists()):
        return found
    return next((c for c in every() if c.name == _words()[word].name), None)


def joined(argv: Sequence[str]) -> list[str]:
    """Return arguments with `--sort -rss`, `--since -30s` as one word: argparse takes the second for an option."""
    out: list[str] = []
    for word in argv:
        if out and out[-1] in ("--sort", "--since", "--until") and word.startswith("-"):
            out[-1] = f"{out[-1]}={word}"
        else:
            out.append(word)
    return out


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that another was probably meant to be."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower(), list(known), 1, 0.6)), None)


class Parser(argparse.ArgumentParser):
    """argparse's, whose complaints are one line; its examples are looked for when help is asked for."""

    command = ""

    def format_help(self) -> str:
        """Return the help, examples last."""
        if self.command:
            from oopscope.cli.examples import epilog

            self.epilog = epilog(self.command)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where the rest stands."""
        from oopscope.report.cells import printable

        self.exit(USAGE, f"oopscope: {printable(message)}; `{self.prog} --help` tells how it is used\n")


def parser_of(command: Command) -> argparse.ArgumentParser:
    """Return a sub-command's parser."""
    module = import_module(command.module)
    parser = Parser(
        prog=f"oopscope {command.name}",
        description=module.__doc__,
        conflict_handler="resolve",
        # Each argument, --help first, is tried on a formatter, which would import shutil for the width.
        formatter_class=partial(argparse.HelpFormatter, width=80),
    )
    parser.command = command.name
    if command.module == ASK:
        module.prepare(parser, command.name)
    else:
        module.prepare(parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def top_parser() -> argparse.ArgumentParser:
    """Return the parser of `oopscope` without a sub-command."""
    lines = "\n".join(f"  {c.name:<12}{c.help}" for c in COMMANDS)
    others = "\n".join(f"  {c.name:<12}{c.help}" for c in asked())
    parser = Parser(
        prog="oopscope",
        usage="oopscope [PATH ...]\n       oopscope COMMAND [OPTIONS] PATH",
        description="Open a Linux kernel crash dump and see why the machine died: no debug symbols needed.",
        epilog=f"commands (`oopscope COMMAND --help` tells more):\n{lines}\n\n"
        f"tables and things, by crash's words:\n{others}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="*", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    common = import_module("oopscope.cli.common")
    common.add_extra(parser)
    common.add_known(parser)
    common.add_look(parser)
    parser.add_argument("--version", action="version", version=f"oopscope {oopscope.__version__}")
    return parser
