"""The slab allocator found its own data overwritten, or followed a free list that was.

Follows mm/slub.c (object_err, slab_err, freelist checks, get_freepointer).
"""

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.faults import fault_address, memory_fault, null_pointer
from oopscope.triage.finding import Evidence, Verdict
from oopscope.triage.freed import by, life
from oopscope.triage.freed import told as life_told

SAID = lazy_re(
    r"(Redzone overwritten|Poison overwritten|Freelist corrupt|Freechain corrupt|Invalid object pointer|"
    r"Left Redzone overwritten|Right Redzone overwritten|Object padding overwritten|Padding overwritten|"
    r"Freepointer corrupt|slab-out-of-bounds)"
)
# Of a fault in one of these the address came from a free list: its objects are linked through their own memory.
ALLOCATES = lazy_re(
    r"(_*kmem_cache_alloc(?!_bulk)\w*|_*kmalloc\w*|___?slab_alloc|slab_alloc\w*|get_freepointer\w*|"
    r"prefetch_freepointer|"
    r"deactivate_slab|get_(any_)?partial\w*|new_slab\w*|kmem_cache_alloc_trace|kmalloc_trace)(\.\w+)*"
)

UNALIGNED = lazy_re(r"^(?:Unhandled kernel unaligned access|Unhandled fault: alignment exception)")  # mips, arm

MIN_TEXT = 5  # printable bytes of eight: fewer are chance


def check(death: Death) -> Verdict | None:
    """Fire where the end (an oops, or panic_on_warn) follows SLUB's own complaint, or a fault in its free list."""
    report = death.before("slab", "complaint") if death.oops or death.complaint else None
    said = report.find(SAID) if report else None
    pc = death.fault_frame
    fault = memory_fault(death) or death.in_oops(UNALIGNED)
    if said is not None:
        words, evidence = f"({said[1][1].lower()})", [death.from_log(death.lines[said[0]])]
    elif fault and pc and pc.symbol and ALLOCATES.fullmatch(pc.symbol) and null_pointer(death) is None:
        words, evidence = _free_list(death), [death.from_log(fault[0])]
        evidence.append(death.from_frame(pc, "{frame} faulted: the allocator follows the free list there"))
    else:
        return None
    object_ = life(report)
    evidence += life_told(death, object_)
    # What was written behind an object's end is likely its owner's doing; into a free one, that of who freed it.
    owner = object_.freed if said is not None and "oison" in said[1][1] else object_.allocated
    whose = f"; it belongs to {by(owner)} who likely wrote it" if owner is not None and owner.frame else ""
    return death.verdict(
        "software",
        "slab-corruption",
        "Slab memory corruption",
        f"The slab allocator found its memory overwritten {words}; noticed in {death.where}{whose}.",
        "likely",
        evidence,
        (
            "The writer is elsewhere: look at the neighbouring object and its owner; who allocates is innocent.",
            "Boot with slub_debug=FZPU, or KASAN.",
        ),
        culprit=owner.frame if owner is not None else None,
    )


def _free_list(death: Death) -> str:
    address = fault_address(death)
    if address is None:
        return "(a free list leads to no object)"
    text = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in address.to_bytes(8, "big"))
    looks = f", which holds the text {text!r}" if sum(c != "." for c in text) >= MIN_TEXT else ""
    return f"(a free list leads to {address:#x}{looks})"


__all__ = ["Evidence", "check"]
