"""A short run of the fuzzer in tests/bench: changed dumps of every container, and whole reports of changed memory."""

import random
import time

import pytest

from bench import fuzz

CONTAINERS, REPORTS = 200, 5
SECONDS = 10  # of processor time


@pytest.mark.thorough
@pytest.mark.parametrize("tenth", range(10))
def test_changed_containers(tenth: int) -> None:
    for number in range(tenth, CONTAINERS, 10):
        started = time.process_time()
        fuzz.container(random.Random(f"container {number}"))
        assert time.process_time() - started < SECONDS


@pytest.mark.thorough
@pytest.mark.parametrize("number", range(REPORTS))
def test_reports_of_changed_memory(number: int) -> None:
    started = time.process_time()
    fuzz.whole_report(random.Random(f"report {number}"), f"report {number}")
    assert time.process_time() - started < SECONDS
