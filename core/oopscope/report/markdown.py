"""The report as Markdown that pastes cleanly into an issue tracker: the verdict, the crashing stack, the facts."""

from collections.abc import Mapping
from typing import Any

from oopscope.report.cells import cell, printable
from oopscope.report.text import _section, frames_text

Data = Mapping[str, Any]
FOLDED = ("tasks", "meminfo", "zones", "slabs", "modules", "mounts", "log")


def render(report: Data) -> str:
    """Return the report as Markdown."""
    parts = [f"# {_title(report)}\n"]
    for key, data in report.items():
        if key in ("schema", "oopscope") or data is None or data == []:
            continue
        if key == "verdict":
            parts.append(_verdict(data))
        elif key == "cpus":
            parts.append(_cpus(data))
        elif key == "problems":
            lines = "".join(f"- {p['section']}: {_inline(p['message'])}\n" for p in data)
            parts.append(f"## Problems\n\n{lines}")
        else:
            parts.append(_table(key, data))
    parts.append(f"Made by oopscope {report['oopscope']}.\n")
    return "\n".join(parts)


def _title(report: Data) -> str:
    verdict, system = report.get("verdict"), report.get("system")
    host = f" on {system['nodename']}, {system['release']}" if system else ""
    return _inline((verdict["title"] if verdict else "Kernel crash dump") + host)


def _inline(text: str) -> str:
    """Text of a dump within a line: nothing in it may be taken for Markdown or HTML."""
    clean = printable(text)
    for char in "\\`*_[]<>#|":
        clean = clean.replace(char, "\\" + char)
    return clean


def _fence(text: str) -> str:
    """A block of code whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"


def _verdict(v: Data) -> str:
    lines = [f"**{_inline(v['summary'])}** (`{v['cause']}`, {v['confidence']})", ""]
    if v["panic_message"]:
        lines += [_fence(printable(v["panic_message"]))]
    lines += [f"- {_inline(e['text'])}" for e in v["evidence"]]
    lines += ["", f"Signature: `{v['signature']}`", ""]
    return "\n".join(lines)


def _cpus(cpus: list[Data]) -> str:
    parts = []
    for i, c in enumerate(cpus):
        head = f"CPU {c['cpu']}, {c['state'] or 'unknown'}: PID {cell(c['pid'])} {_inline(cell(c['comm']))}"
        body = _fence("".join(frames_text(c["frames"], "")) or "no stack")
        parts.append(f"## {head}\n\n{body}" if i == 0 else _details(head, body))
    return "\n".join(parts)


def _table(key: str, data: Any) -> str:
    body = _fence(_section(key, data))
    return _details(key.capitalize(), body) if key in FOLDED else f"## {key.capitalize()}\n\n{body}"


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n"
