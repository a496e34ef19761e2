"""Who took the memory, by the product's own shares; of slab, which cache."""

from oopscope.errors import OopscopeError
from oopscope.linux.memory_shares import memory_shares
from oopscope.linux.slab import all_slabs
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source

STEPS = (
    "See what took the memory (processes, slab, shared memory and tmpfs, page tables).",
    "A leak in the kernel shows as slab or unaccounted memory, one in a program as its RSS.",
)
GREAT = 0.25  # of all memory, or of all slab


def most_used(death: Death) -> tuple[str, list[Evidence]]:
    """Return who took most, as the end of a clause, and what says so; nothing where it cannot be read or none did."""
    if death.only_log:
        return "", []
    try:
        found = memory_shares(death.kernel)
    except (OopscopeError, AttributeError):
        return "", []
    used = [(one.name, one.bytes) for one in found.shares if one.bytes and not one.name.startswith("Free")]
    name, most = max(used, key=lambda one: one[1], default=("", 0))
    if not found.total or most < GREAT * found.total:
        return "", []
    cache = largest_cache(death) if "lab" in name else None
    evidence = [Evidence(f"{name}: {100 * most // found.total} % of all memory", Source("table", "meminfo"))]
    words = f": {100 * most // found.total} % of it was in {name}"
    if cache is not None:
        words += f", mostly in the cache {cache[0]}"
        evidence.append(cache[1])
    return words, evidence


def largest_cache(death: Death) -> tuple[str, Evidence] | None:
    """Return the slab cache that holds most, where one holds a great part of them all, and what says so."""
    try:
        caches = [one for one in all_slabs(death.kernel) if one.bytes]
    except (OopscopeError, AttributeError):
        return None
    total = sum(one.bytes or 0 for one in caches)
    if not total:
        return None
    top = max(caches, key=lambda one: one.bytes or 0)
    if (top.bytes or 0) < GREAT * total:
        return None
    text = (
        f"the slab cache {top.name} holds {(top.bytes or 0) >> 20} MiB: {top.active} objects of {top.object_size} bytes"
    )
    return top.name, Evidence(text, Source("table", "slabs"))
