"""What the dump holds and lacks: RAM by range and by kind of page, and what was asked for in vain while it was read."""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.page_kinds import page_kinds
from oopscope.memory.coverage import Cell, Failure, Range, failures, ranges, strip

# Kinds of page that makedumpfile's -d leaves out, by bit.
LEVELS = ((1, "zero"), (2, "cache"), (4, "private cache"), (8, "user"), (16, "free"))
WHYS = {
    "excluded": "filtered out when the dump was written",
    "truncated": "beyond the end of the file",
    "corrupt": "damaged",
    "never-saved": "no RAM there, or outside this dump",
}


UNKNOWN = "their struct pages are not in the dump"


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
    pages = "1 page" if found.pages == 1 else f"{found.pages} pages"
    note = f"{WHYS[found.why]}; {pages} that what was shown so far needed, at {where}"
    return Held("asked for in vain", None, None, found.pages * page_size, 0, found.pages * page_size, note)


def _left_out(kernel: Kernel) -> str:
    """Say which kinds of page the dump's writer was told to leave out."""
    level = kernel.facts.dump_level
    if level is None:
        return "the dump does not say what was left out" if kernel.facts.format in ("kdump", "elf") else ""
    names = [name for bit, name in LEVELS if level & bit]
    return f"dump level {level}: " + (f"without {', '.join(names)} pages" if names else "nothing left out")


def _kinds(kernel: Kernel, everything: Held) -> Iterator[Held]:
    """Yield each kind of page; all are unknown where the kernel's struct pages cannot be read."""
    try:
        found = page_kinds(kernel)
    except OopscopeError as e:
        yield everything._replace(what="unknown pages", note=str(e))
        return
    size, sampled = kernel.memory.page_size, f"an estimate: {found.part:.1%} of the pages were looked at"
    for kind, pages, held in found.shares:
        notes = [UNKNOWN] if kind == "unknown" else []
        notes += [sampled] if found.part < 1 else []
        lacking = None if held is None else (pages - held) * size
        saved = None if held is None else held * size
        yield Held(f"{kind} pages", None, None, pages * size, saved, lacking, "; ".join(notes))


def coverage(kernel: Kernel) -> Iterator[Held]:
    """Yield all RAM, each range of it, what reads of this session did not get, then RAM by kind. Not kept: it grows."""
    found = ranges(kernel.dump)
    everything = _total(found, _left_out(kernel))
    yield everything
    yield from map(_line, found)
    physical = kernel.memory.physical
    yield from [_failed(f, physical.page_size) for f in failures(physical)]
    yield from _kinds(kernel, everything)


def strip_of(kernel: Kernel, cells: int) -> list[Cell]:
    """Return physical memory in so many equal shares of RAM, and how much of each the dump holds."""
    return strip(kernel.dump, cells)
