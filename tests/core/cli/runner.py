"""Running the command as a user does, in a process of its own, or within this one where only the output matters."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cases
import oopscope

CORE = Path(oopscope.__file__).parents[1]
TUI = CORE.parent / "tui"
NAME = "oopscope:"


class Done(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: the run's index cache, no colour asked for, the packages of this tree."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")}
    return {**kept, "PYTHONPATH": f"{CORE}{os.pathsep}{TUI}", "OOPSCOPE_CACHE": str(cases.INDEX[0]), **more}


def oopscope_run(*args: Any, cwd: Path | None = None, **env: str) -> Any:
    """Run `oopscope ARGS` and return the finished process; its output is bytes."""
    command = [sys.executable, "-m", "oopscope_tui", *map(str, args)]
    return subprocess.run(command, capture_output=True, env=environment(**env), cwd=cwd, timeout=60)


def one_line(process: Any) -> str:
    """The one line that a process said on stderr, with nothing on stdout."""
    assert process.stdout == b""
    said = process.stderr.decode()
    assert said.count("\n") == 1, said
    assert said.startswith(f"{NAME} "), said
    assert "Traceback" not in said
    return said.removeprefix(f"{NAME} ").rstrip("\n")
