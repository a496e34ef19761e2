"""Folded blocks as a view: positions, spots and row numbers, against the plainest way to say the same."""

import random
from typing import Any

import pytest

from oopscope.kernel.fact import Link
from oopscope.klog.links import MOST, links
from oopscope_tui.panes.cards import led_to
from oopscope_tui.panes.log.density import HEIGHTS, SLICES, Density
from oopscope_tui.panes.log.rows import Head, LogRows
from oopscope_tui.panes.log.times import Times
from tui.fake import Record

TRACE = ["CPU: 1 PID: 241 Comm: insmod", "Call Trace:", " <TASK>", " lab_init+0x30/0x40 [labcrash]"]


def mixed(seed: int, count: int = 400) -> Any:
    """Records of four callers: plain ones, and blocks that interleave, some too small for a fold."""
    chance = random.Random(seed)
    left: Any = {caller: [] for caller in ("T1", "T2", "C0", None)}
    out = []
    for at in range(count):
        caller = chance.choice(list(left))
        if not left[caller]:
            left[caller] = chance.choice((["plain"], TRACE[: chance.randrange(1, 5)], ["[ 1] 0 1 2 3 x"], TRACE))[:]
        out.append(Record(at, at * 1_000_000, chance.randrange(8), 0, caller, left[caller].pop(0)))
    return out


def grow(view: Any, rows: Any, step: int) -> None:
    for start in range(0, len(rows), step):
        view.blocks.take(rows, start, min(start + step, len(rows)))
        view.arrange()


def plainly(view: Any, passes: Any = lambda row: True) -> Any:
    """The row numbers that show, said without any runs."""
    hidden = set()
    for block in range(len(view.blocks.all)):
        head, *rest = view.blocks.rows_of(block)
        if len(rest) > 1 and (block in view.unfolded) == view.all_open and passes(view.rows[head]) and view.folding:
            hidden.update(rest)
    return [at for at, row in enumerate(view.rows) if passes(row) and at not in hidden]


def check(view: Any, passes: Any = lambda row: True) -> None:
    shown = plainly(view, passes)
    passing = [at for at, row in enumerate(view.rows) if passes(row)]
    assert len(view) == len(shown)
    assert [view.row_id(at) for at in range(len(view))] == shown
    assert [view.row(at).index for at in range(len(view))] == shown
    assert [view.position(row) for row in shown] == list(range(len(shown)))
    assert view.spots() == len(passing)
    assert [view.row_of_spot(spot) for spot in range(len(passing))] == passing
    assert [view.row_of_spot(view.spot(at)) for at in range(len(view))] == shown
    for row in range(len(view.rows)):
        near = view.nearest(row)
        assert 0 <= near < max(1, len(shown))
        if row not in shown:
            assert view.position(row) is None
            block = view.blocks.holding(row)
            if passes(view.rows[row]):
                assert shown[near] == view.blocks.heads[block]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("step", [1, 37, 400])
def test_folds_as_rows_come_in(seed: int, step: int) -> None:
    rows = mixed(seed)
    view = LogRows(rows)
    grow(view, rows, step)
    assert len(view) < len(rows)
    check(view)


@pytest.mark.parametrize("seed", range(4))
def test_folds_under_filters_and_by_hand(seed: int) -> None:
    rows = mixed(seed)
    view = LogRows(rows)
    grow(view, rows, 50)
    for passes in (lambda row: row.level < 4, lambda row: row.caller == "T1", lambda row: False):
        view.filter(passes)
        while view.work(0.0):
            pass
        check(view, passes)
    view.filter(None)
    blocks = [at for at in range(len(view.blocks.all)) if view.blocks.sizes[at] > 2]
    for block in blocks[::2]:
        view.fold(block, False)
    check(view)
    assert not view.folded(blocks[0])
    assert view.folded(blocks[1])
    view.fold_all(False)
    check(view)
    assert len(view) == len(rows)
    view.fold(blocks[0], True)
    check(view)
    view.fold_all(True)
    check(view)
    view.folding = False
    view.arrange(anew=True)
    assert len(view) == len(rows)


def test_a_head_has_all_that_a_row_has_and_knows_its_block() -> None:
    rows = [Record(at, at, 4, 1, "T1", words) for at, words in enumerate(["x", *TRACE, "y"])]
    view = LogRows(rows)
    grow(view, rows, 10)
    head = view.row(1)
    assert isinstance(head, Head)
    assert (head.index, head.ns, head.level, head.facility, head.caller, head.text) == rows[1]
    assert head.folded
    assert list(head.members) == rows[1:5]
    assert head.said == "Call Trace: 4 lines, lab_init+0x30 · CPU 1, PID 241 insmod"
    view.fold(head.block, False)
    again = view.row(1)
    assert isinstance(again, Head) and again.members is None


# The line of density.


def at_times(*seconds: Any, level: int = 6) -> Any:
    return [Record(at, int(one * 10**9), level, 0, None, "x") for at, one in enumerate(seconds)]


def heights(density: Any, width: int) -> Any:
    return "".join(HEIGHTS[cell.height - 1] if cell.height else " " for cell in density.cells(width))


def test_density_counts_over_time() -> None:
    density = Density()
    rows = at_times(*[0] * 100, *[5] * 10, 9.99)
    density.take(rows, 0, len(rows))
    assert density.known
    assert heights(density, 10) == "█    ▅   ▁"
    assert [density.row_near(cell, 10) for cell in (0, 3, 5, 7, 9)] == [0, 100, 100, 110, 110]
    assert density.row_near(10, 10) is None
    assert [density.cell_of(int(one * 10**9), 10) for one in (0, 5, 9.99, 99)] == [0, 5, 9, 9]


