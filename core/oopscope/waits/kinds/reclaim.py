"""Reclaim and compaction that are throttled: for kswapd, for writeback, for pages that others have isolated.

Follows mm/{vmscan,compaction,page_alloc,backing-dev}.c. The wait queue entry leads to a queue of a node's pglist_data,
which is believed where its kswapd is a kernel thread of that name; until 5.15 all but the first slept in one queue for
the whole machine. Each of these sleeps ends by itself after a while, and begins anew while its reason lasts.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import symbol_name, task_node, thing
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.sleepers import Sleeper, heads_of, within
from oopscope.waits.workers import workers

ASLEEP = ("throttle_direct_reclaim", "reclaim_throttle", "congestion_wait", "wait_iff_congested")
COMPACTS = ("compact_zone", "isolate_migratepages", "compact_node", "try_to_compact")
ISOLATES = ("shrink_inactive_list", "isolate_migratepages", "too_many_isolated")  # until 5.15 they sleep by a timer
MAX_REASONS = 8
MAX_WRITERS = 64
# 8cd7c588decf "mm/vmscan: throttle reclaim until some writeback completes if congested", 5.16
REASONS = {
    "VMSCAN_THROTTLE_WRITEBACK": "too many pages are being written",
    "VMSCAN_THROTTLE_ISOLATED": "too many pages are isolated",
    "VMSCAN_THROTTLE_NOPROGRESS": "it makes no progress",
    "VMSCAN_THROTTLE_CONGESTED": "its dirty pages wait to be written",
}


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who is throttled in reclaim or compaction."""
    for one in unlocked(kernel):
        if not one.entries or not within(one.functions, ASLEEP):
            if one.blocked and not one.entries and "msleep" in one.functions:
                yield from _by_a_timer(kernel, one)
            continue
        try:
            for head in heads_of(one):
                yield from _of(kernel, one, head)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"what throttles {one.pid}")(error)


def _of(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    kind = _kind(one)
    yield from _for_kswapd(kernel, one, head) or _for_a_reason(kernel, one, head, kind)
    named = symbol_name(kernel, head)
    if named is not None and named.startswith("congestion_wqh"):
        node = thing(kind, head, "of all nodes", "it pauses: too much is being written, or isolated")
        yield Claim(_who(kernel, one), node, "waits_for", "linked", one.since, "an entry leads to congestion_wqh")


def _kind(one: Sleeper) -> str:
    return "compaction" if within(one.functions, COMPACTS) else "reclaim"


def _by_a_timer(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    above = one.functions[one.functions.index("msleep") + 1 :][:1]
    if above and above[0].startswith(ISOLATES):
        node = Node(f"{_kind(one)}:isolated", _kind(one), "of a node", None, None, REASONS["VMSCAN_THROTTLE_ISOLATED"])
        yield Claim(_who(kernel, one), node, "waits_for", "inferred", one.since, f"{above[0]} sleeps for that only")


def _who(kernel: Kernel, one: Sleeper) -> Node:
    return task_node(kernel, one.address)


def _for_kswapd(kernel: Kernel, one: Sleeper, head: int) -> list[Claim]:
    """Free pages are below what may be given: until kswapd has freed some."""
    at = offset(kernel, "pglist_data", "pfmemalloc_wait.head")
    found = _node(kernel, head - at) if at is not None else None
    if at is None or found is None:
        return []
    kswapd, number = found
    node = thing("reclaim", head - at, f"of node {number}", "it lets nobody in: free pages are too few")
    text = "a wait queue entry leads to pglist_data.pfmemalloc_wait"
    return [
        Claim(_who(kernel, one), node, "waits_for", "linked", one.since, text),
        Claim(node, task_node(kernel, kswapd), "held_by", "likely", None, "pglist_data.kswapd"),
    ]


def _for_a_reason(kernel: Kernel, one: Sleeper, head: int, kind: str) -> list[Claim]:
    """It is paused for a reason, each of which has a queue in the node."""
    waits, each = offset(kernel, "pglist_data", "reclaim_wait"), offset(kernel, "wait_queue_head", "head")
    if waits is None or each is None:
        return []
    size = kernel.types.sizeof("wait_queue_head")
    reasons = sorted(kernel.types.enum("vmscan_throttle_state").items(), key=lambda one: one[1])
    for name, value in reasons[:MAX_REASONS]:
        found = _node(kernel, head - waits - value * size - each) if name in REASONS else None
        if found is None:
            continue
        node = Node(f"{kind}:{head:#x}", kind, f"of node {found[1]}", head, None, REASONS[name], True)
        text = f"a wait queue entry leads to pglist_data.reclaim_wait[{name}]"
        writes = name.endswith(("WRITEBACK", "CONGESTED"))
        return [
            Claim(_who(kernel, one), node, "waits_for", "linked", one.since, text),
            *(_writers(kernel, node) if writes else ()),
        ]
    return []


def _writers(kernel: Kernel, node: Node) -> Iterator[Claim]:
    """Yield the workers that write pages back: which of them would do nothing tells."""
    for worker in workers(kernel)[:MAX_WRITERS]:
        named = kernel.name_of(worker.function) if worker.current_work else None
        if named is not None and named.symbol == "wb_workfn":
            yield Claim(node, task_node(kernel, worker.task), "held_by", "likely", None, "it writes pages back")


def _node(kernel: Kernel, node: int) -> tuple[int, int] | None:
    """Return a node's kswapd and number; None where there is no pglist_data at an address."""
    shape = offsets(kernel, "pglist_data", "kswapd", "node_id")
    if shape is None:
        return None
    try:
        task = kernel.memory.word(node + shape[0])
        found = kernel.cached(task_structs).get(task)
        if found is None or not found.comm.startswith(b"kswapd"):
            return None
        return task, kernel.memory.u32(node + shape[1])
    except OopscopeError:
        return None
