"""md arrays: who waits for their superblock, for their resync or for requests under way, and whose turn that is.

Follows drivers/md/{md,raid1,raid10}.{c,h}. The wait queue entry leads to a queue of a struct mddev, which a disk names
and which names it back, or to the barrier of the personality's conf, which names such a one. The superblock is written
by the array's own thread; that one waits for the array's members.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.task import task_structs
from oopscope.waits.disks import MD, array_of, claims_of_disk, disk_name, disk_node, gendisks
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import offset
from oopscope.waits.sleepers import Sleeper, heads_of, within

ASLEEP = (
    "md_",
    "mddev_",
    "raid",
    "_wait_barrier",
    "wait_barrier",
    "wait_read_barrier",
    "raise_barrier",
    "freeze_array",
)
SUPER, RECOVERY = "sb_wait", "recovery_wait"
BARRIERS = (("raid1", "r1conf"), ("raid10", "r10conf"))


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for an array."""
    for one in unlocked(kernel):
        if not one.entries or not within(one.functions, ASLEEP):
            continue
        try:
            for head in heads_of(one):
                yield from _of(kernel, one, head)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"the array that {one.pid} waits for")(error)


def _of(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    arrays = _arrays(kernel)
    for member in (SUPER, RECOVERY):
        at = offset(kernel, "mddev", f"{member}.head", module=MD)
        if at is not None and head - at in arrays:
            yield from _waits(kernel, one, head - at, arrays[head - at], member)
            return
    for module, conf in BARRIERS:
        at, to = offset(kernel, conf, "wait_barrier.head", module=module), offset(kernel, conf, "mddev", module=module)
        if at is None or to is None:
            continue
        try:
            array = kernel.memory.word(head - at + to)
        except OopscopeError:
            continue
        if array in arrays:
            yield from _waits(kernel, one, array, arrays[array], "wait_barrier")
            return


@once
def _arrays(kernel: Kernel) -> dict[int, int]:
    """Return the disk of each array by its struct mddev."""
    return {array: disk for disk in gendisks(kernel).values() if (array := array_of(kernel, disk))}


def _waits(kernel: Kernel, one: Sleeper, array: int, disk: int, queue: str) -> Iterator[Claim]:
    waiter, text = task_node(kernel, one.address), f"a wait queue entry of its own leads to its {queue}"
    resyncs, manages = (_thread(kernel, array, member) for member in ("sync_thread", "thread"))
    whose = resyncs if queue == "wait_barrier" else manages
    if whose is None or whose == one.address or one.address in (resyncs, manages):
        yield Claim(waiter, disk_node(kernel, disk), "waits_for", "linked", one.since, text)
        yield from claims_of_disk(kernel, disk)
        return
    what = "resync" if queue != SUPER else "superblock"
    node = Node(f"array:{array:#x}:{queue}", "array", f"{disk_name(kernel, disk)}'s {what}", array)
    yield Claim(waiter, node, "waits_for", "linked", one.since, text)
    by = "mddev.sync_thread" if whose == resyncs else "mddev.thread"
    yield Claim(node, task_node(kernel, whose), "held_by", "recorded" if queue == SUPER else "likely", None, by)


def _thread(kernel: Kernel, array: int, member: str) -> int | None:
    at, to = offset(kernel, "mddev", member, module=MD), offset(kernel, "md_thread", "tsk", module=MD)
    thread = kernel.memory.word(array + at) if at is not None else 0
    task = kernel.memory.word(thread + to) if thread and to is not None else 0
    return task if task in kernel.cached(task_structs) else None
