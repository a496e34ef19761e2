"""What a record of the log names that can be looked at: symbols, tasks, CPUs, modules, addresses."""

import re
from collections.abc import Container, Iterable
from typing import NamedTuple

from oopscope.kernel.fact import Link
from oopscope.klog.summary import SYMBOL

MOST = 20
LONGEST = 65536  # characters of a text that are looked at
SMALL = 1 << 32  # below: counts, flags and control registers; where a kernel's addresses begin is its machine's
NOTHING = (1 << 64) - 4096  # from here on: error numbers

_NAME = r"[^\[\]\n]{1,15}?"
FINDERS = re.compile(
    "|".join(
        (
            SYMBOL.pattern.replace("?P<at>", "").replace("?P<guess>", ""),
            r"\bPID: (?P<pid>\d{1,18})(?: Comm: (?P<comm>.{1,15}?)(?= Kdump| Not tainted| Tainted|$))?",
            rf"\btask (?P<blocked>{_NAME}):(?P<blocked_pid>\d{{1,18}}) ",
            rf"task:(?P<shown>{_NAME}) +state:.{{0,80}}?pid: *(?P<shown_pid>\d{{1,18}})",
            rf"\[(?P<stuck>{_NAME}):(?P<stuck_pid>\d{{1,18}})\]",
            rf"(?:(?<=held by )|(?<=atomic: )|(?<=CPU#\d: )|(?<=CPU#\d\d: )|(?<=CPU#\d\d\d: ))"
            rf"(?P<slash>{_NAME})/(?P<slash_pid>\d{{1,18}})",
            rf"(?:Killed|oom_reaper: reaped|Kill) process (?P<killed_pid>\d{{1,18}}) \((?P<killed>{_NAME})\)",
            r"^\[ *(?P<dumped_pid>\d{1,18})\] .* (?P<dumped>\S+)$",
            r"\b(?:CPUs?[ :#]+|cpu )(?P<cpu>\d{1,18})\b",
            r"(?<![0-9a-f])(?:0x)?(?P<address>[0-9a-f]{16})(?![0-9a-f])",
        )
    ),
    re.MULTILINE,
)
MODULES = re.compile(r"^Modules linked in: *(.*)", re.MULTILINE)
FIRST = re.compile(r"[A-Za-z][\w-]*")


class Named(NamedTuple):
    """What it is, its words, and where it leads."""

    title: str
    text: str
    link: Link


def links(text: str, modules: Container[str]) -> list[Named]:
    """Return what a text names, each once, in its order; `modules` are those that are known."""
    found: dict[Link, Named] = {}
    for named in _all(text[:LONGEST], modules):
        found.setdefault(named.link, named)
        if len(found) >= MOST:
            break
    return list(found.values())


def _all(text: str, modules: Container[str]) -> Iterable[Named]:
    first = FIRST.match(text)
    if first and first[0] in modules:
        yield _module(first[0])
    for match in FINDERS.finditer(text):
        kind = str(match.lastgroup).partition("_")[0]
        got = match.groupdict()
        if got["name"]:
            yield Named("Symbol", got["name"], Link("symbol", got["name"]))
            if got["module"]:
                yield _module(got["module"])
        elif got["cpu"]:
            yield Named("CPU", got["cpu"], Link("cpu", int(got["cpu"])))
        elif got["address"]:
            if SMALL <= int(got["address"], 16) < NOTHING:
                yield Named("Address", f"0x{got['address']}", Link("symbol", f"0x{got['address']}"))
        else:
            yield _task(kind, got)
    for match in MODULES.finditer(text):
        for name in re.findall(r"([A-Za-z_][\w-]*)(?:\([A-Z+-]*\))?(?= |$)", match[1].partition(" [")[0]):
            yield _module(name)


def _module(name: str) -> Named:
    return Named("Module", name, Link("module", name))


def _task(kind: str, got: dict[str, str | None]) -> Named:
    named = kind in ("pid", "comm")
    pid, name = (got["pid"], got["comm"]) if named else (got[f"{kind}_pid"], got.get(kind))
    return Named("Task", f"{pid} {name or ''}".strip(), Link("task", int(pid or 0)))
