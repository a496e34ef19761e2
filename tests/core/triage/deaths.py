"""For every rule a death on which it fires and one on which it stays silent, made of the kernel's own words.

The silent ones are near misses: the same words, but the machine survived what they say, or died of something else.
"""

from typing import Any, NamedTuple

from core.triage.fakes import cpu, death, stack, task, wait
from oopscope.triage.death import Death

SYSRQ_LOG = "\nsysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\n"
SYSRQ = ("panic+0x118", "sysrq_handle_crash+0x1a", "__handle_sysrq+0x9b", "write_sysrq_trigger+0x5d", "vfs_write+0xf5")
SYSCALL = ("vfs_write+0xf5", "ksys_write+0x6f", "do_syscall_64+0x5d", "entry_SYSCALL_64_after_hwframe+0x6e <syscall>")
FAULT = ("store_put+0x21 [stored]", "store_sync+0x8 [stored]", *SYSCALL)
IDLE = ("default_idle+0x9", "do_idle+0x269", "cpu_startup_entry+0x29", "common_startup_64+0x13e")


class Made(NamedTuple):
    """A death, and what the verdict must say of it where the rule fires."""

    cause: str
    fires: Any
    silent: Any
    symbol: str | None = None  # whom the verdict blames
    says: str = ""  # words of its summary


def oops(first: str, frames: tuple[str, ...] = FAULT, panic: str = "Fatal exception", before: str = "",
         after: str = "", **more: Any) -> Death:  # fmt: skip
    """A fatal oops: what the fault handler says, its own line, its registers, and panic()."""
    pc = frames[0].split(" ")[0]
    return death(
        f"{before}\n{first}\nCPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1\nRIP: 0010:{pc}/0x40\n{after}\n"
        f"Call Trace:\n <TASK>\n {frames[1]}/0x100\n </TASK>\n---[ end trace 0000000000000000 ]---\n"
        f"Kernel panic - not syncing: {panic}\n",
        frames,
        **more,
    )


def panicked(message: str, frames: tuple[str, ...] = (), before: str = "", **more: Any) -> Death:
    return death(f"{before}\nKernel panic - not syncing: {message}\n", ("panic+0x118", *frames), **more)


def survived(*lines: str, frames: tuple[str, ...] = SYSRQ, **more: Any) -> Death:
    """The words were said, but the machine lived on until somebody crashed it."""
    return death("\n".join(lines) + SYSRQ_LOG, frames, **more)


NULL = """BUG: kernel NULL pointer dereference, address: 0000000000000018
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
Oops: Oops: 0000 [#1] SMP NOPTI"""
PAGE = """BUG: unable to handle page fault for address: ffffc90001234008
#PF: supervisor write access in kernel mode
#PF: error_code(0x0002) - not-present page
PGD 100000067 P4D 100000067 PUD 100200067 PMD 0
Oops: Oops: 0002 [#1] SMP NOPTI"""
GPF = "Oops: general protection fault, probably for non-canonical address 0xdead4ead00000028: 0000 [#1] SMP NOPTI"
HARDWARE = "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 1"
BUG_LINE = "kernel BUG at fs/store.c:77!\nOops: invalid opcode: 0000 [#1] SMP NOPTI"
WARNED = """------------[ cut here ]------------
WARNING: CPU: 0 PID: 321 at fs/store.c:12 store_put+0x21/0x40 [stored]"""
ON_WARN = "kernel: panic_on_warn set ..."
WARN_FRAMES = ("check_panic_on_warn+0x4c", "__warn+0x86", "report_bug+0xfc", "exc_invalid_op+0x60")
HARDIRQ = ("nic_irq+0x31 [nic] <irq>", "handle_irq+0xe3 <irq>", "asm_common_interrupt+0x22 <irq>", *IDLE)
NMI_FRAMES = ("nmi_panic+0xc", "exc_nmi+0x125", "end_repeat_nmi+0xf <nmi>", *IDLE)
STALL = """rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t1-....: (5249 ticks this GP) idle=1d34/1/0x4000000000000000 softirq=1200/1200 fqs=2624
rcu: \t(detected by 0, t=5252 jiffies, g=1233, q=40 ncpus=2)"""
TIMER = ("watchdog_timer_fn+0x1e0 <irq>", "hrtimer_interrupt+0x10 <irq>", "asm_sysvec_apic_timer_interrupt+0x1a <irq>")
CANARY = "stack-protector: Kernel stack is corrupted in: store_name+0x5e/0x5e [stored]"
UBSAN = "UBSAN: array-index-out-of-bounds in drivers/store.c:5:9"

