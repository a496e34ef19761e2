"""Wait queues that are part of something known: pipes, sockets, events, journals, FUSE, disks; and who is at their end.

Follows fs/pipe.c, fs/eventfd.c, net/unix/af_unix.c, fs/jbd2/, fs/fuse/dev.c and block/blk-core.c. The entry on a
waiter's stack leads to a queue's head; what that is part of is told by the function that waits, and checked against the
object's own words: a pipe or socket by the waiter's own open file, a journal by its thread, a connection by its links.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.open_by import opened_by
from oopscope.linux.task import task_structs
from oopscope.waits.disks import claims_of_disk, disk_node, gendisks
from oopscope.waits.ends import event_ends, pipe_ends, receiver_ends, socket_ends
from oopscope.waits.graph import Basis, Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import file_system_name, super_blocks, task_node, thing
from oopscope.waits.offsets import offset
from oopscope.waits.servers import fuse_server
from oopscope.waits.sleepers import Sleeper, heads_of, within

MAX_DEVICES = 256
Find = Callable[[Kernel, Sleeper, int], Iterator[Claim]]


class Place(NamedTuple):
    """Functions that wait in a certain place, by how their names begin, and what finds the thing there."""

    functions: tuple[str, ...]
    find: Find


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits in a wait queue of a thing that is known."""
    for one in unlocked(kernel):
        if not one.places or not one.entries:
            continue
        found = next((place for place in PLACES if within(one.functions, place.functions)), None)
        if found is None:
            continue
        for head in heads_of(one):
            try:
                yield from found.find(kernel, one, head)
            except OopscopeError as error:
                kernel.problems.lost("waits", f"the queue that {one.pid} waits in")(error)


def _peers(kernel: Kernel, node: Node, tasks: Iterable[int], text: str, basis: Basis = "recorded") -> Iterator[Claim]:
    for task in dict.fromkeys(tasks):
        yield Claim(node, task_node(kernel, task), "held_by", basis, None, text)


