"""Who allocated and who freed the object of a death is told, as each checker prints it, and blamed where it fits."""

import pytest

from core.triage.fakes import death
from oopscope.triage import judge
from oopscope.triage.findings import findings_of
from oopscope.triage.mce_status import decoded

SLUB = """=============================================================================
BUG kmalloc-96 (Tainted: G           OE     ): Poison overwritten
-----------------------------------------------------------------------------

0xffff888004a1c068-0xffff888004a1c068 @offset=104. First byte 0x7 instead of 0x6b
Allocated in store_open+0x31/0x80 [stored] age=12 cpu=1 pid=77
 __kmem_cache_alloc_node+0x1a7/0x2f0
 kmalloc_trace+0x26/0x90
 store_open+0x31/0x80 [stored]
Freed in kvfree+0x2c/0x30 age=3 cpu=0 pid=78
 __slab_free+0x1ce/0x2e0
 kvfree+0x2c/0x30
 store_close+0x44/0x60 [stored]
 ksys_write+0x6f/0xf0
Slab 0xffffea0000128700 objects=16 used=16 fp=0x0000000000000000 flags=0xfffffc0000201
Object 0xffff888004a1c040 @offset=64 fp=0x0000000000000000
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
Call Trace:
 <TASK>
 check_bytes_and_report+0x10c/0x150
 kmem_cache_alloc+0x10/0x20
 cat_open+0x21/0x40
 </TASK>
"""
OLD_SLUB = """BUG kmalloc-96 (Not tainted): Redzone overwritten
-----------------------------------------------------------------------------
INFO: 0x00000000deb0f80d-0x00000000deb0f80d @offset=97. First byte 0x7 instead of 0xcc
INFO: Allocated in store_open+0x31/0x80 [stored] age=12 cpu=1 pid=77
INFO: Slab 0x000000008f2ed30a objects=16 used=3 fp=0x00000000e16b0d76 flags=0x200
CPU: 0 PID: 321 Comm: storaged Not tainted 5.10.1 #1
Call Trace:
 dump_stack+0x6b/0x83
 kfree+0x10/0x20
 cat_close+0x21/0x40
"""
KFENCE = """==================================================================
BUG: KFENCE: use-after-free read in cat_open+0x21/0x40
Use-after-free read at 0x00000000d5c5b1a2 (in kfence-#82):
 cat_open+0x21/0x40
 ksys_write+0x6f/0xf0
kfence-#82: 0x00000000d5c5b1a2-0x000000003b1f1a4e, size=96, cache=kmalloc-96
allocated by task 77 on cpu 1 at 12.345678s (0.000120s ago):
 store_open+0x31/0x80 [stored]
freed by task 78 on cpu 0 at 12.345698s (0.000100s ago):
 store_close+0x44/0x60 [stored]
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
==================================================================
"""
KASAN = """==================================================================
BUG: KASAN: double-free in cat_open+0x21/0x40
Free of addr ffff88801b84c500 by task storaged/321
CPU: 0 PID: 321 Comm: storaged Not tainted 6.12.1 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x6e/0xa0
 kasan_report_invalid_free+0xaa/0xd0
 kfree+0x10/0x20
 cat_open+0x21/0x40
 </TASK>
Allocated by task 77:
 kasan_save_stack+0x20/0x40
 __kmalloc_cache_noprof+0x11e/0x270
 store_open+0x31/0x80 [stored]
Freed by task 78:
 kasan_save_stack+0x20/0x40
 kfree+0xf1/0x350
 store_close+0x44/0x60 [stored]
==================================================================
"""
PANIC = "Kernel panic - not syncing: kernel: panic_on_warn set ...\n"
KASAN_PANIC = "Kernel panic - not syncing: KASAN: panic_on_warn set ...\n"
ALLOCATED = "the object was allocated in store_open+0x31 [stored] by the task with PID 77"
FREED = "the object was freed in store_close+0x44 [stored] by the task with PID 78"


@pytest.mark.parametrize(
    ("log", "cause", "blamed", "says", "told"),
    [
        (SLUB + PANIC, "slab-corruption", "store_close+0x44", "PID 78, who likely wrote it", {ALLOCATED, FREED}),
        (OLD_SLUB + PANIC, "slab-corruption", "store_open+0x31", "PID 77, who likely wrote it", {ALLOCATED}),
        (KFENCE + PANIC, "use-after-free", "cat_open+0x21", "that store_close+0x44 [stored]", {ALLOCATED, FREED}),
        (KASAN + KASAN_PANIC, "double-free", "cat_open+0x21", "store_close+0x44 [stored], run by", {ALLOCATED, FREED}),
    ],
)
def test_the_objects_life_is_evidence(log: str, cause: str, blamed: str, says: str, told: set[str]) -> None:
    frames = ("panic+0x118", "check_panic_on_warn+0x4c", "cat_open+0x21", "ksys_write+0x6f")
    found = judge(death(log, frames).kernel)
    assert (found.cause, found.symbol) == (cause, blamed)
    assert says in found.summary
    assert told <= {piece.text for piece in found.evidence}
    assert found.confidence == "likely" or cause != "slab-corruption"  # whose doing it was is reckoned


def test_a_report_that_was_survived_tells_the_objects_life_too() -> None:
    found = findings_of(death(SLUB + "sysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\n"))
    (told,) = [one for one in found if one.id == "memory-corruption"]
    assert "; the object was allocated in store_open+0x31 [stored] (PID 77)" in told.text
    assert told.text.endswith(" and freed in store_close+0x44 [stored] (PID 78)")


def test_what_slub_reports_by_is_not_to_blame() -> None:
    """A ruined object has a ruined record of who had it, over which the report itself warns."""
    at = "lib/stackdepot.c:377 stack_depot_print+0x58/0x60"
    warned = f"------------[ cut here ]------------\nWARNING: CPU: 1 PID: 111 at {at}\n"
    log = SLUB.partition("Allocated in")[0] + warned + PANIC
    frames = ("panic+0x118", "check_panic_on_warn+0x4c", "__warn+0x86", "report_bug+0xfc",
              "asm_exc_invalid_op+0x16 <exception>", "stack_depot_print+0x58", "print_tracking.cold+0x9b",
              "print_trailer+0x35", "check_bytes_and_report.cold+0x6d", "check_object+0x1a1",
              "free_to_partial_list+0x19b", "cat_close+0x21", "ksys_write+0x6f")  # fmt: skip
    found = judge(death(log, frames).kernel)
    assert (found.cause, found.symbol) == ("slab-corruption", "cat_close+0x21")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xBE00000000800400, "an internal timer that ran out, uncorrected, the processor's state is lost"),
        (0xBD80000000100134, "an error of a cache, uncorrected"),
        (0xFC00000000000E0F, "an error of the bus or the interconnect, uncorrected, others were overwritten by it"),
        (0x8C00004000010090, "an error of the memory controller, corrected"),
        (0xB200000080060001, "an unclassified error, uncorrected, the processor's state is lost"),
        (0xA000000000000000, ""),
    ],
)
def test_the_status_of_a_machine_checks_bank_is_read(status: int, words: str) -> None:
    assert decoded(status) == words
