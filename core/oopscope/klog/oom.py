"""What the OOM killer's report says: who asked, under which constraint, how memory was divided, who was largest.

Follows mm/oom_kill.c (dump_header, dump_tasks), mm/show_mem.c and mm/memcontrol.c. Counters are pages in the report and
bytes here; a page is 4096 bytes unless the report says otherwise.
"""

from collections.abc import Sequence
from typing import NamedTuple

from oopscope.lazy_re import lazy_re

INVOKED = lazy_re(r"(?P<comm>.{1,16}?) invoked oom-killer: (?P<how>.*)")
ORDER = lazy_re(r"\border=(?P<order>-?\d{1,18})")
CONSTRAINT = lazy_re(r"oom-kill:constraint=CONSTRAINT_(?P<name>\w+)")
MEMCG = lazy_re(
    r"Memory cgroup out of memory|Task in \S+ killed as a result of limit of|oom-kill:.*oom_memcg=(?P<path>[^,]+)"
)
LIMIT = lazy_re(r"memory: usage (?P<usage>\d{1,18})kB, limit (?P<limit>\d{1,18})kB")
COUNTER = lazy_re(r"\b(?P<name>[a-z_]+):(?P<pages>\d{1,18})\b")
TOTAL = lazy_re(r"(?P<pages>\d{1,18}) pages RAM")
RESERVED = lazy_re(r"(?P<pages>\d{1,18}) pages reserved")
COLUMNS = lazy_re(r"\[ *pid *\](?P<names>.*)")
TASK = lazy_re(r"\[ *(?P<pid>\d{1,18})\](?P<values>.*)")
MOST_TASKS = 1 << 17
PAGE = 4096


class Hungry(NamedTuple):
    """The task that held most memory."""

    pid: int
    comm: str
    rss: int  # bytes


class Oom(NamedTuple):
    """One report; None is what it does not say."""

    comm: str | None
    order: int | None
    constraint: str | None  # MEMCG, CPUSET, MEMORY_POLICY, NONE
    memcg: str | None
    limit: int | None  # bytes of the cgroup
    total: int | None
    counters: dict[str, int]  # bytes by the names of the report: active_anon, slab_unreclaimable, shmem, free ...
    largest: Hungry | None
    tasks_rss: int | None  # of all tasks together, shared pages counted each time


def read(lines: Sequence[str]) -> Oom:
    """Read the lines of a report."""
    text = "\n".join(lines)
    invoked, order = INVOKED.search(text), ORDER.search(text)
    constraint, memcg, limit = CONSTRAINT.search(text), MEMCG.search(text), LIMIT.search(text)
    total, reserved = TOTAL.search(text), RESERVED.search(text)
    ram = int(total["pages"]) - int(reserved["pages"] if reserved else 0) if total else None
    largest, summed = _tasks(lines)
    return Oom(
        invoked["comm"].split("\n")[-1] if invoked else None,
        int(order["order"]) if order else None,
        constraint["name"] if constraint else "MEMCG" if memcg else None,
        memcg["path"] if memcg and memcg["path"] else None,
        int(limit["limit"]) << 10 if limit else None,
        ram * PAGE if ram else None,
        _counters(lines),
        largest,
        summed,
    )


def _counters(lines: Sequence[str]) -> dict[str, int]:
    """Return the counters of the whole machine: the first block of Mem-Info, before the nodes."""
    found: dict[str, int] = {}
    inside = False
    for text in lines:
        if text.startswith("Mem-Info"):
            inside = True
        elif text.startswith("Node "):
            break
        elif inside or text.startswith(("active_anon:", " active_file:")):
            for match in COUNTER.finditer(text):
                found.setdefault(match["name"], int(match["pages"][:15]) * PAGE)
    return found


def _tasks(lines: Sequence[str]) -> tuple[Hungry | None, int | None]:
    """Return the largest task of the table, and the sum of all."""
    at: int | None = None
    best: Hungry | None = None
    total = 0
    for text in lines[:MOST_TASKS]:
        head = COLUMNS.match(text)
        if head:
            at = head["names"].split().index("rss") if "rss" in head["names"].split() else None
            continue
        row = TASK.match(text) if at is not None else None
        values = row["values"].split() if row else []
        if row is None or at is None or len(values) <= at or not values[at].isdecimal():
            continue
        rss = int(values[at][:15]) * PAGE
        total += rss
        if best is None or rss > best.rss:
            best = Hungry(int(row["pid"]), values[-1], rss)
    return best, total if best else None
