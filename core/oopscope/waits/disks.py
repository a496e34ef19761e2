"""Disks and requests as things that one waits for; and what a disk stands behind: a loop device's file, dm's, md's.

Follows block/, drivers/block/loop.c and drivers/md/{dm-core,md}.h. Of a loop device whose worker is at work that worker
is what it waits for, else the file system of its file; a dm device that is suspended is the end of it.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.block import Request, disks, requests
from oopscope.linux.task import PF_KTHREAD, task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.nodes import file_system_node, super_blocks, task_node, thing
from oopscope.waits.offsets import offset, offsets, size
from oopscope.waits.workers import workers

MAX_DEPTH = 8  # devices on top of each other
MAX_LOWER = 64
BLOCK_IO, SUSPENDED, FROZEN_BY_DM = 1, 2, 4  # DMF_BLOCK_IO_FOR_SUSPEND, _SUSPENDED, _FROZEN of mapped_device.flags
LOOP, DM, MD = "loop", "dm_mod", "md_mod"
OPERATIONS = {LOOP: "lo_", DM: "dm_", MD: "md_"}  # how their block_device_operations are called


@once
def in_flight(kernel: Kernel) -> list[Request]:
    """Return every request in flight; none where they cannot be read."""
    try:
        return requests(kernel)
    except OopscopeError as error:
        kernel.problems.lost("waits", "requests in flight")(error)
        return []


def request_node(request: Request) -> Node:
    """Return the node of a request in flight: what it asks for, and when it was sent."""
    age = f", sent {request.age_seconds:.1f} s ago" if request.age_seconds is not None else ""
    amount = f" {request.bytes >> 10}K" if request.bytes else ""
    name = f"{request.disk}: {request.operation.upper()}{amount}, sector {request.sector}{age}"
    return thing("request", request.address, name)


def disk_name(kernel: Kernel, disk: int) -> str:
    """Return a disk's name; ReadError."""
    return kernel.memory.text(disk + (offset(kernel, "gendisk", "disk_name") or 0), 32)


def disk_node(kernel: Kernel, disk: int) -> Node:
    """Return the node of a disk by its struct gendisk."""
    name = disk_name(kernel, disk)
    mine = [one for one in in_flight(kernel) if one.disk == name]
    oldest = max((one.age_seconds or 0.0 for one in mine), default=0.0)
    note = f"{len(mine)} in flight, the oldest since {oldest:.1f} s" if mine else ""
    flags = _dm_flags(kernel, disk)
    if flags is not None and flags & (BLOCK_IO | SUSPENDED):
        note = "suspended"
    return thing("disk", disk, name, note or _not_known(kernel, disk))


def _not_known(kernel: Kernel, disk: int) -> str:
    """Return that what is below a disk is not known, where its module's types are not: before BTF of modules, 5.11."""
    for owner, struct in ((DM, "mapped_device"), (MD, "mddev"), (LOOP, "loop_device")):
        if size(kernel, struct, owner) is None and _private(kernel, disk, owner) is not None:
            return f"what is below it is not known: no types of {owner}"
    return ""


@once
def gendisks(kernel: Kernel) -> dict[str, int]:
    """Return every struct gendisk by its name."""
    try:
        return {disk.name: disk.address for disk in disks(kernel) if disk.kind == "disk"}
    except OopscopeError:
        return {}


def claims_of_request(kernel: Kernel, request: Request) -> Iterator[Claim]:
    """Yield that a request is its disk's to answer, and what the disk stands behind."""
    disk = gendisks(kernel).get(request.disk)
    if disk is not None:
        yield Claim(
            request_node(request), disk_node(kernel, disk), "behind", "recorded", None, "request.q is its queue"
        )
        yield from claims_of_disk(kernel, disk)


def claims_of_disk(kernel: Kernel, disk: int, depth: int = 0) -> Iterator[Claim]:
    """Yield what a disk stands behind, down to the last."""
    if depth >= MAX_DEPTH:
        return
    try:
        yield from _loop(kernel, disk)
        yield from _dm(kernel, disk, depth)
        yield from _md(kernel, disk, depth)
    except OopscopeError as error:
        kernel.problems.lost("waits", f"what is below the disk at {disk:#x}")(error)


def _private(kernel: Kernel, disk: int, owner: str) -> int | None:
    """Return a gendisk's private_data where its operations are those of a module or begin with its name."""
    at = offsets(kernel, "gendisk", "fops", "private_data")
    if at is None:
        return None
    named = kernel.name_of(kernel.memory.word(disk + at[0]))
    if named is None or (named.module != owner and not named.symbol.startswith(OPERATIONS[owner])):
        return None
    return kernel.memory.word(disk + at[1]) or None


def array_of(kernel: Kernel, disk: int) -> int | None:
    """Return the struct mddev of a disk that is an md array and that it names back; None for any other disk."""
    try:
        array, back = _private(kernel, disk, MD), offset(kernel, "mddev", "gendisk", module=MD)
        return array if array and back is not None and kernel.memory.word(array + back) == disk else None
    except OopscopeError:
        return None


def _md(kernel: Kernel, disk: int, depth: int) -> Iterator[Claim]:
    """Yield the disks that are the members of an md array."""
    array, members = array_of(kernel, disk), offset(kernel, "mddev", "disks", module=MD)
    each, gendisk = offsets(kernel, "md_rdev", "same_set", "bdev", module=MD), offset(kernel, "block_device", "bd_disk")
    if array is None or members is None or each is None or gendisk is None:
        return
    memory, node = kernel.memory, disk_node(kernel, disk)
    for entry in for_each_list(memory, array + members, each[0], lambda _e: None, MAX_LOWER):
        bdev = memory.word(entry + each[1])
        lower = memory.word(bdev + gendisk) if bdev else 0  # a member that has failed or been taken out has none
        if lower:
            yield Claim(node, disk_node(kernel, lower), "behind", "recorded", None, "a member of the array")
            yield from claims_of_disk(kernel, lower, depth + 1)


