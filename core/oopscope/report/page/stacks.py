"""Stacks: the panicking CPU's with its registers, the other CPUs', the blocked tasks', and every task's where given."""

from collections.abc import Sequence

from oopscope.report.cells import cell, duration
from oopscope.report.facts import blocked, numbers, same_stacks, waiting
from oopscope.report.page import kit
from oopscope.report.page.kit import Data, pill, safe, section
from oopscope.report.recursion import again, folded
from oopscope.stacks.groups import folded as folded_names

KINDS = {
    "irq": "interrupt",
    "softirq": "softirq",
    "nmi": "NMI",
    "exception": "exception",
    "syscall": "system call",
    "user": "user program",
}
STATES = {"panic": "panicked", "user": "in user space", None: "unknown"}
STACKS = ("irq", "softirq", "nmi")  # kinds that are a stack of their own, not only a boundary
DOUBT = '<p class="legend"><b class="q">?</b> marks a frame that was found by scanning the stack: a guess.</p>'


def frames(found: Sequence[Data] | None, culprit: str | None = None) -> str:
    """Return a stack, innermost first; a frame of the culprit's name is marked, and so is a doubtful one."""
    if not found:
        return '<p class="none">no stack</p>'
    lines, kind, marked = [], "task", False
    for same, times in folded(found, lambda f: (f["symbol"], f["offset"], f["kind"], f["reliable"])):
        for f in same:
            if f["kind"] != kind and (f["kind"] in STACKS or kind in STACKS):
                word = f"{KINDS[f['kind']]} stack" if f["kind"] in STACKS else "interrupted"
                lines.append(f'<li class="turn">{word}</li>')
            kind = f["kind"]
            hit = not marked and culprit is not None and f["symbol"] is not None and _name(f) == culprit
            marked = marked or hit
            lines.append(_frame(f, hit))
        if times > 1:
            lines.append(f'<li class="turn">{again(same, times)}</li>')
    legend = DOUBT if any(not f["reliable"] for f in found) else ""
    return f'<ol class="stack">{"".join(lines)}</ol>{legend}'


def _name(f: Data) -> str:
    return f"{f['symbol']}+{f['offset'] or 0:#x}"


def _frame(f: Data, hit: bool) -> str:
    if f["symbol"]:
        name = f"<b>{safe(f['symbol'])}</b><i>+{f['offset'] or 0:#x}</i>"
    else:
        name = "<b>user program</b>" if f["kind"] == "user" else "<b>unknown</b>"
    module = f" <em>{safe(f['module'])}</em>" if f["module"] else ""
    kind = "" if f["kind"] in ("task", "user", *STACKS) else f" {pill(KINDS.get(f['kind'], f['kind']), 'quiet')}"
    classes = " ".join(filter(None, ("hit" if hit else "", "" if f["reliable"] else "doubt", f"k-{f['kind']}")))
    doubt = "" if f["reliable"] else '<b class="q" title="a guess">?</b>'
    return f'<li class="{classes}"><code>{doubt}{name}{module}</code>{kind}<s>{safe(f["address"])}</s></li>'


def render_cpus(report: Data) -> str:
    """Return the panicking CPU's stack, then the others', the same ones once."""
    cpus, v = report["cpus"], report.get("verdict") or {}
    first, rest = cpus[0], cpus[1:]
    crashed = first["state"] == "panic"
    title = "Crashing stack" if crashed else f"CPU {first['cpu']}"
    body = frames(first["frames"], v.get("symbol")) + _registers(first["registers"])
    html = section("stack", title, f'<div id="cpu-{first["cpu"]}">{body}</div>', _who(first, crashed))
    if rest:
        groups = "".join(_group(members) for members in same_stacks(rest, "state", "comm", "online"))
        html += section("cpus", "Other CPUs" if crashed else "CPUs", groups, f"{len(rest)}")
    return html


def _who(c: Data, crashed: bool) -> str:
    state = "" if crashed else f"{STATES.get(c['state'], c['state'])}, "
    return f"{state}CPU {c['cpu']}, PID {cell(c['pid'])}, {cell(c['comm'])}"


def _group(members: Sequence[Data]) -> str:
    c = members[0]
    many = "CPUs" if len(members) > 1 else "CPU"
    state = pill(STATES.get(c["state"], c["state"]), "quiet") + (
        f" {pill('offline', 'warn')}" if c["online"] is False else ""
    )
    who = f"PID {cell(c['pid'])} " if len(members) == 1 else ""
    head = f"{many} {numbers([m['cpu'] for m in members])} {state} <span>{who}<b>{safe(cell(c['comm']))}</b></span>"
    anchors = "".join(f'<a id="cpu-{m["cpu"]}"></a>' for m in members)
    registers = _registers(c["registers"], "") if len(members) == 1 else ""
    return kit.folded(head, anchors + frames(c["frames"]) + registers, opened=len(c["frames"] or ()) > 1)


def _registers(registers: Data | None, key: str = "registers") -> str:
    if not registers:
        return ""
    cells = "".join(f"<div><dt>{safe(n)}</dt><dd>{safe(_wide(v))}</dd></div>" for n, v in registers.items())
    return kit.folded("Registers", f'<dl class="registers">{cells}</dl>', key=key)


def _wide(value: str) -> str:
    return value.removeprefix("0x").rjust(16, "0")


def render_tasks(report: Data) -> str:
    """Return the blocked tasks with their stacks, longest first; then the other tasks' stacks, where there are any."""
    tasks = report["tasks"]
    found = blocked(tasks)
    shown, more = waiting(tasks)
    culprit = (report.get("verdict") or {}).get("symbol")
    body = "".join(_blocked(members, culprit) for members in same_stacks(shown))
    body += f'<p class="note">{safe(more)}</p>' if more else ""
    if not body:
        body = '<p class="none">No task was in uninterruptible sleep (state D).</p>'
    html = section("blocked", "Blocked tasks", body, f"{len(found)}" if found else "")
    others = [t for t in tasks if "frames" in t and t["state"] != "D"]
    if others:
        groups = sorted(same_stacks(others), key=len, reverse=True)
        html += section("stacks", "Stacks of the other tasks", "".join(_sharing(m) for m in groups), f"{len(others)}")
    return html


def _blocked(members: Sequence[Data], culprit: str | None) -> str:
    since = members[0]["since_last_run_seconds"]
    waits = f" <span>in <b>{safe(members[0]['wait'])}</b></span>" if members[0]["wait"] else ""
    lasted = f" <span>last ran {duration(since)} before the end</span>" if since is not None else ""
    return kit.folded(f"{_people(members)}{waits}{lasted}", frames(members[0]["frames"], culprit), opened=True)


def _sharing(members: Sequence[Data]) -> str:
    return kit.folded(_people(members), frames(members[0]["frames"]))


def _people(members: Sequence[Data]) -> str:
    names = [f"<b>{safe(cell(m['comm']))}</b> {cell(m['pid'])}" for m in members[:6]]
    if len(members) > 6:
        return f"<b>{len(members):,}</b> tasks: {safe(folded_names([str(m['comm'] or '?') for m in members]))}"
    more = ""
    return f"{', '.join(names)}{more}"
