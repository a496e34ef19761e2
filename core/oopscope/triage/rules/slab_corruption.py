"""The slab allocator found its own data overwritten. Follows mm/slub.c (object_err, slab_err, freelist checks)."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = (
    r"(Redzone overwritten|Poison overwritten|Freelist corrupt|Freechain corrupt|Invalid object pointer|"
    r"Left Redzone overwritten|Right Redzone overwritten|Object padding overwritten|slab-out-of-bounds)"
)


def check(death: Death) -> Verdict | None:
    """Fire where the end (an oops, or panic_on_warn) follows SLUB's own complaint."""
    report = death.before("slab", "memory-error", "complaint") if death.oops or death.complaint else None
    found = report.find(SAID) if report else None
    if found is None:
        return None
    said = (death.lines[found[0]], found[1])
    return death.verdict(
        "software",
        "slab-corruption",
        "Slab memory corruption",
        f"The slab allocator found its memory overwritten ({said[1][1].lower()}); noticed in {death.where}.",
        "likely",
        [death.from_log(said[0])],
        (
            "The writer is elsewhere: look at the neighbouring object and its owner.",
            "Boot with slub_debug=FZPU, or KASAN.",
        ),
    )
