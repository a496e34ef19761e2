"""What `e` explains at a place: from the selected row and line to what is said, the nearest first.

What a row says is explained by its table's columns, which name the kinds of their values.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from oopscope.explain import Topic, text_of, topics_in
from oopscope.explain.log_lines import kind_of
from oopscope.subsystems import TABLES, table
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store

WORD = re.compile(r"[A-Za-z_]\w*(?:\(\w+\))?")
BOUNDARY = re.compile(r"── ([\w ]+?)\s*$")
BOUNDARIES = {"interrupt": "irq", "soft interrupt": "softirq", "NMI": "nmi", "exception": "exception",
              "system call": "syscall", "user mode": "user", "task": "task"}  # fmt: skip
STAMP = re.compile(r"^[\s•]*(?:\d+\.\d+\s+)?")  # before a line of the log
LEADS = {"code": "frame", "symbol": "symbol", "tasks": "task", "memory": "memory"}  # terms for what a line leads to
REGISTER = re.compile(r"\b([a-z][a-z0-9_]{1,7}) (?:[0-9a-f]{16}|[0-9a-f]{8})\b")


class Seen(NamedTuple):
    """A line of a text, and where it leads."""

    text: str
    link: Place | None = None


def in_hand(lines: Any) -> list[Seen]:
    """Return the lines of a text that one looks at: the selected one, then those in view; of a table none."""
    if getattr(lines, "link", lines) is lines:  # rows of a table have attributes, and its words are data
        return []
    view, at = lines.view, lines.cursor
    positions = [at] if 0 <= at < len(view) and lines.selectable(view.row(at)) else []
    if not lines.all_selectable:
        positions += range(lines.top, min(lines.top + lines.page, len(view)))
    rows = [view.row(position) for position in positions]
    return [Seen(lines.words(row), getattr(row, "link", None)) for row in rows]


def topics(
    pane: str, row: Any, lines: Sequence[Seen], columns: Sequence[str], store: Store, chosen: bool = True
) -> list[Topic]:
    """Return what there is to explain: of a pane's selected row, of the lines in hand, then of the pane's columns.

    On the Overview the verdict comes first while nothing is `chosen`, and after what is.
    """
    own = list(_of_verdict(store)) if pane == "overview" else []
    found = [] if chosen else own
    found += [*(topic for line in lines[:1] for topic in _of_line(pane, line)), *_of_row(pane, row), *own]
    found += [topic for line in lines[1:] for topic in _of_line(pane, line)]
    found += [Topic("column", f"{pane}.{key}") for key in columns]
    return [topic for topic in dict.fromkeys(found) if text_of(topic) is not None]


def _of_row(pane: str, row: Any) -> Iterator[Topic]:
    """Yield what a table's row names, what it says before what it is about: the last columns first."""
    for column in reversed(table(pane).columns) if pane in dict(TABLES) else ():
        yield from topics_in(column.topic, getattr(row, column.key, None))


def _of_line(pane: str, seen: Seen) -> Iterator[Topic]:
    """Yield what a line of text names, by its link or by its words: a counter, a sign, a boundary, registers."""
    line = seen.text
    if seen.link is not None and seen.link.pane == "meminfo":
        yield Topic("memory", str(seen.link.key))
    boundary = BOUNDARY.search(line)
    if boundary is not None and boundary[1] in BOUNDARIES:
        yield Topic("sign", BOUNDARIES[boundary[1]])
    sign = line.strip()[:1]
    if sign in ("►", "?", "!") and pane != "memory":  # there the first is a share that is large
        yield Topic("sign", sign)
    yield from (Topic("register", name) for name in REGISTER.findall(line)[:8])
    if pane == "memory":
        for word in WORD.findall(line)[:20]:
            yield Topic("memory", word)
            yield Topic("watermark", word)
    if pane == "overview" and seen.link is not None:
        yield from _of_link(seen.link, line)
    if pane == "overview" and line.split()[:1] == ["Taint"]:
        yield from (Topic("taint", letter) for letter in "".join(line.split()[1:2])[:20])


def _of_link(link: Place, line: str) -> Iterator[Topic]:
    """Yield what a line of the Overview is about, by where it leads: a log line's kind, a frame, a task, a CPU."""
    if link.pane == "log":
        kind = kind_of(STAMP.sub("", line, count=1))
        yield Topic("log", kind or "")
    elif link.pane == "cpus":
        yield Topic("cpu-state", "panic")
    else:
        yield Topic("term", LEADS.get(link.pane, ""))


def _of_verdict(store: Store) -> Iterator[Topic]:
    verdict = store.verdict
    if verdict is not None:
        yield Topic("cause", verdict.cause)
        yield Topic("confidence", verdict.confidence)
    taint = store.system.get("taint")
    if isinstance(taint, str):
        yield from (Topic("taint", letter) for letter in taint[:20] if letter != "G")
