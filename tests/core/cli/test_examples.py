"""The examples that --help shows run as they stand there; those of the register's commands run in test_ask."""

import re
import shlex
from pathlib import Path

import pytest

from cases import DUMPS
from core.cli.runner import Run
from oopscope.cli import DONE
from oopscope.cli.examples import OF

pytestmark = pytest.mark.usefixtures("kept_index")

# Of distill, which takes seconds, the tests of its own are; a browser's page is no output.
ELSEWHERE = ("serve", "distill")
SCREENS = ("oopscope learn", "oopscope demo")  # alone: they open the screen
LINES = [line for name, lines in OF.items() if name not in ELSEWHERE for line, _ in lines if line not in SCREENS]


@pytest.mark.thorough
@pytest.mark.parametrize("line", LINES)
def test_it_runs(command: Run, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vmcore", "crash", "dumps"):
        place = tmp_path / name if name == "vmcore" else tmp_path / name / "vmcore"
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(DUMPS / "6.1-deadlock.kdump")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    bare = re.sub(r"^.*?[($](oopscope [^)]*)\).*$", r"\1", line)  # of eval "$(...)" what is in it
    bare = re.split(r" [|>] ", bare)[0].replace("/var/crash", "crash").replace("/srv/dumps", "dumps")
    done = command(*shlex.split(bare)[1:])
    assert done.status == DONE or "doctor" in line, done.err  # this machine need not be ready
    assert done.out or "-o " in line
