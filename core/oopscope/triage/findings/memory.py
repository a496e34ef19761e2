"""Memory at its end: little was left at the end, or the OOM killer had to kill before."""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.linux.meminfo import all_counters
from oopscope.linux.memory_shares import memory_shares
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Source
from oopscope.triage.findings.of_log import age, besides, by_rows, by_table, marked

LITTLE = 0.02  # of all memory
KILLED = lazy_re(
    r"(?:Memory cgroup out of memory|Out of memory)(?: \(\w+\))?: Kill(?:ed)? process (?P<pid>\d+) \((?P<comm>.*?)\)"
)
FAILED = "page allocation failure"


def find(death: Death) -> Iterator[Finding]:
    """Yield what the OOM killer did, allocations that failed, and how little was left."""
    yield from _killed(death)
    rows = [row for row, _text in marked(death, FAILED)]
    if rows:
        text = f"{len(rows)} allocations of memory failed" if len(rows) > 1 else "an allocation of memory failed"
        yield Finding("allocation-failure", "warning", text, age(death, death.log.ns(rows[0])), by_rows(death, rows))
    if not death.only_log:
        yield from _little(death)


def _killed(death: Death) -> Iterator[Finding]:
    rows, names = [], []
    own = {row for report in death.end.chain for row in report.rows}
    for row, text in marked(death, "ut of memory"):
        found = KILLED.match(text)
        if found and row not in own:
            rows.append(row)
            names.append(f"{found['comm']} (PID {found['pid']})")
    if rows:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        text = f"memory ran out and the OOM killer killed {', '.join(names[:3])}{more}"
        yield Finding("out-of-memory", "error", text, age(death, death.log.ns(rows[0])), by_rows(death, rows))
    elif reports := besides(death, "oom"):
        text = "memory ran out: the OOM killer was called"
        yield Finding(
            "out-of-memory", "error", text, age(death, reports[0].ns), by_rows(death, [r.row for r in reports])
        )


def _little(death: Death) -> Iterator[Finding]:
    if not any(death.kernel.find_symbol(name) for name in ("_totalram_pages", "totalram_pages")):
        return
    counters = {one.name: one.bytes for one in all_counters(death.kernel)}
    total, left = counters.get("MemTotal"), counters.get("MemAvailable")
    if not total or left is None or left > total * LITTLE:
        return
    took = biggest(death)
    most = f"; most is in {took[0]} ({took[1] * 100 // total} %)" if took else ""
    text = f"only {left >> 20} MiB of {total >> 20} MiB of memory could be had{most}"
    yield Finding(
        "low-memory", "error", text, 0.0, (by_table(f"MemAvailable {left >> 10} kB of {total >> 10} kB", "meminfo"),)
    )


def biggest(death: Death) -> tuple[str, int] | None:
    """Return the largest share of memory in use, and its bytes."""
    try:
        shares = memory_shares(death.kernel).shares
    except OopscopeError:
        return None
    used = [(one.name, one.bytes or 0) for one in shares if one.name != "Free"]
    return max(used, key=lambda one: one[1], default=None)


def share_evidence(name: str, size: int, total: int) -> Evidence:
    """Return a share of memory as evidence."""
    return Evidence(
        f"{name}: {size >> 20} MiB of {total >> 20} MiB ({size * 100 // total} %)", Source("table", "memory")
    )
