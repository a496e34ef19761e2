"""Something was freed that no allocator gave, or not by this one. Follows mm/slub.c, mm/kasan and mm/kfence."""

from oopscope.kernel.functions import plain
from oopscope.lazy_re import lazy_re
from oopscope.triage.checkers import found
from oopscope.triage.death import Death
from oopscope.triage.faults import memory_fault, null_pointer
from oopscope.triage.finding import Verdict

KFREE = ("kfree", "kvfree", "kfree_sensitive", "kzfree", "free_large_kmalloc", "free_nonslab_page", "krealloc")
BUG = lazy_re(r"^kernel BUG at (?:\S*/)?mm/sl[ua]b\w*\.[ch]:(?P<line>\d{1,18})!")
INLINED = 1000  # set_freepointer, which finds an object freed twice, stands above this line of slub.c in every release
OTHER = lazy_re(r"cache_from_obj: Wrong slab cache|.*Wrong slab cache|kfree of (?:bad|invalid)")


def _looks_up(symbol: str) -> bool:
    """Tell whether a function looks up the page of what it is to free, and nothing else: a bad pointer faults there."""
    return plain(symbol) in ("kfree", "kfree_sensitive", "kzfree")


def check(death: Death) -> Verdict | None:
    """Fire on a checker's report, on kfree()'s own check of the page, or where it faults in looking the page up."""
    seen = found(death)
    bug = death.in_oops(BUG)
    pc = death.fault_frame
    if seen is not None and seen.what in ("invalid-free", "invalid free"):
        line, culprit, sure = seen.line, seen.culprit, True
    elif bug and pc and pc.symbol and plain(pc.symbol) in KFREE and int(bug[1]["line"]) > INLINED:
        line, culprit, sure = bug[0], death.caller_of(KFREE) or death.culprit, False
    elif (fault := memory_fault(death)) and pc and pc.symbol and _looks_up(pc.symbol) and not null_pointer(death):
        line, culprit, sure = fault[0], death.caller_of(KFREE) or death.culprit, False
    elif (said := death.in_cause(OTHER)) and (death.complaint is not None or death.oops is not None):
        line, culprit, sure = said[0], death.culprit, True
    else:
        return None
    return death.verdict(
        "software",
        "invalid-free",
        "Something freed that was not allocated",
        f"{culprit or death.where} freed what no allocator gave: no object of a slab, nor pages of a large kmalloc.",
        "certain" if sure else "likely",
        [death.from_log(line)],
        (
            "Where does the pointer come from: a stack, a static variable, the middle of an object, vmalloc?",
            "A pointer that was overwritten looks the same: compare it with the object that it should be.",
        ),
        culprit=culprit,
    )
