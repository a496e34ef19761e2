"""Names in memory by file system, the kernel's own counts of them, and dentries that are none."""

from typing import Any

from builders.altered import changed
from cases import case_of
from oopscope.kernel.kernel import Kernel
from oopscope.linux.dcache import counted, dentry_counts
from oopscope.linux.file_lock import FILE, LOCK, file_locks
from oopscope.linux.fsnotify import INODE
from oopscope.linux.inode_path import InodePaths
from oopscope.linux.mount import mounts_of
from oopscope.linux.proc_mounts import first_namespace

LIFE = "6.1-life"


def row_of(kernel: Kernel, target: str) -> Any:
    return next(row for row in dentry_counts(kernel) if target in row.targets)


def test_names_of_a_file_system_and_of_nothing() -> None:
    kernel = case_of(LIFE).kernel
    row = row_of(kernel, "/data")
    assert (row.name, row.type, row.dentries, row.negative, row.largest, row.in_largest) == (
        "vda",
        "ext4",
        5,
        0,
        "/",
        4,
    )
    total, negative = counted(kernel), counted(kernel, "nr_dentry_negative")
    assert total is not None and negative is not None
    assert sum(row.dentries for row in dentry_counts(kernel)) <= total
    assert sum(row.negative for row in dentry_counts(kernel)) <= negative


def test_a_dentry_below_another_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> Any:
        address = row_of(kernel, "/data").address
        root = kernel.memory.word(address + kernel.types.member("super_block", "s_root").offset)
        first = kernel.memory.word(root + kernel.types.member("dentry", "d_subdirs").offset)
        dentry = first - kernel.types.member("dentry", "d_child").offset
        return dentry + kernel.types.member("dentry", "d_parent").offset, bytes(8)

    kernel = changed(LIFE, moved)
    row = row_of(kernel, "/data")
    assert (row.dentries, row.largest, row.in_largest, row.least) == (1, None, None, True)
    assert not row_of(case_of(LIFE).kernel, "/data").least
    assert any("below another" in problem.message for problem in kernel.problems)


def test_a_file_whose_mount_is_lost_is_not_said_to_be_at_the_root() -> None:
    def unmounted(kernel: Kernel) -> Any:
        """The mount of /data says that it is of another super block."""
        own, at = row_of(kernel, "/data").address, kernel.types.member("mount", "mnt.mnt_sb").offset
        mount = next(
            one for one in mounts_of(kernel, first_namespace(kernel)[0]) if kernel.memory.word(one + at) == own
        )
        return mount + at, bytes(8)

    alias = alias_of_locked(case_of(LIFE).kernel)
    assert InodePaths(case_of(LIFE).kernel, None).of(*alias) == "/data/file1"
    assert InodePaths(changed(LIFE, unmounted), None).of(*alias) in ("/tmp/sub/file1", "…/file1")


def alias_of_locked(kernel: Kernel) -> tuple[int, int]:
    """Return the link of a name of the file that is locked, and its super block."""
    file = kernel.bind(LOCK).row(file_locks(kernel)[0].address).file
    inode = kernel.bind(FILE).row(file).inode
    row = kernel.bind(INODE).row(inode)
    return row.alias, row.block
