"""The JSON Schema of what commands print as JSON, made from the tables' columns: it cannot fall behind them.

Draft 2020-12. Fields are added, never renamed; what is absent or unreadable is null, and `problems` says why.
"""

from typing import Any

from oopscope.commands.command import Say, TableOf
from oopscope.commands.register import HERE
from oopscope.subsystems import TABLES, Column, table

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = {"type": ["string", "null"], "pattern": "^0x[0-9a-f]+$"}
ANY: Schema = {}
# How a column's kind stands in JSON.
KINDS: dict[str, Schema] = {
    "int": {"type": ["integer", "null"]},
    "bytes": {"type": ["integer", "null"]},
    "seconds": {"type": ["number", "null"]},
    "address": ADDRESS,
    "bool": {"type": ["boolean", "null"]},
    "list": {"type": ["array", "null"]},
    "frames": {"type": ["array", "null"], "items": {"$ref": "#/$defs/frame"}},
    "registers": {"type": ["object", "null"], "additionalProperties": ADDRESS},
    "state": {"type": ["string", "null"]},
    "symbol": {"type": ["string", "null"]},
    "text": {"type": ["string", "integer", "number", "boolean", "array", "null"]},
}
TEXT, MAYBE = {"type": "string"}, {"type": ["string", "null"]}
INT = {"type": ["integer", "null"]}
FRAME_KINDS = ("task", "irq", "softirq", "nmi", "exception", "syscall", "user")


def whole() -> Schema:
    """Return the schema of every command's JSON: `$defs`, and which of them each command prints."""
    return {"$schema": DRAFT, "title": "oopscope", "$defs": definitions(), "commands": commands()}


def of_command(name: str) -> Schema:
    """Return the schema of one command's JSON alone; KeyError for a command that prints none."""
    return {"$schema": DRAFT, "title": f"oopscope {name}", **commands()[name], "$defs": definitions()}


def commands() -> dict[str, Schema]:
    """Return what each command prints with --format json."""
    tables = [_ref(f"table-{key}") for key, _ in TABLES]
    own = {
        "report": _ref("report"),
        "show": {"anyOf": tables},
        "log": _ref("table-log"),
        "bt": {"type": "array", "items": _ref("stack")},
        "triage": _ref("triage"),
    }
    return own | {one.name: _asked(one) for one in HERE if one.on == "both" and one.name not in own}


def _asked(command: Any) -> Schema:
    """Return what a command of the register prints: rows of its tables, a card, a list of cards."""
    asked = [command.ask(after.partition(" --")[0].replace("'", "").split()) for after, _ in command.examples]
    keys = {one.table for one in (*asked, command.ask([])) if isinstance(one, TableOf)}
    found = [_ref(f"table-{key}") for key in sorted(keys)]
    if any(not isinstance(one, TableOf | Say) for one in asked) or command.arguments:
        found += [_ref("card"), {"type": "array", "items": _ref("card")}]
    return {"anyOf": found}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(required: dict[str, Schema], **more: Schema) -> Schema:
    return {"type": "object", "properties": required | more, "required": list(required)}


def definitions() -> dict[str, Schema]:
    """Return the schemas that the commands' are made of."""
    problem = _object({"section": TEXT, "message": TEXT}, address=ADDRESS)
    return {
        "frame": _object(
            {
                "address": ADDRESS,
                "symbol": MAYBE,
                "offset": INT,
                "module": MAYBE,
                "kind": {"enum": list(FRAME_KINDS)},
                "reliable": {"type": "boolean"},
            }
        ),
        "problem": problem,
        "stack": _object({"pid": INT, "comm": MAYBE, "state": MAYBE, "cpu": INT, "frames": _list("frame")}),
        "verdict": _verdict(),
        "card": _object({"kind": TEXT, "name": TEXT, "complete": {"type": "boolean"}, "problems": _list("problem")}),
        "triage": {"type": "object"},
        "report": _report(),
        **{f"table-{key}": _table(table(key).columns) for key, _ in TABLES},
    }


def _list(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}


def _table(columns: tuple[Column, ...]) -> Schema:
    return {"type": "array", "items": _object({c.key: _column(c) for c in columns})}


def _column(column: Column) -> Schema:
    return {**KINDS[column.kind], "title": column.title} | ({"description": column.help} if column.help else {})


def _verdict() -> Schema:
    return _object(
        {
            **dict.fromkeys(("category", "cause", "title", "summary"), TEXT),
            "confidence": {"enum": ["certain", "likely", "possible"]},
            **dict.fromkeys(("panic_message", "comm", "symbol", "module", "signature"), MAYBE),
            "cpu": INT,
            "pid": INT,
            "evidence": {"type": "array", "items": _object({"text": TEXT, "source": {"type": "object"}})},
            "next_steps": {"type": "array", "items": TEXT},
        }
    )


def _waits() -> Schema:
    """Return the schema of the wait-for graph."""
    node: Schema = {
        **dict.fromkeys(("id", "kind", "name"), TEXT),
        "pid": INT,
        "note": MAYBE,
        "any": {"type": "boolean"},
    }
    edge: Schema = {
        **dict.fromkeys(("from", "to", "evidence"), TEXT),
        "kind": {"enum": ["waits_for", "held_by", "behind"]},
        "basis": {"enum": ["recorded", "linked", "inferred", "likely"]},
        "since_seconds": {"type": ["number", "null"]},
    }
    names: Schema = {"type": "array", "items": TEXT}
    return _object(
        {
            "nodes": {"type": "array", "items": _object({**node, "address": ADDRESS})},
            "edges": {"type": "array", "items": _object(edge)},
            "circles": {"type": "array", "items": names},
            "roots": names,
        }
    )


def _report() -> Schema:
    own: dict[str, Schema] = {
        "dump": {"type": ["object", "null"]},
        "system": {"type": ["object", "null"]},
        "verdict": {"anyOf": [_ref("verdict"), {"type": "null"}]},
        "meminfo": {"type": ["object", "null"], "additionalProperties": INT},
        "waits": {"anyOf": [_waits(), {"type": "null"}]},
    }
    rows = {key: {"anyOf": [_ref(f"table-{key}"), {"type": "null"}]} for key, _ in TABLES if key not in own}
    required: dict[str, Schema] = {"schema": {"const": 1}, "oopscope": TEXT, "problems": _list("problem")}
    return _object(required, **own, **rows)
