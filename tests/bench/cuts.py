"""Cut dumps at many places, and make holes in them: no table says of what is left what the whole dump does not.

    python tests/bench/cuts.py DUMP ... [--tables KEY,KEY] [--at PERCENT,PERCENT] [--holes N]

Every row of a changed dump must be a row of the whole one, but for cells that are unknown or empty; a list in a cell
may have lost elements. A table that has fewer rows must not say that it is complete. What is not so is printed; the
status says whether there was any. A dump is a path, or the name of a stored one: 6.1-life, lives/6.1-more.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders.altered import DUMPS, Altered
from oopscope.boot.attach import attach
from oopscope.dumps import Dump, open_container
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.sources.file import BytesSource
from oopscope.subsystems import TABLES, Table, table
from stored import STORE, put_together

LEFT_OUT = ("coverage",)  # what the dump itself holds
CUTS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98)
SHARE = 0.02  # of the pages that a holed dump lacks
EMPTY = (None, "", ())
SAME = {
    "timeline": ("kind", "before_seconds", "pid")
}  # groups, by what all of one have in common; else a table's own identity
SUMMED = {
    "stacks": ("tasks", "who", "states", "pid", "longest_seconds", "modules", "frames"),
    "timeline": ("axis", "what"),
}
# of those that were found; what the axis shows is where others are


# What stands for a name where that is not known, and the end of words that lack some.
NAMELESS = re.compile(r"0x[0-9a-f]{8,}|socket:\[\d+\]|of inode \d+ of \S+ on \S+|of inode \d+")
REST = ", rest unknown"
LEAST = "least"  # a column: the row's numbers are of what was read, and there may be more


class Reading(NamedTuple):
    """What a table gave: its rows by what names them, and whether it said that it is complete."""

    rows: dict[Any, list[Any]]
    number: int
    complete: bool | None


def reading(kernel: Kernel, of: Table) -> Reading | None:
    """Read a table; None where it could not be read at all."""
    try:
        found = list(of.rows(kernel))
    except OopscopeError:
        return None
    rows: dict[Any, list[Any]] = {}
    for row in found:
        if name := _name(of, row):
            rows.setdefault(name, []).append(row)
    return Reading(rows, len(found), of.counted(kernel, len(found)).complete)


def _name(of: Table, row: Any) -> tuple[Any, ...]:
    """Return what names a row; nothing for one of stacks that are not known, or guessed."""
    if of.key != "stacks":
        return tuple(getattr(row, key) for key in SAME.get(of.key, of.named_by))
    known = all(frame.reliable for frame in row.frames)
    return tuple((frame.symbol, frame.offset) for frame in row.frames if frame.kind != "user") if known else ()


def less(ours: Any, whole: Any) -> bool:
    """Tell whether a cell says no more than the whole one's: the same, nothing, a part of it, an address for a name."""
    if ours == whole or ours in EMPTY:
        return True
    if isinstance(ours, float) and isinstance(whole, float):  # the clock of the CPUs that are left
        return 0 <= whole - ours <= max(0.05, 0.01 * whole)
    if isinstance(ours, str) and isinstance(whole, str):
        parts = [re.escape(part) for part in NAMELESS.split(ours)]
        named = len(parts) > 1 and re.fullmatch(".+".join(parts), whole) is not None
        if whole.startswith(f"{ours}, ") or (ours.startswith("…/") and whole.endswith(ours[1:])):
            return True  # without what was told besides; the end of a path
        return named or (ours.endswith(REST) and whole.startswith(ours.removesuffix(REST)))
    if not (isinstance(ours, tuple) and isinstance(whole, tuple)):
        return False
    fields: dict[str, Any] = getattr(ours, "_asdict", dict)()
    if fields:
        of_whole: dict[str, Any] = getattr(whole, "_asdict", dict)()
        if fields.get("kind") == "task":  # a stack that is not known is taken for a task's own
            fields["kind"] = of_whole.get("kind")
        same = fields.keys() == of_whole.keys() and all(less(value, of_whole[key]) for key, value in fields.items())
        return same or fields.get("reliable") is False
    return all(any(less(one, other) for other in whole) for one in ours)


