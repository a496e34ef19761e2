"""More deaths, one for each rule of a cause with a name of its own, with near misses: see deaths.py."""

from core.triage.deaths import BUG_LINE, FAULT, IDLE, NULL, PAGE, SYSCALL, Made, oops, panicked, survived
from core.triage.fakes import FakeKernel, behind_disk, task
from oopscope.dumps import Facts
from oopscope.triage.death import Death

KASAN = "BUG: KASAN: {} in store_put+0x21/0x40 [stored]\nRead of size 8 at addr ffff888012345678 by task storaged/321"
CHECKED = ("check_panic_on_warn+0x4c", "end_report+0x3e", "kasan_report+0xc5", *FAULT)
ON_KASAN = "KASAN: panic_on_warn set ..."
UBSAN = """------------[ cut here ]------------
UBSAN: array-index-out-of-bounds in drivers/store.c:5:9
index 31 is out of range for type 'u8 [16]'
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
---[ end trace 0 ]---"""
LUSTRE = "LustreError: 321:0:(dcache.c:136:ll_ddelete()) ASSERTION( d_count(de) == 1 ) failed:"
POOL = "Pool 'tank' has encountered an uncorrectable I/O failure and the failure mode property is set to panic."
EXT4 = "EXT4-fs error (device vda1): ext4_find_entry:1455: inode #2: comm storaged: reading directory lblock 0"
BAD_PAGE = """BUG: Bad page state in process storaged  pfn:12345
page dumped because: nonzero _refcount
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1"""
WARNED = """------------[ cut here ]------------
WARNING: CPU: 0 PID: 321 at fs/store.c:12 store_put+0x21/0x40 [stored]"""
WARN_FRAMES = ("check_panic_on_warn+0x4c", "__warn+0x86", "report_bug+0xfc", "exc_invalid_op+0x60")

STALLED, OLD = behind_disk(41, "flush-8:0")
YOUNG = behind_disk(41, "flush-8:0", age=0.4)[1]
HUNG = ("hung_task: blocked tasks", ("watchdog+0xd1", "kthread+0xe6", "ret_from_fork_asm+0x1a"),
        "INFO: task flush-8:0:41 blocked for more than 120 seconds.")  # fmt: skip
SINCE = [task(41, "flush-8:0", "D", since_last_run_seconds=130.0)]
ORDER = """======================================================
WARNING: possible circular locking dependency detected
6.12.1 #1 Not tainted
------------------------------------------------------
storaged/321 is trying to acquire lock:
ffff888003a1c0e0 (&store->lock){+.+.}-{2:2}, at: store_put+0x21/0x40 [stored]
the existing dependency chain (in reverse order) is:
-> #1 (&list->lock){+.+.}-{2:2}:
       _raw_spin_lock+0x33/0x50
       store_sync+0x8/0x20 [stored]
stack backtrace:
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x6e/0xa0
 print_circular_bug.cold+0x178/0x1be
 check_noncircular+0x14a/0x170
 __lock_acquire+0x1416/0x2180
 lock_acquire+0xd1/0x2f0
 _raw_spin_lock+0x33/0x50
 store_put+0x21/0x40 [stored]
 store_sync+0x8/0x20 [stored]
 </TASK>"""
POINTER = """==================================================================
BUG: KASAN: null-ptr-deref in store_put+0x21/0x40 [stored]
Read of size 8 at addr 0000000000000018 by task storaged/321
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
Call Trace:
 <TASK>
 kasan_report+0xda/0x110
 store_put+0x21/0x40 [stored]
 store_sync+0x8/0x20 [stored]
 </TASK>
=================================================================="""


def log_alone(text: str) -> Death:
    """A log, and no dump."""
    kernel = FakeKernel([text], [], panicked=None)
    kernel.facts = Facts("log")
    return Death(kernel)


