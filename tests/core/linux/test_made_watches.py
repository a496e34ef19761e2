"""inotify and io_uring, of which no stored guest had any: whole structs, made where the log's text lay."""

from typing import Any

import pytest

from builders.altered import changed
from cases import case_of
from oopscope.kernel.kernel import Kernel
from oopscope.linux.event_poll import EVENTPOLL, OPERATIONS
from oopscope.linux.file_lock import FILE, LOCK, file_locks
from oopscope.linux.fsnotify import watches
from oopscope.linux.io_uring import rings
from oopscope.linux.open_by import opened_as

LIFE = "6.1-life"
GROUP, MARK, CONNECTOR, CONTEXT, RINGS = 0, 0x200, 0x300, 0x400, 0xC00  # in the page


class Made:
    """A page that nothing here reads, with structs in it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.raw = kernel, bytearray(4096)
        ring = kernel.memory.word(kernel.symbol("prb"))
        data = kernel.memory.word(ring + kernel.types.member("printk_ringbuffer", "text_data_ring.data").offset)
        self.at = (data + 4095) & ~4095

    def put(self, base: int, struct: str, **members: int) -> None:
        for name, value in members.items():
            found = self.kernel.types.member(struct, name.replace("__", "."))
            size = min(found.size, 8)
            self.raw[base + found.offset : base + found.offset + size] = value.to_bytes(size, "little")

    def place(self, base: int, struct: str, member: str) -> int:
        return self.at + base + self.kernel.types.member(struct, member).offset


def instance(kernel: Kernel) -> tuple[int, int]:
    """Return the private_data and the struct file of the guest's epoll instance, which becomes something else."""
    ((private, opened),) = opened_as(kernel, OPERATIONS, "epolls")
    assert kernel.bind(EVENTPOLL).row(private).file == opened[0].file
    return private, opened[0].file


def becomes(operations: str) -> Any:
    def operated(kernel: Kernel) -> Any:
        _, file = instance(kernel)
        at = file + kernel.types.member("file", "f_op").offset
        return at, kernel.symbol(operations).to_bytes(8, "little")

    return operated


def private(kernel: Kernel, base: int) -> tuple[int, bytes]:
    _, file = instance(kernel)
    return file + kernel.types.member("file", "private_data").offset, (Made(kernel).at + base).to_bytes(8, "little")


def locked_inode(kernel: Kernel) -> int:
    lock = file_locks(kernel)[0]
    return kernel.bind(FILE).row(kernel.bind(LOCK).row(lock.address).file).inode


def group(kernel: Kernel) -> Any:
    made, inode = Made(kernel), kernel.types.member("inode", "i_fsnotify_marks").offset
    head, link = made.place(GROUP, "fsnotify_group", "marks_list"), made.place(MARK, "fsnotify_mark", "g_list")
    made.put(GROUP, "fsnotify_group", q_len=3, max_events=16384, marks_list=link)
    made.raw[head - made.at + 8 : head - made.at + 16] = link.to_bytes(8, "little")
    made.put(MARK, "fsnotify_mark", mask=0x108, group=made.at + GROUP, g_list=head, connector=made.at + CONNECTOR)
    made.raw[link - made.at + 8 : link - made.at + 16] = head.to_bytes(8, "little")
    made.put(MARK, "inotify_inode_mark", wd=7)
    made.put(CONNECTOR, "fsnotify_mark_connector", type=0, obj=locked_inode(kernel) + inode)
    return made.at, bytes(made.raw)


def test_a_watch_of_inotify() -> None:
    kernel = changed(LIFE, group, lambda k: private(k, GROUP), becomes("inotify_fops"))
    (row,) = watches(kernel)
    assert (row.comm, row.fd, row.kind, row.object, row.path) == ("life-epoll", 3, "inotify", "inode", "/data/file1")
    assert (row.events, row.watch, row.queued, row.most) == (("CLOSE_WRITE", "CREATE"), 7, 3, 16384)


def test_a_watch_of_another_group_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> Any:
        return Made(kernel).place(MARK, "fsnotify_mark", "group"), bytes(8)

    kernel = changed(LIFE, group, moved, lambda k: private(k, GROUP), becomes("inotify_fops"))
    assert watches(kernel) == []
    assert "of another group" in next(iter(kernel.problems)).message


def ring(kernel: Kernel, entries: int = 8) -> Any:
    made = Made(kernel)
    made.put(
        CONTEXT, "io_ring_ctx", rings=made.at + RINGS, flags=0x100, sq_entries=entries, cq_entries=16, cached_sq_head=5,
        nr_user_files=2, nr_user_bufs=1,
    )  # fmt: skip
    made.put(RINGS, "io_rings", sq__tail=7, sq__head=5, cq__head=1, cq__tail=4, cq_overflow=2)
    return made.at, bytes(made.raw)


def test_a_ring() -> None:
    kernel = changed(LIFE, ring, lambda k: private(k, CONTEXT), becomes("io_uring_fops"))
    (row,) = rings(kernel)
    assert (row.comm, row.fd, row.submissions, row.completions) == ("life-epoll", 3, 8, 16)
    assert (row.waiting, row.unread, row.overflow, row.dropped) == (2, 3, 2, 0)
    assert (row.files, row.buffers, row.flags, row.poller) == (2, 1, ("COOP_TASKRUN",), None)


@pytest.mark.parametrize("entries", [0, 7, 1 << 20])
def test_what_has_no_power_of_two_of_entries_is_no_ring(entries: int) -> None:
    kernel = changed(LIFE, lambda k: ring(k, entries), lambda k: private(k, CONTEXT), becomes("io_uring_fops"))
    assert rings(kernel) == []
    assert f"has {entries} entries" in next(iter(kernel.problems)).message


def test_no_process_of_the_guest_has_either() -> None:
    kernel = case_of(LIFE).kernel
    assert watches(kernel) == [] and rings(kernel) == []
