"""The report as plain text, for a person: the verdict first, then what supports it, then the tables."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from oopscope.report.cells import ABSENT, cell, duration, printable, size
from oopscope.subsystems import Column, table

WIDTH = 100
SHOWN = {"slabs": 20}  # rows of a table in the text; JSON and `show` have all
Data = Mapping[str, Any]


def render(report: Data) -> str:
    """Return the report as text."""
    parts = [f"oopscope {report['oopscope']}\n"]
    for key, data in report.items():
        if key in ("schema", "oopscope"):
            continue
        if key == "problems":
            if data:
                parts.append(_heading("Problems") + "".join(_problem(p) for p in data))
            continue
        title = table(key).title if key in _titled() else key.capitalize()
        body = "  could not be read; see Problems\n" if data is None else _section(key, data)
        parts.append(_heading(title) + body)
    return "\n".join(parts)


def _titled() -> set[str]:
    from oopscope.subsystems import TABLES

    return {key for key, _ in TABLES} - {"meminfo"}


def _heading(title: str) -> str:
    return f"{title}\n{'-' * len(title)}\n"


def _section(key: str, data: Any) -> str:
    special: dict[str, Callable[[Any], str]] = {
        "dump": _dump,
        "system": _system,
        "verdict": _verdict,
        "cpus": _cpus,
        "meminfo": _meminfo,
        "tasks": _tasks,
        "log": _log,
    }
    return special[key](data) if key in special else _rows(key, data)


def _pairs(pairs: Sequence[tuple[str, object]]) -> str:
    return "".join(f"  {name:<16}{printable(str(v))}\n" for name, v in pairs if v not in (None, "", ABSENT))


def _dump(d: Data) -> str:
    pages = f"{d['pages_saved']} of {d['pages_total']} pages" if d["pages_saved"] is not None else None
    left_out = ", ".join(d["excluded"]) if d["excluded"] else None
    return _pairs(
        [
            ("file", d["path"]),
            ("format", " ".join(filter(None, (d["format"], d["compression"], "flattened" if d["flattened"] else "")))),
            ("size", size(d["bytes"])),
            ("holds", pages),
            ("left out", left_out),
            ("complete", "yes" if d["complete"] else "NO: the dump is cut off or was not finished"),
        ]
    )


def _system(s: Data) -> str:
    load = " ".join(f"{x:.2f}" for x in s["load_average"]) if s["load_average"] else None
    taint = f"{s['taint']} ({s['tainted']})" if s["tainted"] else "not tainted" if s["tainted"] == 0 else None
    return _pairs(
        [
            ("host", s["nodename"]),
            ("kernel", s["release"]),
            ("build", s["version"]),
            ("machine", s["machine"]),
            ("crashed", s["crash_time"]),
            ("up", duration(s["uptime_seconds"]) if s["uptime_seconds"] is not None else None),
            ("load", load),
            ("CPUs", f"{s['cpus_online']} online of {s['cpus_present']}" if s["cpus_present"] else None),
            ("memory", size(s["memory_bytes"]) if s["memory_bytes"] else None),
            ("tasks", s["task_count"]),
            ("taint", taint),
            ("command line", s["command_line"]),
        ]
    )


def _verdict(v: Data) -> str:
    lines = [f"  {v['title']}  ({v['cause']}, {v['confidence']})", ""]
    lines += textwrap.wrap(printable(v["summary"]), WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
    if v["panic_message"]:
        lines += ["", f"  panic message   {printable(v['panic_message'])}"]
    if v["symbol"]:
        module = f" [{v['module']}]" if v["module"] else ""
        lines.append(f"  where           {printable(v['symbol'] + module)}")
    if v["comm"] is not None:
        lines.append(f"  who             PID {v['pid']} {printable(v['comm'])} on CPU {v['cpu']}")
    for title, items in (("evidence", [e["text"] for e in v["evidence"]]), ("next", v["next_steps"])):
        for i, text in enumerate(items):
            head = f"  {title if i == 0 else '':<16}"
            lines += textwrap.wrap(printable(text), WIDTH, initial_indent=head, subsequent_indent=" " * 18)
    lines.append(f"  signature       {v['signature']}")
    return "\n".join(lines) + "\n"


def frames_text(frames: Sequence[Data], indent: str = "    ") -> Iterator[str]:
    """Yield a line for each frame of a report."""
    for f in frames:
        module = f" [{f['module']}]" if f["module"] else ""
        name = (
            f"{f['symbol']}+{f['offset']:#x}{module}"
            if f["symbol"]
            else "(user)"
            if f["kind"] == "user"
            else "(unknown)"
        )
        kind = "" if f["kind"] == "task" else f"  <{f['kind']}>"
        yield f"{indent}{'' if f['reliable'] else '? '}{printable(name)}{kind}\n"


def _cpus(cpus: Sequence[Data]) -> str:
    parts = []
    for c in cpus:
        offline = "" if c["online"] else ", offline"
        parts.append(f"  CPU {c['cpu']}  {c['state'] or 'unknown'}{offline}  PID {cell(c['pid'])}  {cell(c['comm'])}\n")
        parts.append("".join(frames_text(c["frames"])) or "    no stack\n")
    return "".join(parts)


def _meminfo(m: Data) -> str:
    return "".join(f"  {name:<16}{cell(v, 'bytes'):>10}\n" for name, v in m.items())


def _tasks(tasks: Sequence[Data]) -> str:
    columns = [
        c for c in table("tasks").columns if c.key not in ("tgid", "address", "kernel_thread", "vsz_bytes", "uid")
    ]
    lines = [[c.title for c in columns], *([cell(t[c.key], c.kind) for c in columns] for t in tasks)]
    text = _aligned(columns, lines)
    stacks = [t for t in tasks if "frames" in t]
    for t in stacks:
        body = "".join(frames_text(t["frames"])) or "    no stack\n"
        text += f"\n  PID {cell(t['pid'])}  {cell(t['state'])}  {cell(t['comm'])}\n{body}"
    return text


def _log(records: Sequence[Data]) -> str:
    return "".join(f"[{r['ns'] / 1e9:13.6f}] {printable(r['text'], keep=chr(10))}\n" for r in records)


def _rows(key: str, rows: Sequence[Data]) -> str:
    columns = table(key).columns
    limit = SHOWN.get(key)
    chosen = sorted(rows, key=lambda r: -(r["bytes"] or 0))[:limit] if limit else rows
    text = _aligned(columns, [[c.title for c in columns], *([_again(r[c.key], c) for c in columns] for r in chosen)])
    return text + (f"  ... and {len(rows) - limit} more\n" if limit and len(rows) > limit else "")


def _again(value: Any, column: Column) -> str:
    """A cell of the report's data; addresses are text there already."""
    return printable(value) if column.kind == "address" and isinstance(value, str) else cell(value, column.kind)


def _aligned(columns: Sequence[Column], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    right = {"int", "bytes", "seconds"}
    out = []
    for line in lines:
        cells = (t.rjust(w) if c.kind in right else t.ljust(w) for t, w, c in zip(line, widths, columns, strict=True))
        out.append("  " + "  ".join(cells).rstrip() + "\n")
    return "".join(out)


def _problem(p: Data) -> str:
    return f"  {p['section']}: {printable(p['message'])}\n"
