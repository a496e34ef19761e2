"""Pages, buffers and bios that are being read or written, and the requests in flight that carry them, and their disk.

Follows mm/filemap.c (struct wait_page_queue), kernel/sched/wait_bit.c and fs/buffer.c. The entry on the waiter's stack
names the page, or the word and the bit. The request is found by the pages of its bios; where none in flight has the
page, the disk is inferred from the file's own file system.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.block import Request
from oopscope.linux.open_by import opened_by
from oopscope.linux.task import task_structs
from oopscope.waits.carried import carried
from oopscope.waits.disks import (
    claims_of_disk,
    claims_of_request,
    disk_name,
    disk_node,
    disk_of_file_system,
    gendisks,
    request_node,
)
from oopscope.waits.graph import Claim
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import file_system_name, file_system_node, super_blocks, symbol_name, task_node, thing
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.servers import claims_of_file_system
from oopscope.waits.sleepers import Sleeper, completion_of, within

FLAGS = 3  # the low bits of folio.mapping
ON_PAGE, ON_BIT = "wake_page_function", ("wake_bit_function", "var_wake_function")
RPC = ("rpc_wait_bit", "__rpc_execute")
_DIRECT = ("__iomap_dio", "iomap_dio", "__blkdev_direct", "blkdev_direct", "blkdev_read_iter", "blkdev_write_iter")
_ON_BIO = (
    "submit_bio_wait",
    "blk_execute_rq",
    "wait_for_completion",
    "__iomap_dio",
    "__blkdev_direct",
    "blkdev_direct",
    "iomap_dio",
)


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for a page, a buffer or a bio."""
    for one in unlocked(kernel):
        if not one.places:
            continue
        try:
            yield from _of(kernel, one)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"the page that {one.pid} waits for")(error)


