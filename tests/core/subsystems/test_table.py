"""A table says of itself what report and screen need: what names a row, its order, how complete it is."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cases import Case
from oopscope.errors import NoSymbol
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import ASKED, GROUPS, TABLES, Column, Table, table

KEYS = [key for key, _ in TABLES]
NAMES = ("", "task", "cpu", "module", "symbol", "log")


@pytest.mark.parametrize("key", KEYS)
def test_what_a_table_says_of_itself(key: str) -> None:
    found = table(key)
    columns = {column.key: column for column in found.columns}
    assert found.group in dict(GROUPS)
    assert set(found.named_by) <= set(columns)
    assert not found.sort or found.sort.lstrip("-") in columns
    assert any(column.brief for column in found.columns)
    for column in found.columns:
        assert column.help.endswith(".")
        assert column.names in NAMES or column.names.startswith("struct ")
        assert not column.names.startswith("struct ") or column.kind == "address"


def test_a_report_knows_without_importing_it_which_table_is_asked_for() -> None:
    assert {key for key in KEYS if table(key).asked} == ASKED
    code = "import sys; from oopscope.report.build import default; default(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {module for key, module in TABLES if key in ASKED - {"system", "log"}} & set(loaded)


def test_a_row_has_a_name_of_its_own(case: Case) -> None:
    for key in case.tables:
        names = [table(key).name_of(row) for row in table(key).rows(case.kernel)] if key != "log" else []
        assert len(set(names)) == len(names), key


def test_a_whole_dump_has_all_rows_and_says_so(case: Case) -> None:
    counts = case.report["tables"]
    tasks = len(case.report["tasks"])
    of = None if case.name == "5.10-softlockup" else tasks  # the page of nr_threads is not in that one
    assert counts["tasks"] == {"rows": tasks, "of": of, "complete": True}
    assert counts["cpus"]["of"] == len(case.report["cpus"])
    assert counts["meminfo"]["complete"] is not True  # it has lines that came when most dumps had been distilled
    assert all(counts[key]["complete"] for key in ("slabs", "modules", "mounts", "zones"))


class Thing(SimpleNamespace):
    pass


def made(**more: Any) -> Any:
    return Table("things", "Things", (Column("name", "Name"), Column("size", "Size", "bytes")), lambda _: [], **more)


def test_rows_in_order() -> None:
    rows = [Thing(name="a", size=1), Thing(name="b", size=None), Thing(name="c", size=3)]
    assert [row.name for row in made().ordered(rows)] == ["a", "b", "c"]
    assert [row.name for row in made(sort="size").ordered(rows)] == ["a", "c", "b"]
    assert [row.name for row in made(sort="-size").ordered(rows)] == ["c", "a", "b"]


def test_what_names_a_row() -> None:
    row = Thing(name="a", size=7)
    assert made().name_of(row) == "a"
    assert made(identity=("size",)).name_of(row) == 7
    assert made(identity=("name", "size")).name_of(row) == "a 7"


def test_complete_incomplete_unknown() -> None:
    def fails(kernel: Kernel) -> None:
        raise NoSymbol("nr_things")

    whole, cut = SimpleNamespace(complete=True), SimpleNamespace(complete=False)
    fine = SimpleNamespace(problems=[], facts=whole)
    lossy = SimpleNamespace(problems=[SimpleNamespace(section="things")], facts=whole)
    untroubled = SimpleNamespace(problems=[], facts=cut)
    assert made().counted(fine, 3) == (3, None, True)
    assert made(walked=False).counted(fine, 3) == (3, None, None)
    assert made().counted(lossy, 3) == (3, None, False)
    assert made().counted(untroubled, 3) == (3, None, None)  # what was cut off may have led to more
    assert made(of=lambda _: 3).counted(untroubled, 3) == (3, 3, True)
    assert made(of=lambda _: 3).counted(lossy, 3) == (3, 3, True)
    assert made(of=lambda _: 4).counted(fine, 3) == (3, 4, False)
    assert made(of=lambda _: 2).counted(fine, 3) == (3, 2, None)
    assert made(of=fails).counted(fine, None) == (None, None, False)
