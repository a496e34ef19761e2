"""Mounted file systems as PID 1 sees them in /proc/mounts. Follows fs/proc_namespace.c, fs/mount.h and fs/d_path.c."""

from collections.abc import Callable
from typing import NamedTuple

from oopscope.errors import OopscopeError, ReadError
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
    return raw.decode("utf-8", "backslashreplace")


def _namespace(kernel: Kernel) -> tuple[int, Place]:
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
    return namespace, place_at(kernel, fs + types.member("fs_struct", "root").offset)


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
    namespace, root = _namespace(kernel)
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
