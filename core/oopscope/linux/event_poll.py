"""epoll: which files each instance watches, for what, and who sleeps on it.

Follows fs/eventpoll.c. An instance's items are a tree; each must name the instance, whose file must be the one that is
open.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list, for_each_rbtree
from oopscope.linux.open_by import Opened, files_of_first, opened_as, path_seen
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.structs.plan import Plan

MAX_ITEMS = 100_000
MAX_WAITING = 10_000
OPERATIONS = "eventpoll_fops"
# include/uapi/linux/eventpoll.h
EVENTS = (
    (1, "IN"), (2, "PRI"), (4, "OUT"), (8, "ERR"), (0x10, "HUP"), (0x2000, "RDHUP"), (1 << 28, "EXCLUSIVE"),
    (1 << 29, "WAKEUP"), (1 << 30, "ONESHOT"), (1 << 31, "ET"),
)  # fmt: skip


class Instance(NamedTuple):
    """struct eventpoll."""

    address: int
    root: int
    waiting: int
    file: int


class Item(NamedTuple):
    """struct epitem."""

    address: int
    node: int
    file: int
    fd: int
    link: int
    ready: int
    instance: int
    events: int
    data: int


EVENTPOLL = Plan("eventpoll", Instance, root="rbr.rb_root", waiting="&wq")
ITEM = Plan(
    "epitem", Item, node="&rbn", file="ffd.file", fd="ffd.fd", link="&rdllink", ready="rdllink.next", instance="ep",
    events="event.events", data="event.data",
)  # fmt: skip


class Polled(NamedTuple):
    """A file that an epoll instance watches."""

    pid: int
    comm: str
    fd: int  # of the instance
    watched: int
    path: str | None
    events: tuple[str, ...]
    ready: bool  # it stands in the list of those that have something to tell
    waiting: int | None  # threads that sleep in epoll_wait on the instance; None where not all could be read
    data: int  # what the program is told with it
    address: int


class _Reader:
    """The instances of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.lost = kernel, kernel.problems.lost("epolls", "an item")
        self.instance, self.item = kernel.bind(EVENTPOLL), kernel.bind(ITEM)
        self.files, self.left = files_of_first(kernel), MAX_ITEMS

    def rows(self, address: int, opened: list[Opened]) -> list[Polled]:
        """Return the files that an instance watches, once for each process's descriptor of it."""
        row = self.instance.row(address)
        if row.file not in {one.file for one in opened}:
            raise Implausible("an epoll instance that names another file", address)
        root = address + self.kernel.types.member("eventpoll", "rbr.rb_root").offset
        items = list[Item]()
        walk = for_each_rbtree(self.kernel.memory, root, self.item.offset("node"), self.lost)
        for item in self.item.rows(walk, self.lost):
            if item.instance != address:
                raise Implausible("what should be an epoll item is of another instance", item.address)
            if self.left <= 0:
                self.kernel.problems.add("epolls", f"more than {MAX_ITEMS:,} items: the rest is not listed")
                break
            self.left -= 1
            items.append(item)
        broken = list[OopscopeError]()
        count = sum(1 for _ in for_each_list(self.kernel.memory, self._sleepers(row), 0, broken.append, MAX_WAITING))
        for error in broken:
            self.lost(error)
        waiting = None if broken else count
        tasks = self.kernel.cached(task_structs)
        return [self._row(one, tasks[one.task], item, waiting) for one in opened for item in items]

    def _sleepers(self, row: Instance) -> int:
        return row.waiting + self.kernel.types.member("wait_queue_head", "head").offset

    def _row(self, one: Opened, task: TaskStruct, item: Item, waiting: int | None) -> Polled:
        words = tuple(word for bit, word in EVENTS if item.events & bit)
        ready = item.ready not in (0, item.link)
        return Polled(
            task.pid, decoded(task.comm), one.fd, item.fd, path_seen(self.files, item.file),
            words, ready, waiting, item.data, item.address,
        )  # fmt: skip


@once
def epolls(kernel: Kernel) -> list[Polled]:
    """Return what the epoll instances of all processes watch."""
    reader, found = _Reader(kernel), list[Polled]()
    for address, opened in opened_as(kernel, OPERATIONS, "epolls"):
        try:
            found += reader.rows(address, opened)
        except OopscopeError as e:
            reader.lost(e)
    return sorted(found, key=lambda one: (one.pid, one.fd, one.watched))
