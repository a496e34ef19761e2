"""What a command is: its words, its arguments and options, and the request that a line of it makes.

A request says what is wanted, not how it is shown: rows of a table, a card, every card of some tasks, an act of the
screen; or, in one line, that it is not there and what is nearest. It is made of words alone, without a dump, so that
a prompt knows what a line means while it is typed.
"""

from collections.abc import Callable, Collection
from typing import Literal, NamedTuple

# What an argument is: completion offers these.
Takes = Literal[
    "", "task", "cpu", "module", "slab", "symbol", "address", "type", "table", "file", "number", "topic", "theme",
    "command",
]  # fmt: skip
MOST_LISTED = 4096  # CPUs of one list
HEX = set("0123456789abcdef")
DIGITS = 40  # int() takes long over long ones


class TableOf(NamedTuple):
    """Rows of a table: all, or that of a key; which pass a filter, in what order, with which columns."""

    table: str
    key: int | str | None = None
    where: str = ""
    sort: str = ""  # a column's key, `-` before it for the largest first
    columns: tuple[str, ...] = ()


class CardOf(NamedTuple):
    """A thing's card, or (`parts`) what is wanted of it. No key: what is selected, or the task that is to blame."""

    card: str
    key: int | str | None = None
    parts: tuple[str, ...] = ()
    otherwise: "CardOf | None" = None  # where there is no such thing


class EachTask(NamedTuple):
    """The cards of all tasks that pass a filter."""

    where: str
    parts: tuple[str, ...]


class Act(NamedTuple):
    """Something that the screen does: its name, and what was typed after it."""

    name: str
    argument: str = ""


class Say(NamedTuple):
    """One line: it is not there, and what is nearest; or how it is used."""

    text: str


Request = TableOf | CardOf | EachTask | Act | Say


class Argument(NamedTuple):
    """An argument as the usage writes it, and what it is."""

    name: str
    takes: Takes = ""
    needed: bool = False


class Option(NamedTuple):
    """An option of crash's; `missing` says that it is not there, and what is nearest.

    lacks: what it would add is not there, and why; the rest of the line is answered.
    """

    name: str
    help: str = ""
    value: str = ""  # how the usage writes its value; empty for none
    missing: str = ""
    lacks: str = ""


class Line(NamedTuple):
    """A line of a command, taken apart."""

    names: tuple[str, ...]  # what are no options
    options: dict[str, str]  # by name, with their values

    @property
    def first(self) -> str:
        """The first name, or nothing."""
        return self.names[0] if self.names else ""

    @property
    def key(self) -> int | str | None:
        """The names as one key: a number where it is one; a name may hold blanks."""
        return key_of(" ".join(self.names)) if self.names else None


