"""What the dump holds and lacks: RAM by physical range, and what was asked for in vain while this was read."""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.memory.coverage import Failure, Range, failures, ranges
from oopscope.subsystems import Column, Table

# Kinds of page that makedumpfile's -d leaves out, by bit.
LEVELS = ((1, "zero"), (2, "cache"), (4, "private cache"), (8, "user"), (16, "free"))
WHYS = {
    "excluded": "filtered out when the dump was written",
    "truncated": "beyond the end of the file",
    "corrupt": "damaged",
    "never-saved": "no RAM there, or outside this dump",
}


class Held(NamedTuple):
    """One line: what it counts, where it lies, and of how many bytes how many are in the dump."""

    what: str
    start: int | None
    end: int | None
    size: int
    saved: int | None
    lacking: int | None
    note: str


def _line(found: Range) -> Held:
    lacking = None if found.saved is None else found.size - found.saved
    return Held("range of RAM", found.start, found.end, found.size, found.saved, lacking, "")


def _total(found: list[Range], note: str) -> Held:
    known = [r.saved for r in found if r.saved is not None]
    size, saved = sum(r.size for r in found), sum(known) if len(known) == len(found) else None
    return Held("all RAM", None, None, size, saved, None if saved is None else size - saved, note)


def _failed(found: Failure, page_size: int) -> Held:
    where = ", ".join(f"{a:#x}" for a in found.examples) + (" ..." if found.pages > len(found.examples) else "")
    note = f"{WHYS[found.why]}; {found.reads} reads failed, first at {where}"
    return Held("asked for in vain", None, None, found.pages * page_size, 0, found.pages * page_size, note)


def _left_out(kernel: Kernel) -> str:
    """Say which kinds of page the dump's writer was told to leave out."""
    level = kernel.facts.dump_level
    if level is None:
        return "the dump does not say what was left out" if kernel.facts.format in ("kdump", "elf") else ""
    names = [name for bit, name in LEVELS if level & bit]
    return f"dump level {level}: " + (f"without {', '.join(names)} pages" if names else "nothing left out")


def coverage(kernel: Kernel) -> Iterator[Held]:
    """Yield all RAM, each range of it, then what reads of this session did not get. Not kept: the last part grows."""
    found = ranges(kernel.dump)
    yield _total(found, _left_out(kernel))
    yield from map(_line, found)
    physical = kernel.memory.physical
    yield from (_failed(f, physical.page_size) for f in failures(physical))


TABLE = Table(
    "coverage",
    "Coverage",
    (
        Column("what", "What"),
        Column("start", "From", "address"),
        Column("end", "To", "address"),
        Column("size", "Size", "bytes"),
        Column("saved", "In the dump", "bytes"),
        Column("lacking", "Lacking", "bytes"),
        Column("note", "Note"),
    ),
    coverage,
)