UNCORRECTED = "mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 5: bea0000000000108"
MORE = {
    "io_stall": Made(
        "io-stall",
        panicked(*HUNG, tasks_=SINCE, graph=STALLED, requests_=OLD),
        panicked(*HUNG, tasks_=SINCE, graph=STALLED, requests_=YOUNG),  # the disk answers, only not fast enough
        says="flush-8:0 (PID 41) waited without end behind vda, which has 1 in flight, the oldest since 130.0 s",
    ),
    "audit_failure": Made(
        "audit-failure",
        panicked("audit: backlog limit exceeded", ("audit_panic+0x5e", "audit_log_lost+0x3f", *SYSCALL)),
        survived("audit: backlog limit exceeded"),
        says="audit: backlog limit exceeded",
    ),
    "filesystem_error": Made(
        "filesystem-error",
        panicked("EXT4-fs (device vda1): panic forced after error", ("ext4_handle_error+0x1a", *SYSCALL), EXT4),
        survived(EXT4),
        "ext4_find_entry+0x0",
        "reading directory lblock 0",
    ),
    "hardware_survived": Made(
        "machine-check",
        log_alone(UNCORRECTED),
        log_alone(UNCORRECTED.replace("bea", "9c2")),
        says="tells of no death",
    ),
    "storage_error": Made(
        "storage-error",
        panicked(POOL, ("fm_panic+0x5b [zfs]", "zio_suspend+0x124 [zfs]", *SYSCALL)),
        survived(f"WARNING: {POOL}"),
        says="failmode is panic",
    ),
    "assertion_failed": Made(
        "assertion-failed",
        panicked("LBUG", ("lbug_with_loc.cold+0x18 [libcfs]", "ll_ddelete+0xa3 [lustre]", *SYSCALL), LUSTRE),
        survived(LUSTRE),
        "ll_ddelete+0xa3",
        "d_count(de) == 1",
    ),
    "workqueue_lockup": Made(
        "workqueue-lockup",
        panicked(
            "workqueue lockup: stall exceeded",
            ("wq_watchdog_timer_fn+0x1e0 <irq>", *IDLE),
            "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 32s!",
        ),
        survived("BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 32s!"),
        says="pool cpus=1 node=0 flags=0x0 nice=0 for 32 s",
    ),
    "serror": Made(
        "serror",
        panicked(
            "Asynchronous SError Interrupt",
            (
                "arm64_serror_panic+0x70",
                "do_serror+0x58",
                "el1h_64_error+0x70 <exception>",
                "store_write+0x98 [stored]",
            ),
            "SError Interrupt on CPU0, code 0x00000000be000011 -- SError",
        ),
        survived("SError Interrupt on CPU0, code 0x00000000be000011 -- SError"),
        "store_write+0x98",
    ),
    "machine_check_timeout": Made(
        "machine-check-timeout",
        panicked(
            "Timeout: Not all CPUs entered broadcast exception handler",
            ("mce_timed_out+0x5", "do_machine_check+0x5f", "exc_machine_check+0x7d <exception>", *IDLE),
            "mce: CPUs not responding to MCE broadcast (may include false positives): 4-11",
        ),
        panicked(
            "Timeout: Not all CPUs entered broadcast exception handler",
            ("mce_timed_out+0x5", "do_machine_check+0x5f", "exc_machine_check+0x7d <exception>", *IDLE),
            "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: be00000000800400",
        ),
        says="4-11",
    ),
    "double_fault": Made(
        "double-fault",
        oops("PANIC: double fault, error_code: 0x0", panic="Machine halted."),
        survived("double fault: a program's own words"),
        "store_put+0x21",
    ),
    "control_flow_violation": Made(
        "control-flow-violation",
        oops(
            "CFI failure at store_call+0x1a/0x30 [stored] (target: store_other+0x0/0x10 [stored]; expected type: "
            "0x1b2c3d4e)\nOops: invalid opcode: 0000 [#1] SMP NOPTI"
        ),
        oops("Oops: invalid opcode: 0000 [#1] SMP NOPTI"),
        "store_call+0x1a",
        "called store_other+0x0/0x10 [stored]",
    ),
    "invalid_free": Made(
        "invalid-free",
        oops(
            "kernel BUG at mm/slub.c:3995!\nOops: invalid opcode: 0000 [#1] SMP NOPTI",
            ("kfree+0x1de", *FAULT),
        ),
        oops("kernel BUG at mm/slub.c:305!\nOops: invalid opcode: 0000 [#1] SMP NOPTI", ("kfree+0x1de", *FAULT)),
        "store_put+0x21",
        "freed what no allocator gave",
    ),
    "out_of_bounds": Made(
        "out-of-bounds",
        panicked(ON_KASAN, CHECKED, KASAN.format("slab-out-of-bounds")),
        panicked(ON_KASAN, CHECKED, KASAN.format("slab-use-after-free")),
        "store_put+0x21",
    ),
    "uninitialized_memory": Made(
        "uninitialized-memory",
        panicked(
            "kmsan.panic set ...",
            ("kmsan_report+0x1", *FAULT),
            "BUG: KMSAN: uninit-value in store_put+0x21/0x40 [stored]",
        ),
        survived("BUG: KMSAN: uninit-value in store_put+0x21/0x40 [stored]"),
        "store_put+0x21",
    ),
    "data_race": Made(
        "data-race",
        panicked(
            "KCSAN: panic_on_warn set ...",
            ("kcsan_report+0x1", *FAULT),
            "BUG: KCSAN: data-race in store_put+0x21/0x40 [stored] / store_sync+0x8/0x40 [stored]",
        ),
        survived("BUG: KCSAN: data-race in store_put+0x21/0x40 [stored] / store_sync+0x8/0x40 [stored]"),
        "store_put+0x21",
    ),
    "page_corruption": Made(
        "page-corruption",
        panicked("kernel: panic_on_warn set ...", ("bad_page+0x77", "free_pages_prepare+0x1", *FAULT), BAD_PAGE),
        survived(*BAD_PAGE.split("\n")),
        says="nonzero _refcount",
    ),
    "undefined_behaviour": Made(
        "undefined-behaviour",
        panicked(
            "UBSAN: panic_on_warn set ...",
            ("ubsan_epilogue+0x1c", "__ubsan_handle_out_of_bounds+0xcf", *FAULT),
            UBSAN,
        ),
        survived(*UBSAN.split("\n")),
        "store_put+0x21",
        "drivers/store.c:5:9",
    ),
    "trap": Made(
        "trap",
        oops("Oops: int3: 0000 [#1] SMP NOPTI"),
        survived("traps: storaged[321] trap int3 ip:55 sp:7f error:0"),
        "store_put+0x21",
        "an unexpected breakpoint",
    ),
    "lock_order": Made(
        "deadlock",
        panicked(
            "kernel: panic_on_warn set ...", ("__warn+0x81", "lock_acquire+0xd1", "_raw_spin_lock+0x33", *FAULT), ORDER
        ),
        survived(*ORDER.split("\n")),
        "store_put+0x21",
        "possible circular locking dependency detected",
    ),
    "checked_pointer": Made(
        "null-pointer-dereference",
        panicked("kasan.fault=panic set ...", ("kasan_report+0xda", *FAULT), POINTER),
        survived(*POINTER.split("\n")),
        "store_put+0x21",
        "used a NULL pointer at 0x18",
    ),
    "kernel_warning": Made(
        "kernel-warning",
        panicked(
            "kernel: panic_on_warn set ...", (*WARN_FRAMES, "asm_exc_invalid_op+0x1a <exception>", *FAULT), WARNED
        ),
        survived(*WARNED.split("\n")),
        "store_put+0x21",
        "fs/store.c:12",
    ),
}

