"""Real deaths, distilled: what is said of each is what is right to say, whole, by its log alone, and cut short."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.triage.expected.judging import RANK, faults
from oopscope.boot.attach import open_kernel
from oopscope.errors import OopscopeError
from oopscope.report.build import build
from stored import CACHE, STORE, whole

HERE = Path(__file__).parent
DEATHS = whole(STORE / "deaths", CACHE.with_name(f"{CACHE.name}-deaths"))
WANTED = tomllib.loads((HERE / "expected" / "qafault.toml").read_text())
NAMES = sorted(path.stem for path in DEATHS.glob("*.kdump"))
PANICKED = [name for name in NAMES if "external-dump" not in WANTED[name.partition("-")[2]]["causes"]]
CUT = ("6.1-pcpu", "6.1-twooops2")  # one that tasks tell of, one that the log tells of
TWENTIETHS = range(1, 20)


def wanted(name: str) -> dict[str, list[str] | str]:
    return WANTED[name.partition("-")[2]]


def told(path: Path) -> Any:
    return build(open_kernel([path]), ["verdict", "findings"])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_to_say_is_said(name: str) -> None:
    assert faults(told(DEATHS / f"{name}.kdump"), wanted(name)) == []


@pytest.mark.parametrize("name", PANICKED)
def test_the_log_alone_gives_the_same_cause(name: str, tmp_path: Path) -> None:
    kernel = open_kernel([DEATHS / f"{name}.kdump"])
    report = build(kernel, ["verdict", "log"])
    lines = [f"[{r['ns'] // 1000 / 1e6:12.6f}] {line}" for r in report["log"] for line in r["text"].split("\n")]
    alone = tmp_path / "vmcore-dmesg.txt"
    alone.write_text("\n".join(lines) + "\n")
    whole, by_log = report["verdict"], told(alone)["verdict"]
    assert by_log["cause"] == whole["cause"]
    assert RANK[by_log["confidence"]] <= RANK[whole["confidence"]]


@pytest.mark.thorough
@pytest.mark.parametrize("name", CUT)
def test_a_cut_dump_says_the_same_or_less(name: str, tmp_path: Path) -> None:
    """One dump is cut at the odd parts, the other at the even ones."""
    data = (DEATHS / f"{name}.kdump").read_bytes()
    entire = told(DEATHS / f"{name}.kdump")["verdict"]
    for twentieth in TWENTIETHS[CUT.index(name) :: 2]:
        path = tmp_path / f"{twentieth}.kdump"
        path.write_bytes(data[: len(data) * twentieth // 20])
        try:
            verdict = told(path)["verdict"]
        except OopscopeError:  # too little for a dump
            continue
        if verdict is not None and verdict["cause"] != "unknown":
            assert verdict["cause"] == entire["cause"], twentieth
            assert RANK[verdict["confidence"]] <= RANK[entire["confidence"]], twentieth


def test_every_expectation_can_be_held() -> None:
    for name, want in WANTED.items():
        assert want["what"] and want["causes"], name
        for key in ("summary", "findings", "must", "never"):
            for pattern in want.get(key, ()):
                re.compile(pattern)


def test_who_waits_for_an_answer_of_a_stuck_cpu_is_not_to_blame() -> None:
    verdict = told(DEATHS / "6.1-ipi.kdump")["verdict"]
    assert (verdict["cause"], verdict["confidence"], verdict["module"]) == ("soft-lockup", "likely", "qafault")
    assert verdict["symbol"].startswith("qa_poll_device+")
    assert "which waits for other CPUs to answer" in verdict["summary"]
    assert "CPU 1 did not answer: it stands in qa_poll_device" in verdict["summary"]
