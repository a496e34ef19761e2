"""The nodes of the graph: what a task, a lock, a file system, a disk is called, from whichever side it is met."""

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.per_cpu import per_cpu_name, per_cpu_of
from oopscope.kernel.walk import for_each_list
from oopscope.lazy_re import lazy_re
from oopscope.linux.frozen import Frozen, all_frozen
from oopscope.linux.proc_mounts import all_mounts
from oopscope.linux.task import task_structs
from oopscope.linux.task_state import decode_comm, state_letter
from oopscope.waits.graph import Node
from oopscope.waits.offsets import offset

_HERE = lazy_re(r"\+0x[0-9a-f](?= |$)")  # a lock a few bytes into a variable is the variable's own
MAX_BLOCKS = 1 << 16
OF_MAPPING = ("i_mmap_rwsem", "invalidate_lock")  # rw_semaphores of struct address_space, the second since 5.15


def task_node(kernel: Kernel, address: int) -> Node:
    """Return the node of the task whose struct is at an address."""
    task = kernel.cached(task_structs).get(address)
    if task is None:
        return Node(f"task:{address:#x}", "task", f"{address:#x}", address, None)
    name = f"task:{task.pid}" if task.pid else f"task:{address:#x}"
    return Node(name, "task", decode_comm(task.comm), address, task.pid, state_letter(task.state, task.exit_state))


def thing(kind: str, address: int, name: str, note: str = "", any: bool = False) -> Node:
    """Return the node of a thing at an address."""
    return Node(f"{kind}:{address:#x}", kind, name, address, None, note, any)


def symbol_name(kernel: Kernel, address: int) -> str | None:
    """Return the variable that an address lies in, without the offset of a lock at its beginning."""
    found = kernel.name_of(address)
    return _HERE.sub("", str(found)) if found is not None else None


def lock_name(kernel: Kernel, kind: str, address: int) -> str:
    """Return what to call a lock: its variable, what it is part of, else its address."""
    found = symbol_name(kernel, address) or _part_of(kernel, kind, address) or _of_cpu(kernel, address)
    return found or f"{address:#x}"


def _of_cpu(kernel: Kernel, address: int) -> str | None:
    """Return of which CPU's variable a lock is part: that of a run queue begins it."""
    try:
        found = per_cpu_of(kernel, address)
        name = per_cpu_name(kernel, found) if found is not None else None
    except OopscopeError:
        return None
    if found is None or name is None:
        return None
    return f"{_HERE.sub('', f'{name[0]}+{name[1]:#x}')} of CPU {found.cpu}"


def _part_of(kernel: Kernel, kind: str, address: int) -> str | None:
    """Return of which process's memory or which file a rw_semaphore is the lock, checked against the object."""
    if kind not in ("rw_semaphore", "percpu_rw_semaphore"):
        return None
    try:
        return _mmap_lock(kernel, address) or _of_file_system(kernel, address) or _inode(kernel, address)
    except OopscopeError:
        return None


def _mmap_lock(kernel: Kernel, address: int) -> str | None:
    # da1c55f1b272 "mmap locking API: rename mmap_sem to mmap_lock", 5.8
    member = "mmap_lock" if kernel.types.has_member("mm_struct", "mmap_lock") else "mmap_sem"
    mm = address - kernel.types.member("mm_struct", member).offset
    for task in kernel.cached(task_structs).values():
        if task.mm == mm:
            return f"{member} of {decode_comm(task.comm)} ({task.tgid})"
    return None


def _of_file_system(kernel: Kernel, address: int) -> str | None:
    size = kernel.types.sizeof("super_block")
    for block in super_blocks(kernel):
        if block <= address < block + size:
            umount = block + kernel.types.member("super_block", "s_umount").offset
            return f"{'s_umount' if address == umount else 's_writers'} of {file_system_name(kernel, block)}"
    return None


def _inode(kernel: Kernel, address: int) -> str | None:
    """Return of which inode a rw_semaphore is: its own, or (named before it) that of what maps or fills its pages."""
    for member, prefix in (("i_rwsem", ""), *((f"i_data.{name}", f"{name} of ") for name in OF_MAPPING)):
        at = offset(kernel, "inode", member)
        try:
            found = inode_name(kernel, address - at) if at is not None else None
        except OopscopeError:
            continue
        if found is not None:
            return f"{prefix}{found}"
    return None


def inode_name(kernel: Kernel, inode: int) -> str | None:
    """Return an inode in words; None where there is none at an address."""
    block = kernel.memory.word(inode + kernel.types.member("inode", "i_sb").offset)
    if block not in super_blocks(kernel):
        return None
    number = kernel.memory.word(inode + kernel.types.member("inode", "i_ino").offset)
    return f"inode {number} of {file_system_name(kernel, block)}"


@once
def super_blocks(kernel: Kernel) -> frozenset[int]:
    """Return the address of every struct super_block."""
    try:
        link = kernel.types.member("super_block", "s_list").offset
        head = kernel.symbol("super_blocks")
        return frozenset(for_each_list(kernel.memory, head, link, lambda _error: None, MAX_BLOCKS))
    except OopscopeError:
        return frozenset()


def file_system_name(kernel: Kernel, block: int) -> str:
    """Return where a file system is mounted, or its device and type."""
    member, memory = kernel.types.member, kernel.memory
    device = memory.text(block + member("super_block", "s_id").offset, 32)
    kind = memory.word(block + member("super_block", "s_type").offset)
    name_at = memory.word(kind + member("file_system_type", "name").offset)
    fstype = memory.text(name_at, 64)
    try:
        mounts = all_mounts(kernel)
    except OopscopeError:
        mounts = []
    target = next((m.target for m in mounts if m.source and m.source.rpartition("/")[2] == device), None)
    if target is None:
        target = next((m.target for m in mounts if m.fstype == fstype == device), None)
    return target or f"{fstype} on {device}"


def file_system_node(kernel: Kernel, block: int) -> Node:
    """Return the node of a file system by its super block; frozen where it is."""
    level = next((one.level for one in frozen(kernel) if one.address == block), 0)
    note = f"frozen{_by(kernel, block)}" if level == 4 else "being frozen" if level else ""
    return thing("filesystem", block, file_system_name(kernel, block), note)


def _by(kernel: Kernel, block: int) -> str:
    """Return whether a program or the kernel froze a file system, where that is counted; by which nothing records.

    880b9577855e "fs: distinguish between user initiated freeze and kernel initiated freeze", 6.6
    """
    by = {" by a program": "s_writers.freeze_ucount", " by the kernel": "s_writers.freeze_kcount"}
    try:
        counts = {words: kernel.memory.u32(block + kernel.types.member("super_block", path).offset)
                  for words, path in by.items()}  # fmt: skip
    except OopscopeError:
        return ""
    return next((words for words, count in counts.items() if count), "")


@once
def frozen(kernel: Kernel) -> list[Frozen]:
    """Return the file systems that are frozen; none where that cannot be read."""
    try:
        return kernel.cached(all_frozen)
    except (Absent, OopscopeError):
        return []
