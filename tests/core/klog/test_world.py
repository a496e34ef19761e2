"""Oopses in the wordings of machines and tools that no stored log has, each in its own small text."""

from pathlib import Path
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.klog.detail import code
from oopscope.klog.machines import BUGS
from oopscope.klog.parse import parse
from oopscope.klog.wordings import DIE
from oopscope.linux.printk import Record
from oopscope.triage import verdict

ARM = """Unable to handle kernel NULL pointer dereference at virtual address 0000000c
pgd = 6f458410
Internal error: Oops: 17 [#1] ARM
CPU: 0 PID: 321 Comm: storaged Tainted: G         C        5.4.79+ #1
PC is at store_put+0x18/0x64
LR is at store_sync+0x3c/0x5c
pc : [<c01f3218>]    lr : [<c01f32a0>]    psr: 60000013
Process storaged (pid: 321, stack limit = 0x12345678)
[<c01f3218>] (store_put) from [<bf1c69bc>] (store_sync+0x1c/0x70 [stored])
[<bf1c69bc>] (store_sync [stored]) from [<c01f3000>] (vfs_write+0x94/0x134)
---[ end trace a620cb86e95307a0 ]---
Kernel panic - not syncing: Fatal exception
"""
RHEL6 = """BUG: unable to handle kernel NULL pointer dereference at 0000000000000028
IP: [<ffffffffa0321f2a>] store_put+0x2a/0x90 [stored]
Oops: 0000 [#1] SMP
last sysfs file: /sys/devices/x
CPU 3
Modules linked in: stored nfs [last unloaded: other]

Pid: 321, comm: storaged Not tainted 2.6.32-754.el6.x86_64 #1 HP ProLiant DL380 G7
RIP: 0010:[<ffffffffa0321f2a>]  [<ffffffffa0321f2a>] store_put+0x2a/0x90 [stored]
RAX: 0000000000000000 RBX: ffff88023c4a2c00 RCX: 0000000000000000
Process storaged (pid: 321, threadinfo ffff88023bd3a000, task ffff880239e7a040)
Call Trace:
 [<ffffffffa0322105>] store_sync+0x125/0x5e0 [stored]
 [<ffffffff8118ffd6>] ? vfs_kern_mount+0xa6/0x1b0
---[ end trace 3c5d5e8a4d8f8f4e ]---
Kernel panic - not syncing: Fatal exception
Pid: 321, comm: storaged Tainted: G      D    ---------------    2.6.32-754.el6.x86_64 #1
Call Trace:
 [<ffffffff81548d61>] ? panic+0xa7/0x179
"""
POWER = """BUG: Kernel NULL pointer dereference on read at 0x00000018
Faulting instruction address: 0xc0080000012a0c4c
LE PAGE_SIZE=64K MMU=Radix SMP NR_CPUS=2048 NUMA PowerNV
CPU: 8 PID: 321 Comm: storaged Tainted: G           OE     5.14.0-362.el9.ppc64le #1
NIP:  c0080000012a0c4c LR: c0080000012a0d10 CTR: c000000000b0c3a0
NIP [c0080000012a0c4c] store_put+0x2c/0x80 [stored]
LR [c0080000012a0d10] store_sync+0x70/0x120 [stored]
Call Trace:
[c00000002f8b7b10] [c00000002f8b7b50] 0xc00000002f8b7b50 (unreliable)
[c00000002f8b7b40] [c0080000012a0d10] store_sync+0x70/0x120 [stored]
--- interrupt: 3000 at 0x7fff8a1b2c34
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception
"""
S390 = """Unable to handle kernel pointer dereference in virtual kernel address space
Failing address: 0000000000000000 TEID: 0000000000000483
Fault in home space mode while using kernel ASCE.
Oops: 0004 ilc:3 [#1] SMP
CPU: 1 PID: 321 Comm: storaged Kdump: loaded Tainted: G           OE     4.18.0-477.el8.s390x #1
Krnl PSW : 0704c00180000000 000003ff80123456 (store_put+0x42/0x90 [stored])
           R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3
Krnl GPRS: 0000000000000000 0000000000000000 0000000000000000 000003ff80123400
Call Trace:
([<000003ff80123430>] store_put+0x1c/0x90 [stored])
 [<000003ff801235a8>] store_sync+0x68/0x100 [stored]
Last Breaking-Event-Address:
 [<000003ff8012344a>] store_put+0x36/0x90 [stored]
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception: panic_on_oops
"""
MIPS = """CPU 0 Unable to handle kernel paging request at virtual address 00000000, epc == 804a5b3c, ra == 804a5b30
Oops[#1]:
CPU: 0 PID: 321 Comm: storaged Not tainted 4.14.180 #0
epc   : 804a5b3c store_put+0x3c/0x80 [stored]
ra    : 804a5b30 store_put+0x30/0x80 [stored]
Call Trace:
[<804a5b3c>] store_put+0x3c/0x80 [stored]
[<80051234>] tasklet_action+0x80/0xc8
Kernel panic - not syncing: Fatal exception in interrupt
"""
XEN = """BUG: kernel NULL pointer dereference, address: 0000000000000000
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 1 PID: 321 Comm: storaged Not tainted 6.1.57 #1
RIP: e030:store_put+0x4c/0x180 [stored]
Call Trace:
 <TASK>
 store_sync+0x7c/0xc0 [stored]
 </TASK>
Kernel panic - not syncing: Fatal exception
"""
RISCV = """Unable to handle kernel access to user memory without uaccess routines at virtual address 0000000000000058
Oops [#1]
CPU: 0 PID: 321 Comm: storaged Tainted: G                 5.10.113 #1
epc : store_put+0x246/0x570 [stored]
 ra : store_put+0x44c/0x570 [stored]
Call Trace:
[<ffffffe00038dada>] store_put+0x246/0x570 [stored]
[<ffffffe00038dbbb>] store_sync+0x20/0x100 [stored]
---[ end trace a5c45f4ead0855a5 ]---
Kernel panic - not syncing: Fatal exception in interrupt
"""
TEXTS = {"rhel6": RHEL6, "power": POWER, "s390": S390, "mips": MIPS, "xen-pv": XEN, "riscv": RISCV}


