"""Inter-process communication: shared memory, semaphores, message queues of System V and POSIX, by IPC namespace.

Follows ipc/{util.c,shm.c,sem.c,msg.c,mqueue.c,namespace.c}. An object's ID must end with the number under which it is
kept. The namespaces are those of tasks; one that nothing but a file keeps alive is not seen.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux import xarray
from oopscope.linux.path import DENTRY, alias_offset
from oopscope.linux.task import has_every_task, task_structs
from oopscope.structs.plan import Plan

MAX_NAMESPACES, MAX_OBJECTS, MAX_SEMS, MAX_WAITING = 4096, 100_000, 32_000, 10_000
IPCMNI_SHIFT = 15  # 24 with ipcmni_extend on the command line, of which these bits are the lower ones
SHM_DEST, SHM_LOCKED = 0o1000, 0o2000
KINDS = ("semaphores", "messages", "shared memory")  # IPC_SEM_IDS, IPC_MSG_IDS, IPC_SHM_IDS


class Perm(NamedTuple):
    """struct kern_ipc_perm."""

    address: int
    id: int
    key: int
    uid: int
    mode: int
    deleted: int


class Shm(NamedTuple):
    """struct shmid_kernel."""

    attached: int
    size: int
    creator: int
    last: int


class Sems(NamedTuple):
    """struct sem_array."""

    entries: int
    alter: int
    const: int
    sems: int


class Messages(NamedTuple):
    """struct msg_queue."""

    bytes: int
    entries: int
    most: int
    sender: int
    receivers: int
    senders: int


class Mqueue(NamedTuple):
    """struct mqueue_inode_info."""

    size: int
    most: int
    entries: int
    mode: int
    uid: int
    dentries: int


class PidNumber(NamedTuple):
    """struct pid."""

    nr: int


PERM = Plan("kern_ipc_perm", Perm, uid="uid.val")
SHM = Plan("shmid_kernel", Shm, attached="shm_nattch", size="shm_segsz", creator="shm_cprid", last="shm_lprid")
SEMS = Plan("sem_array", Sems, entries="sem_nsems", alter="&pending_alter", const="&pending_const", sems="&sems")
MESSAGES = Plan(
    "msg_queue", Messages, bytes="q_cbytes", entries="q_qnum", most="q_qbytes", sender="q_lspid",
    receivers="&q_receivers", senders="&q_senders",
)  # fmt: skip
MQUEUE = Plan(
    "mqueue_inode_info", Mqueue, size="qsize", most="attr.mq_maxmsg", entries="attr.mq_curmsgs",
    mode="vfs_inode.i_mode",
    uid="vfs_inode.i_uid.val", dentries="vfs_inode.i_dentry.first",
)  # fmt: skip
PID = Plan("pid", PidNumber, nr="numbers[0].nr")


class IpcObject(NamedTuple):
    """A shared memory segment, a set of semaphores, a queue of messages."""

    namespace: int
    kind: str
    id: int | None
    key: str  # hexadecimal, or a POSIX queue's name
    uid: int
    perms: str
    bytes: int | None  # of a segment; of the messages that wait
    entries: int  # attached; semaphores; messages
    waiting: int | None  # tasks that wait in it
    pid: int | None  # who made a segment, or sent last
    state: str
    address: int


class _Objects:
    """The objects of one namespace as they are read."""

    def __init__(self, kernel: Kernel, number: int) -> None:
        self.kernel, self.memory, self.types, self.number = kernel, kernel.memory, kernel.types, number
        self.makers: tuple[Callable[[Perm], IpcObject], ...] = (self._sems, self._messages, self._shm)

    def of_kind(self, ids: int, kind: int) -> Iterator[IpcObject]:
        """Yield the objects that a struct ipc_ids holds."""
        lost = self.kernel.problems.lost("ipc", KINDS[kind])
        perms = self.kernel.bind(PERM)
        root = ids + self.types.member("ipc_ids", "ipcs_idr.idr_rt").offset
        for index, address in xarray.entries(self.kernel, root, lost):
            try:
                perm = perms.row(address)
                if perm.id < 0 or (perm.id ^ index) & (1 << IPCMNI_SHIFT) - 1:
                    raise Implausible(f"what should be {KINDS[kind]} number {index} has the ID {perm.id}", address)
                yield self.makers[kind](perm)
            except OopscopeError as e:
                lost(e)

    def _made(self, perm: Perm, kind: int, **more: Any) -> IpcObject:
        state = "being removed" if perm.deleted else ""
        row = IpcObject(
            self.number, KINDS[kind], perm.id, f"{perm.key & 0xFFFFFFFF:#x}", perm.uid, f"{perm.mode & 0o777:03o}",
            None, 0, None, None, state, perm.address,
        )  # fmt: skip
        return row._replace(**more)

    def _pid(self, address: int) -> int | None:
        return self.kernel.bind(PID).row(address).nr if address else None

    def _shm(self, perm: Perm) -> IpcObject:
        row = self.kernel.bind(SHM).row(perm.address - self.types.member("shmid_kernel", "shm_perm").offset)
        words = [word for bit, word in ((SHM_DEST, "removed, and goes with its last user"), (SHM_LOCKED, "locked"))
                 if perm.mode & bit]  # fmt: skip
        return self._made(
            perm, 2, bytes=row.size, entries=row.attached, pid=self._pid(row.creator), state=", ".join(words)
        )

    def _sems(self, perm: Perm) -> IpcObject:
        row = self.kernel.bind(SEMS).row(perm.address - self.types.member("sem_array", "sem_perm").offset)
        heads = [row.alter, row.const]
        size = self.types.sizeof("sem")
        queues = [self.types.member("sem", name).offset for name in ("pending_alter", "pending_const")]
        heads += [row.sems + at * size + queue for at in range(min(max(row.entries, 0), MAX_SEMS)) for queue in queues]
        pid = self.types.member("sem", "sempid").offset
        last = self._pid(self.memory.word(row.sems + pid)) if row.entries > 0 else None
        return self._made(perm, 0, entries=row.entries, waiting=sum(map(self._length, heads)), pid=last)

    def _messages(self, perm: Perm) -> IpcObject:
        row = self.kernel.bind(MESSAGES).row(perm.address - self.types.member("msg_queue", "q_perm").offset)
        state = "full" if row.most and row.bytes >= row.most else ""
        waiting = self._length(row.receivers) + self._length(row.senders)
        return self._made(
            perm, 1, bytes=row.bytes, entries=row.entries, waiting=waiting, pid=self._pid(row.sender), state=state
        )

    def _length(self, head: int) -> int:
        if self.memory.word(head) == head:
            return 0
        return sum(1 for _ in for_each_list(self.memory, head, 0, None, MAX_WAITING))

    def posix(self, mount: int) -> Iterator[IpcObject]:
        """Yield the POSIX queues of a namespace: the inodes of its own mqueue file system."""
        lost = self.kernel.problems.lost("ipc", "POSIX message queues")
        block = self.memory.word(mount + self.types.member("vfsmount", "mnt_sb").offset)
        root = self.memory.word(block + self.types.member("super_block", "s_root").offset)
        top = self.memory.word(root + self.types.member("dentry", "d_inode").offset)
        inside = self.types.member("mqueue_inode_info", "vfs_inode").offset
        link = self.types.member("inode", "i_sb_list").offset
        head = block + self.types.member("super_block", "s_inodes").offset
        bound, alias = self.kernel.bind(MQUEUE), alias_offset(self.kernel)
        queue = self.types.member("mqueue_inode_info", "e_wait_q")
        each = queue.element_size
        for inode in for_each_list(self.memory, head, link, lost, MAX_OBJECTS):
            if inode == top:
                continue
            try:
                row = bound.row(inode - inside)
                dentry = self.kernel.bind(DENTRY).row(row.dentries - alias) if row.dentries else None
                raw = self.memory.cstring(dentry.name, 256) if dentry else b""
                waiting = sum(self._waits(inode - inside + queue.offset + at * each) for at in range(2))
                yield IpcObject(
                    self.number, "POSIX messages", None, "/" + decoded(raw), row.uid,
                    f"{row.mode & 0o777:03o}", row.size, row.entries, waiting, None,
                    "full" if row.most and row.entries >= row.most else "", inode - inside,
                )  # fmt: skip
            except OopscopeError as e:
                lost(e)

    def _waits(self, at: int) -> int:
        return self._length(at + self.types.member("ext_wait_queue", "list").offset)


def ipc_namespaces(kernel: Kernel) -> tuple[dict[int, int], bool]:
    """Return the number of each IPC namespace by its address, the first and those of tasks, and whether that is all."""
    types, memory = kernel.types, kernel.memory
    number, own = types.member("ipc_namespace", "ns.inum").offset, types.member("nsproxy", "ipc_ns").offset
    at = types.member("task_struct", "nsproxy").offset
    found = {first: memory.u32(first + number) for first in [kernel.symbol("init_ipc_ns")]}
    proxies, whole = set[int](), has_every_task(kernel)
    for task in kernel.cached(task_structs):
        try:
            proxy = memory.word(task + at)
            if proxy and proxy not in proxies:
                proxies.add(proxy)
                space = memory.word(proxy + own)
                if space and space not in found and len(found) < MAX_NAMESPACES:
                    found[space] = memory.u32(space + number)
        except OopscopeError as e:
            whole = False
            kernel.problems.lost("ipc", "a namespace")(e)
    return found, whole


def counted(kernel: Kernel) -> int | None:
    """Return how many objects the namespaces count; None where a namespace may be lost with the tasks that have it."""
    types, memory, total = kernel.types, kernel.memory, 0
    spaces, whole = ipc_namespaces(kernel)
    if not whole:
        return None
    ids, use, size = types.member("ipc_namespace", "ids").offset, types.member("ipc_ids", "in_use").offset, 0
    size = types.sizeof("ipc_ids")
    for space in spaces:
        total += sum(memory.u32(space + ids + kind * size + use) for kind in range(len(KINDS)))
        total += memory.u32(space + types.member("ipc_namespace", "mq_queues_count").offset)
    return total


@once
def ipc_objects(kernel: Kernel) -> list[IpcObject]:
    """Return the objects, namespace by namespace."""
    types, found = kernel.types, list[IpcObject]()
    ids, size = types.member("ipc_namespace", "ids").offset, types.sizeof("ipc_ids")
    spaces, whole = ipc_namespaces(kernel)
    for space, number in spaces.items():
        reader = _Objects(kernel, number)
        try:
            for kind in (2, 0, 1):
                found += reader.of_kind(space + ids + kind * size, kind)
            mount = kernel.memory.word(space + types.member("ipc_namespace", "mq_mnt").offset)
            found += reader.posix(mount) if mount else ()
        except Absent:  # a kernel without POSIX queues
            continue
        except OopscopeError as e:
            kernel.problems.lost("ipc", f"namespace {number}")(e)
    if not whole:
        kernel.problems.add("ipc", "not all tasks could be read: a namespace that only those had is not among these")
    return found[:MAX_OBJECTS]