DEATHS = {
    "root_not_mounted": Made(
        "root-not-mounted",
        panicked(
            "VFS: Unable to mount root fs on unknown-block(8,1)",
            ("mount_root_generic+0x1a2", "prepare_namespace+0x61", "kernel_init+0x15", "ret_from_fork_asm+0x1a"),
            'VFS: Cannot open root device "sda1" or unknown-block(8,1): error -6',
        ),
        survived("VFS: Unable to mount root fs via NFS, trying floppy."),
        says="Unable to mount root fs",
    ),
    "init_killed": Made(
        "init-killed",
        panicked("Attempted to kill init! exitcode=0x0000000b", ("do_exit+0x9b1", "do_group_exit+0x2d", *SYSCALL)),
        panicked("Attempted to kill the idle task!", ("do_exit+0x9b1",)),
        says="killed by SIGSEGV",
    ),
    "out_of_memory": Made(
        "out-of-memory",
        panicked(
            "Out of memory: compulsory panic_on_oom is enabled",
            (
                "out_of_memory+0x58",
                "__alloc_pages_slowpath+0xb34",
                "__alloc_pages_noprof+0x2fb",
                "folio_alloc_noprof+0x11",
                "filemap_fault+0x9",
            ),
            "storaged invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0",
            tasks_=[task(7, "small"), task(9, "hungry", rss_bytes=300 << 20)],
        ),
        survived("Out of memory: Killed process 77 (hungry) total-vm:1kB, anon-rss:1kB"),
        "filemap_fault+0x9",
        "storaged asked for memory that was not there",
    ),
    "deadlock": Made(
        "deadlock",
        panicked(
            "hung_task: blocked tasks",
            ("watchdog+0xd1", "kthread+0xe6", "ret_from_fork_asm+0x1a"),
            "INFO: task flush-8:0:41 blocked for more than 120 seconds.\n"
            "INFO: task tar:52 blocked for more than 120 seconds.",
            tasks_=[
                task(41, "flush-8:0", "D", since_last_run_seconds=130.0),
                task(52, "tar", "D", since_last_run_seconds=121.0),
            ],
            locks_=[wait(41, "flush-8:0", 0x1000, (52, "tar")), wait(52, "tar", 0x2000, (41, "flush-8:0"))],
        ),
        panicked(  # the same, but that the second holder is only slow: it waits for no lock
            "hung_task: blocked tasks",
            ("watchdog+0xd1", "kthread+0xe6", "ret_from_fork_asm+0x1a"),
            "INFO: task flush-8:0:41 blocked for more than 120 seconds.\n"
            "INFO: task tar:52 blocked for more than 120 seconds.",
            tasks_=[
                task(41, "flush-8:0", "D", since_last_run_seconds=130.0),
                task(52, "tar", "D", since_last_run_seconds=121.0),
            ],
            locks_=[wait(41, "flush-8:0", 0x1000, (52, "tar"))],
        ),
        says="flush-8:0 (PID 41) waits for the mutex 0x1000, tar (PID 52) waits for the mutex 0x2000",
    ),
    "hung_task": Made(
        "hung-task",
        panicked(
            "hung_task: blocked tasks",
            ("watchdog+0xd1", "kthread+0xe6", "ret_from_fork_asm+0x1a"),
            "INFO: task flush-8:0:41 blocked for more than 120 seconds.\n"
            "INFO: task tar:52 blocked in I/O wait for more than 120 seconds.",
            tasks_=[
                task(41, "flush-8:0", "D", since_last_run_seconds=130.0, wait="folio_wait_bit_common"),
                task(52, "tar", "D", since_last_run_seconds=121.0),
            ],
        ),
        survived("INFO: task flush-8:0:41 blocked for more than 120 seconds.", tasks_=[task(41, "flush-8:0", "D")]),
        says="flush-8:0 (PID 41) and 1 more waited in folio_wait_bit_common",
    ),
    "soft_lockup": Made(
        "soft-lockup",
        panicked(
            "softlockup: hung tasks",
            (*TIMER, "native_queued_spin_lock_slowpath+0x6e", "_raw_spin_lock+0x2d", "store_lock+0x9 [stored]"),
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [storaged:321]",
        ),
        survived("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [storaged:321]"),
        "store_lock+0x9",
        "waits for a spinlock",
    ),
    "hard_lockup": Made(
        "hard-lockup",
        panicked(
            "Hard LOCKUP",
            ("watchdog_overflow_callback+0x9c <nmi>", "asm_exc_nmi+0x5 <nmi>", "store_wait+0x7 [stored]", *SYSCALL),
            "watchdog: Watchdog detected hard LOCKUP on cpu 0",
        ),
        survived("watchdog: Watchdog detected hard LOCKUP on cpu 3"),
        "store_wait+0x7",
        "CPU 0 ran with interrupts off",
    ),
    "rcu_stall": Made(
        "rcu-stall",
        panicked(
            "RCU Stall",
            ("panic_on_rcu_stall+0x30", "rcu_sched_clock_irq+0x27e", *TIMER[1:], *IDLE),
            STALL,
            others=[cpu(1, stack("store_spin+0x7 [stored]", *SYSCALL), pid=500, comm="spinner")],
        ),
        survived(*STALL.split("\n")),
        "store_spin+0x7",
        "CPU 1 in store_spin",
    ),
    "sysrq_crash": Made(
        "sysrq-crash",
        survived("all was well"),
        panicked("GAB: Port h halting system", ("gab_panic+0x1 [gab]",), "sysrq: Show Blocked State"),
        "sysrq_handle_crash+0x1a",
        "by writing to /proc/sysrq-trigger",
    ),
    "machine_check": Made(
        "machine-check",
        panicked(
            "Fatal local machine check",
            ("mce_panic+0x10", "do_machine_check+0x5f", "exc_machine_check+0x7d <exception>", *IDLE),
            "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: be00000000800400",
        ),
        survived("mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: be00000000800400"),
        says="CPU 2, bank 5, status be00000000800400",
    ),
    "edac_uncorrectable": Made(
        "edac-uncorrectable",
        panicked(
            "UE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x4f3 offset:0x0 grain:32)",
            ("edac_ue_error+0x5c [edac_core]", "edac_raw_mc_handle_error+0x3a [edac_core]"),
        ),
        survived("EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x4f3)"),
    ),
    "pcie_fatal": Made(
        "pcie-fatal",
        panicked(
            "Fatal hardware error!",
            ("__ghes_panic+0x6c", "ghes_in_nmi_queue_one_entry+0x1a3"),
            "pcieport 0000:80:02.0: AER: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer",
        ),
        survived("pcieport 0000:80:02.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer"),
        says="0000:80:02.0",
    ),
    "ghes_fatal": Made(
        "ghes-fatal",
        panicked(
            "Fatal hardware error!",
            ("__ghes_panic+0x6c", "ghes_proc+0x9c"),
            f"{HARDWARE}\n{{1}}[Hardware Error]: event severity: fatal\n"
            "{1}[Hardware Error]:   section_type: memory error",
        ),
        survived(HARDWARE, "{1}[Hardware Error]: event severity: recoverable"),
    ),
    "nmi_io_check": Made(
        "nmi-io-check",
        panicked(
            "NMI IOCK error: Not continuing",
            ("nmi_panic+0xc", "io_check_error+0x3a", *NMI_FRAMES[1:]),
            "NMI: IOCK error (debug interrupt?) for reason 71 on CPU 0.",
        ),
        survived("NMI: IOCK error (debug interrupt?) for reason 71 on CPU 0."),
    ),
    "nmi_memory_error": Made(
        "nmi-memory-error",
        panicked(
            "NMI: Not continuing",
            ("nmi_panic+0xc", "pci_serr_error+0x4e", *NMI_FRAMES[1:]),
            "NMI: PCI system error (SERR) for reason b1 on CPU 0.",
        ),
        survived("NMI: PCI system error (SERR) for reason b1 on CPU 0."),
        says="PCI system error (SERR) for reason b1",
    ),
    "watchdog_timer": Made(
        "watchdog-timer",
        panicked(
            "An NMI occurred. Depending on your system the reason for the NMI is logged in any one of the following",
            ("nmi_panic+0xc", "hpwdt_pretimeout+0x7b [hpwdt]", *NMI_FRAMES[1:]),
        ),
        survived(
            "softdog: initialized. soft_noboot=0 soft_margin=60 sec", "watchdog: watchdog0: watchdog did not stop!"
        ),
        "hpwdt_pretimeout+0x7b",
    ),
    "unknown_nmi": Made(
        "unknown-nmi",
        panicked(
            "NMI: Not continuing",
            ("nmi_panic+0xc", "unknown_nmi_error+0x77", *NMI_FRAMES[1:]),
            "Uhhuh. NMI received for unknown reason 30 on CPU 0.\nDo you have a strange power saving mode enabled?",
        ),
        survived("Uhhuh. NMI received for unknown reason 30 on CPU 0.", "Dazed and confused, but trying to continue"),
        "default_idle+0x9",
    ),
    "cluster_fencing": Made(
        "cluster-fencing",
        panicked("GAB: Port h halting system due to client process failure", ("gab_halt+0x1f [gab]", *IDLE)),
        panicked("labcrash: GAB: Port h halting system", ("store_put+0x21 [stored]", *SYSCALL)),
        "gab_halt+0x1f",
    ),
    "firmware_bug": Made(
        "firmware-bug",
        panicked("IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.", ("check_timer+0x6a1",)),
        survived("[Firmware Bug]: TSC doesn't count with P0 frequency!", "ACPI: BIOS bug: multiple APIC/MADT found"),
    ),
    "stack_overflow": Made(
        "stack-overflow",
        oops(
            "BUG: TASK stack guard page was hit at 00000000d0cecba5 (stack is 00000000dc1644c9..00000000e1413008)\n"
            "Oops: stack guard page: 0000 [#1] SMP NOPTI",
            ("store_walk+0x29 [stored]",) * 6 + SYSCALL,
        ),
        survived("BUG: stack guard page was hit at 00000000d0cecba5", "stack guard page: 0000 [#1] SMP NOPTI"),
        "store_walk+0x29",
        "store_walk calls itself without end",
    ),
    "stack_corruption": Made(
        "stack-corruption",
        panicked(CANARY, ("__stack_chk_fail+0x10", "store_name+0x5e [stored]", *SYSCALL)),
        survived(CANARY),
        "store_name+0x5e",
        "store_name+0x5e of module stored wrote beyond a buffer",
    ),
    "use_after_free": Made(
        "use-after-free",
        panicked(
            "KASAN: panic_on_warn set ...",
            ("check_panic_on_warn+0x4c", "end_report+0x3e", "kasan_report+0xc5", *FAULT),
            "BUG: KASAN: slab-use-after-free in store_put+0x21/0x40 [stored]\nRead of size 8 at addr ffff888012345678",
        ),
        survived("BUG: KASAN: slab-use-after-free in store_put+0x21/0x40 [stored]"),
    ),
    "double_free": Made(
        "double-free",
        oops(
            "kernel BUG at mm/slub.c:553!\nOops: invalid opcode: 0000 [#1] SMP NOPTI",
            ("set_freepointer+0x1e", "kfree+0x19c", *FAULT),
            after="RAX: ffff888012345600 RBX: ffff888012345600 RCX: 0000000000000001",
        ),
        oops("kernel BUG at mm/slub.c:553!\nOops: invalid opcode: 0000 [#1] SMP NOPTI", ("new_slab+0x1e", *FAULT)),
        "store_put+0x21",
        "freed an object that was free already",
    ),
    "slab_corruption": Made(
        "slab-corruption",
        oops(
            PAGE,
            before="BUG kmalloc-64 (Tainted: G    B  ): Right Redzone overwritten\n"
            "0xffff888012345640-0xffff888012345647 @offset=1600. First byte 0x41 instead of 0xcc",
        ),
        survived("BUG kmalloc-64 (Tainted: G    B  ): Right Redzone overwritten"),
        says="right redzone overwritten",
    ),
    "list_corruption": Made(
        "list-corruption",
        oops(
            "list_del corruption. prev->next should be ffff888012345678, but was 0000000000000042\n"
            "kernel BUG at lib/list_debug.c:62!\nOops: invalid opcode: 0000 [#1] SMP NOPTI",
            ("__list_del_entry_valid_or_report+0xb4", *FAULT),
        ),
        survived("list_del corruption. prev->next should be ffff888012345678, but was 0000000000000042"),
        "store_put+0x21",
        "noticed in store_put+0x21 [stored]",
    ),
    "refcount_error": Made(
        "refcount-error",
        panicked(
            ON_WARN,
            (*WARN_FRAMES, "asm_exc_invalid_op+0x1a <exception>", "refcount_warn_saturate+0xba", *FAULT),
            "------------[ cut here ]------------\nrefcount_t: underflow; use-after-free.\n"
            "WARNING: CPU: 0 PID: 321 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110",
        ),
        survived("refcount_t: underflow; use-after-free."),
        "store_put+0x21",
        "underflow; use-after-free",
    ),
    "scheduling_while_atomic": Made(
        "scheduling-while-atomic",
        panicked(
            "scheduling while atomic: panic_on_warn set ...",
            ("check_panic_on_warn+0x4c", "__schedule_bug+0x54", "__schedule+0x101c", "schedule+0x27", *FAULT),
            "BUG: scheduling while atomic: storaged/321/0x00000002",
        ),
        survived("BUG: scheduling while atomic: storaged/321/0x00000002"),
        "store_put+0x21",
        "storaged/321/0x00000002",
    ),
    "panic_in_interrupt": Made(
        "panic-in-interrupt",
        oops(
            NULL,
            ("asm_exc_page_fault+0x22 <exception>", *HARDIRQ),
            "Fatal exception in interrupt",
        ),
        oops(NULL),
        "nic_irq+0x31",
        "was only interrupted",
    ),
    "null_pointer": Made(
        "null-pointer-dereference",
        oops(NULL),
        survived(*NULL.split("\n"), "CPU: 0 PID: 12 Comm: other", "RIP: 0010:other+0x1/0x2"),
        "store_put+0x21",
        "0x18 bytes into a NULL pointer",
    ),
    "general_protection": Made(
        "general-protection-fault",
        oops(GPF),
        survived("traps: storaged[321] general protection fault ip:55 sp:7f error:0 in storaged[55+1]"),
        "store_put+0x21",
        "0xdead4ead00000028, which cannot be an address",
    ),
    "bad_page_fault": Made(
        "bad-page-fault",
        oops(PAGE),
        oops(NULL),
        "store_put+0x21",
        "0xffffc90001234008, which is not mapped",
    ),
    "kernel_bug": Made(
        "kernel-bug",
        oops(BUG_LINE),
        survived(*BUG_LINE.split("\n"), "CPU: 0 PID: 12 Comm: other", "RIP: 0010:other+0x1/0x2"),
        "store_put+0x21",
        "BUG at fs/store.c:77",
    ),
    "invalid_opcode": Made(
        "invalid-opcode",
        oops("Oops: invalid opcode: 0000 [#1] SMP NOPTI"),
        oops(BUG_LINE),
        "store_put+0x21",
    ),
    "divide_error": Made(
        "divide-error",
        oops("Oops: divide error: 0000 [#1] SMP NOPTI"),
        survived("traps: storaged[321] trap divide error ip:55 sp:7f error:0 in storaged[55+1]"),
        "store_put+0x21",
    ),
    "panic_called": Made(
        "panic-called",
        panicked("stored: journal lost, halting", ("store_halt+0x44 [stored]", *FAULT)),
        oops(NULL),
        "store_halt+0x44",
        "store_halt of module stored called panic() itself, saying: stored: journal lost, halting",
    ),
    "running_machine": Made(
        "external-dump",
        death(
            "Linux version 6.12.1\nOops: 0002 [#1] PREEMPT SMP NOPTI\n---[ end trace 0 ]---\nusb 1-1: new",
            IDLE,
            panicked=None,
            tasks_=[task(5, "nfsd", "D")],
            live=True,
        ),
        death("Linux version 6.12.1\nsystemd[1]: Started", IDLE, panicked=None, info="CRASHTIME=1700000000\n"),
        says="1 tasks are blocked; its log tells of an oops that it survived",
    ),
    "external_dump": Made(
        "external-dump",
        death("Linux version 6.12.1\nsystemd[1]: Started", IDLE, panicked=None, tasks_=[task(5, "nfsd", "D")]),
        death("Linux version 6.12.1\nsystemd[1]: Started", IDLE, panicked=None, info="CRASHTIME=1700000000\n"),
        says="nfsd (PID 5) is blocked since 1.0 s",
    ),
}

