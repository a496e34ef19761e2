"""Where a dentry stands under a process's root: names up the dentries, and across mounts.

Follows fs/d_path.c. What a file is called that has no place in a tree (a pipe, a socket) is not known here.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible
from oopscope.kernel.kernel import Kernel
from oopscope.structs.plan import Plan

MAX_DEPTH = 4096


class MountStruct(NamedTuple):
    """struct mount."""

    address: int
    parent: int
    mountpoint: int
    root: int
    sb: int
    flags: int
    devname: int


class Dentry(NamedTuple):
    """struct dentry."""

    parent: int
    name: int
    length: int
    pprev: int
    op: int


MOUNT = Plan(
    "mount",
    MountStruct,
    parent="mnt_parent",
    mountpoint="mnt_mountpoint",
    root="mnt.mnt_root",
    sb="mnt.mnt_sb",
    flags="mnt.mnt_flags",
    devname="mnt_devname",
)
DENTRY = Plan("dentry", Dentry, parent="d_parent", name="d_name.name", length="d_name.len", pprev="d_hash.pprev",
              op="d_op")  # fmt: skip


def alias_offset(kernel: Kernel) -> int:
    """Return where in a struct dentry the link is by which its inode lists it."""
    # out of the union d_u by 7.1, whose other members may lie over it
    name = "d_alias" if kernel.types.has_member("dentry", "d_alias") else "d_u"
    return kernel.types.member("dentry", name).offset


class Place(NamedTuple):
    """A place in the tree of mounts: a struct mount and a dentry of it."""

    mount: int
    dentry: int


class Walked(NamedTuple):
    """A path, and whether it begins at the root: else it is all that leads there from a mount without a parent."""

    path: bytes
    reached: bool


class Paths:
    """Paths from the dentries up to a root; each mount and dentry is read once."""

    def __init__(self, kernel: Kernel, root: Place) -> None:
        self._kernel, self._root = kernel, root
        self._mounts: dict[int, MountStruct] = {}
        self._dentries: dict[int, Dentry] = {}

    def mount(self, address: int) -> MountStruct:
        """Return a struct mount; ReadError."""
        if address not in self._mounts:
            self._mounts[address] = self._kernel.bind(MOUNT).row(address)
        return self._mounts[address]

    def dentry(self, address: int) -> Dentry:
        """Return a struct dentry; ReadError."""
        if address not in self._dentries:
            self._dentries[address] = self._kernel.bind(DENTRY).row(address)
        return self._dentries[address]

    def name(self, dentry: Dentry) -> bytes:
        """Return a dentry's own name; ReadError."""
        return self._kernel.memory.cstring(dentry.name, min(dentry.length, 255) + 1)

    def of(self, place: Place) -> Walked:
        """Return the path of a place; ReadError, or Implausible for one that never ends."""
        names: list[bytes] = []
        mount, dentry = self.mount(place.mount), place.dentry
        for _ in range(MAX_DEPTH):
            if (mount.address, dentry) == self._root:
                return Walked(b"/" + b"/".join(reversed(names)), True)
            if dentry == mount.root:
                if mount.parent == mount.address:
                    return Walked(b"/" + b"/".join(reversed(names)), False)
                dentry, mount = mount.mountpoint, self.mount(mount.parent)
                continue
            row = self.dentry(dentry)
            if row.parent == dentry:  # a dentry that never got a place: the root of a pseudo file system
                return Walked(b"/" + b"/".join(reversed(names)), False)
            names.append(self.name(row))
            dentry = row.parent
        raise Implausible("a path without end", place.mount)

    def shown(self, place: Place) -> str:
        """Return a path as /proc shows it: one that was removed is said to be."""
        text = decoded(self.of(place).path)
        row = self.dentry(place.dentry)
        unlinked = not row.pprev and row.parent != place.dentry  # d_unlinked()
        return text + " (deleted)" if unlinked else text


def place_at(kernel: Kernel, path: int) -> Place:
    """Return what a struct path at an address names; a mount of 0 where it is empty."""
    types, memory = kernel.types, kernel.memory
    mnt = memory.word(path + types.member("path", "mnt").offset)
    dentry = memory.word(path + types.member("path", "dentry").offset)
    return Place(mnt - types.member("mount", "mnt").offset if mnt else 0, dentry)