MORE_ALSO = {
    "hardware_survived": {"external_dump"},
    "io_stall": {"hung_task"},
    "invalid_free": {"kernel_bug", "double_free"},
    "uninitialized_memory": {"kernel_warning"},
    "data_race": {"kernel_warning"},
    "page_corruption": {"kernel_warning"},
    "undefined_behaviour": {"kernel_warning"},
    "out_of_bounds": {"kernel_warning"},
    "use_after_free": {"kernel_warning"},
    "double_free": {"kernel_warning", "kernel_bug"},
    "refcount_error": {"kernel_warning"},
    "list_corruption": {"kernel_warning", "kernel_bug", "null_pointer"},
    "scheduling_while_atomic": {"kernel_warning"},
    "lock_order": {"kernel_warning"},
    "checked_pointer": {"kernel_warning"},
}

# Deaths that are easily mixed up, by what the verdict must be.
MORE_OTHERS = [
    # A watchdog's driver that only relays an I/O check.
    (
        "nmi-io-check",
        panicked(
            "An NMI occurred. Depending on your system the reason for the NMI is logged in any one of the following",
            (
                "hpwdt_pretimeout+0xc8 [hpwdt]",
                "nmi_handle+0x79",
                "io_check_error+0x1e",
                "end_repeat_nmi+0xf <nmi>",
                *IDLE,
            ),
        ),
    ),
    ("use-after-free", panicked(ON_KASAN, CHECKED, KASAN.format("slab-use-after-free"))),
    # What a program wrote, or a kernel line quotes, is no panic: the oops behind it is what was died of.
    ("null-pointer-dereference", oops(NULL, before="Kernel panic - not syncing: hung_task: blocked tasks")),
    ("kernel-bug", oops(BUG_LINE, before="tmpfs: Unknown parameter 'Kernel panic - not syncing: Out of memory'")),
    # The first oops of a chain is the cause; what follows while dying is not.
    (
        "null-pointer-dereference",
        oops(PAGE.replace("#1", "#2"), before=f"{NULL}\nCPU: 0 PID: 321 Comm: storaged\nRIP: 0010:store_put+0x21/0x40"),
    ),
    ("slab-corruption", oops(PAGE, ("kmem_cache_alloc+0x83", *FAULT))),
]
