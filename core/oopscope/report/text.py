"""The report as plain text, for a person: the verdict first, then what supports it, then the tables.

The verdict and the facts keep to 80 columns; a table takes what its rows need.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from oopscope.kernel.clock import seconds
from oopscope.report.cells import RIGHT, cell, duration, printable, size
from oopscope.report.facts import (
    absence,
    blocked,
    cause,
    dump_facts,
    numbers,
    on_cpu,
    same_stacks,
    system_facts,
    told,
    waiting,
)
from oopscope.report.fault import how
from oopscope.report.findings import HEADING, MARKS, listed
from oopscope.report.recursion import again, folded
from oopscope.report.waits import graph_of, picture
from oopscope.stacks.groups import folded as folded_names
from oopscope.subsystems import TABLES, Column, table
from oopscope.triage.known import words

WIDTH = 80
NAME = 18  # columns before a fact's value
SHARE = 20  # columns before a share of memory
BAR = 30
HEADS = 8  # tasks with the same stack that are named one by one
ORDER = (
    "verdict",
    "known",
    "findings",
    "waits",
    "cpus",
    "tasks",
    "system",
    "dump",
    "memory_shares",
    "meminfo",
)  # then the others
TITLES = {
    "known": "Known bugs that match",
    "findings": HEADING,
    "system": "The machine",
    "dump": "The dump",
    "waits": "Who waits for whom",
    "memory_shares": "Where memory went",
}
NO_MATCH: tuple[str, list[Any]] = ("known", [])
STATES = {"panic": "panicked", "user": "in user space", None: "state unknown"}
LOST = "  not in the dump, or could not be read; see Problems\n"
GUESS = "    ? marks a frame found by scanning the stack: a guess\n"
Data = Mapping[str, Any]


def render(report: Data) -> str:
    """Return the report as text."""
    report = told(report)
    parts = [f"oopscope {report['oopscope']}\n"]
    keys = [k for k in report if k not in ("schema", "oopscope", "problems", "tables") and (k, report[k]) != NO_MATCH]
    tables = []
    for key in sorted(keys, key=lambda k: ORDER.index(k) if k in ORDER else len(ORDER)):
        data = report[key]
        if key == "tasks" and data:
            parts += [heading(f"Blocked tasks ({len(blocked(data))})") + blocked_text(data)] if blocked(data) else []
            tables.append(_part(report, key))
        else:
            (parts if key in ORDER else tables).append(_part(report, key))
    parts += tables
    if report.get("problems"):
        parts.append(heading("Problems") + "".join(problem(p) for p in report["problems"]))
    return "\n".join(parts)


def _part(report: Data, key: str) -> str:
    if report[key] is None:
        why = absence(report, key)
        return heading(title(key)) + ("".join(f"{line}\n" for line in wrapped(why, "  ", "  ")) if why else LOST)
    return heading(title(key)) + section(key, report[key]) + lacking(report, key)


def lacking(report: Data, key: str) -> str:
    """Return a line that says what is known to be missing of a table; empty where nothing is."""
    count = (report.get("tables") or {}).get(key)
    if not count or count["complete"] is not False:
        return ""
    return f"  {count['rows']} of {count['of']} are here\n" if count["of"] else "  not complete; see Problems\n"


def title(key: str) -> str:
    """Return a section's title."""
    return TITLES.get(key) or (table(key).title if key in dict(TABLES) else key.capitalize())


def heading(text: str) -> str:
    """Return a heading."""
    return f"{text}\n{'-' * len(text)}\n"


def section(key: str, data: Any) -> str:
    """Return a section's text, without its heading."""
    special: dict[str, Callable[[Any], str]] = {
        "dump": lambda d: pairs(dump_facts(d)),
        "system": lambda s: pairs(system_facts(s)),
        "verdict": _verdict,
        "known": lambda bugs: "".join(f"{line}\n" for bug in bugs for line in wrapped(words(bug), "  - ", "    ")),
        "findings": _findings,
        "cpus": cpus_text,
        "memory_shares": _shares,
        "meminfo": _meminfo,
        "tasks": _tasks,
        "log": _log,
        "waits": _waits,
    }
    return special[key](data) if key in special else rows(key, data)


