"""What a verdict is made of: plain data, for the report and for the screen."""

from typing import Literal, NamedTuple

from oopscope.inspect.fault import Fault

Category = Literal["software", "storage", "hardware", "firmware", "manual", "hang", "memory", "unknown"]
Confidence = Literal["certain", "likely", "possible"]
SourceKind = Literal["log", "frame", "task", "register", "table"]


class Source(NamedTuple):
    """Where a piece of evidence stands, for a link: `key` is a log record's place, a PID, a CPU, a register's name."""

    kind: SourceKind
    key: str
    address: int | None = None
    file: str | None = None  # the file beside the dump that a line was read from; None for the dump itself


class Evidence(NamedTuple):
    """One fact that speaks for the verdict, in words, and where it stands."""

    text: str
    source: Source


Severity = Literal["error", "warning", "note"]


class Finding(NamedTuple):
    """One thing that was wrong besides what was died of; the fields of REPORT's `findings`."""

    id: str  # a slug, such as earlier-oops
    severity: Severity
    text: str  # begins small, so that it can stand within a sentence
    age_seconds: float | None  # before the end; None where nothing tells
    evidence: tuple[Evidence, ...] = ()


class Bug(NamedTuple):
    """A known bug, as a file of one's own tells it; an empty field asks or says nothing."""

    text: str
    link: str = ""
    fixed_in: str = ""
    signature: str = ""
    cause: str = ""
    symbol: str = ""
    module: str = ""
    since: str = ""  # the first release that has it
    before: str = ""  # the first that does not


class Verdict(NamedTuple):
    """Why the machine died; the fields of REPORT's `verdict`."""

    category: Category
    cause: str  # a slug, such as null-pointer-dereference
    title: str
    summary: str  # one plain sentence
    confidence: Confidence
    panic_message: str | None = None
    cpu: int | None = None
    pid: int | None = None
    comm: str | None = None
    symbol: str | None = None  # lab_read_balance+0x5
    module: str | None = None
    evidence: tuple[Evidence, ...] = ()
    next_steps: tuple[str, ...] = ()
    fault: Fault | None = None  # of a fault: the instruction, its operand, who passed it
    findings: tuple[Finding, ...] = ()  # what else was wrong, where it was looked for
    known: tuple[Bug, ...] = ()  # the known bugs that fit
    signature: str | None = None  # the same for the same bug on another machine; None for an unknown cause
    signature_basis: str | None = None  # stack, log or both: where the function to blame was found
    lacks: tuple[str, ...] = ()  # sections that it would stand on, and of which the dump has lost something
