"""Running a command within the process of the tests."""

from typing import NamedTuple

import pytest

from oopscope.cli import run


class Done(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(capsys):
    """A function that runs `oopscope ARGS` here and returns status and output; a fault of ours is an exception."""

    def call(*args):
        capsys.readouterr()
        try:
            status = run([str(a) for a in args])
        except SystemExit as e:  # argparse
            status = e.code
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return call
