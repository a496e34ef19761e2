"""Running a command within the process of the tests."""

from pathlib import Path

import pytest

from core.cli.runner import Done, Run
from oopscope.cli import run


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs `oopscope ARGS` here and returns status and output; a fault of ours is an exception."""

    def call(*args: Path | int | str) -> Done:
        capsys.readouterr()
        try:
            status = run([str(a) for a in args])
        except SystemExit as e:  # argparse
            status = e.code  # type: ignore[assignment]
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return call