class Command(NamedTuple):
    """One command of the register.

    words: the first is its name, others are what crash, ps and the shell call it. request: what a line of it asks for.
    examples: what follows the path at the shell, and what that does. A command of the screen has no answer elsewhere.
    """

    words: tuple[str, ...]
    help: str
    request: Callable[[Line], Request]
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    on: Literal["both", "screen"] = "both"
    there: bool = True  # False: a command of crash's that only says what is nearest
    whole: bool = False  # its words hold another command, whose options they are

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def usage(self) -> str:
        """What may follow, as help writes it: `[PID | NAME] [-c N]`."""
        parts = [one.name if one.needed else f"[{one.name}]" for one in self.arguments]
        there = [one for one in self.options if one.help]
        return " ".join([*parts, *(f"[{one.name}{f' {one.value}' if one.value else ''}]" for one in there)])

    @property
    def brief(self) -> str:
        """What may follow but for options."""
        return " ".join(one.name if one.needed else f"[{one.name}]" for one in self.arguments)

    @property
    def takes(self) -> Takes:
        """What its first argument is."""
        return self.arguments[0].takes if self.arguments else ""

    @property
    def needs(self) -> bool:
        """Whether it says nothing without a word after it."""
        return any(one.needed for one in self.arguments)

    def ask(self, words: list[str]) -> Request:
        """Return what the words after the command ask for."""
        line = self.take(words) if self.there else Line((), {})
        return line if isinstance(line, Say) else self.request(line)

    def lacks(self, words: list[str]) -> str:
        """Return what options of a line would add, were it there; an empty text where nothing is lacking."""
        line = self.take(words) if self.there and not self.whole else None
        given = line.options if isinstance(line, Line) else {}
        return "; ".join(
            f"{self.name} {one.name}: {one.lacks}" for one in self.options if one.lacks and one.name in given
        )

    def take(self, words: list[str]) -> Line | Say:
        """Take a line apart; an option that is not there, or that nobody has, is said."""
        if self.whole:
            return Line(tuple(words), {})
        known = {option.name: option for option in self.options}
        names: list[str] = []
        options: dict[str, str] = {}
        left = [one for word in words for one in self.letters(word)]
        while left:
            word = left.pop(0)
            option = known.get(word)
            if option is None and is_option(word):
                return Say(f"{self.name} has no option {word[:20]}; help {self.name} lists those that there are")
            if option is None:
                names.append(word)
            elif option.missing:
                return Say(f"{self.name} {option.name}: {option.missing}")
            else:
                options[option.name] = left.pop(0) if option.value and left else ""
        return Line(tuple(names), options)

    def letters(self, word: str, others: Collection[str] = ()) -> list[str]:
        """Return `-sz` as `-s -z`, `-asx` as `-a -s -x`: options of which the last alone may have a value.

        `others` are options that the command has beside these.
        """
        known = {option.name: option for option in self.options}
        letters = [f"-{letter}" for letter in word[1:]]
        if word in known or word in others or not is_option(word) or len(letters) < 2:
            return [word]
        whole = all(one in others or one in known for one in letters)
        return letters if whole and not any(known[one].value for one in letters[:-1] if one in known) else [word]


def is_option(word: str) -> bool:
    """Tell whether a word is an option of crash's: a sign and a letter."""
    return word[:1] == "-" and len(word) > 1 and not word[1:].isdigit()


def numbers_of(word: str) -> str | None:
    """Return the numbers that a word lists, as a filter takes them: `0,2-4` as `0,2,3,4`; None for no such list."""
    found: list[int] = []
    for part in word.split(","):
        first, dash, last = part.partition("-")
        low, high = as_number(first), as_number(last) if dash else as_number(first)
        if low is None or high is None or not 0 <= high - low < MOST_LISTED:
            return None
        found += range(low, high + 1)
    return ",".join(map(str, found[:MOST_LISTED]))


def key_of(word: str) -> int | str:
    """Return a word as a number, 0x and the like understood, where it is one."""
    number = as_number(word)
    return word if number is None else number


def as_number(word: str) -> int | None:
    """Return a word as a number, 0x and the like understood; None for what is none."""
    if len(word) > DIGITS:
        return None
    try:
        return int(word, 0)
    except ValueError:
        return int(word) if word.isascii() and word.isdigit() else None


def operand(word: str) -> str:
    """Return an address as an expression has it: bare digits of an address with their 0x."""
    return f"0x{word}" if len(word) >= 8 and not set(word.lower()) - HEX else word


def is_address(word: str) -> bool:
    """Tell whether a word is an address in hexadecimal: eight digits or more."""
    digits = word.lower().removeprefix("0x")
    return len(digits) >= 8 and not set(digits) - HEX


def missing(*words: str, nearest: str) -> Command:
    """Return a command of crash's that is not there: it says so, and what is nearest."""
    said = Say(f"{words[0]} is not there: {nearest}")
    return Command(words, f"not there: {nearest}", lambda line: said, there=False)


def table(key: str) -> Callable[[Line], Request]:
    """Return the request for a table, or for the row of it that the last name says."""
    return lambda line: TableOf(key, line.key)


def card(kind: str, *parts: str) -> Callable[[Line], Request]:
    """Return the request for the card of what the first name says."""
    return lambda line: CardOf(kind, key_of(line.first) if line.names else None, parts)