def judged(text: str, path: Path) -> Any:
    path.write_text(text)
    return verdict(open_kernel([path]))


@pytest.mark.parametrize("name", TEXTS)
def test_a_null_pointer_in_every_machines_words(name: str, tmp_path: Path) -> None:
    found = judged(TEXTS[name], tmp_path / "log")
    assert found.cause == "null-pointer-dereference"
    assert (found.symbol.split("+")[0], found.module, found.pid, found.comm) == ("store_put", "stored", 321, "storaged")
    assert found.signature == judged(XEN, tmp_path / "other").signature


def test_arm_with_frames_that_name_their_callers(tmp_path: Path) -> None:
    found = judged(ARM, tmp_path / "log")
    assert (found.cause, found.symbol, found.pid) == ("null-pointer-dereference", "store_put+0x18", 321)


ARM64_BUG = """------------[ cut here ]------------
kernel BUG at drivers/stored/put.c:123!
Internal error: Oops - BUG: 00000000f2000800 [#1] SMP
CPU: 1 UID: 0 PID: 321 Comm: storaged Tainted: G           OE      6.12.117 #1
pc : store_put+0x110/0xff8 [stored]
lr : store_put+0x10c/0xff8 [stored]
Call trace:
 store_put+0x110/0xff8 [stored]
 store_sync+0x60/0x298 [stored]
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Oops - BUG: Fatal exception
"""


def test_a_panic_that_names_its_oops_before_fatal_exception(tmp_path: Path) -> None:
    found = judged(ARM64_BUG, tmp_path / "log")
    assert (found.cause, found.symbol, found.pid) == ("kernel-bug", "store_put+0x110", 321)


