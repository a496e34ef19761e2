"""A kernel log is a source: in every form that tools write it tells the same death, and what is no log is refused."""

import bz2
import gzip
import json
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.log_forms import FORMS, dmesg, pstore
from core.cli.runner import environment, oopscope_run
from oopscope.boot.attach import open_kernel
from oopscope.dumps import find_dumps
from oopscope.dumps.log import lines
from oopscope.errors import NotADump
from oopscope.linux.printk import log
from oopscope.report.build import build
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict
from stored import DUMPS

SAME = ("cause", "symbol", "module", "signature", "cpu", "pid", "comm")


@pytest.fixture(scope="module")
def told() -> Any:
    """The log of a real death, from before the module that made it was loaded."""
    found = [lines.parse(line)[0] for line in (DUMPS / "6.1-null.dmesg.txt").read_text().splitlines()]
    return [(e.ns, 4, e.caller, e.text) for e in found][-60:]


@pytest.fixture
def judged(told: Any, tmp_path: Path) -> Verdict:
    path = tmp_path / "log.txt"
    path.write_text(dmesg(told))
    return verdict(open_kernel([path]))


def test_the_death_is_known(judged: Verdict) -> None:
    assert (judged.cause, judged.symbol, judged.module) == (
        "null-pointer-dereference",
        "lab_read_balance.isra.0+0x5",
        "labcrash",
    )
    assert (judged.cpu, judged.pid, judged.comm, judged.signature_basis) == (1, 238, "insmod", "log")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_tells_the_same(form: Callable[..., Any], told: Any, judged: Verdict, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(form(told))
    found = verdict(open_kernel([path]))
    assert {key: getattr(found, key) for key in SAME} == {key: getattr(judged, key) for key in SAME}


@pytest.mark.parametrize("pack, suffix", [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
def test_packed(pack: Callable[..., Any], suffix: str, told: Any, judged: Verdict, tmp_path: Path) -> None:
    path = tmp_path / f"dmesg.{suffix}"
    path.write_bytes(pack(dmesg(told).encode()))
    assert verdict(open_kernel([path])).signature == judged.signature


def test_parts_of_pstore_are_put_together(told: Any, judged: Verdict, tmp_path: Path) -> None:
    parts = pstore(told)
    for name, text in parts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "dmesg-efi-163292241101001").write_text("Panic#1 Part1\n<6>[    1.000000] of another crash\n")
    kernel = open_kernel([tmp_path / max(parts)])
    assert [r.text for r in log(kernel)] == [text.rstrip("\n") for _, _, _, text in told if text]
    assert verdict(kernel).signature == judged.signature
    assert kernel.facts.complete


def test_a_missing_part_is_said(told: Any, tmp_path: Path) -> None:
    for name, text in list(pstore(told).items())[:1] + list(pstore(told).items())[2:]:
        (tmp_path / name).write_text(text)
    facts = open_kernel([next(tmp_path.iterdir())]).facts
    assert not facts.complete
    assert "parts of the log are missing: 2" in facts.problems[0]


class TestWhatItCannotTell:
    """It is null with a reason, never an empty list."""

    def test_json(self, told: Any, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_text(dmesg(told))
        report = build(open_kernel([path]))
        assert report["dump"]["format"] == "log"
        assert report["dump"]["arch"] == "x86_64"
        for key in ("tasks", "locks", "zones", "slabs", "mounts"):
            assert report[key] is None
            assert any(p["section"] == key for p in report["problems"])
        for key in ("pages_saved", "pages_total", "page_size", "dump_level", "log_from"):
            assert report["dump"][key] is None
        assert report["system"]["task_count"] is None
        assert [c["cpu"] for c in report["cpus"]] == [1]
        assert report["cpus"][0]["frames"][0] == {
            "address": None,
            "symbol": "lab_read_balance.isra.0",
            "offset": 5,
            "module": "labcrash",
            "kind": "task",
            "reliable": True,
        }
        assert {m["name"] for m in report["modules"]} >= {"labcrash", "virtio_blk"}
        assert report["modules"][0]["size_bytes"] is None

    def test_a_whole_report_of_it_is_no_failure_and_its_stack_is_whole(self, told: Any, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_text(dmesg(told))
        assert oopscope_run("report", path).returncode == 0
        stack = oopscope_run("bt", path).stdout
        assert b"do_init_module+0x4a" in stack
        assert b"the same" not in stack

    def test_a_log_that_tells_of_nothing_is_unknown(self, tmp_path: Path) -> None:
        path = tmp_path / "dmesg"
        path.write_text("[    1.000000] usb 1-1: new device\n[    2.000000] eth0: link up\n")
        report = build(open_kernel([path]))
        assert report["verdict"]["cause"] == "unknown"
        assert report["verdict"]["signature"] is None
        assert report["cpus"] is None
        assert report["modules"] is None


class TestWhoWroteIt:
    """Only the kernel's records are evidence."""

    FORGED = "Kernel panic - not syncing: hung_task: blocked tasks"

    @pytest.mark.parametrize(
        "line",
        [
            f"<12>[   10.000000] {FORGED}",
            f"user  :warn  : [   10.000000] {FORGED}",
            f"12,500,10000000,-;{FORGED}",
            f"Nov 29 23:20:11 lab-node-1 tester[12]: {FORGED}",
        ],
    )
    def test_a_programs_line_is_none(self, line: str, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_text(f"<6>[    9.000000] usb 1-1: new\n<6>[    9.500000] eth0: up\n{line}\n")
        assert verdict(open_kernel([path])).cause == "unknown"

    def test_what_a_record_quotes_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_text(
            "<6>[    9.000000] usb 1-1: new\n<6>[    9.500000] eth0: up\n"
            f"<3>[   10.000000] tmpfs: Unknown parameter 'x\n{self.FORGED}'\n"
        )
        assert verdict(open_kernel([path])).cause == "unknown"

    def test_a_bare_line_is_never_certain(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_text(f"[    9.000000] usb 1-1: new\n[   10.000000] {self.FORGED}\n")
        assert verdict(open_kernel([path])).confidence != "certain"


class TestRefused:
    """What is no kernel log is told as what it is."""

    @pytest.mark.parametrize(
        "name, text",
        [
            ("notes.txt", "Things to do:\n- call panic support\n"),
            ("prose.txt", "Words on the kernel\nWe say of the kernel: it is small.\nAnd again, the kernel: large.\n"),
            ("report.json", '{"schema": 1, "log": [{"text": "Kernel panic - not syncing: x"}]}\n'),
            ("page.html", "<!DOCTYPE html>\n<pre>\nKernel panic - not syncing: x\n</pre>\n"),
            ("script", "#!/bin/sh\necho '[    1.000000] x'\n[    1.000000] x\n[    2.000000] y\n"),
            ("journal.json", '{"MESSAGE": "hello", "_TRANSPORT": "stdout", "__REALTIME_TIMESTAMP": "1"}\n'),
            ("some.crash", "ProblemType: Crash\nExecutablePath: /usr/bin/x\nCoreDump: base64\n H4sIAAAAAAAC/w==\n"),
        ],
    )
    def test_other_texts(self, name: str, text: str, tmp_path: Path) -> None:
        (tmp_path / name).write_text(text)
        with pytest.raises(NotADump):
            open_kernel([tmp_path / name])
        assert oopscope_run("report", tmp_path / name).returncode == 3

    def test_standard_input(self, told: Any) -> None:
        command = [sys.executable, "-m", "oopscope_tui", "report", "-", "--format", "json", "--sections", "verdict"]
        done = subprocess.run(command, input=dmesg(told).encode(), capture_output=True, env=environment(), timeout=60)
        assert json.loads(done.stdout)["verdict"]["cause"] == "null-pointer-dereference"
        assert done.returncode == 0
        done = subprocess.run(command, input=b"no log\n", capture_output=True, env=environment(), timeout=60)
        assert done.returncode == 3


class TestBesideADump:
    """A log that was saved with a dump is that dump's."""

    def test_it_is_no_death_of_its_own(self, told: Any, tmp_path: Path) -> None:
        (tmp_path / "vmcore").write_bytes((DUMPS / "6.1-null.kdump").read_bytes())
        (tmp_path / "vmcore-dmesg.txt").write_text(dmesg(told))
        (tmp_path / "alone.txt").write_text(dmesg(told))
        assert [p.name for p in find_dumps(tmp_path)] == ["alone.txt", "vmcore"]

    def test_a_dump_that_is_cut_off_is_judged_by_it(self, told: Any, judged: Verdict, tmp_path: Path) -> None:
        (tmp_path / "vmcore").write_bytes((DUMPS / "6.1-null.kdump").read_bytes()[:20_000])
        (tmp_path / "vmcore-dmesg.txt").write_text(dmesg(told))
        report = build(open_kernel([tmp_path / "vmcore"]))
        assert report["dump"]["log_from"] == "vmcore-dmesg.txt"
        assert report["verdict"]["signature"] == judged.signature
        assert not report["dump"]["complete"]


def test_parts_of_pstore_in_one_file(told: Any, judged: Verdict, tmp_path: Path) -> None:
    text = dmesg(told)
    half = text.rfind("\n", 0, len(text) // 2) + 1
    path = tmp_path / "pstore.txt"
    path.write_text(f"Panic#1 Part1\n{text[half:]}\nPanic#1 Part2\n{text[:half]}")
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol) == (judged.cause, judged.symbol)
