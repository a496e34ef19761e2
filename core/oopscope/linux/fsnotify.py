"""What processes watch in file systems: inotify and fanotify, with the events that wait to be read.

Follows fs/notify/{group.c,mark.c,fdinfo.c} and include/linux/fsnotify_backend.h. A mark must name the group that it is
listed by.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.inode_path import InodePaths
from oopscope.linux.open_by import Opened, opened_as
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.structs.plan import Plan

MAX_MARKS = 100_000
OPERATIONS = {"inotify": "inotify_fops", "fanotify": "fanotify_fops"}
OBJECTS = {0: "inode", 1: "mount", 2: "file system", 3: "mount namespace"}
# include/linux/fsnotify_backend.h, the bits that a program asks for
EVENTS = (
    (0x1, "ACCESS"), (0x2, "MODIFY"), (0x4, "ATTRIB"), (0x8, "CLOSE_WRITE"), (0x10, "CLOSE_NOWRITE"), (0x20, "OPEN"),
    (0x40, "MOVED_FROM"), (0x80, "MOVED_TO"), (0x100, "CREATE"), (0x200, "DELETE"), (0x400, "DELETE_SELF"),
    (0x800, "MOVE_SELF"), (0x1000, "OPEN_EXEC"), (0x8000, "FS_ERROR"), (0x10000, "OPEN_PERM"),
    (0x20000, "ACCESS_PERM"), (0x40000, "OPEN_EXEC_PERM"), (0x100000, "PRE_ACCESS"),
)  # fmt: skip
PERMISSION = 0x70000 | 0x100000


class Group(NamedTuple):
    """struct fsnotify_group."""

    queued: int
    most: int
    waits: int
    marks: int


class Mark(NamedTuple):
    """struct fsnotify_mark."""

    address: int
    mask: int
    group: int
    link: int
    connector: int


class Connector(NamedTuple):
    """struct fsnotify_mark_connector: the object that is watched, or where in it marks hang."""

    type: int
    object: int


class WatchedInode(NamedTuple):
    """struct inode."""

    number: int
    alias: int
    block: int


GROUP = Plan("fsnotify_group", Group, queued="q_len", most="max_events", waits="user_waits.counter",
             marks="&marks_list")  # fmt: skip
MARK = Plan("fsnotify_mark", Mark, link="&g_list")
CONNECTOR = Plan("fsnotify_mark_connector", Connector, object="obj")
INODE = Plan("inode", WatchedInode, number="i_ino", alias="i_dentry.first", block="i_sb")


class Watch(NamedTuple):
    """A watch, or a group that has none."""

    pid: int
    comm: str
    fd: int
    kind: str
    object: str | None
    path: str | None
    events: tuple[str, ...]
    queued: int  # events of the group that nobody read yet
    most: int
    held_up: int | None  # tasks that wait for the group's permission
    inode: int | None
    watch: int | None  # inotify's number
    address: int


class _Reader:
    """The groups of one kernel as they are read."""

    def __init__(self, kernel: Kernel, kind: str) -> None:
        self.kernel, self.kind, self.lost = kernel, kind, kernel.problems.lost("watches", "a watch")
        self.types, self.memory = kernel.types, kernel.memory
        self.group, self.mark, self.connector = kernel.bind(GROUP), kernel.bind(MARK), kernel.bind(CONNECTOR)
        pointer = self.types.btf.strip(self.types.member("fsnotify_mark_connector", "obj").type)
        self.by_place = bool(self.types.btf.strip(self.types.btf.target(pointer)))  # void * since 6.10
        self.paths, self.left = InodePaths(kernel, self.lost), MAX_MARKS

    def rows(self, address: int, opened: list[Opened]) -> list[Watch]:
        """Return the watches of a group, once for each process's descriptor of it."""
        group, marks, broken = self.group.row(address), list[Mark](), list[OopscopeError]()
        walk = for_each_list(self.memory, group.marks, self.mark.offset("link"), broken.append, MAX_MARKS)
        for mark in self.mark.rows(walk, broken.append):
            if mark.group != address:
                raise Implausible("what should be a watch is of another group", mark.address)
            if self.left <= 0:
                self.kernel.problems.add("watches", f"more than {MAX_MARKS:,} watches: the rest is not listed")
                break
            self.left -= 1
            marks.append(mark)
        tasks = self.kernel.cached(task_structs)
        for error in broken:
            self.lost(error)
        listed: list[Mark | None] = [*marks]
        if not marks and not broken:  # a group without a watch is a row too
            listed = [None]
        return [self._row(one, tasks[one.task], group, mark) for one in opened for mark in listed]

    def _row(self, one: Opened, task: TaskStruct, group: Group, mark: Mark | None) -> Watch:
        what, path, number = self._object(mark.connector) if mark is not None and mark.connector else (None, None, None)
        mask = mark.mask if mark is not None else 0
        watch = mark.address + self.types.member("inotify_inode_mark", "wd").offset if mark is not None else 0
        return Watch(
            task.pid, decoded(task.comm), one.fd, self.kind, what, path,
            tuple(word for bit, word in EVENTS if mask & bit), group.queued, group.most,
            group.waits if self.kind == "fanotify" else None, number,
            self.memory.u32(watch) if self.kind == "inotify" and watch else None, mark.address if mark else 0,
        )  # fmt: skip

    def _object(self, at: int) -> tuple[str | None, str | None, int | None]:
        """Return what kind of thing is watched, its path and an inode's number."""
        try:
            row = self.connector.row(at)
            kind = OBJECTS.get(row.type)
            if kind is None or not row.object:
                return kind, None, None
            if kind == "inode":
                return self._inode(row.object)
            return kind, self._top(kind, row.object), None
        except OopscopeError as e:
            self.lost(e)
            return None, None, None

    def _base(self, at: int, struct: str, member: str) -> int:
        """Return the object of a connector, which names it or, before 6.10, the object's own pointer to it."""
        return at - self.types.member(struct, member).offset if self.by_place else at

    def _inode(self, at: int) -> tuple[str, str | None, int]:
        row = self.kernel.bind(INODE).row(self._base(at, "inode", "i_fsnotify_marks"))
        return "inode", self.paths.of(row.alias, row.block), row.number

    def _top(self, kind: str, at: int) -> str | None:
        if kind == "mount":
            return self.paths.mounts.get(self._base(at, "mount", "mnt_fsnotify_marks"))
        return self.paths.place(self._base(at, "super_block", "s_fsnotify_marks")) if kind == "file system" else None


@once
def watches(kernel: Kernel) -> list[Watch]:
    """Return what all processes watch by inotify and fanotify."""
    found = list[Watch]()
    for kind, operations in OPERATIONS.items():
        if kernel.find_symbol(operations) is None:  # built without it
            continue
        reader = _Reader(kernel, kind)
        for address, opened in opened_as(kernel, operations, "watches"):
            try:
                found += reader.rows(address, opened)
            except OopscopeError as e:
                reader.lost(e)
    return sorted(found, key=lambda one: (one.pid, one.fd, one.watch or 0, one.address))
