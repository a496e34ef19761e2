"""Resident memory: what the mm counts, and what its tasks have not handed over yet (up to 6.1)."""

import pytest

from cases import case_of

KIB = 1 << 10
# As crash and drgn have it of the same dumps: the mm's own counters alone give next to nothing.
RESIDENT = {"6.1-null": {("sleep", 1440 * KIB), ("ping", 1532 * KIB)}, "5.10-sysrq": {("tail", 1408 * KIB)}}


@pytest.mark.parametrize("name", RESIDENT)
def test_the_tasks_own_counters_are_counted_in(name):
    found = {(task["comm"], task["rss_bytes"]) for task in case_of(name).report["tasks"]}
    assert found >= RESIDENT[name]
