"""Which lines of a log are one dump of something: of real logs of each kernel line, and in the kernel's formats."""

import re
from typing import Any

import pytest

from oopscope.klog.blocks import LONGEST, Blocks
from oopscope.klog.lines import log_lines
from oopscope.klog.summary import summary
from oopscope_tui.panes.log.rows import Head, LogRows
from stored import DUMPS
from tui.fake import Record

LINE = re.compile(r"\[ *(\d+)\.(\d{6})\] (?:\[ *([TC]\d+)\] )?(.*)")


def real(name: str, callers: bool = True) -> Any:
    """The log beside a stored dump as records; lines without a time go on the record before them."""
    rows: list[Any] = []
    for line in (DUMPS / f"{name}.dmesg.txt").read_text("utf-8", "replace").splitlines():
        match = LINE.match(line)
        if match is None:
            rows[-1] = rows[-1]._replace(text=f"{rows[-1].text}\n{line.strip()}")
            continue
        ns = int(match[1]) * 1_000_000_000 + int(match[2]) * 1000
        rows.append(Record(len(rows), ns, 6, 0, match[3] if callers else None, match[4]))
    return list(log_lines(rows))


def texts(*lines: Any, callers: Any = None, step: int = 1_000_000) -> Any:
    return [Record(at, at * step, 4, 0, callers[at] if callers else None, line) for at, line in enumerate(lines)]


def blocks_of(rows: Any, step: int = 7) -> Any:
    """In slices, as rows come in."""
    blocks = Blocks()
    for start in range(0, len(rows), step):
        blocks.take(rows, start, min(start + step, len(rows)))
    return blocks


def folded(rows: Any) -> Any:
    """What shows of a log with its blocks folded."""
    view = LogRows(rows)
    view.blocks = blocks_of(rows)
    view.arrange()
    shown = [view.row(at) for at in range(len(view))]
    return [f"> {row.said}" if isinstance(row, Head) else row.text for row in shown]


@pytest.mark.parametrize("callers", [True, False])
@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("6.1-null", ["BUG: kernel NULL pointer", "#PF:", "#PF:", "PGD", "Oops: 0000",
                      "> Call Trace: 35 lines, lab_read_balance.isra.0+0x5 … do_syscall_64 · CPU 1, PID 238 insmod"]),
        ("5.10-softlockup", ["watchdog: BUG: soft lockup",
                             "> Call Trace: 32 lines, lab_spin_forever+0x7 … lab_thread_spin · CPU 1, PID 223 lab-sp",
                             "Kernel panic - not syncing: softlockup", "> Call Trace: 28 lines, watchdog_timer_fn"]),
        ("7.3-oom", ["dd invoked oom-killer", "> Call Trace: 39 lines, out_of_memory.cold+0x12 … do_syscall_64 · CPU 0",
                     "> Mem-Info: 28 lines, 855 of 114,555 pages free",
                     "> Tasks state: 11 lines, 9 tasks, the largest 255 dd", "Kernel panic", "> Call Trace: 40 lines"]),
        ("6.12-overflow", ["BUG: TASK stack guard page", "Oops: stack guard page", "> Call Trace: 65 lines, lab_r"]),
    ],
)  # fmt: skip
def test_real_logs(name: str, end: list[str], callers: bool) -> None:
    shown = folded(real(name, callers))
    shown = [line for line in shown if not line.startswith(("note:", "Kernel Offset", "---[ end Kernel"))]
    for words, line in zip(end, shown[-len(end) :], strict=True):
        assert line.startswith(words)


def test_registers_fold_to_those_that_matter_within_an_unfolded_trace() -> None:
    rows = real("6.1-null")
    view = LogRows(rows)
    view.blocks = blocks_of(rows)
    trace = next(n for n, one in enumerate(view.blocks.all) if one.kind == "dump" and view.blocks.sizes[n] > 20)
    view.matters(("rdi",))
    view.fold(trace, False)
    shown = [view.row(at) for at in range(len(view))]
    said = [row.said for row in shown if isinstance(row, Head) and row.folded]
    assert said[-2:] == ["rdi NULL  cr2 0x28  20 more registers", "18 registers of the program"]
    words = [row.text for row in shown]
    assert any("lab_read_balance" in text for text in words) and not any(text.startswith("RAX:") for text in words)
    registers = next(one for one in view.blocks.all if one.within == trace)
    view.fold(registers.number, False)
    assert any(view.row(at).text.startswith("RAX:") for at in range(len(view)))
    view.fold(trace, True)  # what is in a folded trace is folded, whatever it was
    assert not any(view.row(at).text.startswith(("RAX:", "RSP:")) for at in range(len(view)))
    everything = [at for at in range(len(rows)) if view.blocks.holding(at) is not None]
    assert {*everything} >= {*view.blocks.rows_of(trace)}


