"""The page cache by file: how many pages of each are in memory, who may be using it up.

Follows include/linux/fs.h, fs/inode.c and mm/filemap.c: every super block's inodes, and of each the number of pages of
its address space. An inode must name the super block in whose list it hangs.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.filesystem import SUPER_BLOCK, TYPE, SuperBlock
from oopscope.linux.inode_path import InodePaths
from oopscope.structs.plan import Plan

MAX_INODES, MAX_BLOCKS, MAX_FILES = 2_000_000, 1 << 16, 100_000
KINDS = {0o010000: "pipe", 0o020000: "char device", 0o040000: "directory", 0o060000: "block device", 0o100000: "file",
         0o120000: "link", 0o140000: "socket"}  # fmt: skip


class CachedInode(NamedTuple):
    """struct inode."""

    address: int
    block: int
    number: int
    mode: int
    size: int
    links: int
    device: int
    pages: int
    alias: int


INODE = Plan(
    "inode", CachedInode, block="i_sb", number="i_ino", mode="i_mode", size="i_size", links="i_nlink", device="i_rdev",
    pages="i_data.nrpages", alias="i_dentry.first",
)  # fmt: skip


class CachedFile(NamedTuple):
    """A file of which pages are in memory."""

    bytes: int
    path: str | None
    filesystem: str
    kind: str
    size: int
    inode: int
    links: int
    address: int


class _Cache:
    """The files of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.lost = kernel.problems.lost("pagecache", "a file")
        self.paths = InodePaths(kernel, self.lost)

    def inodes(self, block: SuperBlock) -> Iterator[CachedInode]:
        """Yield the inodes of a super block of which pages are in memory."""
        head = block.address + self.types.member("super_block", "s_inodes").offset
        link, bound = self.types.member("inode", "i_sb_list").offset, self.kernel.bind(INODE)
        for row in bound.rows(for_each_list(self.memory, head, link, self.lost, MAX_INODES), self.lost):
            if row.block != block.address:
                raise Implausible("what should be an inode is of another super block", row.address)
            if row.pages:
                yield row

    def row(self, block: SuperBlock, kind: str, inode: CachedInode) -> CachedFile:
        """Return the row of an inode."""
        try:
            path = self.paths.of(inode.alias, inode.block)
        except OopscopeError as e:
            self.lost(e)
            path = None
        if path is None and inode.mode & 0o170000 == 0o060000:
            path = f"device {inode.device >> 20}:{inode.device & (1 << 20) - 1}"
        if path is not None and not inode.links:
            path += " (deleted)"
        return CachedFile(
            inode.pages * self.memory.page_size, path, kind, KINDS.get(inode.mode & 0o170000, "other"), inode.size,
            inode.number, inode.links, inode.address,
        )  # fmt: skip


@once
def cached_files(kernel: Kernel) -> list[CachedFile]:
    """Return the files of which pages are in memory, the largest share first."""
    reader, bound, found = _Cache(kernel), kernel.bind(SUPER_BLOCK), list[tuple[SuperBlock, str, CachedInode]]()
    walk = for_each_list(kernel.memory, kernel.symbol("super_blocks"), bound.offset("link"), reader.lost, MAX_BLOCKS)
    for block in bound.rows(walk, reader.lost):
        try:
            kind = kernel.memory.text(kernel.bind(TYPE).row(block.type).name, 64)
            found += ((block, kind, inode) for inode in reader.inodes(block))
        except OopscopeError as e:
            reader.lost(e)
    found.sort(key=lambda one: -one[2].pages)
    if len(found) > MAX_FILES:
        kernel.problems.add("pagecache", f"{len(found) - MAX_FILES:,} files with fewer pages are not listed")
    return [reader.row(*one) for one in found[:MAX_FILES]]
