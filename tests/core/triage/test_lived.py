"""Logs that tell of no death: what they end with is named, never as sure as a death; nothing is, where they go on."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict

Lines = list[tuple[float, str]]

WHO = "CPU: 1 PID: 321 Comm: storaged Not tainted 6.12.1 #1"
TRACE = """Call Trace:
 <TASK>
 store_put+0x21/0x40 [stored]
 store_sync+0x8/0x20 [stored]
 kthread+0xe6/0x110
 </TASK>"""
RIP = "RIP: 0010:store_put+0x21/0x40 [stored]"
END = "---[ end trace 0000000000000000 ]---"
KASAN = "BUG: KASAN: {} in store_put+0x21/0x40 [stored]\nRead of size 8 at addr ffff888003a1c0e0 by task storaged/321"
LOCKS = """[ INFO: possible recursive locking detected ]
4.4.0 #1 Not tainted
storaged/321 is trying to acquire lock:"""
LOGS = {
    "soft-lockup": f"watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [storaged:321]\n{WHO}\n{RIP}\n{TRACE}",
    "hung-task": f"INFO: task storaged:321 blocked for more than 120 seconds.\n"
    f"task:storaged state:D stack:0 pid:321 ppid:2 flags:0x4000\n{TRACE}",
    "rcu-stall": f"rcu: INFO: rcu_sched self-detected stall on CPU\nrcu: \t1-....: (21000 ticks this GP) "
    f"idle=5c2/1/0x4000000000000002 softirq=1/1 fqs=5250\n{WHO}\n{RIP}\n{TRACE}",
    "use-after-free": f"{KASAN.format('slab-use-after-free')}\n{WHO}\n{TRACE}",
    "out-of-bounds": f"{KASAN.format('slab-out-of-bounds')}\n{WHO}\n{TRACE}",
    "bad-page-fault": f"{KASAN.format('wild-memory-access')}\n{WHO}\n{TRACE}",
    "null-pointer-dereference": f"{KASAN.format('null-ptr-deref')}\n{WHO}\n{TRACE}",
    "scheduling-while-atomic": f"BUG: sleeping function called from invalid context at mm/slab.h:401\n{WHO}\n{TRACE}",
    "deadlock": f"{LOCKS}\nCall Trace:\n __lock_acquire+0x1/0x2\n store_put+0x21/0x40 [stored]",
    "kernel-warning": f"------------[ cut here ]------------\nWARNING: CPU: 1 PID: 321 at fs/store.c:12 "
    f"store_put+0x21/0x40 [stored]\n{WHO}\n{RIP}\n{TRACE}\n{END}",
    "refcount-error": f"------------[ cut here ]------------\nrefcount_t: underflow; use-after-free.\n"
    f"WARNING: CPU: 1 PID: 321 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110\n{WHO}\n"
    f"RIP: 0010:refcount_warn_saturate+0xba/0x110\n{TRACE}\n{END}",
    "undefined-behaviour": f"UBSAN: shift-out-of-bounds in fs/store.c:12:9\nshift exponent 64 is too large\n{WHO}\n"
    f"Call Trace:\n ubsan_epilogue+0x5/0x40\n store_put+0x21/0x40 [stored]",
    "workqueue-lockup": "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 35s!",
}

ENDS_BY_ITSELF = ("kernel-warning", "refcount-error", "undefined-behaviour", "deadlock", "scheduling-while-atomic")
RCU = """[ INFO: suspicious RCU usage. ]
3.6.0 #1 Not tainted
-------------------------------
fs/store.c:12 suspicious rcu_dereference_check() usage!
other info that might help us debug this:
1 lock held by storaged/321:
stack backtrace:
Pid: 321, comm: storaged Not tainted 3.6.0 #1
Call Trace:
 [<ffffffff810976ed>] lockdep_rcu_suspicious+0xfd/0x130
 [<ffffffff8153042c>] store_put+0x21/0x40 [stored]"""


def judged(tmp_path: Path, text: str, before: Lines | None = None, after: Lines | None = None) -> Verdict:
    """Judge a log of a report, 100 seconds after the boot, with lines around it (seconds, words)."""
    lines = [*(before or []), *((100 + at / 1e6, line) for at, line in enumerate(text.split("\n"))), *(after or [])]
    path = tmp_path / "dmesg.txt"
    path.write_text("".join(f"[{seconds:12.6f}] {line}\n" for seconds, line in lines))
    return verdict(open_kernel([path]))


@pytest.mark.parametrize("cause", LOGS)
def test_what_a_log_ends_with_is_named(tmp_path: Path, cause: str) -> None:
    found = judged(tmp_path, LOGS[cause], before=[(0, "Linux version 6.12.1 (a@b) #1 SMP")])
    assert found.cause == cause
    assert found.confidence != "certain"
    assert "The log tells of no panic" in found.summary
    assert " is set" not in found.summary
    assert cause == "workqueue-lockup" or (found.symbol, found.module) == ("store_put+0x21", "stored")


@pytest.mark.parametrize("cause", LOGS)
def test_a_log_that_goes_on_may_have_been_survived(tmp_path: Path, cause: str) -> None:
    found = judged(tmp_path, LOGS[cause], after=[(200, "usb 1-1: new high-speed USB device"), (400, "eth0: link up")])
    if cause not in ENDS_BY_ITSELF:
        assert (found.cause, found.confidence) == (cause, "possible")
        assert any("goes on for 300 s" in piece.text for piece in found.evidence)
        return
    assert found.cause == "unknown"
    assert found.signature is None
    assert found.summary.startswith("The log tells of no death")


def test_the_first_grave_report_of_the_last_group_counts(tmp_path: Path) -> None:
    warned: Lines = [(90 + at / 1e6, line) for at, line in enumerate(LOGS["kernel-warning"].split("\n"))]
    found = judged(tmp_path, LOGS["use-after-free"], before=warned)
    assert found.cause == "use-after-free"


def test_an_earlier_boot_is_another_matter(tmp_path: Path) -> None:
    found = judged(tmp_path, LOGS["soft-lockup"], after=[(0, "Linux version 6.12.1 (a@b) #1 SMP"), (9, "eth0: up")])
    assert found.cause == "unknown"


def test_the_killer_of_a_process(tmp_path: Path) -> None:
    text = (
        "storaged invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=0\n"
        f"{WHO}\n{TRACE}\nMem-Info:\nOut of memory: Killed process 77 (hog) total-vm:1kB, anon-rss:1kB"
    )
    found = judged(tmp_path, text)
    assert found.cause == "out-of-memory"
    assert "killed hog (PID 77)" in found.summary
    assert "panic_on_oom" not in found.summary


OOPS = """BUG: kernel NULL pointer dereference, address: 0000000000000018
#PF: supervisor read access in kernel mode
Oops: Oops: 0000 [#1] SMP NOPTI
CPU: 1 UID: 0 PID: 321 Comm: storaged Kdump: loaded Not tainted 6.12.1 #1
RIP: 0010:store_put+0x21/0x40 [stored]
CR2: 0000000000000018
Call Trace:
 <TASK>
 store_sync+0x8/0x20 [stored]
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception"""


@pytest.mark.parametrize("lines, confidence", [(11, "certain"), (9, "likely"), (3, "possible"), (1, "possible")])
def test_a_log_that_is_cut_off_weakens_and_changes_nothing(tmp_path: Path, lines: int, confidence: str) -> None:
    found = judged(tmp_path, "\n".join(OOPS.split("\n")[:lines]))
    assert (found.cause, found.confidence) == ("null-pointer-dereference", confidence)


def test_a_name_ends_where_the_line_is_cut_off(tmp_path: Path) -> None:
    found = judged(tmp_path, OOPS.split(" Not tainted")[0])
    assert found.comm == "storaged"


def test_an_oops_whose_first_lines_are_lost(tmp_path: Path) -> None:
    """By the address that the registers have it is a NULL pointer; without one nobody can say so."""
    rest = "\n".join(OOPS.split("\n")[2:])
    assert judged(tmp_path, rest).cause == "null-pointer-dereference"
    assert judged(tmp_path, rest.replace("CR2: 0000000000000018\n", "")).cause == "unknown"


@pytest.mark.parametrize("end", ["------------[ cut here ]----", "BUG: KFENCE", "BUG: unable to hand"])
def test_a_line_that_is_cut_off_is_no_report(tmp_path: Path, end: str) -> None:
    assert judged(tmp_path, f"usb 1-1: new device\n{end}").cause == "unknown"


@pytest.mark.parametrize(
    "stack, cause",
    [
        ("panic+0x1/0x2\n __warn+0x1/0x2\n report_bug+0x1/0x2\n store_put+0x21/0x40 [stored]", "kernel-warning"),
        ("panic+0x1/0x2\n kasan_report+0x1/0x2\n store_put+0x21/0x40 [stored]", "unknown"),
        ("panic+0x1/0x2\n df_debug+0x1/0x2\n do_double_fault+0x1/0x2\n store_put+0x21/0x40", "double-fault"),
        ("panic+0x1/0x2\n lbug_with_loc+0x1/0x2 [libcfs]\n store_put+0x21/0x40 [stored]", "assertion-failed"),
    ],
)
def test_a_panic_whose_reason_is_lost(tmp_path: Path, stack: str, cause: str) -> None:
    said = {"double-fault": "Machine halted.", "assertion-failed": "LBUG"}.get(cause, "panic_on_warn set ...")
    found = judged(tmp_path, f"Kernel panic - not syncing: {said}\n{WHO}\nCall Trace:\n {stack}")
    assert found.cause == cause


def test_a_prompt_before_the_kernels_line(tmp_path: Path) -> None:
    path = tmp_path / "console.txt"
    oops = "\n".join(f"[  100.{at:06d}] {line}" for at, line in enumerate(OOPS.split("\n")))
    path.write_text(f"[   90.000000] usb 1-1: new device\nstore login: {oops}\n")
    found = verdict(open_kernel([path]))
    assert (found.cause, found.confidence) == ("null-pointer-dereference", "certain")


def test_what_a_validator_blames_stands_on_its_own_stack(tmp_path: Path) -> None:
    found = judged(tmp_path, RCU)
    assert (found.cause, found.symbol, found.pid) == ("kernel-warning", "store_put+0x21", 321)


@pytest.mark.parametrize("before", ["    ", "> ", ">> ", "| ", "\t"])
def test_lines_that_a_mail_or_a_paste_shifts(tmp_path: Path, before: str) -> None:
    path = tmp_path / "paste.txt"
    oops = (f"{before}[  100.{at:06d}] {line}\n" for at, line in enumerate(OOPS.split("\n")))
    path.write_text("".join(oops))
    found = verdict(open_kernel([path]))
    assert (found.cause, found.confidence, found.symbol) == ("null-pointer-dereference", "certain", "store_put+0x21")


@pytest.mark.parametrize("shift", ["    {}", "> {}", "> [  100.000000]  {}", "[  100.000000]  {}"])
def test_lines_that_are_all_shifted_alike(tmp_path: Path, shift: str) -> None:
    """Without times too; and behind a console's times, where each record begins with a blank more."""
    path = tmp_path / "paste.txt"
    path.write_text("\n".join(shift.format(line) for line in OOPS.split("\n")))
    found = verdict(open_kernel([path]))
    assert (found.cause, found.symbol) == ("null-pointer-dereference", "store_put+0x21")


def test_who_noticed_a_broken_list_is_not_the_warnings_own_code(tmp_path: Path) -> None:
    """Kernels up to 4.9 print the check as a guess before the functions that warn."""
    warned = (
        "------------[ cut here ]------------\nWARNING: CPU: 1 PID: 321 at lib/list_debug.c:59 "
        "__list_del_entry+0x82/0xd0\nlist_del corruption. prev->next should be ffff8800, but was 2f30\n"
        f"{WHO}\nCall Trace:\n dump_stack+0x80/0xb4\n ? __list_del_entry+0x82/0xd0\n __warn+0x10a/0x130\n"
        f" warn_slowpath_fmt+0x63/0x70\n store_put+0x21/0x40 [stored]\n{END}"
    )
    found = judged(tmp_path, warned)
    assert (found.cause, found.symbol) == ("list-corruption", "store_put+0x21")


WAITS = """INFO: task store-{0}:32{0} blocked for more than 4 seconds.
task:store-{0}       state:D stack:0     pid:32{0}   ppid:2      flags:0x00004000
Call Trace:
 <TASK>
 __schedule+0x34d/0x9e0
 schedule+0x5a/0xd0
 ? store_put+0x21/0x40 [stored]
 {1}+0x43/0x60
 store_take+0x11/0x30 [stored]
 </TASK>"""


@pytest.mark.parametrize(
    ("waits", "cause"),
    [("__mutex_lock", "deadlock"), ("rwsem_down_read_slowpath", "hung-task"), ("__down_common", "hung-task")],
)
def test_only_waits_for_what_they_would_own_are_a_circle(waits: str, cause: str, tmp_path: Path) -> None:
    lines = [*WAITS.format(1, waits).split("\n"), *WAITS.format(2, waits).split("\n")]
    lines.append("Kernel panic - not syncing: hung_task: blocked tasks")
    log = tmp_path / "dmesg.txt"
    log.write_text("".join(f"[{12 + at / 1e6:12.6f}] {line}\n" for at, line in enumerate(lines)))
    found = verdict(open_kernel([log]))
    assert (found.cause, found.symbol) == (cause, "store_take+0x11")


XFS = """XFS (dm-3): Internal error XFS_WANT_CORRUPTED_GOTO at line 3305 of file fs/xfs/btree.c.  Caller xfs_put+0x1f
CPU: 43 PID: 321 Comm: storaged Not tainted 5.14.0 #1
Call Trace:
 dump_stack+0x19/0x1f
 xfs_error_report+0x3f/0x50 [xfs]
 xfs_btree_insert+0x1e3/0x1f0 [xfs]
 xfs_put+0x1f/0x30 [xfs]"""
GAVE_UP = "XFS (dm-3): Corruption of in-memory data detected.  Shutting down filesystem"


def test_a_file_system_that_gives_up(tmp_path: Path) -> None:
    found = judged(tmp_path, f"{XFS}\n{GAVE_UP}")
    assert (found.cause, found.category, found.confidence) == ("filesystem-error", "storage", "likely")
    assert (found.symbol, found.module) == ("xfs_btree_insert+0x1e3", "xfs")
    assert "dm-3" in found.summary
    assert "gave up" in found.summary


def test_a_file_systems_line_in_the_midst_of_an_oops_is_another_tasks(tmp_path: Path) -> None:
    oops = (
        f"BUG: kernel NULL pointer dereference, address: 0000000000000018\nOops: 0000 [#1] SMP\n{WHO}\n"
        f"EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm other: reading directory lblock 0\n"
        f"{RIP}\nCR2: 0000000000000018\n{TRACE}\n{END}"
    )
    found = judged(tmp_path, oops)
    assert (found.cause, found.symbol) == ("null-pointer-dereference", "store_put+0x21")


@pytest.mark.parametrize(
    "esr, words",
    [("96000007", "which is not mapped"), ("96000021", "which is not aligned as the instruction needs it"),
     ("96000010", "from which memory or a device did not answer")],
)  # fmt: skip
def test_what_the_processor_says_was_wrong_with_an_address(tmp_path: Path, esr: str, words: str) -> None:
    oops = (
        f"Unable to handle kernel paging request at virtual address ffff001f11e1e436\nMem abort:\n  ESR = 0x{esr}\n"
        f"Internal error: Oops: {esr} [#1] SMP\n{WHO}\npstate: 60000005 (nZCv daif)\npc : store_put+0x21/0x40\n"
        "lr : store_sync+0x4/0x8\nCall trace:\n store_put+0x21/0x40\n---[ end trace 0000000000000000 ]---\n"
        f"Kernel panic - not syncing: Oops: Fatal exception"
    )
    assert words in judged(tmp_path, oops).summary


def test_an_oops_of_what_slept_in_atomic_is_likely_at_most(tmp_path: Path) -> None:
    """Who slept so left its locks and its per-CPU data to others: the fault may come of that."""
    slept = f"BUG: scheduling while atomic: storaged/321/0x00000002\n{WHO}\n{TRACE}\n"
    assert judged(tmp_path, OOPS).confidence == "certain"
    found = judged(tmp_path, slept + OOPS)
    assert (found.cause, found.confidence) == ("null-pointer-dereference", "likely")


def test_bad_page_tables_are_the_deeper_cause_of_the_fault_on_them(tmp_path: Path) -> None:
    bad = f"BUG: Bad page map in process storaged  pte:cccccccc pmd:032ed000\n{WHO}\n{TRACE}"
    oops = (
        f"BUG: unable to handle page fault for address: 0000000009fcbaf8\nOops: 0000 [#1] SMP\n{WHO}\n{RIP}\n"
        f"CR2: 0000000009fcbaf8\n{TRACE}\n{END}"
    )
    assert judged(tmp_path, f"{bad}\n{oops}").cause == "page-corruption"
    assert judged(tmp_path, f"{bad.replace('321', '322')}\n{oops}").cause == "bad-page-fault"


def test_what_is_shown_less_of_a_second_time_is_known_from_the_first(tmp_path: Path) -> None:
    again = "INFO: task storaged:321 blocked for more than 241 seconds.\ntask:storaged state:D stack:0 pid:321\n"
    text = f"{LOGS['hung-task'].replace('store_sync', 'store_wait')}\n{again}Call Trace:\n __schedule+0x1/0x2"
    assert judged(tmp_path, text).symbol == "store_put+0x21"


def test_two_tasks_oopses_within_a_second_are_one_chain(tmp_path: Path) -> None:
    bug = "------------[ cut here ]------------\nkernel BUG at fs/store.c:12!\ninvalid opcode: 0000 [#1] SMP"
    first = f"{bug}\n{WHO}\n{RIP}\n{TRACE}\n{END}"
    second = first.replace("321", "322").replace("store_put", "store_get").replace("#1", "#2").split("\n")
    found = judged(tmp_path, first, after=[(100.7 + at / 1e6, line) for at, line in enumerate(second)])
    assert (found.pid, found.symbol) == (321, "store_put+0x21")


def test_a_disk_that_fails_in_a_log_without_a_death(tmp_path: Path) -> None:
    down = "nvme nvme5: controller is down; will reset: CSTS=0x2, PCI_STATUS=0x10"
    found = judged(tmp_path, f"{down}\nnvme nvme5: 4/0/0 default/read/poll queues\n{down}")
    assert (found.cause, found.confidence, found.symbol) == ("storage-error", "possible", None)
    assert "nvme5" in found.summary
    assert found.summary.startswith("The log tells of no death")


@pytest.mark.parametrize(
    "line",
    ["md/raid:md123: device sdd1 operational as raid disk 0", "I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0",
     "Buffer I/O error on dev sr0, logical block 0, async page read"],
)  # fmt: skip
def test_what_is_no_trouble_of_a_disk(line: str, tmp_path: Path) -> None:
    assert judged(tmp_path, f"{line}\n{line}").cause == "unknown"


BANK = "mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 5: {}"


@pytest.mark.parametrize(
    ("line", "cause"),
    [(BANK.format("bea0000000000108"), "machine-check"),
     (BANK.format("9c00000000000108"), "unknown"),  # corrected
     ("[Hardware Error]: CPU:2 (17:71:0) MC5_STATUS[-|UE|MiscV|AddrV|PCC|-|-]: 0xbea0000000000108", "machine-check"),
     ("[Hardware Error]: CPU:2 (17:71:0) MC5_STATUS[-|CE|MiscV|AddrV|-|-|-]: 0x9c20000000000108", "unknown"),
     ("mce: Uncorrected hardware memory error in user-access at 1f2a3c4d40", "machine-check"),
     ("Memory failure: 0x1f2a3c4: recovery action for dirty LRU page: Recovered", "machine-check"),
     ("EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#1_DIMM#0", "edac-uncorrectable"),
     ("EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#1_DIMM#0", "unknown"),
     ("store 0000:21:00.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Transaction Layer", "pcie-fatal"),
     ("store 0000:21:00.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer", "unknown"),
     ("NMI: PCI system error (SERR) for reason b1 on CPU 0.", "nmi-memory-error"),
     ("NMI: IOCK error (debug interrupt?) for reason 71 on CPU 0.", "nmi-io-check")],
)  # fmt: skip
def test_what_the_hardware_did_not_correct_in_a_log_without_a_death(line: str, cause: str, tmp_path: Path) -> None:
    found = judged(tmp_path, f"{line}\nstore: ready")
    assert (found.cause, found.confidence, found.symbol) == (cause, "possible", None)
    assert found.summary.startswith("The log tells of no death")


@pytest.mark.parametrize(("seconds", "cause"), [(257, "assertion-failed"), (86_000, "hung-task")])
def test_who_waits_for_a_thread_that_an_assertion_stopped(seconds: int, cause: str, tmp_path: Path) -> None:
    failed = (
        "VERIFY3(store_size(s) <= size) failed (30 <= 20)\nPANIC at store.c:12:store_put()\n"
        f"Showing stack for process 320\n{WHO.replace('321', '320')}\nCall Trace:\n spl_panic+0x1/0x120 [spl]\n"
        " store_put+0x21/0x40 [stored]"
    )
    waits = LOGS["hung-task"].replace("store_put", "store_wait").split("\n")
    at = 100.0 + seconds
    found = judged(tmp_path, failed, after=[(at + n / 1e6, line) for n, line in enumerate(waits)])
    assert found.cause == cause
    assert (found.symbol == "store_put+0x21") is (cause == "assertion-failed")
    ended = [(at + 0.1, "Kernel panic - not syncing: hung_task: blocked tasks")]
    lines: Lines = [*((at + n / 1e6, line) for n, line in enumerate(waits)), *ended]
    assert judged(tmp_path, failed, after=lines).cause == cause


def test_a_cpu_that_hangs_is_the_cause_of_all_that_wait_for_it(tmp_path: Path) -> None:
    hard = f"watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1\n{WHO}\n{RIP}\n{TRACE}"
    soft = LOGS["soft-lockup"].replace("CPU#1", "CPU#2").replace("store_put", "store_wait").split("\n")
    found = judged(tmp_path, hard, after=[(210 + n / 1e6, line) for n, line in enumerate(soft)])
    assert (found.cause, found.symbol) == ("hard-lockup", "store_put+0x21")
    assert "CPU 1" in found.summary


def test_memory_that_ran_out_corrupted_nothing(tmp_path: Path) -> None:
    oom = "storaged invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0"
    oom += "\nOut of memory: Killed process 77 (other) total-vm:2905732kB, anon-rss:2902972kB, file-rss:0kB"
    bad = f"BUG: Bad page map in process oom_reaper  pte:06e76c3e pmd:0583f067\n{WHO}\n{TRACE}".split("\n")
    assert judged(tmp_path, oom, after=[(101 + n / 1e6, line) for n, line in enumerate(bad)]).cause == "page-corruption"
    assert judged(tmp_path, oom).cause == "out-of-memory"


def test_an_serror_at_the_end(tmp_path: Path) -> None:
    pc = "pc : store_put+0x21/0x40\nlr : store_sync+0x8/0x20"
    found = judged(tmp_path, f"SError Interrupt on CPU0, code 0xbf40c000 -- SError\n{WHO}\n{pc}\nsp : ffff80001003bb70")
    assert (found.cause, found.confidence, found.pid) == ("serror", "likely", 321)


@pytest.mark.parametrize(
    ("pid", "cause"),
    [(321, "list-corruption"), (322, "bad-page-fault")],
)
def test_a_fault_just_after_the_checks_of_lists_warned(pid: int, cause: str, tmp_path: Path) -> None:
    warned = (
        "------------[ cut here ]------------\n"
        "list_del corruption, ffff91cc3753a800->prev is LIST_POISON2 (dead000000000122)\n"
        "WARNING: CPU: 1 PID: 321 at lib/list_debug.c:50 __list_del_entry_valid+0x62/0x90\n"
        f"{WHO}\nRIP: 0010:__list_del_entry_valid+0x62/0x90\nCall Trace:\n store_drop+0x21/0x40 [stored]\n{END}"
    )
    oops = (
        f"BUG: unable to handle page fault for address: ffff91d383e05784\nOops: 0000 [#1] SMP\n"
        f"{WHO.replace('321', str(pid))}\n{RIP}\nCR2: ffff91d383e05784\n{TRACE}\n{END}"
    )
    found = judged(tmp_path, f"{warned}\n{oops}")
    assert found.cause == cause
    assert found.symbol == ("store_drop+0x21" if pid == 321 else "store_put+0x21")