def _differ(of: Table, row: Any, whole: Any) -> list[str]:
    """Return the columns in which a row says more than one of the whole dump."""
    keys = [c.key for c in of.columns if c.key not in SUMMED.get(of.key, ())]
    found = [key for key in keys if not less(getattr(row, key), getattr(whole, key))]
    if getattr(row, LEAST, None) or of.key == "stacks":  # a group of those tasks that were found
        found = [key for key in found if not (key == LEAST or _fewer(getattr(row, key), getattr(whole, key)))]
    return found


def _fewer(ours: Any, whole: Any) -> bool:
    return isinstance(ours, int | float) and isinstance(whole, int | float) and ours <= whole


def wrong(of: Table, part: Reading | None, whole: Reading | None) -> Iterator[str]:
    """Yield what a table says of a changed dump that it does not say of the whole one."""
    if part is None:
        return
    known = whole or Reading({}, 0, None)
    for name, rows in part.rows.items():
        if of.key == "waits" and name not in known.rows:
            rows = [row for row in rows if row.holders or not any(name[0] == other[0] for other in known.rows)]
            # The rest waits in something nearer, whose owner is not known: a completion on its stack for a request.
        same = known.rows.get(name) or [row for other in known.rows if less(name, other) for row in known.rows[other]]
        for row in rows:
            cells = [(_differ(of, row, one), one) for one in same]
            if not cells:
                yield f"{of.key} {name!r}: no such row"
            elif all(keys for keys, _ in cells):
                keys, one = min(cells, key=lambda pair: len(pair[0]))
                told = ", ".join(f"{key} {getattr(row, key)!r} for {getattr(one, key)!r}" for key in keys[:4])
                yield f"{of.key} {name!r}: {told}"
    if part.complete and part.number < known.number:
        yield f"{of.key}: {part.number} of {known.number} rows, said to be complete"


def changed(data: bytes, name: str, cuts: list[float], holes: int, seed: int) -> Iterator[tuple[str, Dump]]:
    """Yield the dump cut at each place, in percent of its file, and with holes as often."""
    for percent in cuts:
        dump = open_container([BytesSource(data[: int(len(data) * percent / 100)], name)])
        if dump is not None:
            yield f"{percent:g} %", dump
    for number in range(holes):
        dump = open_container([BytesSource(data, name)])
        assert dump is not None
        random, pages = Random(seed + number), sorted({at // dump.page_size for at, _ in dump.blocks()})
        lost = set(random.sample(pages, int(len(pages) * SHARE)))
        yield f"holes {seed + number}", Altered(dump, lost)


def bytes_of(name: str) -> bytes:
    """Return a dump's bytes, by its path or the name of one that is stored."""
    if Path(name).is_file():
        return Path(name).read_bytes()
    if (STORE / f"{name}.patch").exists() and "/" in name:
        try:
            return put_together(STORE / f"{name}.patch", (STORE / name).parent)
        except FileNotFoundError:  # its base is one of the first folder
            return put_together(STORE / f"{name}.patch", STORE)
    return (DUMPS / f"{name}.kdump").read_bytes()


def main() -> int:
    """Print what is wrong of each dump."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("dumps", nargs="+")
    ask.add_argument("--tables", type=lambda text: text.split(","), default=[key for key, _ in TABLES])
    ask.add_argument("--at", type=lambda text: [float(word) for word in text.split(",") if word], default=list(CUTS))
    ask.add_argument("--holes", type=int, default=10)
    ask.add_argument("--seed", type=int, default=1)
    args, found = ask.parse_args(), 0
    tables = [table(key) for key in args.tables if key not in LEFT_OUT]
    for name in args.dumps:
        data = bytes_of(name)
        dump = open_container([BytesSource(data, name)])
        assert dump is not None
        kernel = attach(dump, lambda _text: None)
        whole, compared = {of.key: reading(kernel, of) for of in tables}, 0
        for how, part in changed(data, name, args.at, args.holes, args.seed):
            try:
                kernel = attach(part, lambda _text: None)
            except OopscopeError as error:
                print(f"{name}, {how}: {error}")
                continue
            for of in tables:
                one = reading(kernel, of)
                compared += one.number if one else 0
                for text in wrong(of, one, whole[of.key]):
                    found += 1
                    print(f"{name}, {how}: {text}", flush=True)
        print(f"{name}: {compared} rows compared, {found} wrong so far", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