def _of(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    for entry in one.entries:
        if entry.function == ON_PAGE:
            page = _page(kernel, one, entry.node)
            if page:
                yield from _on_page(kernel, one, page)
            return
        if entry.function in ON_BIT:
            yield from _on_bit(kernel, one, entry.node)
            return
    if one.blocked and within(one.functions, _ON_BIO):
        yield from _on_bio(kernel, one)


def _page(kernel: Kernel, one: Sleeper, node: int) -> int:
    shape = offsets(kernel, "wait_page_queue", "wait.entry", ("folio", "page"))
    return one.word(node - shape[0] + shape[1]) if shape is not None else 0


def _on_page(kernel: Kernel, one: Sleeper, page: int) -> Iterator[Claim]:
    waiter = task_node(kernel, one.address)
    by = carried(kernel).pages.get(page)
    if isinstance(by, Request):
        text = "the page in its wait queue entry is in a bio of this request"
        yield Claim(waiter, request_node(by), "waits_for", "linked", one.since, text)
        yield from claims_of_request(kernel, by)
        return
    of = _of_file(kernel, page)
    node = thing("page", page, of.name)
    yield Claim(waiter, node, "waits_for", "linked", one.since, "a wait queue entry of its own names the page")
    if by is not None and of.disk in (None, by):
        yield Claim(node, disk_node(kernel, by), "behind", "linked", None, "it is in a bio that the device holds back")
        yield from claims_of_disk(kernel, by)
        return
    if not any("read" in f or "fault" in f or "writeback" in f for f in one.functions):
        return
    text = "the page's file lies on it"
    if of.disk is not None:
        if kernel.facts.complete and not any(problem.section in ("requests", "waits") for problem in kernel.problems):
            text += "; no request in flight carries the page"
        yield Claim(node, disk_node(kernel, of.disk), "behind", "inferred", None, text)
        yield from claims_of_disk(kernel, of.disk)
    elif of.block is not None and (onward := list(claims_of_file_system(kernel, of.block))):
        yield Claim(node, file_system_node(kernel, of.block), "behind", "inferred", None, text)
        yield from onward


class OfFile(NamedTuple):
    """A page in words, and the disk and the super block of the file that it is part of."""

    name: str
    disk: int | None = None
    block: int | None = None


def _of_file(kernel: Kernel, page: int) -> OfFile:
    struct = "folio" if kernel.types.has("folio") else "page"
    shape = offsets(kernel, struct, "mapping", ("index", "__folio_index"))
    host = offset(kernel, "address_space", "host")
    block_at, number_at = offset(kernel, "inode", "i_sb") or 0, offset(kernel, "inode", "i_ino") or 0
    if shape is None or host is None:
        return OfFile(f"{page:#x}")
    memory = kernel.memory
    mapping, index = memory.word(page + shape[0]), memory.word(page + shape[1])
    if not mapping or mapping & FLAGS:
        return OfFile(f"{page:#x} of no file")
    inode = memory.word(mapping + host)
    block = memory.word(inode + block_at)
    if block not in super_blocks(kernel):
        return OfFile(f"{page:#x}")
    device = _block_device(kernel, inode) if _is_bdev(kernel, block) else None
    if device is not None:
        return OfFile(f"{index} of {disk_node(kernel, device).name}", device)
    name = f"{index} of inode {memory.word(inode + number_at)} of {file_system_name(kernel, block)}"
    return OfFile(name, disk_of_file_system(kernel, block), block)


def _is_bdev(kernel: Kernel, block: int) -> bool:
    return file_system_name(kernel, block) == "bdev on bdev"


def _block_device(kernel: Kernel, inode: int) -> int | None:
    shape = offsets(kernel, "bdev_inode", "vfs_inode", "bdev")
    gendisk = offset(kernel, "block_device", "bd_disk")
    if shape is None or gendisk is None:
        return None
    return kernel.memory.word(inode - shape[0] + shape[1] + gendisk) or None


def _on_bit(kernel: Kernel, one: Sleeper, node: int) -> Iterator[Claim]:
    shape = offsets(kernel, "wait_bit_queue_entry", "wq_entry.entry", "key.flags", "key.bit_nr")
    if shape is None:
        return
    waiter, text = task_node(kernel, one.address), "a wait queue entry of its own names the word and the bit"
    word, bit = one.word(node - shape[0] + shape[1]), one.word(node - shape[0] + shape[2]) & 0xFFFFFFFF
    found = _buffer(kernel, word)
    if found is None:
        if within(one.functions, RPC):
            return  # the kind that knows calls names it
        name = symbol_name(kernel, word) or f"{word:#x}"
        if one.blocked:
            yield Claim(waiter, thing("bit", word, f"{bit} of {name}"), "waits_for", "linked", one.since, text)
        return
    disk, page, block = found
    request = carried(kernel).pages.get(page)
    if isinstance(request, Request) and request.disk == disk_name(kernel, disk):
        yield Claim(waiter, request_node(request), "waits_for", "linked", one.since, f"{text}; its page is in a bio")
        yield from claims_of_request(kernel, request)
        return
    buffer = thing("buffer", word, f"block {block} of {disk_node(kernel, disk).name}")
    yield Claim(waiter, buffer, "waits_for", "linked", one.since, text)
    yield Claim(buffer, disk_node(kernel, disk), "behind", "inferred", None, "buffer_head.b_bdev")
    yield from claims_of_disk(kernel, disk)


def _buffer(kernel: Kernel, word: int) -> tuple[int, int, int] | None:
    """Return the disk, the page and the number of the buffer whose state a word is; None where it names no disk."""
    shape = offsets(kernel, "buffer_head", "b_state", "b_bdev", ("b_page", "b_folio"), "b_blocknr")
    gendisk = offset(kernel, "block_device", "bd_disk")
    if shape is None or gendisk is None:
        return None
    try:
        head = word - shape[0]
        disk = kernel.memory.word(kernel.memory.word(head + shape[1]) + gendisk)
        if disk not in gendisks(kernel).values():
            return None
        return disk, kernel.memory.word(head + shape[2]), kernel.memory.word(head + shape[3])
    except OopscopeError:
        return None


def _on_bio(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    """By a bio whose private pointer is the completion on its stack, the task, or leads to it."""
    found = carried(kernel)
    completion = completion_of(one)
    by = found.private.get(completion or 0) or found.private.get(one.address)
    if by is None:
        by = next((r for key, r in found.private.items() if key in one.stack), None)
    waiter = task_node(kernel, one.address)
    if isinstance(by, Request):
        text = "the private pointer of a bio of the request leads to this task"
        yield Claim(waiter, request_node(by), "waits_for", "linked", one.since, text)
        yield from claims_of_request(kernel, by)
    elif by is not None:
        text = "the private pointer of a bio that the device holds back leads to this task"
        yield Claim(waiter, disk_node(kernel, by), "waits_for", "linked", one.since, text)
        yield from claims_of_disk(kernel, by)
    elif not one.entries and (disk := _of_call(kernel, one)) is not None:
        text = "the file that it reads or writes directly, which its words name, lies on it"
        yield Claim(waiter, disk_node(kernel, disk), "waits_for", "inferred", one.since, text)
        yield from claims_of_disk(kernel, disk)


def _of_call(kernel: Kernel, one: Sleeper) -> int | None:
    """Return the disk of the file that a task reads or writes directly: the only one of its own among its words."""
    if not within(one.functions, _DIRECT):
        return None
    file, block_at = offset(kernel, "file", "f_mapping"), offset(kernel, "inode", "i_sb")
    host = offset(kernel, "address_space", "host")  # of a device's file the device's own inode, not that of its name
    if file is None or block_at is None or host is None:
        return None
    having = opened_by(kernel).having
    files = (word for word in one.words if _has(kernel, having.get(word, []), one))
    mappings = {kernel.memory.word(word + file) for word in files}
    if len(mappings) != 1:
        return None
    inode = kernel.memory.word(mappings.pop() + host)
    block = kernel.memory.word(inode + block_at)
    if block not in super_blocks(kernel):
        return None
    if _is_bdev(kernel, block):
        return _block_device(kernel, inode)
    return disk_of_file_system(kernel, block)


def _has(kernel: Kernel, tasks: list[int], one: Sleeper) -> bool:
    known = kernel.cached(task_structs)
    return any(task in known and known[task].tgid == one.task.tgid for task in tasks)
