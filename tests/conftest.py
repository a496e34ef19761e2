"""What tests of several folders share: the real dumps, and a session without the user's index cache and settings."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest

import cases
from cases import NAMES, Case, case_of
from decoded import decode_once

# Hundreds of processes import what these tests do: it is compiled once, whatever the shell says that started them.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def _no_index_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or leaves an index cache of its user's, nor reads settings, but for those that test it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OOPSCOPE_CACHE", "off")
        patch.setenv("OOPSCOPE_CONFIG", "off")
        decode_once(patch)
        # In a process of tests, which has much else, a full turn takes seconds; a kernel that was just read is young.
        patch.setattr("oopscope.fleet.brief.gc", SimpleNamespace(collect=partial(gc.collect, 1)))
        if "PYTEST_XDIST_WORKER" in os.environ:  # the folder of this process is in that of the run
            patch.setattr(cases, "SHARED", [tmp_path_factory.getbasetemp().parent])
        patch.setattr(cases, "INDEX", [(cases.SHARED or [tmp_path_factory.getbasetemp()])[0] / "index"])
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer what CI runs too."""
    parser.addoption("--thorough", action="store_true", help="run also what goes through all of something (CI does)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the thorough tests out of a run of the whole suite, unless they are asked for."""
    if config.getoption("thorough") or config.getoption("keyword") or config.getoption("file_or_dir"):
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what stays to the end: each full turn would go through all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)  # as the screen has it: millions of rows come and go that are no cycles


@pytest.fixture
def kept_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what commands say of whole dumps: a kernel's tables are gone through once in a run."""
    monkeypatch.setenv("OOPSCOPE_CACHE", str(cases.INDEX[0]))


@pytest.fixture(scope="session", params=NAMES)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """Each of the real dumps in turn. Nobody changes what is in it."""
    found = case_of(request.param)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _pipes_as_they_were() -> Iterator[None]:
    """A command that is run within this process lets a closed pipe end it; no test after it wants that."""
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)