BETWEEN_SOFTIRQS = """watchdog: BUG: soft lockup - CPU#1 stuck for 12s! [spinner:321]
CPU: 1 UID: 0 PID: 321 Comm: spinner Tainted: G           OE      6.12.117 #1
RIP: 0010:handle_softirqs+0xa8/0x2f0
Call Trace:
 <IRQ>
 __irq_exit_rcu+0xe4/0x110
 sysvec_apic_timer_interrupt+0x71/0x90
 </IRQ>
 <TASK>
 asm_sysvec_apic_timer_interrupt+0x1a/0x20
RIP: 0010:store_spin+0x8/0x20 [stored]
 store_thread+0x18/0x40 [stored]
 kthread+0xe8/0x110
 </TASK>
Kernel panic - not syncing: softlockup: hung tasks
CPU: 1 UID: 0 PID: 321 Comm: spinner Tainted: G           OE      6.12.117 #1
Call Trace:
 <IRQ>
 panic+0x364/0x380
 watchdog_timer_fn+0x278/0x280
 __hrtimer_run_queues+0x134/0x2a0
 sysvec_apic_timer_interrupt+0x71/0x90
 asm_sysvec_apic_timer_interrupt+0x1a/0x20
RIP: 0010:handle_softirqs+0xa8/0x2f0
 __irq_exit_rcu+0xe4/0x110
 sysvec_apic_timer_interrupt+0x71/0x90
 </IRQ>
 <TASK>
 asm_sysvec_apic_timer_interrupt+0x1a/0x20
RIP: 0010:store_spin+0x8/0x20 [stored]
 store_thread+0x18/0x40 [stored]
 kthread+0xe8/0x110
 </TASK>
---[ end Kernel panic - not syncing: softlockup: hung tasks ]---
"""


def test_a_watchdog_that_came_in_between_two_softirqs_blames_what_they_interrupted(tmp_path: Path) -> None:
    found = judged(BETWEEN_SOFTIRQS, tmp_path / "log")
    assert (found.cause, found.symbol, found.module) == ("soft-lockup", "store_spin+0x8", "stored")


STACK_END = """Kernel panic - not syncing: corrupted stack end detected inside scheduler
CPU: 0 UID: 0 PID: 321 Comm: storaged Tainted: G           OE      6.12.117 #1
Call trace:
 dump_stack+0x18/0x28
 panic+0x160/0x378
 __schedule+0xf08/0xf10
 schedule+0x3c/0xe0
 store_wait+0x28/0x40 [stored]
 kthread+0xe8/0x110
---[ end Kernel panic - not syncing: corrupted stack end detected inside scheduler ]---
"""


def test_an_overwritten_end_of_a_stack_is_noticed_by_who_gives_the_cpu_up(tmp_path: Path) -> None:
    found = judged(STACK_END, tmp_path / "log")
    assert (found.cause, found.symbol, found.confidence) == ("stack-overflow", "store_wait+0x28", "likely")


def test_lines_whose_ends_were_lost(tmp_path: Path) -> None:
    stamped = [f"[ 2052.{n:06d}][ T321] {text}" for n, text in enumerate(XEN.splitlines(), 51000)]
    found = judged(" ".join(stamped) + "\n", tmp_path / "log")
    assert (found.cause, found.symbol) == ("null-pointer-dereference", "store_put+0x4c")


def test_a_kernel_without_names_blames_the_module_on_the_stack(tmp_path: Path) -> None:
    text = XEN.replace("store_put+0x4c/0x180 [stored]", "0xffffffc00818ff8c")
    text = text.replace("store_sync+0x7c/0xc0 [stored]", "0xffffffc000c81e2c [stored@000000006b7888f1+0x12000]")
    found = judged(text, tmp_path / "log")
    assert (found.cause, found.module) == ("null-pointer-dereference", "stored")