def _loop(kernel: Kernel, disk: int) -> Iterator[Claim]:
    loop = _private(kernel, disk, LOOP)
    file = offset(kernel, "loop_device", "lo_backing_file", module=LOOP)
    inode, block = offset(kernel, "file", "f_inode"), offset(kernel, "inode", "i_sb")
    if loop is not None and file is None:
        yield from _by_name(kernel, disk)
    if loop is None or file is None or inode is None or block is None:
        return
    memory, node = kernel.memory, disk_node(kernel, disk)
    backing = memory.word(loop + file)
    if not backing:
        return
    worker = _loop_worker(kernel, loop)
    if worker is not None:
        yield Claim(node, task_node(kernel, worker), "held_by", "recorded", None, "the task that does its requests")
        return
    system = memory.word(memory.word(backing + inode) + block)
    if system in super_blocks(kernel):
        text = "loop_device.lo_backing_file is a file of it"
        yield Claim(node, file_system_node(kernel, system), "behind", "recorded", None, text)


def _by_name(kernel: Kernel, disk: int) -> Iterator[Claim]:
    """Yield the thread that does a loop device's requests by its name, until 5.13 that of the device."""
    name = disk_name(kernel, disk).encode()
    found = [task for task in kernel.cached(task_structs).values() if task.flags & PF_KTHREAD and task.comm == name]
    if len(found) == 1:
        text = "a kernel thread of the device's name"
        yield Claim(disk_node(kernel, disk), task_node(kernel, found[0].address), "held_by", "likely", None, text)


def _loop_worker(kernel: Kernel, loop: int) -> int | None:
    """Return the task that does a loop device's requests: a worker of its own work (5.14), a kthread before."""
    task = offset(kernel, "loop_device", "worker_task", module=LOOP)
    if task is not None:
        found = kernel.memory.word(loop + task)
        return found if found in kernel.cached(task_structs) else None
    whole = size(kernel, "loop_device", LOOP) or 0
    back = offset(kernel, "loop_worker", "lo", module=LOOP)
    work = offset(kernel, "loop_worker", "work", module=LOOP)
    for worker in workers(kernel):
        named = kernel.name_of(worker.function) if worker.current_work else None
        if named is None or not named.symbol.startswith("loop_"):
            continue
        if loop <= worker.current_work < loop + whole:
            return worker.task
        if back is not None and work is not None and kernel.memory.word(worker.current_work - work + back) == loop:
            return worker.task
    return None


def mapped_device(kernel: Kernel, disk: int) -> int | None:
    """Return the struct mapped_device of a disk of the device mapper; None for any other disk. ReadError."""
    return _private(kernel, disk, DM)


def _dm_flags(kernel: Kernel, disk: int) -> int | None:
    try:
        device, at = mapped_device(kernel, disk), offset(kernel, "mapped_device", "flags", module=DM)
        return kernel.memory.word(device + at) if device is not None and at is not None else None
    except OopscopeError:
        return None


def _dm(kernel: Kernel, disk: int, depth: int) -> Iterator[Claim]:
    """Yield the disks below a dm device that is not suspended."""
    device, table = _private(kernel, disk, DM), offset(kernel, "mapped_device", "map", module=DM)
    flags = _dm_flags(kernel, disk)
    if device is None or table is None or flags is None or flags & (BLOCK_IO | SUSPENDED):
        return
    devices = offset(kernel, "dm_table", "devices", module=DM)
    each = offsets(kernel, "dm_dev_internal", "list", "dm_dev", module=DM)
    bdev = offset(kernel, "dm_dev", "bdev", module=DM) or 0
    gendisk = offset(kernel, "block_device", "bd_disk")
    if devices is None or each is None or gendisk is None:
        return
    memory, node = kernel.memory, disk_node(kernel, disk)
    for entry in for_each_list(memory, memory.word(device + table) + devices, each[0], lambda _e: None, MAX_LOWER):
        lower = memory.word(memory.word(memory.word(entry + each[1]) + bdev) + gendisk)
        yield Claim(node, disk_node(kernel, lower), "behind", "recorded", None, "a device of its table")
        yield from claims_of_disk(kernel, lower, depth + 1)


def claims_of_frozen(kernel: Kernel, block: int) -> Iterator[Claim]:
    """Yield by whom a file system is frozen, as far as that is recorded: by a dm device that is suspended."""
    disk = disk_of_file_system(kernel, block)
    flags = _dm_flags(kernel, disk) if disk is not None else None
    if disk is not None and flags is not None and flags & FROZEN_BY_DM:
        text = "its device froze it to be suspended: DMF_FROZEN"
        yield Claim(file_system_node(kernel, block), disk_node(kernel, disk), "behind", "recorded", None, text)


def disk_of_file_system(kernel: Kernel, block: int) -> int | None:
    """Return the gendisk that a file system lies on."""
    at, gendisk = offset(kernel, "super_block", "s_bdev"), offset(kernel, "block_device", "bd_disk")
    bdev = kernel.memory.word(block + at) if at is not None else 0
    return kernel.memory.word(bdev + gendisk) if bdev and gendisk is not None else None
