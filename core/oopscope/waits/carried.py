"""What bios carry: the pages and the waiters of those in requests in flight, and of those that a device holds back.

Follows block/bio.c, fs/iomap/direct-io.c and drivers/md/dm.c: a device that is suspended keeps the bios that come in
mapped_device.deferred, and no request has them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.block import Request
from oopscope.linux.task import task_structs
from oopscope.waits.disks import DM, gendisks, in_flight, mapped_device
from oopscope.waits.offsets import offset, offsets

MAX_BIOS = 4096  # of one request, or that one device holds back
MAX_VECTORS = 1024


class Carried(NamedTuple):
    """What requests in flight carry, or a disk (its gendisk) holds back: pages, and what their bios are private to."""

    pages: dict[int, Request | int]
    private: dict[int, Request | int]


@once
def carried(kernel: Kernel) -> Carried:
    """Return what the requests in flight carry, and what disks hold back."""
    found = Carried({}, {})
    bio_at, end = offset(kernel, "request", "bio"), offset(kernel, "request", "end_io_data")
    for request in in_flight(kernel):
        try:
            _carry_all(kernel, kernel.memory.word(request.address + (bio_at or 0)), request, found)
            if end is not None:
                found.private.setdefault(kernel.memory.word(request.address + end), request)
        except OopscopeError:
            continue
    first = offset(kernel, "mapped_device", "deferred.head", module=DM)
    for disk in gendisks(kernel).values() if first is not None else ():
        try:
            device = mapped_device(kernel, disk)
            if device is not None:
                _carry_all(kernel, kernel.memory.word(device + (first or 0)), disk, found)
        except OopscopeError:
            continue
    found.private.pop(0, None)
    return found


def _carry_all(kernel: Kernel, bio: int, what: Request | int, found: Carried) -> None:
    for _ in range(MAX_BIOS):
        if not bio:
            break
        bio = _carry(kernel, bio, what, found)


def _carry(kernel: Kernel, bio: int, what: Request | int, found: Carried) -> int:
    """Take in one bio; return the next."""
    shape = offsets(kernel, "bio", "bi_next", "bi_private")
    if shape is None:
        return 0
    following, own = (kernel.memory.word(bio + at) for at in shape)
    for key in _named_by(kernel, own):
        found.private.setdefault(key, what)
    for page in _pages(kernel, bio):
        found.pages.setdefault(page, what)
        found.pages.setdefault(head_page(kernel, page), what)
    return following


def _pages(kernel: Kernel, bio: int) -> Iterator[int]:
    """Yield the pages of a bio: as many as it has, of a clone, which is not told that, as many as its bytes take."""
    shape = offsets(kernel, "bio", "bi_io_vec", "bi_vcnt", "bi_iter.bi_idx", "bi_iter.bi_size")
    vector = offsets(kernel, "bio_vec", "bv_page", "bv_len")
    if shape is None or vector is None:
        return
    memory, each = kernel.memory, kernel.types.sizeof("bio_vec")
    vectors, count = memory.word(bio + shape[0]), memory.u32(bio + shape[1]) & 0xFFFF
    first, left = (0, 1 << 32) if count else (memory.u32(bio + shape[2]), memory.u32(bio + shape[3]))
    for number in range(first, first + min(count or MAX_VECTORS, MAX_VECTORS) if vectors else first):
        if left <= 0:
            return
        at = vectors + number * each
        yield memory.word(at + vector[0])
        left -= memory.u32(at + vector[1]) or left


def _named_by(kernel: Kernel, private: int) -> Iterator[int]:
    """Yield what a bio's private pointer means: itself, and the task that waits for the direct I/O that it is of."""
    if not private:
        return
    yield private
    tasks = kernel.cached(task_structs)
    waits = offset(kernel, "iomap_dio", "submit.waiter")
    try:
        for at in (waits, 0):
            task = kernel.memory.word(private + at) if at is not None else 0
            if task in tasks:
                yield task
    except OopscopeError:
        return


def head_page(kernel: Kernel, page: int) -> int:
    """Return the first page of a compound one; 7.1 keeps it in another form, and there the page itself counts."""
    at = offset(kernel, "page", "compound_head")
    try:
        word = kernel.memory.word(page + at) if at is not None else 0
    except OopscopeError:
        return page
    return word - 1 if word & 1 else page
