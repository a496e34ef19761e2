"""Logs alone: deaths as the world reports them are judged as expected, no rule fires on another's, and the log of each
stored dump tells the death of its dump."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cases import NAMES
from core.triage.expected.judging import faults
from oopscope.boot.attach import open_kernel
from oopscope.report.build import verdict_data
from oopscope.triage import verdict
from oopscope.triage.death import Death
from oopscope.triage.rules import RULES
from stored import DUMPS

LOGS = Path(__file__).parents[2] / "logs"
EXPECTED = json.loads((LOGS / "expected.json").read_text())
RANK = {"possible": 0, "likely": 1, "certain": 2}
# Plainer causes that are true of a death too: their rules stand behind the one that answers.
PLAINER = {
    "panic-called",
    "kernel-warning",
    "kernel-bug",
    "invalid-opcode",
    "sysrq-crash",
    "ghes-fatal",
    "bad-page-fault",
    "general-protection-fault",
    "null-pointer-dereference",
    "watchdog-timer",
    "double-free",
    "hung-task",
    "external-dump",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_is_judged_as_expected(name: str) -> None:
    found = verdict_data(verdict(open_kernel([LOGS / name])))
    assert faults({"verdict": found, "findings": None}, EXPECTED[name]) == []


@pytest.mark.parametrize("name", EXPECTED)
def test_no_rule_fires_on_anothers_death(name: str) -> None:
    death = Death(open_kernel([LOGS / name]))
    checks = {rule: import_module(f"oopscope.triage.rules.{rule}").check(death) for rule in RULES}
    fired = [found.cause for found in checks.values() if found is not None]
    assert fired[0] in EXPECTED[name]["causes"]
    assert set(fired[1:]) - set(EXPECTED[name]["causes"]) <= PLAINER
    assert not any(p.section == "verdict" for p in death.kernel.problems)


@pytest.mark.parametrize("name", NAMES)
def test_a_dumps_log_alone_tells_its_death(name: str, case_of_name: Any) -> None:
    log = DUMPS / f"{name}.dmesg.txt"
    if not log.is_file():
        log = Path(__file__).parents[2] / "dumps" / log.name
    whole, alone = case_of_name(name), verdict_data(verdict(open_kernel([log])))
    for key in ("cause", "category", "symbol", "module", "signature", "pid", "comm"):
        assert alone[key] == whole[key], key
    assert RANK[alone["confidence"]] <= RANK[whole["confidence"]]


@pytest.fixture
def case_of_name() -> Any:
    from cases import case_of

    return lambda name: case_of(name).report["verdict"]