class TestWhichReportCounts:
    """A chain leads to its first; what was survived, and another boot, does not count."""

    def test_the_first_of_a_recursion(self, tmp_path: Any) -> None:
        second = (
            XEN.replace("#1", "#2").replace("store_put", "print_it").replace("address: 0000000000000000", "address: 8")
        )
        log = XEN.split("Kernel panic")[0] + second
        assert judged(log, tmp_path / "log").symbol == "store_put+0x4c"

    def test_one_of_minutes_ago_does_not(self, tmp_path: Any) -> None:
        old = "".join(f"[  100.{n:06d}] {text}\n" for n, text in enumerate(XEN.split("Kernel panic")[0].splitlines()))
        end = RISCV.replace("store_put", "later_put")
        new = "".join(f"[  900.{n:06d}] {text}\n" for n, text in enumerate(end.splitlines()))
        assert judged(old + "[  101.000000] ---[ end trace 0 ]---\n" + new, tmp_path / "log").symbol.startswith(
            "later_put"
        )

    def test_an_oops_that_the_machine_survived_is_not_certain(self, tmp_path: Any) -> None:
        lines = [*XEN.split("Kernel panic")[0].splitlines(), "---[ end trace 0 ]---"]
        old = "".join(f"[  100.{n:06d}] {text}\n" for n, text in enumerate(lines))
        assert judged(old, tmp_path / "log").confidence == "certain"
        found = judged(f"{old}[  900.000000] usb 1-1: new device\n", tmp_path / "log")
        assert (found.cause, found.confidence) == ("null-pointer-dereference", "likely")
        assert any("survived" in e.text for e in found.evidence)

    def test_a_bare_line_before_an_oops_changes_nothing(self, tmp_path: Any) -> None:
        forged = "BUG: KASAN: slab-use-after-free in store_put+0x21/0x40 [stored]\n"
        assert judged(f"{forged}{XEN}", tmp_path / "log").cause == "null-pointer-dereference"

    def test_the_boot_that_died(self, tmp_path: Any) -> None:
        log = f"Linux version 6.1.57 (a@b) #1\n{XEN}Linux version 6.1.57 (a@b) #1\nusb 1-1: new device\n"
        assert judged(log, tmp_path / "log").cause == "null-pointer-dereference"

    def test_a_hang_after_an_oops_that_killed_a_task(self, tmp_path: Any) -> None:
        old = "".join(f"[  100.{n:06d}] {text}\n" for n, text in enumerate(XEN.split("Kernel panic")[0].splitlines()))
        hung = (
            "[  230.000000] INFO: task tar:52 blocked for more than 120 seconds.\n"
            "[  230.000001] Kernel panic - not syncing: hung_task: blocked tasks\n"
            "[  230.000002] CPU: 0 PID: 40 Comm: khungtaskd Not tainted 6.1.57 #1\n[  230.000003] Call Trace:\n"
            "[  230.000004]  panic+0x106/0x2d4\n[  230.000005]  watchdog+0x2ea/0x480\n"
        )
        found = judged(f"{old}[  100.500000] ---[ end trace 0 ]---\n{hung}", tmp_path / "log")
        assert found.cause == "null-pointer-dereference"
        unrelated = hung.replace("[  230.", "[ 9230.")
        assert judged(f"{old}[  100.500000] ---[ end trace 0 ]---\n{unrelated}", tmp_path / "log").cause == "hung-task"


STALL = """rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-1): P231/1:b..l
rcu: \t(detected by 0, t=5252 jiffies, g=1233, q=40 ncpus=2)
task:reader          state:S stack:0     pid:231   ppid:2      flags:0x00004000
Call Trace:
 <TASK>
 __schedule+0x34d/0x970
 schedule+0x5a/0xd0
 store_read+0x21/0x40 [stored]
 kthread+0xda/0x100
 </TASK>
Kernel panic - not syncing: RCU Stall
CPU: 0 PID: 0 Comm: swapper/0 Not tainted 6.1.57 #1
Call Trace:
 <IRQ>
 panic+0x118/0x2db
 rcu_sched_clock_irq+0x27e/0x1000
 asm_sysvec_apic_timer_interrupt+0x1a/0x20
 </IRQ>
RIP: 0010:default_idle+0x9/0x20
"""
STARVED = """rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t1-....: (1 GPs behind) idle=1d34/0/0x0 softirq=1200/1200 fqs=0
rcu: \t(detected by 0, t=5252 jiffies, g=1233, q=40 ncpus=2)
rcu: rcu_preempt kthread starved for 5250 jiffies! g1233 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1
"""


