"""The Python API: the README's section runs as it stands, the names are those of __all__, errors are one tree."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import oopscope
from cases import DUMPS, case_of
from core.cli.runner import environment
from oopscope.subsystems import table

README = Path(__file__).parents[2] / "README.md"
SECTION = re.search(r"^## Python API$(.*?)^## ", README.read_text(encoding="utf-8"), re.M | re.S)
NULL = DUMPS / "6.1-null.kdump"


@pytest.fixture(scope="module")
def k() -> Any:
    return oopscope.open(NULL)


def test_the_readme_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vmcore").symlink_to(NULL)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", SECTION[1], re.M | re.S)
    exec(compile(code, "README", "exec"), {})
    said = capsys.readouterr().out
    report = case_of("6.1-null").report
    assert said.startswith(f"{report['verdict']['title']} {report['verdict']['symbol']}\n")
    for task in report["tasks"]:
        if task["state"] == "D":
            assert f"{task['pid']} {task['comm']} " in said
    assert "schedule+0x4" in said
    assert "b'swapper/0" in said


def test_every_public_name_is_there() -> None:
    for name in oopscope.__all__:
        assert getattr(oopscope, name) is not None, name
    assert set(oopscope.__all__) <= set(dir(oopscope))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        oopscope.nonsense  # noqa: B018


def test_every_name_that_the_readme_says_is_public_or_of_an_open_dump() -> None:
    names = set(re.findall(r"\boopscope\.([A-Za-z_]+)", SECTION[1]))
    assert names <= set(oopscope.__all__) | {"__all__"}
    assert set(re.findall(r"\bk\.([a-z_]+)", SECTION[1])) <= set(dir(oopscope.OpenDump))


def test_an_import_costs_little() -> None:
    """Held well below what it must not take, so that the machine may be slow: the name space alone is made."""
    code = "import time; at = time.process_time(); import oopscope; print(time.process_time() - at)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    ).stdout
    assert float(done) < 0.060


def test_tables_are_those_of_the_report(k: Any) -> None:
    report = case_of("6.1-null").report
    assert [task.pid for task in k.tasks] == [task["pid"] for task in report["tasks"]]
    assert [cpu.state for cpu in k.cpus] == [cpu["state"] for cpu in report["cpus"]]
    assert len(k.log) == len(report["log"])
    assert {"tasks", "slabs", "modules", "mounts", "log"} <= set(k.tables)
    for name in k.tables:
        try:
            assert k.table(name) is k.table(name), name
        except oopscope.MissingPage:  # the dump was distilled before there was this table
            assert table(name).asked
    with pytest.raises(KeyError):
        k.table("nonsense")
    assert k.verdict.cause == report["verdict"]["cause"]
    assert k.report()["verdict"] == report["verdict"]


def test_one_task_by_pid_address_and_name(k: Any) -> None:
    first = k.task(1)
    assert k.task(first.address) is first
    assert k.task(first.comm).comm == first.comm
    for nobody in (1 << 22, "nobody at all"):
        with pytest.raises(LookupError, match="no task"):
            k.task(nobody)
    asleep = next(task for task in k.tasks if task.state == "S")
    assert k.stack(asleep) == k.stack(asleep.pid)
    assert k.stack(asleep)[0].symbol


def test_structs_symbols_and_memory(k: Any) -> None:
    init = k.struct("struct task_struct", "init_task")
    assert init.comm.startswith(b"swapper/0")
    assert init.address == k.symbol("init_task")
    assert k.struct("task_struct").size == init.size
    assert str(k.name_of(k.symbol("schedule") + 4)) == "schedule+0x4"
    assert k.read("init_task", 8) == k.read(init.address, 8)
    assert k.per_cpu("runqueues", 1) == k.symbol("runqueues:1")
    for bad in (lambda: k.symbol("no_such_symbol"), lambda: k.struct("no_such_type"), lambda: k.read(8, 8),
                lambda: k.per_cpu("runqueues", -1)):  # fmt: skip
        with pytest.raises(oopscope.OopscopeError):
            bad()


def test_cards_and_the_words_of_crash(k: Any) -> None:
    assert k.card("task", 1).name == k.task(1).who
    assert [section.key for section in k.card("task", 1, "stack").sections] == ["stack"]
    assert k.ask("ps") == k.tasks
    (card,) = k.ask("struct task_struct.pid init_task")
    assert card.kind == "struct"
    assert k.eval("task(1).pid + 1") == 2
    for nothing in ("nonsense", "theme dark", ""):
        with pytest.raises(ValueError, match=r"not there|no command"):
            k.ask(nothing)


def test_what_is_no_dump_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no dump at all")
    with pytest.raises(oopscope.NotADump):
        oopscope.open(tmp_path / "text")
    with pytest.raises(oopscope.OopscopeError, match="nothing"):
        oopscope.open(tmp_path / "nothing")
