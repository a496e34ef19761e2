"""Cards of real dumps: every kind has its file and line, says what the tables say, and reads as data and as text."""

import json
from pathlib import Path
from typing import Any

import pytest

import oopscope.subsystems.cards
from cases import case_of
from oopscope.errors import Implausible, OopscopeError
from oopscope.report.card import card_data, card_text
from oopscope.subsystems.cards import CARDS, Card, Facts, Rows, card, card_kind, section
from oopscope.subsystems.cards.memory import MOST

HELPERS = {"meaning", "task_more"}  # files that several kinds share


@pytest.fixture(scope="module")
def null() -> Any:
    return case_of("6.1-null")


@pytest.fixture(scope="module")
def deadlock() -> Any:
    return case_of("6.1-deadlock")


def test_every_file_has_its_line() -> None:
    folder = Path(oopscope.subsystems.cards.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"} - HELPERS
    assert files == {kind for kind, _ in CARDS} == {card_kind(kind).key for kind, _ in CARDS}


def test_a_task_says_what_its_row_says(null: Any) -> None:
    row = null.tasks[1]
    whole = card_data(card(null.kernel, "task", 1))
    assert list(whole)[:3] == ["kind", "name", "task"]
    for key in row.keys() - {"frames"}:
        assert whole["task"][key] == row[key], key
    assert whole["stack"] == row["frames"]
    assert whole["facts"]["policy"] == "normal"
    assert whole["memory"]["resident_bytes"] == row["rss_bytes"]
    assert whole["paths"]["exe"] == "/bin/busybox"
    assert {one["relation"] for one in whole["family"]} == {"child"}
    assert whole["files"][0]["fd"] == 0
    assert whole["mappings"][0]["start"].startswith("0x")
    assert json.loads(json.dumps(whole)) == whole
    by_address = card(null.kernel, "task", int(row["address"], 16))
    assert by_address.name == card(null.kernel, "task", row["address"]).name == card(null.kernel, "task", "1").name


def test_parts_that_are_asked_for(null: Any) -> None:
    made = card(null.kernel, "task", 1, ("files", "paths"))
    assert [one.key for one in made.sections] == ["paths", "files"]
    assert section(null.kernel, "task", "files", 1).rows == made.sections[1].rows


def test_a_waiter_and_its_lock(deadlock: Any) -> None:
    waits = deadlock.report["locks"]
    one = waits[0]
    told = card_data(card(deadlock.kernel, "task", one["pid"]))["locks"]
    assert [(row["role"], row["lock"]) for row in told if row["role"] == "waits"] == [("waits", one["lock"])]
    lock = card_data(card(deadlock.kernel, "lock", one["lock"]))
    assert lock["lock"]["owner_pid"] == one["owner_pid"]
    assert {row["pid"] for row in lock["waiters"]} == {w["pid"] for w in waits if w["lock"] == one["lock"]}


def test_a_cpu_has_stack_and_registers(null: Any) -> None:
    row = null.report["cpus"][0]
    told = card_data(card(null.kernel, "cpu", row["cpu"]))
    assert told["stack"] == row["frames"]
    assert {one["name"]: one["value"] for one in told["registers"]} == row["registers"]
    assert any(one["meaning"] for one in told["registers"])


def test_a_module(null: Any) -> None:
    row = next(one for one in null.report["modules"] if one["name"] == "labcrash")
    told = card_data(card(null.kernel, "module", "labcrash"))
    assert told["module"]["size_bytes"] == row["size_bytes"]
    assert [one["letter"] for one in told["taints"]] == list(row["taint"])
    assert any("lab_read" in one["symbol"] for one in told["stacks"])


def test_a_symbol_knows_who_is_in_it(null: Any) -> None:
    told = card_data(card(null.kernel, "symbol", "vfs_read"))
    assert told["symbol"]["address"] == f"{null.kernel.symbol('vfs_read'):#x}"
    assert told["symbol"]["kind"] == "code"
    assert told["symbol"]["prototype"].startswith("ssize_t vfs_read(struct file *file")
    first = null.report["cpus"][0]
    told = card_data(card(null.kernel, "symbol", first["frames"][1]["symbol"]))
    assert [one["cpu"] for one in told["cpus"]] == [first["cpu"]]
    asleep = next(task for task in null.report["tasks"] if task["wait"])
    told = card_data(card(null.kernel, "symbol", asleep["wait"].partition("+")[0]))
    assert asleep["pid"] in [one["pid"] for one in told["tasks"]]
    assert card_data(card(null.kernel, "symbol", "init_task"))["symbol"]["meaning"] == "task_struct of swapper/0 (0)"


def test_code_marks_the_instruction_and_tells_what_it_did(null: Any) -> None:
    frame = card(null.kernel, "cpu", null.report["cpus"][0]["cpu"]).sections[1].frames[0]
    told = card_data(card(null.kernel, "code", f"{frame.address:#x}@{frame.sp:#x}"))
    (here,) = [one for one in told["instructions"] if one["here"]]
    assert here["address"] == f"{frame.address:#x}"
    assert told["deed"][0]["verb"] == "reads"
    assert told["deed"][0]["meaning"].startswith("NULL") or "NULL" in told["deed"][0]["meaning"]
    assert told["line"].startswith("Code: ")


def test_a_struct_with_values_and_without(null: Any) -> None:
    told = card_data(card(null.kernel, "struct", "task_struct@init_task"))
    comm = next(one for one in told["members"] if one["name"] == "comm")
    assert comm["text"] == '"swapper/0"'
    layout = card_data(card(null.kernel, "struct", "task_struct"))
    assert layout["struct"]["size_bytes"] == told["struct"]["size_bytes"]
    assert "value" not in layout["members"][0]
    with pytest.raises(OopscopeError, match="task_struct"):
        card(null.kernel, "struct", "task_struc")


def test_memory_in_words(null: Any) -> None:
    told = card_data(card(null.kernel, "memory", "init_task/80"))
    assert len(told["words"]) == 80
    assert told["words"][0]["address"] == f"{null.kernel.symbol('init_task'):#x}"
    assert any(one["meaning"] for one in told["words"])
    lost = card(null.kernel, "memory", "0x8/4")
    assert not lost.complete
    assert card_data(lost)["problems"] == [{"section": "words", "message": "4 of 4 words cannot be read"}]
    for bad in ("init_task/0", f"init_task/{MOST + 1}", "init_task/x"):
        with pytest.raises(Implausible, match="no count of words"):
            card(null.kernel, "memory", bad)


@pytest.mark.parametrize("kind, key", [
    ("task", 1), ("task", "no such name"), ("cpu", 0), ("cpu", 99), ("module", "labcrash"), ("module", "x"),
    ("lock", "0xffffffff81000000"), ("symbol", "schedule"), ("symbol", "no_such"), ("code", "schedule"),
    ("struct", "list_head"), ("struct", "nothing like it"), ("memory", "init_task"), ("memory", "no_such"),
])  # fmt: skip
def test_every_kind_is_told_in_words_or_says_why_not(null: Any, kind: str, key: int | str) -> None:
    try:
        made = card(null.kernel, kind, key)
    except OopscopeError as error:
        assert str(error)
        return
    text = card_text(made)
    assert text.startswith(f"{made.title}  {made.name}\n")
    assert "fault of oopscope" not in text
    assert all(ord(char) >= 0x20 or char == "\n" for char in text)


def test_a_part_that_fails_costs_itself_alone(null: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    kind = card_kind("cpu")
    broken = [part._replace(make=lambda kernel, thing: 1 / 0) if part.key == "stack" else part for part in kind.parts]  # type: ignore[return-value]
    monkeypatch.setattr("oopscope.subsystems.cards.cpu.CARD", type(kind)("cpu", "CPU", kind.find, kind.name, broken))
    told = card(null.kernel, "cpu", 0)
    assert [type(one) for one in told.sections] == [Facts, Facts, Rows]
    assert told.sections[1].why == "a fault of oopscope's own: ZeroDivisionError: division by zero"
    assert isinstance(told, Card) and not told.complete