class TestStallOfRcu:
    def test_of_a_task_that_sleeps_while_it_reads(self, tmp_path: Any) -> None:
        found = judged(STALL, tmp_path / "log")
        assert (found.cause, found.symbol, found.pid) == ("rcu-stall", "store_read+0x21", 231)
        assert "sleeps while it reads" in found.summary

    def test_of_its_own_thread_blames_no_idle_cpu(self, tmp_path: Any) -> None:
        found = judged(STARVED + STALL[STALL.index("Kernel panic") :], tmp_path / "log")
        assert found.cause == "rcu-stall"
        assert "did not get to run on CPU 1 for 5250 jiffies" in found.summary
        assert found.symbol is None


def test_a_hard_lockup_that_another_cpu_noticed(tmp_path: Path) -> None:
    text = """watchdog: Watchdog detected hard LOCKUP on cpu 1
NMI backtrace for cpu 1
CPU: 1 PID: 321 Comm: storaged Not tainted 6.6.1 #1
RIP: 0010:store_wait+0x7/0x20 [stored]
Call Trace:
 <TASK>
 store_sync+0x7c/0xc0 [stored]
 </TASK>
Kernel panic - not syncing: Hard LOCKUP
CPU: 0 PID: 0 Comm: swapper/0 Not tainted 6.6.1 #1
Call Trace:
 <IRQ>
 panic+0x118/0x2db
 watchdog_hardlockup_check+0x9c/0x100
 asm_sysvec_apic_timer_interrupt+0x1a/0x20
 </IRQ>
RIP: 0010:default_idle+0x9/0x20
"""
    found = judged(text, tmp_path / "log")
    assert (found.cause, found.symbol, found.cpu, found.pid) == ("hard-lockup", "store_wait+0x7", 1, 321)


def test_the_line_of_die_is_found_behind_the_faults_own_line() -> None:
    """Headings come one after the other: what was asked for after the first holds when all are there."""
    lines = (
        "BUG: unable to handle page fault for address: 00007fa4bc330000",
        "Oops: Oops: 0002 [#3] PREEMPT SMP NOPTI",
        "CPU: 0 UID: 0 PID: 305 Comm: sh Not tainted 6.12.117 #1",
    )
    (report,) = parse([Record(at, at * 1000, 4, 0, None, text) for at, text in enumerate(lines)]).reports
    assert (report.count, report.error_code) == (3, 2)


@pytest.mark.parametrize(("text", "name", "code"), [
    ("Oops: 0010 [#1] PREEMPT SMP NOPTI", "Oops", "0010"),
    ("Oops: Oops: 0002 [#1] SMP NOPTI", "Oops: Oops", "0002"),
    ("Oops - BUG: 00000000f2000800 [#1] SMP", "Oops - BUG", "00000000f2000800"),
])  # fmt: skip
def test_the_error_code_is_no_part_of_the_oopss_name(text: str, name: str, code: str | None) -> None:
    found = DIE.match(text)
    assert found is not None
    assert (found["name"], found["code"]) == (name, code)


@pytest.mark.parametrize(
    "line", ["Code: e5933000 e1a00000 (e7f001f2)", "Code: d65f03c0 (d4210000)", "Code: 48 <0f> 0b 01"]
)
def test_the_instruction_of_bug_is_known_by_what_each_machine_prints(line: str) -> None:
    found = code([line])
    assert found is not None
    assert found.data[found.at :].startswith(BUGS)


