"""The dentry cache: how many names each file system keeps, how many of files that are not there, where most are.

Follows fs/dcache.c and include/linux/dcache.h. From the root of each super block down; a dentry must name the one that
it was reached from. What hangs on no root (a name that was removed and is still in use) is not met.
"""

from collections.abc import Callable
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.once import once
from oopscope.linux.filesystem import FileSystem, file_systems
from oopscope.structs.plan import Plan

MAX_DENTRIES = 400_000
MAX_DEPTH = 256


class DentryStruct(NamedTuple):
    """struct dentry: what it is of, and where it hangs; before 6.8 children were a list with a head."""

    parent: int
    inode: int
    next: int
    child: int


class Named(NamedTuple):
    """struct dentry: its name."""

    parent: int
    name: int
    length: int


DENTRY = Plan(
    "dentry", DentryStruct, parent="d_parent", inode="d_inode", next=("d_sib.next", "d_child.next"),
    child=("d_children.first", "d_subdirs.next"),
)  # fmt: skip
NAME = Plan("dentry", Named, parent="d_parent", name="d_name.name", length="d_name.len")


class DentryCount(NamedTuple):
    """The dentries of a super block."""

    name: str
    type: str
    targets: tuple[str, ...]
    dentries: int
    negative: int  # names of files that are not there
    largest: str | None  # the directory with the most names, from the file system's root
    in_largest: int | None
    address: int  # of the super block
    least: bool  # some could not be read: the numbers are of those that were, and which is the largest is not known


Lost = Callable[[str, OopscopeError], None]


class _Walk:
    """The dentries of one kernel, from their roots."""

    def __init__(self, kernel: Kernel, lost: Lost) -> None:
        self.kernel, self.bound, self.name, self.lost = kernel, kernel.bind(DENTRY), kernel.bind(NAME), lost
        types = kernel.types
        self.listed = not types.has_member("dentry", "d_children")
        self.sibling = types.member("dentry", "d_child" if self.listed else "d_sib").offset
        self.head = types.member("dentry", "d_subdirs" if self.listed else "d_children").offset
        self.seen = set[int]()
        self.broken = False  # whether some of the file system that is walked were lost

    def row(self, system: FileSystem, root: int) -> DentryCount:
        """Count what hangs on a root; ReadError."""
        negative, largest, self.broken = 0, (0, 0), False
        before, todo = len(self.seen), [(root, self.bound.row(root))]
        self.seen.add(root)
        while todo:
            parent, row = todo.pop()
            negative += not row.inode
            children = self._children(system.name, parent, row.child)
            largest = max(largest, (len(children), parent))
            todo += children
        count, directory = largest
        path, most = (None, None) if self.broken else (self._path(directory) if count else None, count)
        return DentryCount(
            system.name, system.type, system.targets, len(self.seen) - before, negative, path, most, system.address,
            self.broken,
        )  # fmt: skip

    def _children(self, name: str, parent: int, link: int) -> list[tuple[int, DentryStruct]]:
        """Return the dentries below one, as far as their links lead."""
        found, end = list[tuple[int, DentryStruct]](), parent + self.head if self.listed else 0
        try:
            while link not in (0, end):
                child = link - self.sibling
                if child in self.seen or len(self.seen) >= MAX_DENTRIES:
                    raise Implausible("dentries that loop, or too many of them: no further", child)
                row = self.bound.row(child)
                if row.parent != parent:
                    raise Implausible("what should be a dentry is below another", child)
                self.seen.add(child)
                found.append((child, row))
                link = row.next
        except OopscopeError as e:
            self.broken = True
            self.lost(name, e)
        return found

    def _path(self, at: int) -> str | None:
        names = list[str]()
        try:
            for _ in range(MAX_DEPTH):
                row = self.name.row(at)
                if row.parent == at:
                    return "/" + "/".join(reversed(names))
                raw = self.kernel.memory.cstring(row.name, min(row.length, 255) + 1)
                names.append(decoded(raw))
                at = row.parent
        except OopscopeError:
            return None
        return None


@once
def dentry_counts(kernel: Kernel) -> list[DentryCount]:
    """Return the dentries of each file system that has a root, those with the most first."""
    found, top = list[DentryCount](), kernel.types.member("super_block", "s_root").offset
    with kernel.problems.counted("dentries", "directories") as lost:
        walk = _Walk(kernel, lost)
        for system in file_systems(kernel):
            try:
                root = kernel.memory.word(system.address + top)
                found += [walk.row(system, root)] if root else []
            except OopscopeError as e:
                lost(system.name, e)
    return sorted(found, key=lambda one: -one.dentries)


def counted(kernel: Kernel, what: str = "nr_dentry") -> int | None:
    """Return the kernel's own count of dentries, or (nr_dentry_negative) of unused negative ones."""
    at = kernel.find_symbol(what)
    if at is None:
        return None
    offsets = kernel.cached(per_cpu_offsets)
    top, size = kernel.memory.top, kernel.memory.word_size
    total = sum(kernel.memory.word((at + offset) % top) for offset in offsets)
    return total % (1 << 8 * size)