# Further deaths, by what the verdict must be: other words for the same thing, and pairs that are easily mixed up.
OTHERS = [
    (
        "machine-check-timeout",
        panicked("Timeout: Not all CPUs entered broadcast exception handler", ("mce_timed_out+0x5",)),
    ),
    ("watchdog-timer", panicked("Software Watchdog Timer expired", ("softdog_fire+0x2b [softdog]", *TIMER[1:], *IDLE))),
    ("watchdog-timer", panicked("watchdog pretimeout event", ("pretimeout_panic+0xe [pretimeout_panic]",))),
    ("edac-uncorrectable", panicked("UE  on mc#0csrow#1channel#0 (csrow:1 channel:0 page:0x12 offset:0x0 grain:8)")),
    (
        "root-not-mounted",
        panicked("No working init found.  Try passing init= option to kernel.", ("kernel_init+0x10",)),
    ),
    ("out-of-memory", panicked("System is deadlocked on memory", ("out_of_memory+0x58", "__alloc_pages+0x1"))),
    ("cluster-fencing", panicked("*** ocfs2 is very sorry to be fencing this system by panicing ***", ("x+0x1 [y]",))),
    ("list-corruption", panicked(ON_WARN, (*WARN_FRAMES, *FAULT), "list_add corruption. next->prev should be prev")),
    (
        "double-free",
        panicked(
            "kasan.fault=panic set ...", ("kasan_report+0x1", "kfree+0x2", *FAULT), "BUG: KASAN: double-free in kfree"
        ),
    ),
    ("use-after-free", oops(GPF.replace("dead4ead00000028", "6b6b6b6b6b6b6b83"))),
    ("use-after-free", oops(PAGE.replace("ffffc90001234008", "dead000000000108"))),
    (
        "stack-overflow",
        panicked("corrupted stack end detected inside scheduler", ("schedule_debug+0x5a", "schedule+0x2")),
    ),
    ("unknown", death("Linux version 6.12.1\nall well", IDLE, panicked=0)),
    ("unknown", panicked("Something that no rule knows", ("0x41414141",))),
    # The checkers' complaint was an hour ago; what killed the machine is another thing.
    ("panic-called", panicked("stored: halting", ("store_halt+0x44 [stored]",), "BUG kmalloc-64: Poison overwritten")),
    ("panic-called", panicked("stored: halting", ("store_halt+0x44 [stored]",), "BUG: KASAN: use-after-free in f")),
    ("panic-called", panicked("stored: halting", ("store_halt+0x44 [stored]",), UBSAN)),
    # What the log quotes of the boot before (pstore) is not what this one died of.
    ("sysrq-crash", survived("pstore: Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)")),
    # An oops that the machine survived, then one that it did not.
    (
        "divide-error",
        oops("Oops: divide error: 0000 [#2] SMP NOPTI", before=NULL + "\nRIP: 0010:other+0x1/0x2\n[300.0]"),
    ),
    ("ghes-fatal", panicked("Fatal hardware error!", ("__ghes_panic+0x6c", "ghes_proc+0x9c"), NULL)),
    # A dump that an oops started by itself: no panic() at all.
    ("null-pointer-dereference", death(f"{NULL}\nRIP: 0010:store_put+0x21/0x40 [stored]\n", FAULT)),
]

# Plainer rules that are true of a deeper death too; they stand behind it. `panic_called` is true of every panic().
ALSO = {
    "running_machine": {"bad_page_fault"},
    "pcie_fatal": {"ghes_fatal"},
    "deadlock": {"hung_task"},
    "double_free": {"kernel_bug"},
    "list_corruption": {"kernel_bug", "null_pointer"},
    "slab_corruption": {"bad_page_fault"},
    "panic_in_interrupt": {"null_pointer"},
    "refcount_error": {"kernel_bug"},
    "scheduling_while_atomic": {"kernel_bug"},
    "use_after_free": {"kernel_bug"},
}