@pytest.mark.parametrize("name", [path.name.removesuffix(".dmesg.txt") for path in sorted(DUMPS.glob("*.dmesg.txt"))])
def test_every_real_log_folds_its_traces_and_nothing_of_its_boot(name: str) -> None:
    rows = real(name)
    shown = folded(rows)
    begin = next(at for at, line in enumerate(shown) if line.startswith(">"))
    assert [line.text for line in rows[:begin]] == shown[:begin]
    assert begin > 300
    assert not [line for line in shown if re.match(r" .*\+0x|R[A-Z0-9]{2}: [0-9a-f]|Call Trace:|\[ *\d+\] ", line)]


def test_hung_tasks_are_a_line_and_a_fold_each() -> None:
    shown = folded(real("6.1-deadlock"))
    begin = next(at for at, line in enumerate(shown) if line.startswith("INFO: task"))
    assert [line.split(":")[0] for line in shown[begin : begin + 4]] == ["INFO", "> Call Trace"] * 2
    assert "PID 238 lab-teller-ab, state D" in shown[begin + 1]


def test_records_of_two_cpus_interleave() -> None:
    lines = ("NMI backtrace for cpu 0", "NMI backtrace for cpu 1", "CPU: 0 PID: 7 Comm: a", "CPU: 1 PID: 8 Comm: b",
             "Call Trace:", "Call Trace:", " first+0x1/0x9", " second+0x1/0x9", "done on 0", "done on 1")  # fmt: skip
    rows = texts(*lines, callers=["C0", "C1"] * 5)
    assert folded(rows) == [
        lines[0], lines[1], "> Call Trace: 3 lines, first+0x1 · CPU 0, PID 7 a",
        "> Call Trace: 3 lines, second+0x1 · CPU 1, PID 8 b", lines[8], lines[9],
    ]  # fmt: skip
    blocks = blocks_of(rows)
    assert list(blocks.rows_of(0)) == [2, 4, 6]
    assert list(blocks.rows_of(1)) == [3, 5, 7]
    assert [blocks.holding(at) for at in range(10)] == [None, None, 0, 1, 0, 1, 0, 1, None, None]
    assert blocks.after(0, "C1") == 1
    assert blocks.after(4, "C0") is None


def test_a_stray_record_does_not_end_a_block_where_callers_are_not_recorded() -> None:
    lines = ("Oops: 0000", "CPU: 0 PID: 7 Comm: a", "Call Trace:", "usb 1-1: reset", " one+0x1/0x2", " two+0x1/0x2")
    assert folded(texts(*lines)) == ["Oops: 0000", "> Call Trace: 4 lines, one+0x1 … two · CPU 0, PID 7 a", lines[3]]
    with_callers = texts(*lines, callers=["T1"] * 6)
    assert folded(with_callers)[-2:] == [" one+0x1/0x2", " two+0x1/0x2"]


def test_an_end_mark_a_pause_and_a_second_stack_end_a_block() -> None:
    trace = ("Call Trace:", " <TASK>", " a+0x1/0x2", " </TASK>")
    assert folded(texts(*trace, "---[ end trace 0 ]---", *trace)) == ["> Call Trace: 5 lines, a+0x1",
                                                                     "> Call Trace: 4 lines, a+0x1"]  # fmt: skip
    assert len(folded(texts(*trace, *trace))) == 2
    late = [*texts(*trace), *(row._replace(ns=row.ns + 10**9, index=9) for row in texts(" b+0x1/0x2"))]
    assert folded(late)[1:] == [" b+0x1/0x2"]


def test_what_is_too_short_is_not_folded_and_what_is_too_long_is_cut() -> None:
    assert folded(texts("Call Trace:", " a+0x1/0x2", "fine")) == ["Call Trace:", " a+0x1/0x2", "fine"]
    blocks = blocks_of(texts("Call Trace:", *[" a+0x1/0x2"] * 2 * LONGEST))
    assert max(blocks.sizes) == LONGEST


