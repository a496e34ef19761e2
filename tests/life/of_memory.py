"""Counters, zones, free lists, slabs, vmalloc, control groups and pressure, against /proc and the guest's cgroups."""

import re
from collections import Counter
from typing import Any

from life.tally import Account, Tally
from oopscope.api import OpenDump

NUMBER = re.compile(r"(\S+?):? +(\d+)(?: kB)?$")
KIB, MIB, PAGE = 1 << 10, 1 << 20, 4096
AREA = re.compile(r"0x\S+ +(\d+) (\S+?)(?:/\S+)?(?: \[\S+\])? (.*)")


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the guest told of memory; it went on for some seconds, so much is compared within bounds."""
    _counters(dump, account, tally)
    _zones(dump, account, tally)
    _slabs(dump, account, tally)
    _vmalloc(dump, account, tally)
    files = dict(line.split(" = ", 1) for line in account["cgroups"] if " = " in line)
    _groups(dump, files, tally)
    _pressure(dump, account, tally)
    tally.same(
        "swaps", "number", len(dump.table("swaps")), sum(line.startswith("/") for line in account["/proc/swaps"])
    )


def _numbers(lines: list[str]) -> dict[str, int]:
    return {match[1]: int(match[2]) for line in lines if (match := NUMBER.match(line))}


def _counters(dump: OpenDump, account: Account, tally: Tally) -> None:
    ours, told = {row.name: row.bytes for row in dump.table("meminfo")}, _numbers(account["/proc/meminfo"])
    tally.same("meminfo", "names", list(ours), list(told))
    huge = told.get("Hugepagesize", 2048)
    for name, value in told.items():
        unit = huge * KIB if name.startswith("HugePages_") else KIB
        tally.near("meminfo", name, ours.get(name), value * unit, 0.03, 3 * MIB)
    counts, lines = {row.name: row.value for row in dump.table("vmstat")}, _numbers(account["/proc/vmstat"])
    tally.same("vmstat", "names", list(counts), list(lines))
    for name, value in lines.items():  # they went on; what did not must not have
        tally.near("vmstat", name, counts.get(name), value, 0.2, 400 if value else 40)


def _zones(dump: OpenDump, account: Account, tally: Tally) -> None:
    zones, at = {(row.node, row.name): row for row in dump.table("zones")}, None
    for line in account["/proc/zoneinfo"]:
        if match := re.match(r"Node (\d+), zone +(\S+)", line):
            at = zones.get((int(match[1]), match[2]))
        elif at is not None and (
            match := re.match(r" +(pages free|min|low|high|spanned|present|managed) +(\d+)$", line)
        ):
            word = match[1].removeprefix("pages ")
            tally.near("zones", (at.name, word), getattr(at, word), int(match[2]) * PAGE, *(
                (0.03, 3 * MIB) if word == "free" else (0, 0)))  # fmt: skip
    lists = {(row.node, row.zone, row.order): row for row in dump.table("freelists")}
    for line in account["/proc/buddyinfo"]:
        if match := re.match(r"Node (\d+), zone +(\S+) +(.*)", line):
            for order, told in enumerate(map(int, match[3].split())):
                row = lists.get((int(match[1]), match[2], order))
                tally.near("freelists", (match[2], order), row.blocks if row else None, told, 0.2, 40)
    for line in account["/proc/pagetypeinfo"]:
        match = re.match(r"Node +(\d+), zone +(\S+), type +(\S+) +((?:>?\d+ +){9,}>?\d+)", line)
        for order, word in enumerate(match[4].split() if match else ()):
            row = lists.get((int(match[1]), match[2], order)) if match else None
            types = {text.rsplit(" ", 1)[0]: int(text.rsplit(" ", 1)[1]) for text in (row.types or ())} if row else {}
            tally.near("freelists by type", (match[2], match[3], order) if match else "", types.get(match[3], 0)
                       if match else 0, int(word.lstrip(">")), 0.2, 40)  # fmt: skip


def _slabs(dump: OpenDump, account: Account, tally: Tally) -> None:
    ours = {row.name: row for row in dump.table("slabs")}
    told = [words for line in account["/proc/slabinfo"] if len(words := line.split()) > 14 and words[1].isdigit()]
    missing = {words[0] for words in told} - set(ours)
    tally.same("slabs", "names", missing, set())
    for words in told:
        if row := ours.get(words[0]):
            active, total, pages = int(words[1]), int(words[2]), int(words[5])
            tally.near("slabs", (words[0], "total"), row.total, total, 0.1, 300)
            tally.same(
                "slabs", (words[0], "in use, not more than there are"), (row.active or 0) <= (row.total or 0), True
            )
            if active == total == 0:
                tally.near("slabs", (words[0], "bytes"), row.bytes, 0, 0, 4 * PAGE * pages)


def _vmalloc(dump: OpenDump, account: Account, tally: Tally) -> None:
    areas, pages = Counter[str](), Counter[str]()
    for line in account["/proc/vmallocinfo"]:
        if (match := AREA.match(line)) and match[2] not in ("unpurged", "vm_map_ram"):
            areas[match[2]] += 1
            held = re.search(r"pages=(\d+)", line)
            pages[match[2]] += int(held[1]) if held else 0
    ours, held_pages = Counter[str](), Counter[str]()
    for row in dump.table("vmallocs"):
        ours[row.caller] += row.areas
        held_pages[row.caller] += row.pages or 0
    for caller, told in areas.items():
        if caller.split("+")[0].endswith("_init"):
            continue  # whose code is gone: its name too
        tally.near("vmallocs", (caller, "areas"), ours[caller], told, 0.1, 4)
        tally.near("vmallocs", (caller, "pages"), held_pages[caller], pages[caller], 0.1, 32)


def _limit(word: str | None) -> int | None:
    return None if word in (None, "max") else int(word)


def _groups(dump: OpenDump, files: dict[str, str], tally: Tally) -> None:
    ours = {row.path: row for row in dump.table("cgroups") if row.hierarchy == "unified"}
    paths = {"/" + path.rpartition("/")[0] for path in files}
    tally.same("cgroups", "paths", set(ours), paths)
    for path in sorted(paths - {"/"}):
        row, at = ours.get(path), path[1:]
        if row is None:
            continue
        for field, name, unit in (("memory_max", "memory.max", 1), ("memory_high", "memory.high", 1),
                                  ("swap_max", "memory.swap.max", 1), ("pids_max", "pids.max", 1)):  # fmt: skip
            tally.same(
                "cgroups", (path, name), getattr(row, field) or 0, (_limit(files.get(f"{at}/{name}")) or 0) * unit
            )
        tally.same("cgroups", (path, "pids"), row.pids, _limit(files.get(f"{at}/pids.current")))
        tally.near("cgroups", (path, "memory"), row.memory, int(files[f"{at}/memory.current"]), 0.1, MIB)


def _pressure(dump: OpenDump, account: Account, tally: Tally) -> None:
    rows: dict[Any, Any] = {(row.group, row.resource, row.kind): row for row in dump.table("pressure")}
    told = {
        ("", part.rpartition("/")[2]): lines for part, lines in account.items() if part.startswith("/proc/pressure/")
    }
    for line in account["cgroups"]:
        if match := re.match(r"(.*)/(io|memory|cpu)\.pressure = (.*)", line):
            told.setdefault((f"/{match[1]}", match[2]), []).append(match[3])
    for (group, resource), lines in told.items():
        for line in lines:
            match = re.match(r"(some|full) avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)", line)
            row = rows.get((group, resource, match[1])) if match else None
            if (
                match is None
                or not tally.same("pressure", (group, resource, match[1]), row is not None, True)
                or not row
            ):
                continue
            if resource == "cpu" and match[1] == "full" and not group:
                continue  # printed as nought for the whole machine, whatever was counted
            tally.near(
                "pressure",
                (group, resource, match[1], "total"),
                row.total_seconds,
                int(match[5]) / 1e6,
                0.1,
                40 if resource == "io" else 3,
            )  # of a disk that stands still it goes on