DECODED = """Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
Internal error: Oops: 0000000096000004 [#1]  SMP
CPU: 1 UID: 0 PID: 321 Comm: storaged Not tainted 6.17.0 #1 PREEMPT
pc : store_put (fs/stored/put.c:74 fs/stored/put.c:80 (discriminator 3)) stored
lr : store_sync (fs/stored/sync.c:12)
Call trace:
store_put (fs/stored/put.c:74 fs/stored/put.c:80 (discriminator 3)) stored (P)
? __pfx_store_sync (fs/stored/sync.c:10)
store_sync (fs/stored/sync.c:12) stored
kthread+0xe8/0x110
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Oops: Fatal exception
"""
DECODED_X86 = """BUG: kernel NULL pointer dereference, address: 0000000000000018
Oops: Oops: 0000 [#1] SMP NOPTI
CPU: 1 UID: 0 PID: 321 Comm: storaged Not tainted 6.17.0 #1
RIP: 0010:store_put (fs/stored/put.c:74 (discriminator 3)) stored
RAX: 0000000000000000 RBX: 0000000000000000
Call Trace:
<TASK>
store_sync (./include/linux/list.h:10 fs/stored/sync.c:12)
kthread (kernel/kthread.c:300)
</TASK>
Kernel panic - not syncing: Fatal exception
"""
LOONGARCH = """CPU 6 Unable to handle kernel paging request at virtual address 0000000000000058, era == 9000000003be4530
Oops[#1]:
CPU: 6 UID: 0 PID: 321 Comm: storaged Not tainted 6.12.0 #6
pc 9000000003be4530 ra 9000000003be4510 tp 9000000199dd8000 sp 9000000199ddad80
   ra: 9000000003be4510 store_sync+0x50/0x1e0
  ERA: 9000000003be4530 store_put+0x70/0x1e0
Call Trace:
[<9000000003be4530>] store_put+0x70/0x1e0
[<9000000003be4510>] store_sync+0x50/0x1e0
"""
LEAF = """Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000
Internal error: Oops: 96000045 [#1] SMP
CPU: 0 PID: 343 Comm: storaged Not tainted 4.19.90 #1
pc : __memset+0x16c/0x188
lr : store_clear+0x194/0x950 [stored]
Call trace:
 __memset+0x16c/0x188
 store_sync+0x398/0x440 [stored]
 kthread+0xe8/0x110
Kernel panic - not syncing: Fatal exception
"""
POWER_STACK = """Oops: Kernel stack overflow, sig: 11 [#1]
BE PAGE_SIZE=4K MMU=Hash SMP NR_CPUS=2 PowerMac
CPU: 0 PID: 126 Comm: storaged Not tainted 5.18.0 #1
NIP:  c02e5558 LR: c07eb3bc CTR: 00000000
NIP [c02e5558] store_put+0xc/0x2b4
LR [c07eb3bc] store_sync+0x80/0x604
Call Trace:
[eaa1c000] [c07eb3bc] store_sync+0x80/0x604
"""


@pytest.mark.parametrize(
    ("text", "cause", "symbol"),
    [
        (DECODED, "null-pointer-dereference", "store_put"),
        (DECODED_X86, "null-pointer-dereference", "store_put"),
        (LOONGARCH, "null-pointer-dereference", "store_put+0x70"),
        (LEAF, "null-pointer-dereference", "store_clear+0x194"),
        (POWER_STACK, "stack-overflow", "store_put+0xc"),
    ],
    ids=["decoded", "decoded-x86", "loongarch", "leaf", "power-stack"],
)
def test_places_as_other_machines_and_tools_print_them(text: str, cause: str, symbol: str, tmp_path: Path) -> None:
    found = judged(text, tmp_path / "log")
    assert (found.cause, found.symbol) == (cause, symbol)


def test_a_place_without_an_offset_is_told_without_one(tmp_path: Path) -> None:
    found = judged(DECODED, tmp_path / "log")
    assert found.module == "stored"
    assert "store_put of module stored" in found.summary
    assert "+0x0" not in found.summary


def test_two_cpus_that_met_the_same_bug_at_once(tmp_path: Path) -> None:
    text = """------------[ cut here ]------------
kernel BUG at fs/store.c:745!
------------[ cut here ]------------
invalid opcode: 0000 [#1] PREEMPT SMP PTI
kernel BUG at fs/store.c:745!
CPU: 1 PID: 321 Comm: storaged Not tainted 6.2.0 #12783
RIP: 0010:store_put+0x30/0x70
Call Trace:
 store_sync+0x91/0x9b
"""
    found = judged(text, tmp_path / "log")
    assert (found.cause, found.symbol, found.pid) == ("kernel-bug", "store_put+0x30", 321)
