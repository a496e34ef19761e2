"""How the kernel of a machine words an oops, as data: what a reader of logs looks for, by regular expressions.

Each machine has one table, WORDINGS of its `wordings` file. A pattern is for one line of the log without its time, and
is searched for. Named groups carry what a line tells; numbers are hexadecimal, with or without 0x. What all machines
print alike (kernel/panic.c, lib/bug.c) is here.
"""

import re
from collections.abc import Iterable, Mapping
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
Detail = Literal["read", "write", "execute", "not mapped", "forbidden", "no execute", "read only", "user page"]

# symbol+0xoffset/0xsize [module], as %pS and %pB print it; a build id may follow the module's name (5.15).
PLACE = (
    r"(?P<symbol>[^\s+()\[\]]{1,500})\+0x(?P<offset>[0-9a-f]{1,16})/0x(?P<size>[0-9a-f]{1,16})"
    r"(?: \[(?P<module>[^\s\]]{1,64})(?: [0-9a-f]{8,40})?\])?"
)
BUG_AT = r"kernel BUG at (?P<place>.+?)!"
END = r"---\[ end (?:trace|Kernel panic)"
PANIC = r"Kernel panic - not syncing: (?P<message>.*)"
FATAL = r"^(?:[^:]{1,60}: )?Fatal exception"  # what panic() is called with after an oops; arm64 puts what it was before
CALL_TRACE = r"^\s*(?:Call [Tt]race:|Stack: *$|Backtrace:)"
# A function on the stack: with addresses before it, up to 4.8 or so on all machines and still on s390 and PowerPC.
FRAME = r"^\s*(?P<paren>\()?(?:\[<?(?P<address>[0-9a-f]{8,16})>?\] ?){0,2}\s*(?P<doubt>\? )?" + PLACE
UNRELIABLE = r"^\s*(?:\[<?[0-9a-f]{8,16}>?\] ?){0,2}\s*\? |\(unreliable\)"


class Fault(NamedTuple):
    """A line that says what went wrong, at the head of an oops; group `address` where it names one."""

    kind: FaultKind
    pattern: str


class Told(NamedTuple):
    """A line of an oops that tells how memory was used, or why that failed."""

    detail: Detail
    pattern: str


class Row(NamedTuple):
    """A line that lists registers without names: group `values`, and `first` where it tells the first's number."""

    pattern: str
    names: tuple[str, ...]  # in the order of all such lines


class Wordings(NamedTuple):
    """One machine's words."""

    machine: str  # the key in MACHINES
    faults: tuple[Fault, ...]  # the most telling first
    die: str  # the line that every die() prints: `what`, `count`, and `code` where it has one
    pc: tuple[str, ...]  # `symbol`, `offset`, `size`, `module`, or `address` alone where no symbol is known
    caller: tuple[str, ...]  # the link register's line, as for pc; () where the machine has none
    fault_address: tuple[str, ...]  # `address`, in other lines than the faults'
    register: str  # a register and its value anywhere in a line: `name`, `value`
    rows: tuple[Row, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # printed names, in lower case, that a crash note has otherwise
    told: tuple[Told, ...] = ()
    code: str = r"^\s*Code: (?P<bytes>.*)"  # the instructions about pc
    in_user: str = r"(?!)"  # pc stands in a program
    fatal: str = FATAL
    marked_by: tuple[
        str, ...
    ] = ()  # words of which one stands in each line that `mark` finds: they are looked for first
    mark: str = r"(?!)"  # a line that no other machine's kernel prints

    def fault_in(self, line: str) -> tuple[Fault, "re.Match[str]"] | None:
        """Return what a line says went wrong; None for another line."""
        return next(((fault, m) for fault in self.faults if (m := _compiled(fault.pattern).search(line))), None)

    def pc_in(self, line: str) -> "re.Match[str] | None":
        """Return where a line says that the CPU stood."""
        return _first(self.pc, line)

    def caller_in(self, line: str) -> "re.Match[str] | None":
        """Return what a line says of the link register."""
        return _first(self.caller, line)

    def fault_address_in(self, line: str) -> int | None:
        """Return the address that a line says could not be used."""
        found = _first((*(f.pattern for f in self.faults if "(?P<address>" in f.pattern), *self.fault_address), line)
        return int(found["address"], 16) if found and found["address"] else None

    def told_in(self, line: str) -> list[Detail]:
        """Return what a line tells of how memory was used, and why that failed."""
        return [told.detail for told in self.told if _compiled(told.pattern).search(line)]

    def registers_in(self, line: str, known: Mapping[str, int] | None = None) -> dict[str, int]:
        """Return the registers that a line gives, by the names that a crash note has for them.

        known: those of this oops's lines before, for machines that list them in order over several lines.
        """
        for row in self.rows:
            found = _compiled(row.pattern).search(line)
            if found is not None:
                return _in_order(row, found, known or {})
        spelt = dict(self.renamed)
        pairs = ((m["name"].lower(), int(m["value"], 16)) for m in _compiled(self.register).finditer(line))
        return {spelt.get(name, name): value for name, value in pairs}


def _in_order(row: Row, found: "re.Match[str]", known: Mapping[str, int]) -> dict[str, int]:
    first = found.groupdict().get("first")
    start = int(first) if first else sum(name in known for name in row.names)
    values = [int(value, 16) for value in found["values"].split()]
    return dict(zip(row.names[start:], values, strict=False))


def detect(lines: Iterable[str], tables: Iterable[Wordings]) -> Wordings | None:
    """Return the table of the machine whose kernel wrote a log, by the first line that only it prints."""
    known = tuple(tables)
    words = tuple(word for one in known for word in one.marked_by)
    likely = (line for line in lines if any(map(line.__contains__, words)))  # of most lines nothing else is asked
    return next((one for line in likely for one in known if _compiled(one.mark).search(line)), None)


@cache
def _compiled(pattern: str) -> "re.Pattern[str]":
    return re.compile(pattern)


def _first(patterns: Iterable[str], line: str) -> "re.Match[str] | None":
    return next((found for pattern in patterns if (found := _compiled(pattern).search(line))), None)
