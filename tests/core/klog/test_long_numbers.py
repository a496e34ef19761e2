"""What no kernel prints: numbers too long, or of digits that are none, lines of brackets, which must stop no reader."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.klog.detail import code
from oopscope.klog.links import links
from oopscope.klog.summary import summary
from oopscope.klog.tones import tone
from oopscope.klog.trace import is_frame
from oopscope.linux.printk import log
from oopscope.triage import verdict

LONG = "9" * 5000  # more digits than int() takes
TRACE = "Call Trace:\n store_put+0x21/0x40 [stored]\n store_ioctl+0x30/0x80 [stored]"


@pytest.mark.parametrize(
    "line",
    [
        f"watchdog: BUG: soft lockup - CPU#{LONG} stuck for 22s! [store:7]",
        f"watchdog: BUG: soft lockup - CPU#1 stuck for {LONG}s! [store:{LONG}]",
        f"INFO: task store:{LONG} blocked for more than {LONG} seconds.",
        f"BUG: scheduling while atomic: store/{LONG}/0x00000002",
        f"WARNING: CPU: {LONG} PID: {LONG} at mm/store.c:7 store_put+0x21/0x40",
        f"Watchdog detected hard LOCKUP on cpu {LONG}",
        f"kernel BUG at mm/slub.c:{LONG}!",
        f"store invoked oom-killer: gfp_mask=0x0, order={LONG}\n{LONG} pages RAM\n[ {LONG}] 0 1 2 3 x",
        f"rcu: INFO: rcu_sched self-detected stall on CPU\nrcu: \t{LONG}-....: (1 ticks this GP) idle=1/1/0",
    ],
    ids=lambda line: line[:12],
)
def test_a_log_with_them_is_judged(line: str, tmp_path: Path) -> None:
    text = "".join(f"[  100.{n:06}] {part}\n" for n, part in enumerate(f"{line}\n{TRACE}".split("\n")))
    (tmp_path / "dmesg.txt").write_text(text)
    kernel = open_kernel([tmp_path / "dmesg.txt"])
    assert verdict(kernel).cause
    assert len(log(kernel)) == text.count("\n")


def test_a_time_of_dev_kmsg_with_them_is_none(tmp_path: Path) -> None:
    (tmp_path / "dmesg.txt").write_text(f"4,1,{LONG},-;BUG: far\n4,2,7000000,-;Kernel panic - not syncing: near\n")
    assert [record.ns for record in log(open_kernel([tmp_path / "dmesg.txt"]))] == [None, 7_000_000_000]


@pytest.mark.parametrize(
    "text", [f"CPU {LONG}", f"PID: {LONG} Comm: x", f"task store:{LONG} ", f"[{LONG}] 0 1 x"], ids=lambda text: text[:4]
)
def test_they_lead_nowhere(text: str) -> None:
    assert not any(len(str(one.link.key)) > 18 for one in links(text, ()))


def test_digits_that_are_none_are_no_memory_of_a_task() -> None:
    assert (
        summary("tasks", ["[ 1] 0 1 2 \u00b2 x", "[ 2] 0 1 2 5 y"]) == "Tasks state: 2 lines, 1 tasks, the largest 2 y"
    )


def test_a_line_of_brackets_is_no_frame_and_is_looked_at_once() -> None:
    assert is_frame(" store_put (mm/store.c:7 mm/store.c:9 (discriminator 3)) stored")
    assert not is_frame(" store_put (mm/store.c:7" + ")" * 60_000 + "!")  # where each is tried with each, minutes


def test_a_line_of_blanks_is_looked_at_once(tmp_path: Path) -> None:
    blanks = " " * 60_000  # where each blank is tried with each, hours
    assert not is_frame(blanks)
    assert not tone(blanks, 0, True)
    assert code([blanks]) is None
    (tmp_path / "dmesg.txt").write_text(f"[  1.000001] BUG: scheduling while atomic: a/7/0x2\n[  1.000002] {blanks}x\n")
    assert verdict(open_kernel([tmp_path / "dmesg.txt"])).cause


def test_a_word_without_end_is_looked_at_once_for_symbols() -> None:
    assert links("f" * 60_000 + " .g+0x1/0x2", ())[0].text == "g"
    assert [one.text for one in links("a.constprop.0+0x1/0x2 b$c+0x3/0x4", ())] == ["a.constprop.0", "b$c"]
