"""The report as Markdown that pastes cleanly into an issue of GitHub or GitLab: what matters open, the rest folded.

Text of a dump stands in code spans and fences, or is made of plain words: no markup in it takes effect, nobody is
mentioned by it, and no quick action is run. An issue holds 65,536 characters, so long sections are cut, and said.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from oopscope.lazy_re import lazy_re
from oopscope.report import text
from oopscope.report.cells import cell, printable, size
from oopscope.report.facts import (
    blocked,
    by_absence,
    cause,
    dump_facts,
    how_many,
    moment,
    on_cpu,
    same_stacks,
    system_facts,
    told,
)
from oopscope.report.fault import how
from oopscope.report.findings import HEADING, listed
from oopscope.subsystems import TABLES
from oopscope.triage.known import words

Data = Mapping[str, Any]
MAX = 60_000  # characters
ROWS = 100
LONGEST = 1000  # characters of one piece of text
WORST, STACK, END = 8_000, 12_000, 16_000  # characters of problems, of the crashing stack, of the log's end
BLOCKED = 40
PLACED = (
    "schema",
    "oopscope",
    "verdict",
    "known",
    "findings",
    "cpus",
    "system",
    "dump",
    "memory_shares",
    "meminfo",
    "log",
    "problems",
    "tables",
)
# A word that no dialect of Markdown makes anything of, within its brackets, quotes and punctuation.
PLAIN = lazy_re(r"[A-Za-z][A-Za-z'/-]*|\d{1,6}|0x[0-9a-f]+")
WORD = lazy_re(r"""([("']*)(.*?)([)"'.,;:?!]*)""", re.S)


def render(report: Data) -> str:
    """Return the report as Markdown."""
    report = told(report)
    parts = [_head(report)]
    if report.get("findings"):
        parts.append(_findings(report["findings"]))
    if report.get("cpus"):
        parts.append(_crash(report["cpus"]))
    if report.get("problems"):
        parts.append(_problems(report["problems"]))
    dropped, used = [], sum(map(len, parts))
    for name, part in _folds(report):
        if used + len(part) > MAX:
            dropped.append(name)
        else:
            parts.append(part)
            used += len(part)
    if dropped:
        parts.append(f"Left out, as an issue would not hold it: {', '.join(dropped)}.\n")
    parts.append(f"<sub>Made by oopscope {escape(str(report['oopscope']))} from the dump alone.</sub>\n")
    return "\n".join(parts)


def _findings(found: Sequence[Data]) -> str:
    rows = [f"- {prose(sentence)}{f' ({age})' if age else ''}\n" for _one, age, sentence in listed(found)]
    lines = fitting(rows, WORST)
    if len(rows) > len(lines):
        lines.append(f"- ... and {len(rows) - len(lines)} more\n")
    return f"## {HEADING}\n\n{''.join(lines)}"


def _problems(problems: Sequence[Data]) -> str:
    lines = fitting((f"- {code(p['section'])} {code(p['message'])}\n" for p in problems[:ROWS]), WORST)
    if len(problems) > len(lines):
        lines.append(f"- ... and {len(problems) - len(lines)} more\n")
    return (
        f"## Problems\n\n{''.join(lines)}" if len(lines) < 8 else _fold(f"Problems ({len(problems)})", "".join(lines))
    )


def _folds(report: Data) -> Iterable[tuple[str, str]]:
    """Yield what is folded, the most useful first."""
    tasks = report.get("tasks") or []
    if blocked(tasks):
        yield (
            "blocked tasks",
            _fold(f"Blocked tasks ({len(blocked(tasks))})", fenced(text.blocked_text(tasks, BLOCKED))),
        )
    if report.get("cpus") and report["cpus"][1:]:
        yield "other CPUs", _fold(f"Other CPUs ({len(report['cpus']) - 1})", fenced(text.cpus_text(report["cpus"][1:])))
    if report.get("system"):
        yield "the machine", _fold("The machine", _facts(system_facts(report["system"])))
    if report.get("dump"):
        yield "the dump", _fold("The dump", _facts(dump_facts(report["dump"])))
    if report.get("meminfo") or report.get("memory_shares"):
        yield "memory", _fold(*_memory(report.get("memory_shares"), report.get("meminfo") or {}))
    if report.get("log"):
        yield "log", _log(report["log"])
    lost = by_absence(report, [key for key in report if key in dict(TABLES) and report[key] is None])
    if lost:
        said = (f"{code(why) if why else 'Not in the dump, or not readable'}: {', '.join(map(text.title, keys))}.\n"
                for why, keys in lost.items())  # fmt: skip
        yield "what is not there", "\n".join(said)
    for key in (k for k in report if k not in PLACED and report[k]):
        data = report[key]
        body = text.rows(key, data, ROWS) if isinstance(data, list) and key in dict(TABLES) else text.section(key, data)
        yield key, _fold(f"{text.title(key)} ({how_many(report, key)})", fenced(body))
    stacks = [t for t in tasks if "frames" in t and t["state"] != "D"]
    if stacks:
        yield "the tasks' stacks", _fold(f"Stacks of the other tasks ({len(stacks)})", fenced(_stacks(stacks)))


def _log(records: Sequence[Data]) -> str:
    lines = fitting((shortened(text.section("log", [r]).rstrip("\n")) for r in reversed(records)), END)
    count = f"{len(lines)}" if len(lines) == len(records) else f"the last {len(lines)} of {len(records)} records"
    return _fold(f"{text.title('log')} ({count})", fenced("\n".join(reversed(lines))))


def _stacks(tasks: Sequence[Data]) -> str:
    return "\n".join(
        text.heads(members, "") + ("".join(text.frames_text(members[0]["frames"])) or "no stack\n")
        for members in same_stacks(tasks)
    )


def _head(report: Data) -> str:
    v, s = report.get("verdict"), report.get("system") or {}
    host = f" on {code(s['nodename'])}" if s.get("nodename") else ""
    if not v:
        return f"# Kernel crash dump{host}\n"
    facts = [("cause", f"{code(cause(v))}, {prose(v['confidence'])}")]
    if v["panic_message"]:
        facts.append(("panic message", code(v["panic_message"])))
    if v["symbol"]:
        facts.append(("where", code(v["symbol"] + (f" [{v['module']}]" if v["module"] else ""))))
    if v["comm"] is not None:
        facts.append(("who", f"{code(v['comm'])}, PID {cell(v['pid'])}{on_cpu(v)}"))
    facts += [(name, code(words)) for name, words in how(v["fault"])] if v.get("fault") else []
    crashed = moment(s.get("crash_time"))
    facts += [("kernel", code(s["release"]))] if s.get("release") else []
    facts += [("crashed", code(crashed))] if crashed else []
    if v["signature"]:
        facts.append(("signature", code(v["signature"])))
    evidence = "".join(f"- {_evidence(e)}\n" for e in v["evidence"])
    known = "".join(f"- {prose(words(bug))}\n" for bug in report.get("known") or ())
    steps = "".join(f"{i}. {prose(step)}\n" for i, step in enumerate(v["next_steps"], 1))
    return (
        f"# {prose(v['title'])}{host}\n\n**{prose(v['summary'])}**\n\n{_table(facts)}"
        + (f"\n## Known bugs that match\n\n{known}" if known else "")
        + (f"\n## Evidence\n\n{evidence}" if evidence else "")
        + (f"\n## Next steps\n\n{steps}" if steps else "")
    )


def _evidence(evidence: Data) -> str:
    return code(evidence["text"]) if evidence["source"]["kind"] == "log" else prose(evidence["text"])


def _crash(cpus: Sequence[Data]) -> str:
    c = cpus[0]
    title = "Crashing stack" if c["state"] == "panic" else f"CPU {c['cpu']}"
    who = f"CPU {c['cpu']}, PID {cell(c['pid'])}, {code(cell(c['comm']))}"
    guess = text.GUESS.strip() if any(not f["reliable"] for f in c["frames"] or ()) else ""
    lines = list(text.frames_text(c["frames"] or (), ""))
    shown = fitting((shortened(line.rstrip("\n")) + "\n" for line in lines), STACK)
    more = f"... and {len(lines) - len(shown)} more\n" if len(lines) > len(shown) else ""
    body = fenced("".join(shown) + more or "no stack")
    return f"## {title}\n\n{who}\n\n{body}" + (f"\n`?`{guess[1:]}\n" if guess else "")


def _memory(shares: Data | None, meminfo: Data) -> tuple[str, str]:
    total, table = (shares["total"], _shares(shares)) if shares else (meminfo.get("MemTotal"), "")
    counters = "".join(f"{name:<16}{cell(v, 'bytes'):>10}\n" for name, v in meminfo.items())
    return f"Memory ({size(total)})" if total else "Memory", table + (fenced(counters) if counters else "")


def _shares(found: Data) -> str:
    rows = "".join(
        f"| {one['name']} | {cell(one['bytes'], 'bytes')} | {cell(_percent(one['bytes'], found['total']))} |\n"
        for one in found["shares"]
    )
    over = f"The counters exceed the total by {size(found['over'])}.\n\n" if found["over"] else ""
    return f"| memory | size | share |\n| --- | ---: | ---: |\n{rows}\n{over}"


def _percent(amount: int | None, total: int) -> str | None:
    return None if amount is None else f"{amount / total:.0%}"


def fitting(lines: Iterable[str], room: int) -> list[str]:
    """Return the first lines, as many as have room."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def shortened(line: str) -> str:
    """Return text that is not longer than an issue can bear; where it was, that is said."""
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}... ({len(line) - LONGEST} characters more)"


def code(raw: object) -> str:
    """Return text as a code span: nothing in it takes effect."""
    clean = shortened(printable(str(raw)).strip()) or " "
    longest = max(map(len, re.findall("`+", clean)), default=0)
    pad = " " if clean[0] == "`" or clean[-1] == "`" else ""
    return f"{'`' * (longest + 1)}{pad}{clean}{pad}{'`' * (longest + 1)}"


def prose(raw: object) -> str:
    """Return a sentence: its plain words stay words, everything else becomes code spans."""
    out: list[str] = []
    held: list[str] = []  # words for one code span
    for i, word in enumerate(shortened(printable(str(raw))).split()):
        before, core, after = WORD.fullmatch(word).groups()  # type: ignore[union-attr]  # it matches everything
        plain = core and PLAIN.fullmatch(core) and not (i == 0 and core[0].isdigit())
        if not plain and not before and not after:
            held.append(word)
            continue
        if not plain and core and not before:
            out.append(code(" ".join([*held, core])) + after)
        elif plain:
            out += [code(" ".join(held))] if held else []
            out.append(word)
        else:
            out += [code(" ".join(held))] if held else []
            out.append(before + code(core) + after if core else code(word))
        held = []
    return " ".join([*out, code(" ".join(held))] if held else out)


def table_cell(markdown: str) -> str:
    """Return Markdown as it stands in a table, whose bars are taken first, also within a code span."""
    return markdown.replace("|", "\\|")


def _table(facts: Iterable[tuple[str, str]]) -> str:
    return "| | |\n| --- | --- |\n" + "".join(f"| {name} | {table_cell(value)} |\n" for name, value in facts)


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return _table((name, code(value)) for name, value in facts)


def fenced(body: str) -> str:
    """A block of code whose fence is longer than any in the text."""
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}text\n{body.rstrip()}\n{fence}\n"


def _fold(summary: str, body: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>\n\n{body}\n</details>\n"
