"""How the kernel of a machine words an oops, as data: what a reader of logs looks for, by regular expressions.

Each machine has one table, WORDINGS of its `wordings` file. A pattern is for one line of the log without its time, and
is matched at its beginning; those of faults and fault addresses are searched for. Named groups carry what a line tells;
numbers are hexadecimal, with or without 0x. What all machines print alike (kernel/panic.c, lib/bug.c) is klog's.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal, NamedTuple

FaultKind = Literal[
    "null",  # an address in the first page
    "page",  # an address that nothing maps, or that may not be used so
    "protection",  # what the processor forbids; on x86 mostly an address that cannot be one
    "execute",  # code fetched from where there is none
    "user",  # a program's memory used where the kernel must not
    "divide",
    "opcode",
    "stack",  # a kernel stack is used up
    "breakpoint",
    "alignment",
    "cfi",  # an indirect call of what is no function of that type
    "memory error",  # the machine says that memory or a bus failed
    "bug",  # BUG()
]

# symbol+0xoffset/0xsize [module], as %pS and %pB print it; a build id may follow the module's name (5.15). Where
# scripts/decode_stacktrace.sh was at work, symbol (file:line).
SYMBOL = (
    r"(?P<name>[A-Za-z_.$][\w.$:]*)(?:\+0x(?P<at>[0-9a-f]+)/0x[0-9a-f]+|(?= \(\S+:[\d?]))"
    r"(?: \[(?P<module>[\w-]+)[^\]]*\])?"
)
BUG_AT = r"kernel BUG at (?P<place>.+?)!"


class Fault(NamedTuple):
    """A line that says what went wrong, at the head of an oops; group `address` where it names one."""

    kind: FaultKind
    pattern: str


class First(NamedTuple):
    """A first line: the words that it begins with, at least four characters, and a pattern of what must follow."""

    words: str
    rest: str = ""


class Pc(NamedTuple):
    """A line that says where the CPU stood: what it begins with, and all of it.

    Groups `name`, `at`, `module` (SYMBOL), `address`, and `bare` or `nil` where no symbol is known there.
    """

    words: tuple[str, ...]
    pattern: str


class Row(NamedTuple):
    """Lines that list registers without their names: group `values`, and `first` or `head` on the first line."""

    pattern: str
    name: str  # of a register, before its number; "" where `values` are names and values by turns


class Wordings(NamedTuple):
    """The words of one machine's kernels, besides those that all machines share."""

    machine: str  # the key in MACHINES
    faults: tuple[Fault, ...]  # the most telling first
    fault_address: tuple[str, ...]  # `address`, in other lines than the faults'
    firsts: tuple[First, ...]  # lines that an oops begins with
    dies: tuple[str, ...]  # what the line of die() begins with: `WORDS: CODE [#COUNT]`
    died: tuple[str, ...]  # patterns of its words, up to the code
    pcs: tuple[Pc, ...]
    links: tuple[str, ...]  # patterns of what stands before the link register's symbol; a group `address` at most
    registers: str  # a pattern of the names that stand before a colon and a value
    aside: tuple[str, ...]  # patterns of what an oops's other lines begin with
    rows: tuple[Row, ...] = ()
    in_user: tuple[str, ...] = ()  # patterns of a line that says that it was a program that stood there
    headless: tuple[First, ...] = ()  # lines that begin what is left of an oops that lost its first ones
    fatal: tuple[str, ...] = ()  # patterns of what panic() says at the end of an oops
    bugs: tuple[str, ...] = ()  # the instruction that BUG() is: its bytes in hexadecimal, as `Code:` prints them
    marked_by: tuple[str, ...] = ()  # words of which one stands in each line that `mark` finds: they are sought first
    mark: str = r"(?!)"  # a line that no other machine's kernel prints

    def fault_address_in(self, line: str) -> int | None:
        """Return the address that a line says could not be used."""
        patterns = (*(f.pattern for f in self.faults if "(?P<address>" in f.pattern), *self.fault_address)
        found = next((found for pattern in patterns if (found := _compiled(pattern).search(line))), None)
        return int(found["address"], 16) if found and found["address"] else None


def placed(words: str) -> Pc:
    """Return how a line tells a place: `pc : [<address>] symbol`, `pc : symbol`, `pc : 0xaddress`."""
    return Pc(
        (f"{words} :",), rf"{words} : (?:\[(?:<|0x)(?P<address>[0-9a-f]+)>?\] *)?(?:{SYMBOL}|0x(?P<bare>[0-9a-f]+))"
    )


def is_at(words: str) -> Pc:
    """Return how an older kernel's line tells a place: `PC is at symbol`."""
    return Pc((f"{words} is",), rf"{words} is at (?:{SYMBOL}|0x(?P<bare>[0-9a-f]+))")


def detect(lines: Iterable[str], tables: Iterable[Wordings]) -> Wordings | None:
    """Return the table of the machine whose kernel wrote a log, by the first line that only it prints."""
    known = tuple(tables)
    words = tuple(word for one in known for word in one.marked_by)
    likely = (line for line in lines if any(map(line.__contains__, words)))  # of most lines nothing else is asked
    return next((one for line in likely for one in known if _compiled(one.mark).search(line)), None)


@cache
def _compiled(pattern: str) -> "re.Pattern[str]":
    return re.compile(pattern)
