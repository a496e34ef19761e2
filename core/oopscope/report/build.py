"""Build the report as plain data, in the shape that REPORT's contract gives: fields are added, never renamed.

Each section is a boundary: what fails in it is a problem that names it, and the other sections go on.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import oopscope
from oopscope.errors import OopscopeError
from oopscope.kernel.clock import iso
from oopscope.kernel.kernel import Kernel
from oopscope.linux.memory_shares import memory_shares
from oopscope.linux.system import the_system
from oopscope.report import values
from oopscope.report.fault import fault_data
from oopscope.report.values import Data, frames_once, value
from oopscope.report.waits import waits_data
from oopscope.stacks.tasks import kept_stacks, stack
from oopscope.subsystems import ASKED, TABLES, Table, table
from oopscope.triage import verdict
from oopscope.triage.finding import Bug, Evidence, Verdict
from oopscope.triage.findings import findings
from oopscope.waits.build import wait_graph

SCHEMA = 1
# Kinds of page that makedumpfile's -d leaves out, by bit.
LEVELS = ((1, "zero"), (2, "cache"), (4, "cache private"), (8, "user"), (16, "free"))


def rows(found: Table, kernel: Kernel) -> list[Data]:
    """Return a whole table."""
    return values.rows(found.columns, found.rows(kernel))


def dump_section(kernel: Kernel) -> Data:
    """Return what the container is and how complete."""
    facts = kernel.facts
    level = facts.dump_level
    return {
        "path": kernel.path,
        "format": facts.format,
        "compression": facts.compression,
        "flattened": facts.flattened,
        "parts": facts.parts,
        "dump_level": level,
        "excluded": [name for bit, name in LEVELS if level & bit] if level is not None else None,
        "page_size": facts.page_size if facts.format != "log" else None,
        "pages_saved": facts.pages_saved,
        "pages_total": facts.pages_total,
        "bytes": facts.bytes,
        "bytes_read": facts.fetched,
        "complete": facts.complete,
        "live": facts.live,
        "read_at": iso(facts.read_ns),
        "erased": list(facts.erased) or None,
        "arch": kernel.machine_name,
        "log_from": kernel.log_from,
    }


def system_section(kernel: Kernel) -> Data:
    """Return the machine's and the kernel's facts."""
    facts = the_system(kernel)._asdict()
    facts["kaslr_offset"] = value(facts["kaslr_offset"], "address")
    facts["load_average"] = value(facts["load_average"])
    return facts


def verdict_section(kernel: Kernel) -> Data:
    """Return why the machine died."""
    return verdict_data(verdict(kernel))


def verdict_data(v: Verdict) -> Data:
    """Return a verdict as the contract has it."""
    return {
        "category": v.category,
        "cause": v.cause,
        "title": v.title,
        "summary": v.summary,
        "confidence": v.confidence,
        "panic_message": v.panic_message,
        "cpu": v.cpu,
        "pid": v.pid,
        "comm": v.comm,
        "symbol": v.symbol,
        "module": v.module,
        "evidence": _evidence(v.evidence),
        "next_steps": list(v.next_steps),
        "fault": fault_data(v.fault),
        "signature": v.signature,
        "signature_basis": v.signature_basis,
        "lacks": list(v.lacks),
    }


def known_section(kernel: Kernel) -> list[Data]:
    """Return the known bugs that fit the verdict."""
    return [known_data(bug) for bug in verdict(kernel).known]


def known_data(bug: Bug) -> Data:
    """Return a known bug as the contract has it."""
    return {"text": bug.text, "link": bug.link or None, "fixed_in": bug.fixed_in or None}


def findings_section(kernel: Kernel) -> list[Data]:
    """Return what else was wrong, oldest first."""
    return [
        {
            "id": one.id,
            "severity": one.severity,
            "text": one.text,
            "age_seconds": one.age_seconds,
            "evidence": _evidence(one.evidence),
        }
        for one in findings(kernel)
    ]


def _evidence(pieces: Iterable[Evidence]) -> list[Data]:
    return [{"text": piece.text, "source": _source(piece.source)} for piece in pieces]


def _source(source: Any) -> Data:
    found: Data = {"kind": source.kind, "key": source.key}
    if source.address is not None:
        found["address"] = f"{source.address:#x}"
    if source.file is not None:
        found["file"] = source.file
    return found


def tasks_section(kernel: Kernel, stacks: bool) -> list[Data]:
    """Return every thread, with its frames where asked for."""
    found = rows(table("tasks"), kernel)
    if stacks:
        same = frames_once()
        kept = kernel.cached(kept_stacks).found
        for task in found:
            address = int(task["address"], 16)
            task["frames"] = [same(f) for f in stack(kernel, address)]
            kept.pop(address, None)  # the data stands for it from here on
    return found


def meminfo_section(kernel: Kernel) -> Data:
    """Return /proc/meminfo's names with their bytes."""
    return {counter.name: counter.bytes for counter in table("meminfo").rows(kernel)}


def shares_section(kernel: Kernel) -> Data:
    """Return how the memory that the kernel manages divides: the shares add up to the total, less `over`."""
    found = memory_shares(kernel)
    shares = [{"name": one.name, "bytes": one.bytes, "counter": one.counter or None} for one in found.shares]
    return {"total": found.total, "over": found.over, "shares": shares}


