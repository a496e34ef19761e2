"""`oopscope schema`: what the commands print as JSON is as their schema says, on real dumps."""

import json
import re
from typing import Any

import pytest

from cases import DUMPS, LATER, UNREAD
from core.cli.runner import Run
from oopscope.cli import DONE, USAGE
from oopscope.report.schema import commands
from oopscope.subsystems import TABLES

pytestmark = pytest.mark.usefixtures("kept_index")

DUMP = DUMPS / "6.1-deadlock.kdump"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def fits(
    found: Any,
    schema: Any,
    defs: dict[str, dict[str, dict[str, dict[str, Any] | list[str] | str] | list[str] | str]],
    where: str = "$",
) -> bool:
    """Hold data against a schema, as far as ours go; an AssertionError says where it does not fit."""
    if "$ref" in schema:
        return fits(found, defs[schema["$ref"].rpartition("/")[2]], defs, where)
    if "anyOf" in schema:
        return any_of(found, schema["anyOf"], defs, where)
    assert found in schema.get("enum", [schema.get("const", found)]), f"{where}: {found!r}"
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(is_a(found, kind) for kind in kinds), f"{where}: {found!r} is none of {kinds}"
    if isinstance(found, str) and "pattern" in schema:
        assert re.search(schema["pattern"], found), f"{where}: {found!r}"
    if isinstance(found, dict):
        for key in schema.get("required", ()):
            assert key in found, f"{where}: {key} is missing"
        for key, value in found.items():
            fits(value, schema.get("properties", {}).get(key, schema.get("additionalProperties", {})), defs,
                 f"{where}.{key}")  # fmt: skip
    for at, item in enumerate(found if isinstance(found, list) else ()):
        fits(item, schema.get("items", {}), defs, f"{where}[{at}]")
    return True


def any_of(
    found: Any,
    schemas: Any,
    defs: dict[str, dict[str, dict[str, dict[str, Any] | list[str] | str] | list[str] | str]],
    where: str,
) -> bool:
    wrong = []
    for one in schemas:
        try:
            return fits(found, one, defs, where)
        except AssertionError as error:
            wrong.append(str(error))
    raise AssertionError("; ".join(wrong[:3]))


def is_a(found: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(found, int if kind == "integer" else int | float) and not isinstance(found, bool)
    return isinstance(found, TYPES[kind])


@pytest.fixture(scope="module")
def defs() -> dict[str, dict[str, dict[str, dict[str, Any] | list[str] | str] | list[str] | str]]:
    from oopscope.report.schema import definitions

    return definitions()


@pytest.mark.thorough
@pytest.mark.parametrize("line", [
    ("report",), ("log",), ("bt",), ("bt", "1"), ("bt", "--all"), ("ps",), ("task", "1"), ("files", "1"), ("vm", "1"),
    ("foreach", "UN", "bt"), ("kmem", "-s"), ("kmem", "-z"), ("kmem", "-i"), ("sys",), ("mod",), ("mod", "labcrash"),
    ("mount",), ("locks",), ("cpu", "0"), ("sym", "schedule"), ("struct", "rq", "runqueues:0"), ("rd", "init_task"),
    ("dis", "schedule"), ("p", "task(1).pid"), ("whatis", "list_head"), ("swap",), ("slab", "dentry"), ("sig", "1"),
], ids=" ".join)  # fmt: skip
def test_output_is_as_its_schema_says(
    command: Run,
    defs: dict[str, dict[str, dict[str, dict[str, Any] | list[str] | str] | list[str] | str]],
    line: tuple[str, ...],
) -> None:
    done = command(line[0], DUMP, *line[1:], "--format", "json")
    assert done.status == DONE, done.err
    assert fits(json.loads(done.out), commands()[line[0]], defs)


@pytest.mark.thorough
@pytest.mark.parametrize("key", [key for key, _ in TABLES if key not in UNREAD])
def test_every_table_is_as_its_schema_says(
    command: Run,
    defs: dict[str, dict[str, dict[str, dict[str, Any] | list[str] | str] | list[str] | str]],
    key: str,
) -> None:
    dump = DUMPS / "6.1-life.kdump" if key in LATER else DUMP
    data = json.loads(command("show", key, dump, "--format", "json").out)
    assert fits(data, defs[f"table-{key}"], defs)
    if data:
        broken = [{name: object() for name in data[0]}]
        with pytest.raises(AssertionError):
            fits(broken, defs[f"table-{key}"], defs)


def test_the_command(command: Run) -> None:
    whole = json.loads(command("schema").out)
    assert set(whole) == {"$schema", "title", "$defs", "commands"}
    assert set(whole["commands"]) == set(commands())
    for name in commands():
        one = json.loads(command("schema", name).out)
        assert one["title"] == f"oopscope {name}"
    done = command("schema", "nonsense")
    assert (done.status, done.out, done.err.count("\n")) == (USAGE, "", 1)
