"""An object was freed twice: SLUB's own checks in a free path stopped the machine.

Follows mm/slub.c: set_freepointer's BUG_ON(object == fp) with CONFIG_SLAB_FREELIST_HARDENED, and its debugging's words.
"""

from oopscope.kernel.functions import first_not, is_dying, is_helper
from oopscope.triage.death import Death
from oopscope.triage.faults import fault_registers
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope.triage.freed import freer, life
from oopscope.triage.freed import told as life_told

FREEING = (
    *("kfree", "__kmem_cache_free", "kmem_cache_free", "__slab_free", "do_slab_free", "slab_free", "set_freepointer"),
    *("kmem_cache_free_bulk", "build_detached_freelist", "___cache_free", "free_to_pcs", "slab_free_freelist_hook"),
)
SAID = r"BUG .*Object already free|.*double[- ]free|BUG: KASAN: double-free|BUG .*Wrong object count"


def check(death: Death) -> Verdict | None:
    """Fire on a BUG in SLUB while an object is freed, or on its debugging's own message."""
    if death.oops is None and death.complaint is None:
        return None
    bug = death.in_oops(r"kernel BUG at (?:\S*/)?mm/(slub|slab)\w*\.[ch]:(\d+)!")
    said = death.lately(SAID)
    freeing = death.on_stack(*FREEING)
    if not (bug and freeing) and said is None:
        return None
    evidence: list[Evidence] = [death.from_log(found[0]) for found in (said, bug) if found]
    if freeing is not None:
        evidence.append(death.from_frame(freeing, "{frame}: the allocator stopped while an object was being freed"))
    twice = _same_object(death)
    if twice:
        evidence.append(twice)
    object_ = life(death.before("memory-error", "slab") if said else None)
    evidence += life_told(death, object_)
    caller = (first_not(death.sure, is_dying, is_helper) if freeing or not death.oops else None) or death.caller_of(
        FREEING
    )
    return death.verdict(
        "software",
        "double-free",
        "Object freed twice",
        f"{caller or death.where} freed an object {freer(object_) or 'that was free'} already.",
        "certain" if said or twice else "likely",
        evidence,
        (
            "Find the object's first free: who owns it, and who thinks so too.",
            "Boot with slub_debug=FZPU to be told both.",
        ),
        culprit=caller,
    )


def _same_object(death: Death) -> Evidence | None:
    """Two registers of the failed check hold one heap address: the object, and the head of the free list."""
    registers = fault_registers(death)
    seen: dict[int, str] = {}
    for name, value in registers.items():
        if value >> 47 != 0x1FFFF or value >= 0xFFFFFFFF80000000 or name in ("rsp", "rbp", "gs_base", "fs_base"):
            continue
        if value in seen:
            text = f"registers {seen[value]} and {name} hold the same object: the one freed heads the free list already"
            return Evidence(text, Source("register", name, value))
        seen[value] = name
    return None