def waits_section(kernel: Kernel) -> Data:
    """Return the wait-for graph."""
    return waits_data(wait_graph(kernel))


SPECIAL: dict[str, Callable[[Kernel], object]] = {
    "dump": dump_section,
    "system": system_section,
    "verdict": verdict_section,
    "findings": findings_section,
    "memory_shares": shares_section,
    "meminfo": meminfo_section,
    "waits": waits_section,
}


def _keys() -> Iterator[str]:
    """Yield the sections that tables are, with the shares of memory beside the counters that they are made of."""
    for key, _ in TABLES:
        if key == "meminfo":
            yield "memory_shares"
        yield key


def sections(names: Iterable[str]) -> list[str]:
    """Return the sections asked for, in the report's order; ValueError names one that does not exist."""
    tables = (key for key in _keys() if key not in ("system", "log"))
    known = ["dump", "system", "verdict", "findings", *tables, "log"]
    wanted = set(names)
    unknown = wanted - set(known) - {"problems"}
    if unknown:
        raise ValueError(f"no section {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [name for name in known if name in wanted]


def default() -> list[str]:
    """Return the sections of a report for which nothing was asked by name."""
    known = dict(TABLES)
    tables = (key for key in _keys() if key not in ASKED and (key not in known or not table(key).asked))
    return ["dump", "system", "verdict", "findings", *tables]


def build(
    kernel: Kernel,
    names: Iterable[str] | None = None,
    stacks: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Data:
    """Return the report's data; a section that fails is None, and `problems` says why."""
    report: Data = {"schema": SCHEMA, "oopscope": oopscope.__version__}
    wanted = sections(names) if names is not None else default()
    if stacks and "tasks" in wanted:
        kernel.cached(kept_stacks).wanted = True
    for name in wanted:
        if progress:
            progress(f"reading {name}")
        report[name] = section(kernel, name, stacks)
        if name == "verdict" and report[name] is not None:
            report["known"] = _bounded(kernel, "known", known_section)
    kernel.facts.look_again()
    _weigh_again(kernel, report)
    report["tables"] = counts(kernel, report)
    for key, count in report["tables"].items():
        if not count["rows"] and not known_to_be_empty(kernel, count):
            report[key], count["rows"] = None, None
    if report.get("findings") == [] and not kernel.facts.complete:
        report["findings"] = None  # what else was wrong may be told where the dump is not
    if isinstance(report.get("dump"), dict):  # how it is after the other sections
        report["dump"] |= {"bytes_read": kernel.facts.fetched, "complete": kernel.facts.complete}
        report["dump"]["log_from"] = kernel.log_from
    for text in kernel.facts.problems:
        kernel.problems.add("dump", text)
    report["problems"] = [
        {"section": p.section, "message": p.message, "address": value(p.address, "address")} for p in kernel.problems
    ]
    return report


def _weigh_again(kernel: Kernel, report: Data) -> None:
    """Weaken a verdict of a dump that turned out not to be whole since it was made: a file that became shorter."""
    if isinstance(report.get("verdict"), dict) and not kernel.facts.complete:
        from oopscope.triage import verdict, weighed

        now = weighed(kernel, verdict(kernel))
        report["verdict"] |= {"confidence": now.confidence, "lacks": list(now.lacks)}


def known_to_be_empty(kernel: Kernel, count: Data) -> bool:
    """Tell whether a table without rows is one: not where something of it was lost, or may have been."""
    return count["complete"] is True or (count["complete"] is None and kernel.facts.complete)


def counts(kernel: Kernel, report: Data) -> Data:
    """Return of each table in a report its rows, how many the kernel counted, and whether they are complete."""
    known = dict(TABLES)
    return {
        key: table(key).counted(kernel, None if rows is None else _length(rows))._asdict()
        for key, rows in report.items()
        if key in known and (rows is None or isinstance(rows, list | dict))
    }


def _length(rows: Any) -> int:
    """Return how many rows a section has: of a graph its waits."""
    if isinstance(rows, dict) and "edges" in rows:
        return sum(1 for edge in rows["edges"] if edge["kind"] == "waits_for")
    return len(rows)


def section(kernel: Kernel, name: str, stacks: bool = False) -> object:
    """Return one section; None where it fails, with the reason among the kernel's problems."""

    def make(kernel: Kernel) -> object:
        if name == "tasks":
            return tasks_section(kernel, stacks)
        return SPECIAL[name](kernel) if name in SPECIAL else rows(table(name), kernel)

    return _bounded(kernel, name, make)


def _bounded(kernel: Kernel, name: str, make: Callable[[Kernel], object]) -> object:
    """Return what a section is made of; None where it fails."""
    try:
        return make(kernel)
    except OopscopeError as e:
        kernel.problems.lost(name)(e)
    except Exception as e:  # noqa: BLE001 - the boundary of a section: what went wrong is shown, the rest goes on
        kernel.problems.add(name, f"a fault of oopscope's own: {type(e).__name__}: {e}")
    return None
