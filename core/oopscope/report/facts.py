"""The facts of the machine and of the dump, as names and values that a person reads: what every format shows.

A fact that the kernel or the dump does not tell is left out; the numbers themselves are in the JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from oopscope.errors import NotInLog, is_absence
from oopscope.linux.taint import taint_reasons
from oopscope.report.cells import counted_otherwise, duration, size

Data = Mapping[str, Any]
Facts = list[tuple[str, str]]
MAX_ERASED = 20  # things that the text names
AnyTask = TypeVar("AnyTask", bound=Data)


def known(facts: Sequence[tuple[str, object]]) -> Facts:
    """Leave out what is not known."""
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def told(report: Data) -> Data:
    """Return what there is to show: of a log that stands for a dump, without what it cannot tell."""
    dump = report.get("dump")
    if not isinstance(dump, Mapping) or dump.get("format") != "log":
        return report
    silent = str(NotInLog())
    left = [p for p in report.get("problems") or () if not p["message"].endswith(silent)]
    return {key: value for key, value in report.items() if value is not None} | {"problems": left}


def absence(report: Data, key: str) -> str:
    """Return what the kernel lacks for a section that is null; empty where it was not read for another reason."""
    said = [p["message"] for p in report.get("problems") or () if p["section"] == key]
    return said[-1] if said and is_absence(said[-1]) else ""


def by_absence(report: Data, keys: Iterable[str]) -> dict[str, list[str]]:
    """Return sections that are null by what the kernel lacks for them; "" those that could not be read otherwise."""
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(absence(report, key), []).append(key)
    return found


# Why these two are less than other numbers of the same report: RAM of the dump, rows of tasks.
NOT_IN_IT = "RAM but for the kernel's image and what boot reserved"
AND_IDLE = ", and each CPU's idle one"


def system_facts(s: Data) -> Facts:
    """Return the machine's and the kernel's facts."""
    load = " ".join(f"{x:.2f}" for x in s["load_average"]) if s["load_average"] else None
    present = counted_otherwise(s["cpus_present"])
    cpus = f"{s['cpus_online']} online of {s['cpus_present']}" if s["cpus_online"] is not None else present
    return known(
        [
            ("host", s["nodename"]),
            ("kernel", s["release"]),
            ("build", s["version"]),
            ("machine", s["machine"]),
            ("crashed", moment(s["crash_time"])),
            ("up", duration(s["uptime_seconds"]) if s["uptime_seconds"] is not None else None),
            ("load", load),
            ("CPUs", cpus),
            ("memory", f"{size(s['memory_bytes'])} (MemTotal: {NOT_IN_IT})" if s["memory_bytes"] else None),
            ("tasks", f"{s['task_count']}{AND_IDLE}" if s["task_count"] is not None else None),
            ("taint", taint(s)),
            ("command line", " ".join(s["command_line"].split()) if s["command_line"] else None),
        ]
    )


def moment(time: str | None) -> str | None:
    """Return an ISO 8601 time as a person writes it."""
    return time.replace("T", " ").replace("Z", " UTC") if time else None


def taint(s: Data) -> str | None:
    """Return the taint letters and what they say."""
    if not s["tainted"]:
        return "not tainted" if s["tainted"] == 0 else None
    reasons = "; ".join(reason.partition(": ")[2] for reason in taint_reasons(s["tainted"]))
    return f"{s['taint']} ({s['tainted']}): {reasons}"


def dump_facts(d: Data) -> Facts:
    """Return what the file is, and how complete."""
    packed = f"{d['compression']} compression" if d["compression"] else None
    parts = f"{d['parts']} parts" if d["parts"] > 1 else None
    form = ", ".join(filter(None, (d["format"], packed, "flattened" if d["flattened"] else None, parts)))
    return known(
        [
            ("file", d["path"]),
            ("format", form),
            ("size", size(d["bytes"])),
            ("fetched", size(d["bytes_read"]) if d.get("bytes_read") is not None else None),
            ("holds", held(d)),
            ("left out", left_out(d)),
            ("LIVE", _live(d) if d.get("live") else None),
            ("erased", "; ".join(d["erased"][:MAX_ERASED]) if d.get("erased") else None),
            ("complete", "yes" if d["complete"] else "NO: the dump is cut off or was not finished"),
        ]
    )


def cause(v: Data) -> str:
    """Return the cause's slug with its category, where that says more."""
    return str(v["cause"]) if v["cause"] == v["category"] else f"{v['cause']} ({v['category']})"


# Verdicts of tasks that sleep: the CPU is that of who noticed, such as khungtaskd.
ASLEEP = ("deadlock", "hung-task", "io-stall")


def on_cpu(v: Data) -> str:
    """Return on which CPU the verdict's task was, or, of a task that slept, on which it was noticed."""
    if v["cpu"] is None:
        return ""
    return f", noticed on CPU {v['cpu']}" if v["cause"] in ASLEEP else f", on CPU {v['cpu']}"


def _live(d: Data) -> str:
    """Say of a running machine when it was read."""
    when = f" from {moment(d['read_at'])} on" if d.get("read_at") else ""
    return f"the machine ran on while it was read{when}"


def held(d: Data) -> str | None:
    """Return how many of the machine's pages the dump holds."""
    if d["pages_saved"] is None:
        return None
    if not d["pages_total"]:
        return f"{d['pages_saved']} pages"
    percent = 100 * d["pages_saved"] / d["pages_total"]
    return f"{d['pages_saved']} of {d['pages_total']} pages ({percent:.{0 if percent >= 10 else 1}f}%)"


def left_out(d: Data) -> str | None:
    """Return which kinds of page were not to be saved."""
    if not d["excluded"]:
        return None
    return f"{', '.join(d['excluded'])} pages (dump level {d['dump_level']})"


def how_many(report: Data, key: str) -> str:
    """Return how many rows of a table there are: 61, 45 of 61, or 45 and that they are not all."""
    rows = len(report[key] or ())
    count = (report.get("tables") or {}).get(key)
    if not count or count["complete"] is not False:
        return f"{rows}"
    return f"{rows} of {count['of']}" if count["of"] else f"{rows}, not all"


def blocked(tasks: Sequence[AnyTask]) -> list[AnyTask]:
    """Return the tasks in uninterruptible sleep, the longest first."""
    return sorted(
        (t for t in tasks if t["state"] == "D"), key=lambda t: (-(t["since_last_run_seconds"] or 0), t["pid"] or 0)
    )


def waiting(tasks: Sequence[Data], limit: int | None = None) -> tuple[list[Data], str]:
    """Return the blocked tasks whose stacks are there, the longest first, and a word on the others."""
    found = blocked(tasks)
    shown = [t for t in found if "frames" in t][:limit]
    more = len(found) - len(shown)
    return shown, f"... and {more} more: oopscope bt --state D --group" if more else ""


def same_stacks(items: Sequence[Data], *keys: str) -> Iterator[list[Data]]:
    """Yield the items in groups of the same stack and the same values of some keys, in order of their first."""
    groups: dict[tuple[object, ...], list[Data]] = {}
    for item in items:
        stack = tuple((f["symbol"], f["offset"]) if f["kind"] != "user" else None for f in item["frames"] or ())
        groups.setdefault((stack, *(item[key] for key in keys)), []).append(item)
    yield from groups.values()


def numbers(values: Sequence[int]) -> str:
    """Return numbers with runs folded: 0, 2-5."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], value]
        else:
            runs.append([value, value])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)
