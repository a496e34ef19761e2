"""The report in at most fifteen lines of 80 columns, for a mail or a console: cause, who, stack, machine, next step."""

import textwrap
from collections.abc import Mapping
from typing import Any

from oopscope.kernel.kinds import ABSENT
from oopscope.report.cells import printable

WIDTH, LINES, FRAMES = 80, 15, 4
SECTIONS = ("dump", "system", "verdict", "findings", "cpus")


def render(report: Mapping[str, Any]) -> str:
    """Return the lines."""
    verdict, system, dump = report.get("verdict") or {}, report.get("system") or {}, report.get("dump") or {}
    host, release = system.get("nodename") or ABSENT, system.get("release") or ABSENT
    lines = [f"{host}, {release}, crashed {system.get('crash_time') or ABSENT}"]
    lines.append(f"{verdict.get('title') or 'No verdict'} ({verdict.get('cause') or 'unknown'}, "
                 f"{verdict.get('confidence') or ABSENT})")  # fmt: skip
    lines += textwrap.wrap(printable(verdict.get("summary") or ""), WIDTH)[:3]
    if verdict.get("panic_message"):
        lines.append(f"panic: {verdict['panic_message']}")
    lines += _stack(report, verdict)
    lines += _wrapped("next: ", next(iter(verdict.get("next_steps", ())), ""), 2)
    last = [f"signature: {verdict['signature']}"] if verdict.get("signature") else []
    state = "complete" if dump.get("complete") else "NOT complete"
    last.append(f"{dump.get('path') or ABSENT}: {dump.get('format') or ABSENT}, {state}")
    for finding in reversed(
        report.get("findings") or ()
    ):  # the latest first: what else was wrong, as far as there is room
        told = _wrapped("also: ", finding["text"], 2) if finding["severity"] != "note" else []
        lines += told if len(lines) + len(told) + len(last) <= LINES else []
    cut = [_shortened(printable(line)) for line in [*lines, *last]]
    return "".join(f"{line}\n" for line in cut[:LINES])


def _wrapped(head: str, text: str, most: int) -> list[str]:
    """Return a text in so many lines at most, the later ones indented under the first."""
    return textwrap.wrap(printable(text), WIDTH, initial_indent=head, subsequent_indent=" " * len(head),
                         max_lines=most, placeholder=" ...") if text else []  # fmt: skip


def _shortened(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 4].rstrip() + " ..."


def _stack(report: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[str]:
    """Return who, and the stack from where it happened: of the CPU that ran that very task, else the place alone."""
    cpus = report.get("cpus") or []
    dead = next((cpu for cpu in cpus if cpu.get("cpu") == verdict.get("cpu")), None) or {}
    place = str(verdict.get("symbol") or "").partition("+")[0]
    names = list(dict.fromkeys(frame["symbol"] for frame in dead.get("frames") or () if frame.get("symbol")))
    if dead.get("pid") != verdict.get("pid"):
        names = [place] if place else []
    who = f"PID {verdict.get('pid')} {verdict.get('comm') or ''}".rstrip()
    who = (
        f"CPU {verdict['cpu']}, {who}"
        if verdict.get("cpu") is not None and dead.get("pid") == verdict.get("pid")
        else who
    )
    if not names:
        return [who] if verdict.get("pid") is not None else []
    names = names[names.index(place) :] if place in names else names
    line = f"{who}: {names[0]}"
    for name in names[1:FRAMES]:
        if len(line) + len(name) + 3 > WIDTH:
            break
        line += f" < {name}"
    return [line]
