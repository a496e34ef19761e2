"""Writeback: who is throttled or waits until dirty pages are written.

Follows mm/{page-writeback,backing-dev}.c and fs/fs-writeback.c. A bdi_writeback is believed where its bdi names
it back; which disk or server is behind a bdi its file systems tell. sync waits in the bdi's own queue, for the worker
that does a work of it.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import file_system_name, file_system_node, super_blocks, task_node, thing
from oopscope.waits.offsets import lowest, offset
from oopscope.waits.servers import claims_of_file_system
from oopscope.waits.sleepers import Sleeper, heads_of, within
from oopscope.waits.workers import workers

DIRTY = ("balance_dirty_pages",)
WRITES = ("wb_wait_for_completion",)


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for writeback."""
    for one in unlocked(kernel):
        if not one.places and not one.blocked:
            continue
        try:
            if one.entries:
                yield from _queued(kernel, one)
            elif one.blocked and within(one.functions, DIRTY):
                yield from _throttled(kernel, one)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"the writeback that {one.pid} waits for")(error)


def _queued(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    if within(one.functions, WRITES):
        at = offset(kernel, "backing_dev_info", "wb_waitq.head")
        for head in heads_of(one):
            if at is not None and _is_bdi(kernel, head - at):
                node = _node(kernel, head - at)
                text = "a wait queue entry of its own leads to the bdi's wb_waitq"
                yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
                yield from _writers(kernel, node, head - at)


def _is_bdi(kernel: Kernel, bdi: int) -> bool:
    at, to = offset(kernel, "backing_dev_info", "wb"), offset(kernel, "bdi_writeback", "bdi")
    return at is not None and to is not None and kernel.memory.word(bdi + at + to) == bdi


def _systems(kernel: Kernel, bdi: int) -> list[int]:
    """Return the file systems that are written by way of a bdi."""
    at = offset(kernel, "super_block", "s_bdi")
    return [block for block in sorted(super_blocks(kernel)) if at is not None and kernel.memory.word(block + at) == bdi]


def _node(kernel: Kernel, bdi: int) -> Node:
    names = [file_system_name(kernel, block) for block in _systems(kernel, bdi)]
    names = [name for name in names if not name.startswith("bdev ")] or names
    return thing("writeback", bdi, f"to {names[0]}" if names else f"of bdi {bdi:#x}")


def _writers(kernel: Kernel, node: Node, bdi: int) -> Iterator[Claim]:
    work, to = offset(kernel, "bdi_writeback", "dwork.work"), offset(kernel, "bdi_writeback", "bdi")
    for worker in workers(kernel):
        named = kernel.name_of(worker.function) if worker.current_work else None
        if named is None or named.symbol != "wb_workfn" or work is None or to is None:
            continue
        if kernel.memory.word(worker.current_work - work + to) == bdi:
            text = "its work is the bdi's writeback"
            yield Claim(node, task_node(kernel, worker.task), "held_by", "recorded", None, text)


def _throttled(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    """A writer is paused, by the bdi_writeback among its words: until that has written enough."""
    to, at = offset(kernel, "bdi_writeback", "bdi"), offset(kernel, "backing_dev_info", "wb")
    if to is None or at is None:
        return
    found = set[int]()
    floor = lowest(kernel)
    for word in dict.fromkeys(one.words):
        try:
            high = word >= floor and not word % kernel.memory.word_size
            if high and word not in one.stack and kernel.memory.word(word + to) + at == word:
                found.add(word - at)
        except OopscopeError:
            continue
    if len(found) != 1:
        return
    bdi = found.pop()
    node, text = _node(kernel, bdi), "it is paused for dirty pages, with the bdi_writeback among its words"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "inferred", one.since, text)
    writers = list(_writers(kernel, node, bdi))
    yield from writers
    for block in _systems(kernel, bdi) if not writers else ():
        onward = list(claims_of_file_system(kernel, block))
        if onward:
            yield Claim(node, file_system_node(kernel, block), "behind", "recorded", None, "super_block.s_bdi")
            yield from onward
            return
