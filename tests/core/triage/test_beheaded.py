"""What is left of a report whose first lines are lost: the functions that report something tell what it was."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict

WHO = "CPU: 1 PID: 321 Comm: storaged Not tainted 6.12.1 #1\nHardware name: a machine"
BEHIND = " store_sync+0x8/0x20 [stored]\n kthread+0xe6/0x110\n ret_from_fork+0x31/0x50\n"
PUT = " store_put+0x21/0x40 [stored]\n"
WARNED = " <TASK>\n ? __warn+0x81/0x130\n ? store_put+0x21/0x40 [stored]\n ? report_bug+0x171/0x1a0\n"
TRAPPED = " ? handle_bug+0x3c/0x80\n ? exc_invalid_op+0x17/0x70\n ? asm_exc_invalid_op+0x1a/0x20\n"
TIMER = (
    " <IRQ>\n ? watchdog_timer_fn+0x1e3/0x260\n ? __hrtimer_run_queues+0x112/0x2a0\n"
    " ? sysvec_apic_timer_interrupt+0x6c/0x90\n </IRQ>\n <TASK>\n ? asm_sysvec_apic_timer_interrupt+0x16/0x20\n"
)


def judged(tmp_path: Path, text: str) -> Verdict:
    """Judge a log."""
    (tmp_path / "dmesg.txt").write_text("".join(f"[  100.{n:06d}] {line}\n" for n, line in enumerate(text.split("\n"))))
    return verdict(open_kernel([tmp_path / "dmesg.txt"]))


@pytest.mark.parametrize(
    ("stack", "cause", "confidence"),
    [
        (f" dump_stack+0x5c/0x85\n panic+0xe4/0x252\n __stack_chk_fail+0x24/0x30\n{PUT}", "stack-corruption", "likely"),
        (f" panic+0xe4/0x252\n assfail.constprop.0+0x50/0x50 [stored]\n{PUT}", "assertion-failed", "likely"),
        (f" dump_stack+0x5c/0x85\n __schedule_bug+0x51/0x70\n __schedule+0x6a1/0xa00\n{PUT}",
         "scheduling-while-atomic", "possible"),
        (f" dump_stack+0x5c/0x85\n bad_page+0xc5/0x130\n{PUT}", "page-corruption", "possible"),
        (f"{WARNED}{TRAPPED} ? store_put+0x21/0x40 [stored]\n", "kernel-warning", "possible"),
        (f"{TIMER} ? store_put+0x21/0x40 [stored]\n", "soft-lockup", "possible"),
        (f" <TASK>\n __fortify_panic+0x9/0x10\n{PUT}", "out-of-bounds", "possible"),
    ],
)  # fmt: skip
def test_the_stack_tells_what_it_was(stack: str, cause: str, confidence: str, tmp_path: Path) -> None:
    found = judged(tmp_path, f"{WHO}\nCall Trace:\n{stack}{BEHIND}")
    assert (found.cause, found.confidence) == (cause, confidence)
    assert (found.symbol, found.module, found.pid) == ("store_put+0x21", "stored", 321)
    assert "the log lacks the beginning" in found.summary


@pytest.mark.parametrize(
    "stack",
    [
        f" dump_stack+0x5c/0x85\n{PUT}",  # somebody's own
        f" ? __warn+0x81/0x130\n other_free+0x1/0x20\n{PUT}",  # a guess, and no entry behind it
        f" ? __warn+0x81/0x130\n other_free+0x1/0x20\n{TRAPPED}{PUT}",  # two stacks, mixed
    ],
)
def test_what_tells_nothing(stack: str, tmp_path: Path) -> None:
    assert judged(tmp_path, f"{WHO}\nCall Trace:\n{stack}{BEHIND}").cause == "unknown"


def test_a_cpu_that_was_found_giving_a_lock_back_does_not_wait_for_it(tmp_path: Path) -> None:
    stuck = "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [storaged:321]"
    pc = "RIP: 0010:_raw_spin_unlock_irq+0x13/0x30"
    found = judged(
        tmp_path, f"{stuck}\n{WHO}\n{pc}\nCall Trace:\n{TIMER} ? _raw_spin_unlock_irq+0x13/0x30\n{PUT}{BEHIND}"
    )
    assert (found.cause, found.symbol) == ("soft-lockup", "store_put+0x21")
    assert "gave a lock back" in found.summary