def test_density_marks_errors_and_grows_with_the_log() -> None:
    density = Density()
    rows = [*at_times(*range(50)), *(row._replace(level=3) for row in at_times(50))]
    for at in range(len(rows)):
        density.take(rows, at, at + 1)
    assert [at for at, cell in enumerate(density.cells(17)) if cell.error] == [16]
    assert sum(cell.height > 0 for cell in density.cells(17)) == 17
    year = at_times(365 * 86400.0)
    density.take(year, 0, 1)
    assert heights(density, 20) == "█" + " " * 18 + "▁"
    assert len(density.cells(SLICES * 3)) == SLICES * 3


def test_density_of_hostile_times() -> None:
    density = Density()
    rows = [Record(0, None, None, 0, None, None), Record(1, 7, 6, 0, None, ""), Record(2, 2**64 - 1, 9, 0, None, ""),
            Record(3, 0, 0, 0, None, "")]  # fmt: skip
    density.take(rows, 0, 4)
    assert heights(density, 4) == "█  ▁"
    assert Density().cells(10) == ()
    assert not Density().known
    assert density.cell_of(None, 4) is None
    assert density.cell_of(2**70, 4) == 3


# What a record names.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("RIP: 0010:lab_read.isra.0+0x5/0xe [labcrash]", ["symbol lab_read.isra.0", "modules labcrash"]),
        ("CPU: 1 UID: 0 PID: 300 Comm: my prog Kdump: loaded Not tainted", ["cpus 1", "tasks 300 my prog"]),
        ("INFO: task kworker/u4:1:123 blocked for more than 8 seconds.", ["tasks 123 kworker/u4:1"]),
        ("watchdog: BUG: soft lockup - CPU#1 stuck for 13s! [lab-spin:238]", ["cpus 1", "tasks 238 lab-spin"]),
        ("WARNING: a.c:30 at chk+0x1d/0x30, CPU#12: insmod/257", ["symbol chk", "cpus 12", "tasks 257 insmod"]),
        ("BUG: scheduling while atomic: insmod/237/0x00000002", ["tasks 237 insmod"]),
        ("task:dd              state:D stack:0     pid:267   tgid:267   ppid:1", ["tasks 267 dd"]),
        ("Out of memory: Killed process 99 (dd) total-vm:5kB", ["tasks 99 dd"]),
        ("[    255]     0   255      823      650 36864   0     0 dd", ["tasks 255 dd"]),
        ("Sending NMI from CPU 1 to CPUs 0:", ["cpus 1", "cpus 0"]),
        ("RAX: 0000000000000000 RBX: ffff8ad28e84c310 RCX: ffffffffffffffda", ["symbol 0xffff8ad28e84c310"]),
        ("GPR00: c000000000123456 ff60000080a1b2c3 0000000080050033", ["symbol 0xc000000000123456",
                                                                        "symbol 0xff60000080a1b2c3"]),
        ("Modules linked in: lab(OE+) libcrc32c(E) net [last unloaded: x]", ["modules lab", "modules libcrc32c",
                                                                            "modules net"]),
        ("virtio_blk virtio0: 2/0/0 default", ["modules virtio_blk"]),
        ("eth0: link up", []),
        ("", []),
    ],
)  # fmt: skip
def test_links(text: str, wanted: list[str]) -> None:
    found = [(named.text, led_to(named.link)) for named in links(text, {"virtio_blk"})]
    assert [f"{place.pane} {text}" for text, place in found if place is not None] == wanted
    assert all(place is not None for _text, place in found)


def test_links_are_few_and_each_once() -> None:
    assert len(links(" ".join(f"f{at}+0x1/0x2" for at in range(99)), ())) == MOST
    assert [one.link for one in links("f+0x1/0x2 f+0x9/0xf", ())] == [Link("symbol", "f")]
    assert links("[" * 100_000, ()) == []


# Times.


def test_times_and_what_is_not_known() -> None:
    epoch = [1795404011_500_000_000]
    times = Times(lambda: epoch[0])
    times.first_ns, times.end_ns = 0, 15_000_000_000
    assert (times.stamp(1_500_000_000), times.words()) == ("     1.500000", "times since boot")
    assert times.turn() == ""
    assert (times.stamp(1_500_000_000), times.words()) == ("03:20:13.000000", "times UTC")
    times.end_ns = 86400 * 10**9
    assert times.stamp(1_500_000_000) == "11-23 03:20:13.000"
    assert len(times.stamp(None)) == len(times.stamp(0)) == times.width
    times.end_ns = 15_000_000_000
    times.turn()
    assert (times.stamp(1_500_000_000).strip(), times.words()) == ("-13.500000", "times before the log's end")
    times.oops_ns = 1_000_000_000
    assert (times.stamp(1_500_000_000).strip(), times.words()) == ("+0.500000", "times from the oops")
    times.turn()
    epoch[0] = None  # type: ignore[call-overload]
    assert times.turn() == "the wall clock is not known, so no UTC"
    assert times.chosen == "crash"
    times.chosen = "UTC"
    assert (times.stamp(1_500_000_000), times.words()) == (
        "     1.500000", "times since boot, the wall clock is not known",
    )  # fmt: skip
    epoch[0] = 10**300
    assert times.stamp(0).strip() == "?"