def wrapped(text: str, first: str = "  ", rest: str = "  ") -> list[str]:
    """Return text in lines of at most WIDTH, but for words that are longer; never cut within a name."""
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def pairs(facts: Iterable[tuple[str, str]]) -> str:
    """Return names and values, values aligned and folded."""
    lines = [line for name, value in facts for line in wrapped(value, f"  {name:<{NAME - 2}}", " " * NAME)]
    return "".join(f"{line}\n" for line in lines)


def _listed(name: str, items: Sequence[str], mark: Callable[[int], str]) -> Iterator[str]:
    for i, text in enumerate(items):
        sign = mark(i)
        yield from wrapped(text, f"  {name if i == 0 else '':<{NAME - 2}}{sign}", " " * (NAME + len(sign)))


def _verdict(v: Data) -> str:
    lines = [f"  {printable(v['title'])}", "", *wrapped(v["summary"]), ""]
    facts = [("cause", f"{cause(v)}, {v['confidence']}")]
    if v["panic_message"]:
        facts.append(("panic message", v["panic_message"]))
    if v["symbol"]:
        facts.append(("where", v["symbol"] + (f" [{v['module']}]" if v["module"] else "")))
    if v["comm"] is not None:
        facts.append(("who", f"{v['comm']}, PID {cell(v['pid'])}{on_cpu(v)}"))
    facts += how(v["fault"]) if v.get("fault") else []
    lines.append(pairs(facts).rstrip("\n"))
    if v.get("lacks"):
        lines += _listed("lacks", [f"part of: {', '.join(v['lacks'])} (the dump is not whole)"], lambda _: "")
    lines += _listed("evidence", [e["text"] for e in v["evidence"]], lambda _: "- ")
    lines += _listed("next", v["next_steps"], lambda i: f"{i + 1}. ")
    if v["signature"]:
        lines.append(f"  {'signature':<{NAME - 2}}{printable(v['signature'])}")
    return "\n".join(lines) + "\n"


def _findings(found: Sequence[Data]) -> str:
    lines = []
    for one, age, sentence in listed(found):
        mark = MARKS.get(one["severity"], "  ")
        lines += wrapped(sentence, f"  {age:<{NAME - 2}}{mark}", " " * (NAME + len(mark)))
    return "".join(f"{line}\n" for line in lines) or "  nothing was found\n"


def frames_text(frames: Sequence[Data], indent: str = "    ") -> Iterator[str]:
    """Yield a line for each frame, many of the same once; a guess has its mark before its name, within the indent."""
    doubtful = indent[:-2] + "? " if len(indent) > 1 else "? "
    steady = indent if indent or all(f["reliable"] for f in frames) else "  "
    for lines, times in folded([_frame(f, steady, doubtful) for f in frames], str):
        yield from lines
        if times > 1:
            yield f"{steady}{again(lines, times)}\n"


def _frame(f: Data, steady: str, doubtful: str) -> str:
    kind = "" if f["kind"] in ("task", "user") else f"  <{f['kind']}>"
    return f"{steady if f['reliable'] else doubtful}{printable(frame_name(f))}{kind}\n"


def frame_name(f: Data) -> str:
    """Return a frame as an oops prints it."""
    if not f["symbol"]:
        return "(user program)" if f["kind"] == "user" else f["address"] or "(unknown)"
    return f"{f['symbol']}+{f['offset'] or 0:#x}" + (f" [{f['module']}]" if f["module"] else "")


def _stack(frames: Sequence[Data] | None) -> str:
    lines = "".join(frames_text(frames or ())) or "    no stack\n"
    return lines + (GUESS if any(not f["reliable"] for f in frames or ()) else "")


def cpus_text(cpus: Sequence[Data]) -> str:
    """Return every CPU's stack, the panicking one's first; CPUs that do the same are one."""
    return "\n".join(
        f"  {cpu_head(members)}\n{_stack(members[0]['frames'])}"
        for members in same_stacks(cpus, "state", "comm", "online")
    )


def cpu_head(members: Sequence[Data]) -> str:
    """Return the line over the stack of some CPUs that do the same."""
    c = members[0]
    who = f"  PID {cell(c['pid'])}" if len(members) == 1 else ""
    offline = ", offline" if c["online"] is False else ""
    name = "CPU" if len(members) == 1 else "CPUs"
    state = printable(str(STATES.get(c["state"], c["state"])))
    return f"{name} {numbers([m['cpu'] for m in members])}  {state}{offline}{who}  {cell(c['comm'])}"


