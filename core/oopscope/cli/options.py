"""The register's options as argparse takes them, those that are not there too: they say what is nearest."""

import argparse
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from oopscope.commands.command import Command, Say, is_option

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


class Apart(NamedTuple):
    """A line of the shell: what argparse reads, and what is the register's, as the `:` prompt has it."""

    read: list[str]
    words: list[str]


def apart(parser: argparse.ArgumentParser, command: Command, argv: Sequence[str]) -> Apart:
    """Take a line of the register's apart; PATH is the first word that is no option and no option's value."""
    read, words = _long(parser, argv, {one.name for one in command.options})
    if any(word in HELP and word not in {one.name for one in command.options} for word in words[:1]):
        return Apart(["--help"], [])
    values = {one.name for one in command.options if one.value}
    at = 0
    while at < len(words) and is_option(words[at]):
        last = command.letters(words[at])[-1]
        at += 2 if last in values else 1
    path = words[at : at + 1]
    return Apart([*read, *(["--", *path] if path else [])], [*words[:at], *words[at + 1 :]])


def _long(parser: argparse.ArgumentParser, argv: Sequence[str], words: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the options of two signs with their values, and the rest, which `words` belong to."""
    read: list[str] = []
    rest: list[str] = []
    left = list(argv)
    while left:
        word = left.pop(0)
        if not word.startswith("--") or len(word) < 3 or word in words:
            rest += [word] if word != "--" else []
            continue
        read.append(word)
        action = parser._option_string_actions.get(word)
        if action is not None and action.nargs != 0 and "=" not in word and left:
            read.append(left.pop(0))
    return read, rest


def spelt(parser: argparse.ArgumentParser, command: Command, argv: Sequence[str]) -> list[str] | Say:
    """Return a line with its letters apart, `-asx` as `-a -s -x`; Say for an option that nobody has."""
    known = {name: action for name, action in parser._option_string_actions.items() if not name.startswith("--")}
    out: list[str] = []
    left = list(argv)
    while left:
        word = left.pop(0)
        action = parser._option_string_actions.get(word)
        with_value = word[:2] in known and known[word[:2]].nargs != 0 and len(word) > 2  # -n5
        if word.startswith("--") or not is_option(word) or with_value:
            out.append(word)
        else:
            letters = command.letters(word, known)
            if letters == [word] and word not in known:
                answer = command.take([word])
                return answer if isinstance(answer, Say) else Say(f"{command.name} has no option {word[:20]}")
            out += letters
            action = known.get(letters[-1])
        if action is not None and action.nargs != 0 and "=" not in word and left:
            out.append(left.pop(0))
    return out
