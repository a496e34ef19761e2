"""Who allocated and who freed the object of a death is told, as each checker prints it, and blamed where it fits."""

import pytest

from core.triage.fakes import death
from oopscope.triage import judge

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
