"""Mounted file systems as PID 1 sees them in /proc/mounts. Follows fs/proc_namespace.c, fs/mount.h and fs/d_path.c."""

from collections.abc import Callable
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.mount import mounts_of
from oopscope.linux.path import MountStruct, Paths, Place, place_at
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

MNT_CURSOR = 0x10000000  # a reader's place in the list (5.8 .. 6.7), no mount
SB_FLAGS = ((1 << 4, "sync"), (1 << 7, "dirsync"), (1 << 25, "lazytime"))
MNT_FLAGS = ((1, "nosuid"), (2, "nodev"), (4, "noexec"), (8, "noatime"), (16, "nodiratime"), (32, "relatime"))
MNT_READONLY, SB_RDONLY = 0x40, 1
MAX_TRIED = 256  # tasks that are asked for what PID 1 no longer tells


class SuperBlock(NamedTuple):
    """struct super_block."""

    type: int
    subtype: int
    flags: int


SUPER_BLOCK = Plan("super_block", SuperBlock, type="s_type", subtype="s_subtype", flags="s_flags")


class Mount(NamedTuple):
    """One line of /proc/mounts; options are those that the kernel itself keeps, not the file system's own.

    What the dump does not hold of it is None.
    """

    source: str | None
    target: str | None
    fstype: str | None
    options: str | None


def _text(raw: bytes | None) -> str | None:
    """Escape as /proc/mounts does: white space and backslashes in octal."""
    if raw is None:
        return None
    for char in b"\\ \t\n#":
        raw = raw.replace(bytes([char]), b"\\%03o" % char)
    return decoded(raw)


def first_namespace(kernel: Kernel) -> tuple[int, Place]:
    """Return PID 1's mount namespace and root; by init_task, or a task that shares them, where its own are lost."""
    structs = kernel.cached(task_structs)
    alive = [t.address for t in structs.values() if t.pid == 1 and not t.exit_state]
    others = [t.address for t in structs.values() if t.pid > 1 and not t.exit_state and t.mm]
    wanted, lost = 0, list[OopscopeError]()
    for task in (*alive, kernel.symbol("init_task"), *others[:MAX_TRIED]):
        try:
            namespace = _namespace_of(kernel, task)
            wanted = wanted or namespace  # the first that is known is the one to be shown
            if namespace and namespace == wanted and (root := _root_of(kernel, task)) is not None:
                return namespace, root
        except ReadError as e:
            lost.append(e)
    if lost:
        raise lost[0]
    raise Absent("no task has a mount namespace and a root")


def _namespace_of(kernel: Kernel, task: int) -> int:
    """Return a task's mount namespace, or that of the mount which its root lies in; 0 where it gave both up."""
    types, memory = kernel.types, kernel.memory
    try:
        nsproxy = memory.word(task + types.member("task_struct", "nsproxy").offset)
        return memory.word(nsproxy + types.member("nsproxy", "mnt_ns").offset) if nsproxy else 0
    except ReadError:
        root = _root_of(kernel, task)
        if root is None or not root.mount:
            raise
        return memory.word(root.mount + types.member("mount", "mnt_ns").offset)


def _root_of(kernel: Kernel, task: int) -> Place | None:
    """Return a task's root; None where it gave it up when it died."""
    fs = kernel.memory.word(task + kernel.types.member("task_struct", "fs").offset)
    return place_at(kernel, fs + kernel.types.member("fs_struct", "root").offset) if fs else None


def _options(sb: SuperBlock, mount: MountStruct) -> str:
    read_only = mount.flags & MNT_READONLY or sb.flags & SB_RDONLY
    words = ["ro" if read_only else "rw"]
    words += [word for bit, word in SB_FLAGS if sb.flags & bit]
    words += [word for bit, word in MNT_FLAGS if mount.flags & bit]
    return ",".join(words)


def _mount(kernel: Kernel, paths: Paths, mount: MountStruct) -> Mount | None:
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
        target, reached = paths.of(Place(mount.address, mount.root))
        if not reached:
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


@once
def all_mounts(kernel: Kernel) -> list[Mount]:
    """Return what PID 1 sees mounted."""
    namespace, root = first_namespace(kernel)
    paths, lost, found = Paths(kernel, root), kernel.problems.lost("mounts", "a mount"), []
    for address in mounts_of(kernel, namespace):
        try:
            row = _mount(kernel, paths, paths.mount(address))
        except OopscopeError as e:
            lost(e)
            continue
        if row:
            found.append(row)
    return found
