"""In a shell: words that were mistyped, an output that takes nothing, interrupts, and dumps by the dozen."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders import noise_page
from builders.kdump import Kdump
from cases import DUMPS
from core.cli.runner import Run, environment, one_line, oopscope_run
from oopscope.cli import DONE, NOT_A_DUMP, USAGE, nearest, run
from oopscope.fleet import many

NULL, SYSRQ = DUMPS / "6.1-null.kdump", DUMPS / "6.12-sysrq.kdump"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["reprot", NULL], "did you mean `oopscope report`?"),
        (["Triage", "x"], "did you mean `oopscope triage`?"),
        (["zebra"], "`oopscope --help` lists the commands"),
        (["show", "slab", NULL], "did you mean slabs?"),
        (["show", "zebra", NULL], "there are system"),
        (["show"], "which table; there are system"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_right_one(command: Run, words: list[Path | str], hint: str) -> None:
    done = command(*words)
    assert done.status == USAGE
    assert hint in done.err
    assert done.out == ""


def test_nothing_near_is_nothing() -> None:
    assert nearest("zebra", ["report", "show"]) is None


def test_no_task_in_a_state_is_said(command: Run) -> None:
    done = command("bt", NULL, "--state", "X")
    assert (done.status, done.out) == (DONE, "")
    assert "no thread is in state X" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [["show", "--list"], ["triage", NULL], ["completion", "man"]])
def test_a_full_output_is_one_line(words: list[str]) -> None:
    for output, said in ((">/dev/full", "No space left on device"), (">&-", "is closed")):
        line = [sys.executable, "-m", "oopscope_tui", *map(str, words)]
        done = subprocess.run(
            ["sh", "-c", f'"$@" {output}', "sh", *line], capture_output=True, env=environment(), timeout=60
        )
        assert one_line(done) == f"standard output: {said}"
        assert done.returncode == USAGE


def test_no_standard_error_is_no_fault() -> None:
    line = [sys.executable, "-m", "oopscope_tui", "report", str(NULL), "--sections", "verdict"]
    done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *line], stdout=subprocess.PIPE, env=environment(), timeout=60)
    assert done.returncode == DONE
    assert b"NULL pointer" in done.stdout


def test_an_interrupt_ends_it_quietly() -> None:
    line = [sys.executable, "-m", "oopscope_tui", "triage", "--jobs", "2", *[str(NULL)] * 50]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), process_group=0
    ) as process:
        assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == b""
    assert out.count(b"\n") < 49


class TestTriage:
    def test_lines_come_in_the_order_of_the_dumps(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("no dump")
        paths = [SYSRQ, tmp_path / "text", NULL, tmp_path / "absent"]
        done = oopscope_run("triage", "--jobs", "3", *paths)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line["path"] for line in lines] == list(map(str, paths))
        assert ["error" in line for line in lines] == [False, True, False, True]

    @pytest.mark.skipif(multiprocessing.get_start_method() != "fork", reason="the readers do not inherit the change")
    def test_a_reader_that_is_killed_costs_its_own_line_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = many.line_of  # type: ignore[attr-defined]

        def line(path: Path) -> Any:
            if path == SYSRQ:
                os._exit(9)
            return real(path)

        monkeypatch.setattr(many, "line_of", line)
        lines = list(many.lines_of([NULL, SYSRQ, NULL], 2))
        assert [line["path"] for line in lines] == list(map(str, [NULL, SYSRQ, NULL]))
        assert "was killed" in lines[1]["error"]
        assert lines[2]["cause"] == "null-pointer-dereference"

    def test_the_same_bugs_stand_together_for_people(self, command: Run, tmp_path: Path) -> None:
        for name in ("a", "c"):
            shutil.copy(NULL, tmp_path / f"{name}.kdump")
        shutil.copy(SYSRQ, tmp_path / "b.kdump")
        (tmp_path / "vmcore").write_bytes(b"")
        done = command("triage", "--format", "text", tmp_path)
        null, sysrq, unread = done.out.split("\n\n")
        assert null.startswith("2  NULL pointer dereference  null-pointer-dereference:")
        assert [line.split()[-1] for line in null.splitlines()[1:]] == [str(tmp_path / f"{n}.kdump") for n in "ac"]
        assert sysrq.startswith("1  Crash on request")
        assert "1  could not be read" in unread
        assert "an empty file" in unread

    def test_a_folder_with_nothing_but_a_dump_that_failed(self, command: Run, tmp_path: Path) -> None:
        (tmp_path / "127.0.0.1").mkdir()
        (tmp_path / "127.0.0.1" / "vmcore-incomplete").write_bytes(b"")
        (tmp_path / "127.0.0.1" / "vmcore-dmesg.txt").write_text("[    0.0] Linux version 6.1\n")
        done = command("triage", tmp_path)
        assert done.status == NOT_A_DUMP
        assert json.loads(done.out)["error"].endswith("an empty file: the dump was never written")

    def test_a_split_set_of_a_folder_is_one_line(self, tmp_path: Path) -> None:
        memory = {n: noise_page(n) for n in range(200)}
        for part, bounds in enumerate([(0, 100), (100, 200)]):
            (tmp_path / f"vmcore.{part}").write_bytes(Kdump(memory, split=bounds).build())
        (tmp_path / "other").write_bytes(Kdump(memory).build())
        assert list(many.expand([tmp_path])) == [tmp_path / "other", tmp_path / "vmcore.0"]


def test_without_a_path_and_without_the_usual_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("oopscope.cli.CRASHES", tmp_path / "crash")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run([], lambda paths: opened.append(paths) or 0) == NOT_A_DUMP  # type: ignore[func-returns-value]
    assert "oopscope demo" in capsys.readouterr().err
    (tmp_path / "crash").mkdir()
    assert run([], lambda paths: opened.append(paths) or 0) == DONE  # type: ignore[func-returns-value]
    assert opened == [[tmp_path / "crash"]]
