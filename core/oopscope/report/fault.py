"""The fault of a verdict as data, and as the few lines that a person reads: instruction, operand, who passed it."""

from collections.abc import Mapping
from typing import Any

from oopscope.inspect.fault import Fault

Data = dict[str, Any]


def fault_data(fault: Fault | None) -> Data | None:
    """Return a fault as the contract has it; None where there is none, each absent part None."""
    if fault is None:
        return None
    return {
        "instruction": fault.instruction,
        "verb": fault.verb or None,
        "formula": fault.formula or None,
        "address": _hex(fault.address),
        "register": fault.register,
        "value": _hex(fault.value),
        "points_at": str(fault.points_at) if fault.points_at is not None else None,
        "passed_by": fault.passed_by,
        "steps": [{"where": step.where, "text": step.text} for step in fault.steps],
        "candidates": [{"type": one.type, "member": one.member, "sure": one.sure} for one in fault.candidates] or None,
    }


def _hex(value: int | None) -> str | None:
    return None if value is None else f"{value:#x}"


def how(fault: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines that tell a fault, each with a name for its margin."""
    found = [("instruction", fault["instruction"])] if fault["instruction"] else []
    if fault["verb"]:
        found.append(("it", _deed(fault)))
    for at, step in enumerate(fault["steps"]):
        found.append(("inferred" if at == 0 else "", f"{step['where']}: {step['text']}"))
    members = fault["candidates"] or []
    if members:
        sure = members[0]["sure"]
        named = ", ".join(f"{one['type']}.{one['member']}" for one in members)
        found.append(("member" if sure else "may be", named))
    return found


def _deed(fault: Mapping[str, Any]) -> str:
    verb, address, register = fault["verb"], fault["address"], fault["register"]
    if not register:
        return f"{verb} {address}" + (f" ({fault['points_at']})" if fault["points_at"] else "")
    held = fault["points_at"] or fault["value"]
    meaning = f"{fault['value']} ({held})" if held != fault["value"] and held not in ("NULL", fault["value"]) else held
    return f"{verb} {fault['formula']} = {address}; {register} held {meaning}"
