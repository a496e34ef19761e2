"""The report's data, field by field as the contract has it: names, types, what is absent, what failed."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import oopscope
from cases import NAMES, Case, case_of
from oopscope.boot.attach import open_kernel
from oopscope.errors import Implausible, MissingPage, NoSymbol
from oopscope.kernel.kernel import Kernel
from oopscope.linux.slab import Slab
from oopscope.report import build as building
from oopscope.report.build import build, sections, verdict_section
from oopscope.report.json import render
from oopscope.report.values import value
from oopscope.subsystems import TABLES, Column, Table

ADDRESS = re.compile(r"0x[0-9a-f]{1,16}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SYMBOL = re.compile(r"[^\s+]+\+0x[0-9a-f]+")
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")


def address(found: int | str) -> Any:
    return isinstance(found, str) and ADDRESS.fullmatch(found)


def number(found: bool | int) -> bool:
    return isinstance(found, int) and not isinstance(found, bool)


def count(found: bool | int) -> bool:
    return number(found) and found >= 0


def text(found: str) -> bool:
    return isinstance(found, str)


def yes_no(found: bool) -> bool:
    return isinstance(found, bool)


def seconds(found: float) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found >= 0


def moment(found: str) -> Any:
    return text(found) and TIME.fullmatch(found)


def one_of(*words: int | str | None) -> Callable[..., Any]:
    return lambda found: found in words


def maybe(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda found: found is None or kind(found)


def list_of(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda found: isinstance(found, list) and all(kind(item) for item in found)


def record(fields: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """A dict that has these fields, each of its kind; more may be added, none renamed."""

    def check(found: Any) -> bool:
        assert isinstance(found, dict), found
        for name, kind in fields.items():
            assert name in found, f"{name} is missing"
            assert kind(found[name]), f"{name}: {found[name]!r}"
        return True

    return check


FRAME = record(
    {
        "address": address,
        "symbol": maybe(text),
        "offset": maybe(count),
        "module": maybe(text),
        "kind": one_of("task", "irq", "softirq", "nmi", "exception", "syscall", "user"),
        "reliable": yes_no,
    }
)
EVIDENCE = record({"text": text, "source": record({"kind": one_of("log", "frame", "task", "register", "table")})})
CONTRACT = {
    "dump": record(
        {
            "path": text,
            "format": one_of("kdump"),
            "compression": one_of("zlib", "lzo", "snappy", "zstd", None),
            "flattened": yes_no,
            "parts": count,
            "dump_level": maybe(count),
            "excluded": maybe(list_of(one_of("zero", "cache", "cache private", "user", "free"))),
            "page_size": count,
            "pages_saved": maybe(count),
            "pages_total": maybe(count),
            "bytes": count,
            "complete": yes_no,
            "live": yes_no,
            "arch": one_of("x86_64"),
        }
    ),
    "system": record(
        {
            **dict.fromkeys(("nodename", "release", "version", "machine", "taint", "command_line"), text),
            **dict.fromkeys(("crash_time", "boot_time"), moment),
            "uptime_seconds": seconds,
            "load_average": lambda found: list_of(seconds)(found) and len(found) == 3,
            **dict.fromkeys(("cpus_online", "cpus_present", "memory_bytes", "task_count", "tainted"), count),
            "kaslr_offset": address,
            "page_table_levels": one_of(4, 5),
        }
    ),
    "verdict": record(
        {
            "category": one_of("software", "hardware", "firmware", "manual", "hang", "memory", "unknown"),
            "cause": lambda found: SLUG.fullmatch(found),
            **dict.fromkeys(("title", "summary", "panic_message", "comm", "signature"), text),
            "confidence": one_of("certain", "likely", "possible"),
            "cpu": count,
            "pid": count,
            "symbol": lambda found: SYMBOL.fullmatch(found),
            "module": maybe(text),
            "evidence": list_of(EVIDENCE),
            "next_steps": list_of(text),
        }
    ),
    "findings": list_of(
        record(
            {
                "id": lambda found: SLUG.fullmatch(found),
                "severity": one_of("error", "warning", "note"),
                "text": text,
                "age_seconds": maybe(seconds),
                "evidence": list_of(EVIDENCE),
            }
        )
    ),
    "cpus": list_of(
        record(
            {
                "cpu": count,
                "online": yes_no,
                "state": one_of("panic", "running", "idle", "user"),
                "pid": count,
                "comm": text,
                "task": address,
                "frames": list_of(FRAME),
                "registers": lambda found: all(text(k) and address(v) for k, v in found.items()) and "rip" in found,
            }
        )
    ),
    "tasks": list_of(
        record(
            {
                **dict.fromkeys(("pid", "tgid", "ppid", "cpu", "rss_bytes", "vsz_bytes", "uid"), count),
                "comm": text,
                "state": one_of(*"RSDTtXZPIN"),
                "address": address,
                "kernel_thread": yes_no,
                "since_last_run_seconds": maybe(seconds),
                "wait": maybe(text),
                "frames": list_of(FRAME),
            }
        )
    ),
    "meminfo": lambda found: all(text(k) and maybe(count)(v) for k, v in found.items()) and "MemTotal" in found,
    "zones": list_of(record({"node": count, "name": text, "free": count, "low": maybe(count)})),
    "slabs": list_of(
        record(
            {
                "name": text,
                "object_size": count,
                "active": maybe(count),
                "total": maybe(count),
                "bytes": maybe(count),
            }
        )
    ),
    "modules": list_of(
        record(
            {
                "name": text,
                "size_bytes": count,
                "address": address,
                "refcount": maybe(number),
                "used_by": list_of(text),
                "state": one_of("live", "coming", "going"),
                "taint": text,
            }
        )
    ),
    "mounts": list_of(record(dict.fromkeys(("source", "target", "fstype", "options"), text))),
    "log": list_of(
        record(
            {
                "ns": count,
                "level": one_of(*range(8)),
                "facility": count,
                "caller": maybe(lambda found: re.fullmatch(r"[TC]\d+", found)),
                "text": text,
            }
        )
    ),
    "problems": list_of(record({"section": text, "message": text, "address": maybe(address)})),
}


def test_sections(case: Case) -> None:
    assert [section for section in CONTRACT if not CONTRACT[section](case.report[section])] == []


def test_the_contract_can_fail() -> None:
    """The checks above are only worth something if they refuse."""
    whole = case_of("6.1-null").report
    for section, field, wrong in [
        ("dump", "bytes", True),
        ("dump", "compression", "gzip"),
        ("system", "kaslr_offset", 4096),
        ("system", "load_average", [1.0, 2.0]),
        ("system", "crash_time", "yesterday"),
        ("verdict", "symbol", "f"),
        ("verdict", "evidence", [{"text": "x", "source": {"kind": "rumour"}}]),
    ]:
        changed = {**whole[section], field: wrong}
        with pytest.raises(AssertionError):
            CONTRACT[section](changed)
        with pytest.raises(AssertionError):
            CONTRACT[section]({k: v for k, v in whole[section].items() if k != field})


def test_head_and_order(case: Case) -> None:
    assert (case.report["schema"], case.report["oopscope"]) == (1, oopscope.__version__)
    assert set(case.report) >= set(CONTRACT) | {"schema", "oopscope"}
    keys = list(case.report)
    assert keys[:5] == ["schema", "oopscope", "dump", "system", "verdict"]
    assert keys[-3:] == ["log", "tables", "problems"]


def test_of_the_dump_itself(case: Case) -> None:
    dump = case.report["dump"]
    assert dump["path"] == str(case.path)
    assert (dump["bytes"], dump["parts"]) == (case.path.stat().st_size, 1)
    assert (dump["compression"], dump["flattened"], dump["complete"]) == ("zstd", False, True)
    assert 0 < dump["pages_saved"] < dump["pages_total"]
    assert dump["page_size"] == 4096
    assert dump["excluded"] == [n for bit, n in building.LEVELS if dump["dump_level"] & bit]


def test_json_is_the_data_in_plain_ascii(case: Case) -> None:
    out = render(case.report)
    assert out.isascii()
    assert out.endswith("}\n")
    assert "\x1b" not in out
    assert json.loads(out) == case.report
    assert all(f"\n  {json.dumps(task)}" in out for task in case.report["tasks"])  # a row is a line


class TestSections:
    def test_in_the_reports_order(self) -> None:
        assert sections(["log", "verdict", "tasks", "dump"]) == ["dump", "verdict", "tasks", "log"]
        assert sections([]) == []
        assert sections(["problems"]) == []

    def test_every_table_is_one(self) -> None:
        assert {key for key, _ in TABLES} <= set(sections([*(key for key, _ in TABLES if key != "system")])) | {
            "system"
        }

    def test_an_unknown_one_is_named_with_those_that_are(self) -> None:
        with pytest.raises(ValueError, match="no section bogus, nope; there are dump, system, verdict, findings, cpus"):
            sections(["verdict", "nope", "bogus"])

    def test_only_those_asked_for_are_read(self) -> None:
        kernel = open_kernel([case_of("6.1-null").path])
        report = build(kernel, ["log"])
        assert list(report) == ["schema", "oopscope", "log", "tables", "problems"]
        assert report["log"] == case_of("6.1-null").report["log"]
        assert "symbols" not in kernel.__dict__  # the log needs neither symbols nor types
        assert "types" not in kernel.__dict__

    def test_default(self) -> None:
        report = build(case_of("6.1-null").kernel)
        assert {"dump", "system", "verdict", "cpus", "tasks", "meminfo", "slabs", "modules", "mounts"} <= set(report)
        assert "log" not in report
        assert all("frames" not in task for task in report["tasks"])

    def test_progress_names_each(self) -> None:
        said: list[Any] = []
        build(case_of("6.1-null").kernel, ["verdict", "mounts"], progress=said.append)
        assert said == ["reading verdict", "reading mounts"]


class TestFailure:
    """One section that fails costs itself, and says why."""

    @pytest.fixture
    def kernel(self) -> Kernel:
        return open_kernel([case_of("6.1-null").path])

    @pytest.mark.parametrize(
        "error, message, place",
        [
            (MissingPage(0x1234000, "excluded"), "physical page at 0x1234000 is not in the dump", "0x1234000"),
            (NoSymbol("slab_caches"), "this kernel has no symbol slab_caches", None),
            (Implausible("a list of 9 million", 0xFFFF888000001000), "a list of 9 million", "0xffff888000001000"),
            (ZeroDivisionError("by us"), "a fault of oopscope's own: ZeroDivisionError: by us", None),
        ],
    )
    def test_of_a_table(
        self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch, error: MissingPage, message: str, place: str
    ) -> None:
        def fails(_kernel: Kernel) -> None:
            raise error

        broken = Table("slabs", "Slabs", (Column("name", "Name"),), fails)
        found = building.table  # type: ignore[attr-defined]
        monkeypatch.setattr(building, "table", lambda key: broken if key == "slabs" else found(key))
        report = build(kernel, ["verdict", "slabs", "mounts"])
        assert report["slabs"] is None
        assert report["mounts"] == case_of("6.1-null").report["mounts"]
        assert report["verdict"] == case_of("6.1-null").report["verdict"]
        problem = next(p for p in report["problems"] if p["section"] == "slabs")
        assert problem["message"].startswith(message)
        assert problem["address"] == place

    def test_halfway_through_a_table(self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
        def rows(_kernel: Kernel) -> Iterator[Slab]:
            yield from case_of("6.1-null").kernel.cached(list_of_slabs)
            raise MissingPage(0x1000, "truncated")

        from oopscope.linux.slab import all_slabs as list_of_slabs

        broken = Table("slabs", "Slabs", (Column("name", "Name"),), rows)
        monkeypatch.setattr(building, "table", lambda _key: broken)
        assert building.section(kernel, "slabs") is None
        assert "beyond the end of the file" in next(iter(kernel.problems)).message


def test_values_by_kind() -> None:
    assert value(0xFFFF888000001000, "address") == "0xffff888000001000"
    assert value(None, "address") is value(None, "frames") is None
    assert value(("a", "b"), "list") == ["a", "b"]
    assert value({"rip": 16}, "registers") == {"rip": "0x10"}
    assert value(True, "int") is True


def test_reading_a_report_changes_nothing() -> None:
    """The same dump gives the same report, whoever asked before."""
    wanted = [key for key in case_of(NAMES[0]).report if key in CONTRACT]
    asked, fresh = (open_kernel([case_of(NAMES[0]).path]) for _ in range(2))
    verdict_section(asked)
    first, again = (build(kernel, wanted, stacks=True) for kernel in (asked, fresh))
    kept = copy.deepcopy(first)
    for key in CONTRACT:
        assert again[key] == kept[key], key