def blocked_text(tasks: Sequence[Data], limit: int | None = None) -> str:
    """Return the tasks in uninterruptible sleep with their stacks, the longest first; the same stack once."""
    shown, more = waiting(tasks, limit)
    stacks = "\n".join(heads(members) + _stack(members[0]["frames"]) for members in same_stacks(shown))
    return stacks + (f"  {more}\n" if more else "")


def heads(members: Sequence[Data], indent: str = "  ") -> str:
    """Return the lines over a stack that tasks share: each task, of many their folded names and the longest blocked."""
    if len(members) <= HEADS:
        return "".join(f"{indent}{task_head(t)}\n" for t in members)
    names = printable(folded_names([str(t["comm"] or "?") for t in members]))
    longest = max(members, key=lambda t: t["since_last_run_seconds"] or 0.0)
    return f"{indent}{len(members):,} tasks: {names}\n{indent}longest: {task_head(longest)}\n"


def task_head(t: Data) -> str:
    """Return the line over a task's stack."""
    since = t["since_last_run_seconds"]
    ran = f"  last ran {duration(since)} before the end" if since is not None else ""
    return f"PID {cell(t['pid'])}  {cell(t['state'])}  {cell(t['comm'])}{ran}"


def _bar(share: float) -> int:
    """How many marks stand for a share; a counter that lies gets no more than a whole bar."""
    return max(0, min(BAR, round(BAR * share)))


def _shares(found: Data) -> str:
    total, lines = found["total"], [f"  {'all':<{SHARE}}{size(found['total']):>8}"]
    for one in found["shares"]:
        amount = one["bytes"]
        head = f"  {one['name']:<{SHARE}}{cell(amount, 'bytes'):>8}"
        drawn = "" if amount is None else f"{amount / total:>6.0%}  {'#' * _bar(amount / total)}"
        lines.append(f"{head}{drawn}".rstrip())
    if found["over"]:
        lines.append(f"  the counters exceed the total by {size(found['over'])}")
    return "".join(f"{line}\n" for line in lines)


def _meminfo(m: Data) -> str:
    if not m:
        return LOST
    lines = []
    counters = [f"{name:<{NAME - 2}}{cell(v, 'bytes'):>8}" for name, v in m.items()]
    half = -(-len(counters) // 2)
    for left, right in zip(counters[:half], [*counters[half:], *[""] * half], strict=False):
        lines.append(f"  {left}      {right}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def _tasks(tasks: Sequence[Data]) -> str:
    text = rows("tasks", tasks)
    for members in same_stacks([t for t in tasks if "frames" in t and t["state"] != "D"]):
        text += "\n" + heads(members) + _stack(members[0]["frames"])
    return text


def _waits(data: Data) -> str:
    lines = [line.text.rstrip() for line in picture(graph_of(data), WIDTH)]
    return "".join(f"{line}\n" for line in lines) or "  nobody waits for what could be told\n"


def _log(records: Sequence[Data]) -> str:
    return "".join(f"[{seconds(r['ns'], 6)}] {printable(r['text'], keep=chr(10))}\n" for r in records)


def rows(key: str, data: Sequence[Data], limit: int | None = None) -> str:
    """Return a table, columns aligned; of one that is long, the first rows or the largest."""
    if not data:
        return "  none\n"
    found = table(key)
    columns = [c for c in found.columns if c.brief]
    chosen = found.ordered(data, Mapping.get)[: found.most or limit]
    shown = [(c.key, c.kind) for c in columns]
    text = _aligned(
        columns, [[c.title for c in columns], *([cell(r[key], kind) for key, kind in shown] for r in chosen)]
    )
    more = len(data) - len(chosen)
    return text + (f"  ... and {more} more: oopscope show {key}\n" if more else "")


def _aligned(columns: Sequence[Column], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
    sides = (">" if column.kind in RIGHT else "<" for column in columns)
    form = "  " + "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    return "".join([form.format(*line).rstrip() + "\n" for line in lines])


def problem(p: Data) -> str:
    """Return a problem, folded."""
    return "\n".join(wrapped(f"{p['section']}: {p['message']}", "  ", "    ")) + "\n"