def _pipe(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """A pipe: a reader waits for those who can write, a writer for those who can read."""
    reads = any("pipe_read" in function or function.startswith("pipe_wait_readable") for function in one.functions)
    at = offset(kernel, "pipe_inode_info", *(("rd_wait.head",) if reads else ("wr_wait.head",)))
    if at is None:
        return
    pipe = head - at
    ends = pipe_ends(kernel, pipe, one.task.tgid, reads)
    if ends is None:
        return
    node = Node(f"pipe:{pipe:#x}:{'r' if reads else 'w'}", "pipe", ends.name, pipe, None, ends.note, True)
    text = "a wait queue entry of its own leads to the pipe of its own descriptor"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    yield from _peers(kernel, node, ends.tasks, ends.text)


def _socket(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """A unix socket, or a TCP connection: who has its peer open; any other socket by its name."""
    at = offset(kernel, "socket", "wq.wait.head")
    if at is None:
        return
    socket = head - at
    ends = socket_ends(kernel, socket, one.task.tgid)
    if ends is None:
        return
    node = Node(f"socket:{socket:#x}", "socket", ends.name, socket, None, ends.note, True)
    text = "a wait queue entry of its own leads to the socket"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    yield from _peers(kernel, node, ends.tasks, ends.text)


def _full(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """A unix socket that takes no more datagrams or connections: who has it open and does not take them."""
    at = offset(kernel, "unix_sock", "peer_wq.wait.head")
    ends = receiver_ends(kernel, head - at, one.task.tgid) if at is not None else None
    if at is None or ends is None:
        return
    note = ", ".join(words for words in ("full", ends.note) if words)
    node = Node(f"receiver:{head - at:#x}", "socket", ends.name, head - at, None, note, True)
    text = "a wait queue entry of its own leads to the other socket's peer_wait"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    yield from _peers(kernel, node, ends.tasks, ends.text)


def _event(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """An eventfd: who else has it open may signal it; so may the kernel."""
    at = offset(kernel, "eventfd_ctx", "wqh.head")
    ends = event_ends(kernel, head - at, one.task.tgid) if at is not None else None
    if at is None or ends is None:
        return
    node = Node(f"eventfd:{head - at:#x}", "eventfd", ends.name, head - at, None, ends.note, True)
    text = "a wait queue entry of its own leads to the eventfd of its own descriptor"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    yield from _peers(kernel, node, ends.tasks, ends.text, "likely")


def _journal(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """A jbd2 journal: its thread commits; that one waits for the handles of the transaction."""
    queues = ("j_wait_transaction_locked", "j_wait_done_commit", "j_wait_commit", "j_wait_updates", "j_wait_reserved")
    task_at, device = (
        offset(kernel, "journal_s", "j_task", module="jbd2"),
        offset(kernel, "journal_s", "j_devname", module="jbd2"),
    )
    for queue in queues:
        at = offset(kernel, "journal_s", f"{queue}.head", module="jbd2")
        if at is None or task_at is None or device is None:
            continue
        journal = head - at
        try:
            thread = kernel.cached(task_structs).get(kernel.memory.word(journal + task_at))
        except OopscopeError:
            continue
        if thread is None or not thread.comm.startswith(b"jbd2/"):
            continue
        name = kernel.memory.text(journal + device, 32)
        waiter = task_node(kernel, one.address)
        if thread.address == one.address:
            if queue == "j_wait_updates":
                node = Node(f"handles:{journal:#x}", "handles", f"of the journal of {name}", journal)
                yield Claim(waiter, node, "waits_for", "linked", one.since, f"it waits in journal_s.{queue}")
                yield from _handles(kernel, node, journal)
            return
        node = thing("journal", journal, f"of {name}")
        yield Claim(waiter, node, "waits_for", "linked", one.since, f"a wait queue entry leads to journal_s.{queue}")
        yield Claim(node, task_node(kernel, thread.address), "held_by", "recorded", None, "journal_s.j_task")
        return


def _handles(kernel: Kernel, node: Node, journal: int) -> Iterator[Claim]:
    """Yield the tasks that have a handle of a journal's transaction open."""
    at = offset(kernel, "task_struct", "journal_info")
    handle = offset(kernel, "jbd2_journal_handle", "h_transaction", module="jbd2")
    owner = offset(kernel, "transaction_s", "t_journal", module="jbd2")
    for address in kernel.cached(task_structs) if None not in (at, handle, owner) else ():
        try:
            info = kernel.memory.word(address + (at or 0))
            transaction = kernel.memory.word(info + (handle or 0)) if info else 0
            if transaction and kernel.memory.word(transaction + (owner or 0)) == journal:
                text = "task_struct.journal_info is a handle of this journal"
                yield Claim(node, task_node(kernel, address), "held_by", "recorded", None, text)
        except OopscopeError:
            continue


def _fuse(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """A request to a FUSE server: who has the connection's device open answers it."""
    req = offset(kernel, "fuse_req", "waitq.head", module="fuse")
    direct = offset(kernel, "fuse_req", "chan", module="fuse")  # a fuse_chan of its own in 7.2
    mount = offset(kernel, "fuse_req", "fm", module="fuse")
    connection = offset(kernel, "fuse_mount", "fc", module="fuse")
    if req is None:
        yield from _some_fuse(kernel, one)
        return
    memory, name = kernel.memory, ""
    if direct is not None:
        served = memory.word(head - req + direct)
    elif mount is not None and connection is not None:
        of_request = memory.word(head - req + mount)
        served, name = memory.word(of_request + connection), _mounted(kernel, of_request)
    else:
        return
    found = fuse_server(kernel, served, name)
    if found is not None:
        node, held = found
        text = "a wait queue entry of its own leads to a fuse_req"
        yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
        yield from held


def _some_fuse(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    """By its functions alone, where the types of the module are not there: until 5.10 a dump has none of modules."""
    if not within(one.functions, "request_wait_answer"):
        return
    node = Node("fuse:", "fuse", "a server", None, None, "which is not known: no types of fuse", True)
    text = "it is in request_wait_answer"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "inferred", one.since, text)
    yield from _peers(kernel, node, _have_fuse(kernel), "it has /dev/fuse open", "likely")


@once
def _have_fuse(kernel: Kernel) -> list[int]:
    """Return the tasks that have /dev/fuse open."""
    entries = [entry for every in opened_by(kernel).by.values() for entry in every]
    names = {ops: kernel.name_of(ops) for ops in {entry.ops for entry in entries}}
    fuse = {ops for ops, name in names.items() if name is not None and name.symbol == "fuse_dev_operations"}
    return [entry.task for entry in entries if entry.ops in fuse]


def _mounted(kernel: Kernel, mount: int) -> str:
    at = offset(kernel, "fuse_mount", "sb", module="fuse")
    block = kernel.memory.word(mount + at) if at is not None else 0
    return file_system_name(kernel, block) if block in super_blocks(kernel) else ""


def _disk_queue(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    """A disk's queue that is frozen, or has no tag left: the queue's head is its own, or the queue among its words."""
    frozen, queue = offset(kernel, "request_queue", "mq_freeze_wq.head"), offset(kernel, "gendisk", "queue")
    if frozen is None or queue is None:
        return
    words = set(one.words)
    queues = {kernel.memory.word(disk + queue): disk for disk in gendisks(kernel).values()}
    own = queues.get(head - frozen)
    seen = [disk for address, disk in queues.items() if address in words]
    if own is None and len(seen) != 1:
        return
    disk = own if own is not None else seen[0]
    node, basis = disk_node(kernel, disk), "linked" if own is not None else "inferred"
    text = (
        "a wait queue entry leads to its mq_freeze_wq" if own is not None else "its queue is the only one on the stack"
    )
    yield Claim(task_node(kernel, one.address), node, "waits_for", basis, one.since, text)  # type: ignore[arg-type]
    yield from claims_of_disk(kernel, disk)


PLACES = (
    Place(("pipe_read", "pipe_write", "anon_pipe_", "fifo_pipe_", "pipe_wait_"), _pipe),
    Place(("unix_wait_for_peer",), _full),
    Place(
        (
            "unix_stream_read",
            "unix_stream_data_wait",
            "unix_dgram",
            "sock_alloc_send",
            "tcp_recvmsg",
            "sk_wait_data",
            "sk_stream_wait",
            "tcp_sendmsg",
            "inet_csk_accept",
            "unix_accept",
            "__skb_wait_for_more_packets",
        ),
        _socket,
    ),
    Place(("eventfd_read", "eventfd_write"), _event),
    Place(("jbd2_", "start_this_handle", "wait_transaction_locked", "add_transaction_credits", "kjournald2"), _journal),
    Place(("request_wait_answer", "fuse_"), _fuse),
    Place(("blk_queue_enter", "__bio_queue_enter", "blk_mq_freeze_queue_wait", "blk_mq_get_tag"), _disk_queue),
    Place(("rq_qos_wait", "wbt_wait", "blk_mq_submit_bio"), _disk_queue),
)
