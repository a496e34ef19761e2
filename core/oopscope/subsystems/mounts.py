"""Mounted file systems as PID 1 sees them in /proc/mounts. Follows fs/proc_namespace.c, fs/mount.h and fs/d_path.c."""

from collections.abc import Callable
from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.mounts import mounts_of
from oopscope.kernel.tasks import task_structs
from oopscope.structs.plan import Plan
from oopscope.subsystems import Column, Table

MAX_DEPTH = 4096
MNT_CURSOR = 0x10000000  # a reader's place in the list (5.8 .. 6.7), no mount
SB_FLAGS = ((1 << 4, "sync"), (1 << 7, "dirsync"), (1 << 25, "lazytime"))
MNT_FLAGS = ((1, "nosuid"), (2, "nodev"), (4, "noexec"), (8, "noatime"), (16, "nodiratime"), (32, "relatime"))
MNT_READONLY, SB_RDONLY = 0x40, 1


class MountStruct(NamedTuple):
    """struct mount."""

    address: int
    parent: int
    mountpoint: int
    root: int
    sb: int
    flags: int
    devname: int


class SuperBlock(NamedTuple):
    """struct super_block."""

    type: int
    subtype: int
    flags: int


class Dentry(NamedTuple):
    """struct dentry."""

    parent: int
    name: int
    length: int


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
SUPER_BLOCK = Plan("super_block", SuperBlock, type="s_type", subtype="s_subtype", flags="s_flags")
DENTRY = Plan("dentry", Dentry, parent="d_parent", name="d_name.name", length="d_name.len")


class Mount(NamedTuple):
    """One line of /proc/mounts; options are those that the kernel itself keeps, not the file system's own.

    What the dump does not hold of it is None.
    """

    source: str | None
    target: str | None
    fstype: str | None
    options: str | None


class _Root(NamedTuple):
    """Where a process's `/` is: a struct mount and a dentry."""

    mount: int
    dentry: int


def _text(raw: bytes | None) -> str | None:
    """Escape as /proc/mounts does: white space and backslashes in octal."""
    if raw is None:
        return None
    for char in b"\\ \t\n#":
        raw = raw.replace(bytes([char]), b"\\%03o" % char)
    return raw.decode("utf-8", "backslashreplace")


def _namespace(kernel: Kernel) -> tuple[int, _Root]:
    """Return PID 1's mount namespace and root, those of init_task where there is no PID 1."""
    structs, types, memory = kernel.cached(task_structs), kernel.types, kernel.memory
    alive = (t.address for t in structs.values() if t.pid == 1 and not t.exit_state)
    task = next(alive, kernel.symbol("init_task"))
    nsproxy = memory.word(task + types.member("task_struct", "nsproxy").offset)
    fs = memory.word(task + types.member("task_struct", "fs").offset)
    if not nsproxy or not fs:  # PID 1 gave them up when it died
        task = kernel.symbol("init_task")
        nsproxy = memory.word(task + types.member("task_struct", "nsproxy").offset)
        fs = memory.word(task + types.member("task_struct", "fs").offset)
    namespace = memory.word(nsproxy + types.member("nsproxy", "mnt_ns").offset)
    mnt = memory.word(fs + types.member("fs_struct", "root.mnt").offset)
    dentry = memory.word(fs + types.member("fs_struct", "root.dentry").offset)
    return namespace, _Root(mnt - types.member("mount", "mnt").offset, dentry)


class _Paths:
    """Paths of mounts, from the dentries up to a root."""

    def __init__(self, kernel: Kernel, root: _Root) -> None:
        self._kernel, self._root = kernel, root
        self._mounts: dict[int, MountStruct] = {}
        self._dentries: dict[int, Dentry] = {}

    def mount(self, address: int) -> MountStruct:
        if address not in self._mounts:
            self._mounts[address] = self._kernel.bind(MOUNT).row(address)
        return self._mounts[address]

    def _dentry(self, address: int) -> Dentry:
        if address not in self._dentries:
            self._dentries[address] = self._kernel.bind(DENTRY).row(address)
        return self._dentries[address]

    def of(self, mount: MountStruct) -> bytes | None:
        """Return where a mount hangs; None where it cannot be reached from the root."""
        names: list[bytes] = []
        dentry = mount.root
        for _ in range(MAX_DEPTH):
            if (mount.address, dentry) == self._root:
                return b"/" + b"/".join(reversed(names))
            if dentry == mount.root:
                if mount.parent == mount.address:
                    return None
                dentry, mount = mount.mountpoint, self.mount(mount.parent)
                continue
            row = self._dentry(dentry)
            names.append(self._kernel.memory.cstring(row.name, min(row.length, 255) + 1))
            dentry = row.parent
        raise Implausible("a path without end", mount.address)


def _options(sb: SuperBlock, mount: MountStruct) -> str:
    read_only = mount.flags & MNT_READONLY or sb.flags & SB_RDONLY
    words = ["ro" if read_only else "rw"]
    words += [word for bit, word in SB_FLAGS if sb.flags & bit]
    words += [word for bit, word in MNT_FLAGS if mount.flags & bit]
    return ",".join(words)


def _mount(kernel: Kernel, paths: _Paths, mount: MountStruct) -> Mount | None:
    """Make a row; what of it is not in the dump is None, and a problem."""
    if mount.flags & MNT_CURSOR:
        return None
    lost = kernel.problems.lost("mounts", "a mount")

    def attempt(read: Callable[[], bytes | None]) -> bytes | None:
        try:
            return read()
        except ReadError as e:
            lost(e)
            return None

    try:
        target = paths.of(mount)
        if target is None:
            return None
    except ReadError as e:
        target = None
        lost(e)
    source = attempt(lambda: kernel.memory.cstring(mount.devname, 4096)) if mount.devname else b"none"
    try:
        sb: SuperBlock | None = kernel.bind(SUPER_BLOCK).row(mount.sb)
    except ReadError as e:
        sb = None
        lost(e)
    fstype = attempt(lambda: _fstype(kernel, sb)) if sb else None
    return Mount(_text(source), _text(target), _text(fstype), _options(sb, mount) if sb else None)


def _fstype(kernel: Kernel, sb: SuperBlock) -> bytes:
    memory, name_at = kernel.memory, kernel.types.member("file_system_type", "name").offset
    fstype = memory.cstring(memory.word(sb.type + name_at), 64)
    return fstype + b"." + memory.cstring(sb.subtype, 64) if sb.subtype else fstype


def mounts(kernel: Kernel) -> list[Mount]:
    """Return what PID 1 sees mounted."""
    namespace, root = _namespace(kernel)
    paths, lost, found = _Paths(kernel, root), kernel.problems.lost("mounts", "a mount"), []
    for address in mounts_of(kernel, namespace):
        try:
            row = _mount(kernel, paths, paths.mount(address))
        except OopscopeError as e:
            lost(e)
            continue
        if row:
            found.append(row)
    return found


def all_mounts(kernel: Kernel) -> list[Mount]:
    """Return what PID 1 sees mounted, read once."""
    return kernel.cached(mounts)


TABLE = Table(
    "mounts",
    "Mounts",
    (
        Column("source", "Source"),
        Column("target", "Mounted on"),
        Column("fstype", "Type"),
        Column("options", "Options"),
    ),
    all_mounts,
)
