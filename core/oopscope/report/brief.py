"""The report in at most fifteen lines of 80 columns, for a mail or a console: cause, who, stack, machine, next step."""

import textwrap
from collections.abc import Mapping
from typing import Any

from oopscope.kernel.kinds import ABSENT
from oopscope.report.cells import printable

WIDTH, LINES, FRAMES = 80, 15, 4
SECTIONS = ("dump", "system", "verdict", "cpus")


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
    lines += [f"next: {step}" for step in verdict.get("next_steps", ())[:1]]
    if verdict.get("signature"):
        lines.append(f"signature: {verdict['signature']}")
    state = "complete" if dump.get("complete") else "NOT complete"
    lines.append(f"{dump.get('path') or ABSENT}: {dump.get('format') or ABSENT}, {state}")
    cut = [textwrap.shorten(printable(line), WIDTH, placeholder=" ...") for line in lines]
    return "".join(f"{line}\n" for line in cut[:LINES])


def _stack(report: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[str]:
    cpus = report.get("cpus") or []
    dead = next((cpu for cpu in cpus if cpu.get("cpu") == verdict.get("cpu")), None)
    names = [frame["symbol"] for frame in (dead or {}).get("frames") or () if frame.get("symbol")]
    names = list(dict.fromkeys(names))
    who = f"CPU {verdict.get('cpu')}, PID {verdict.get('pid')} {verdict.get('comm') or ''}".rstrip()
    if not names:
        return [who] if verdict.get("pid") is not None else []
    line = f"{who}: {names[0]}"
    for name in names[1:FRAMES]:
        if len(line) + len(name) + 3 > WIDTH:
            break
        line += f" < {name}"
    return [line]