LOCKDEP = (
    "======================================================",
    "WARNING: possible circular locking dependency detected",
    "6.1.0 #1 Not tainted", "------------------------------------------------------",
    "kswapd0/79 is trying to acquire lock:", "ffff8b16 (&c->mark){++++}-{0:0}, at: mark_bits+0x12a/0x140",
    "\nbut task is already holding lock:", "ffffffffba15 (fs_reclaim){+.+.}-{0:0}, at: __fs_reclaim_acquire+0x5/0x30",
    "\n-> #1 (fs_reclaim){+.+.}-{0:0}:", "       lock_acquire+0xbd/0x370", " *** DEADLOCK ***",
    "\nstack backtrace:", "CPU: 1 PID: 79 Comm: kswapd0 Not tainted 6.1.0", "Call Trace:", " lock_acquire+0xbd/0x370",
)  # fmt: skip
SLUB = (
    "BUG kmalloc-64 (Tainted: G    B  ): Poison overwritten", "0xffff88-0xffff89 @offset=64. First byte 0x6c instead",
    "Allocated in order_new+0x34/0x78 age=11 cpu=0 pid=1", "\t__kmalloc+0x240/0x274", "Slab 0xffff88 objects=21 used=2",
    "Object 0xffff8e40 @offset=7744 fp=0xffff2140", "", "Bytes b4 ffff8e30: 5a 5a 5a 5a  ZZZZ",
    "Object   ffff8e40: 6b 6b 6b 6b  kkkk", "Redzone  ffff8e80: cc cc cc cc  ....", "FIX kmalloc-64: Restoring",
)  # fmt: skip
KASAN = (
    "BUG: KASAN: slab-use-after-free in lab_read+0x1c/0x25", "Read of size 4 at addr ffff888114a80034 by task sh/823",
    "CPU: 2 UID: 0 PID: 823 Comm: sh Tainted: G    D", "Call Trace:", " <TASK>", " lab_read+0x1c/0x25", " </TASK>",
    "Allocated by task 800:", " kasan_save_stack+0x24/0x50", "", "Freed by task 801:", " kfree+0x24/0x50",
    "Memory state around the buggy address:", " ffff888114a7ff00: fa fb fb fb", ">ffff888114a80000: fa fb fb fb",
    "                   ^", " ffff888114a80080: fb fb fb fb", "Disabling lock debugging due to kernel taint",
)  # fmt: skip


def test_lock_reports() -> None:
    rows = list(log_lines(texts(*LOCKDEP)))
    shown = folded(rows)
    assert shown[:2] == list(LOCKDEP[:2])
    assert shown[2].startswith("> Lock report: 13 lines")  # records of two lines count as two
    assert shown[3:] == ["> Call Trace: 3 lines, lock_acquire+0xbd · CPU 1, PID 79 kswapd0"]


def test_locks_workqueues_objects_and_the_state_of_all_tasks() -> None:
    locks = ("Showing all locks held in the system:", "1 lock held by khungtaskd/34:",
             " #0: ffffffff82a1 (rcu_read_lock){....}-{1:3}, at: debug_show_all_locks+0x15/0x17f", "",
             "=============================================", "other")  # fmt: skip
    assert folded(texts(*locks)) == ["> Locks held: 5 lines", "other"]
    busy = ("BUG: workqueue lockup - pool cpus=3 node=0 flags=0x1 nice=0 stuck for 52s!",
            "Showing busy workqueues and worker pools:", "workqueue events: flags=0x0",
            "  pwq 6: cpus=3 node=0 flags=0x1 nice=0 active=15/256 refcnt=16", "    in-flight: 14164:refill_work",
            "    pending: vmpressure_work_fn", "pool 6: cpus=3 node=0 hung=52s workers=2 idle: 3")  # fmt: skip
    assert folded(texts(*busy)) == [busy[0], "> Busy workqueues: 6 lines"]
    assert folded(texts(*SLUB)) == [SLUB[0], "> Object dump: 9 lines", SLUB[-1]]
    assert [line[:20] for line in folded(texts(*KASAN))] == [
        "BUG: KASAN: slab-use", "Read of size 4 at ad", "> Call Trace: 5 line", "> Object dump: 10 li", KASAN[-1][:20]
    ]  # fmt: skip
    state = ("sysrq: Show State", "task:init            state:S stack:0     pid:1     ppid:0", "Call Trace:",
             " schedule+0x5a/0xd0", " do_wait+0x1/0x2", "task:kthreadd        state:S stack:0     pid:2     ppid:0",
             "Call Trace:", " schedule+0x5a/0xd0", " kthreadd+0x1/0x2")  # fmt: skip
    assert folded(texts(*state)) == [
        "sysrq: Show State", "> Call Trace: 4 lines, do_wait+0x1 · PID 1 init, state S",
        "> Call Trace: 4 lines, kthreadd+0x1 · PID 2 kthreadd, state S",
    ]  # fmt: skip


def test_older_formats() -> None:
    old = ("INFO: task sync:222 blocked for more than 120 seconds.", "      Not tainted 4.19.0 #1",
           '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
           "sync            D    0   222      1 0x00004000", "Call Trace:", " [<ffffffff8123>] ? io_schedule+0x1/0x40",
           " [<ffffffff8124>] wait_on_page+0x1/0x40")  # fmt: skip
    assert folded(texts(*old)) == [old[0], "> Call Trace: 6 lines, wait_on_page+0x1"]


def test_a_hostile_log_folds_in_bounds() -> None:
    rows = texts(*["Call Trace:", " a+0x1/0x2", "\x1b[2J[red]"] * 300, callers=[f"T{at % 50}" for at in range(900)])
    assert sum(blocks_of(rows).sizes) <= 900
    assert summary("tasks", ["[ 1] 0 1 2 " + "9" * 5000 + " x", "[ 2]", "[x] 1"]).startswith("Tasks state: 3 lines")
    assert summary("memory", ["free:" + "9" * 5000, "9" * 5000 + " pages RAM"]).startswith("Mem-Info: 2 lines")
    assert blocks_of([Record(0, None, None, 0, None, None)]).sizes == []
