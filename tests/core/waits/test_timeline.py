"""What happened when, on one axis: the order, the clocks' uncertainty, and the drawn mark."""

from itertools import pairwise

import pytest

from cases import case_of
from oopscope.linux.timer import Timer
from oopscope.waits.build import wait_graph
from oopscope.waits.timeline import CELLS, KINDS, axis, timeline


def test_the_axis_begins_with_the_longest_ago_and_ends_with_the_dump() -> None:
    drawn = [axis(before, 100.0) for before in (100.0, 10.0, 1.0, 0.1, 0.0)]
    places = [text.index("●") for text in drawn]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, CELLS - 1)
    assert {len(text) for text in drawn} == {CELLS}
    assert len({later - earlier for earlier, later in pairwise(places[:-1])}) <= 2  # like shares


def test_a_real_hang_on_one_axis() -> None:
    found = timeline(case_of("6.1-waits").kernel)
    assert [moment.before_seconds for moment in found] == sorted((m.before_seconds for m in found), reverse=True)
    assert {"task", "request", "work"} <= {moment.kind for moment in found}
    by_what = {moment.what: moment for moment in found}
    lock = by_what["w-in-w waits for the mutex lw_in [labwait]"]
    assert (lock.pid, 0 < lock.within_seconds <= 0.01) == (176, True)
    sent = next(
        moment for what, moment in by_what.items() if what.startswith("vdb: read of 65536 bytes at sector 2048")
    )
    waits = next(moment for what, moment in by_what.items() if what.startswith("u-slow-d waits for the request"))
    assert sent.before_seconds < waits.before_seconds + 0.2  # it was sent by who then waited for it


def test_a_timer_that_is_overdue_is_said_and_one_that_may_wait_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Timer("timer", 1, -9.0, "process_timeout", "kcompactd0", 29, "", 0, 0)
    given = [row, row._replace(flags="deferrable"), row._replace(due_seconds=-0.1), row._replace(due_seconds=None)]
    monkeypatch.setattr("oopscope.waits.timeline.timers", lambda _kernel: given)
    kernel = case_of("6.1-waits").kernel
    found = list(KINDS["timer"](kernel, 0))
    assert [(one.before_seconds, one.pid) for one in found] == [(9.0, 29)]
    assert found[0].what == "process_timeout of kcompactd0 was due on CPU 1"


def test_who_merely_listens_is_no_event() -> None:
    kernel = case_of("6.1-null").kernel
    assert any(node.note == "it listens, nobody connects" for node in wait_graph(kernel).nodes.values())
    assert not any("socket" in moment.what for moment in timeline(kernel))
