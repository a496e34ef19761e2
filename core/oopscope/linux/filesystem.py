"""File systems: the state of each super block, own options where they can be had, what is dirty, its device.

Follows fs/{super.c,fs-writeback.c} and include/linux/{fs.h,backing-dev-defs.h}; what a type of file system says of
itself is mount_options' business. A super block is one that a file system's type owns and whose root names it. mounts
tells where each is mounted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.mount import mounts_of
from oopscope.linux.mount_options import OptionReader, Own
from oopscope.linux.path import Paths, Place
from oopscope.linux.percpu_counter import percpu_sum
from oopscope.linux.proc_mounts import first_namespace
from oopscope.structs.plan import Plan

MAX_BLOCKS, MAX_BDIS, MAX_WRITERS, MAX_INODES = 1 << 16, 1 << 16, 4096, 100_000
# the last since 5e8749141521 "super: wait for nascent superblocks", 6.6
SB_RDONLY, SB_KERNMOUNT, SB_DYING = 1, 1 << 22, 1 << 24
FREEZE = ("", "freezing: writers wait", "freezing: page faults wait", "freezing: the file system waits", "frozen")


class SuperBlock(NamedTuple):
    """struct super_block."""

    address: int
    device: int
    blocksize: int
    type: int
    flags: int
    root: int
    frozen: int
    info: int
    operations: int
    id: bytes
    bdi: int
    link: int


class Type(NamedTuple):
    """struct file_system_type."""

    name: int


class Writer(NamedTuple):
    """struct bdi_writeback: what is dirty of a device, or of a control group on it."""

    address: int
    b_dirty: int
    b_io: int
    b_more_io: int
    b_dirty_time: int
    stat: int
    link: int


class Inode(NamedTuple):
    """struct inode."""

    sb: int


SUPER_BLOCK = Plan(
    "super_block", SuperBlock, device="s_dev", blocksize="s_blocksize", type="s_type", flags="s_flags", root="s_root",
    frozen="s_writers.frozen", info="s_fs_info", operations="s_op", id="s_id", bdi="s_bdi", link="&s_list",
)  # fmt: skip
TYPE = Plan("file_system_type", Type)
WRITER = Plan(
    "bdi_writeback", Writer, b_dirty="&b_dirty", b_io="&b_io", b_more_io="&b_more_io", b_dirty_time="&b_dirty_time",
    stat="&stat", link="&bdi_node",
)  # fmt: skip
INODE = Plan("inode", Inode, sb="i_sb")


class FileSystem(NamedTuple):
    """A super block."""

    name: str  # of its device, or of its type
    type: str
    device: str  # major:minor
    state: str  # rw, ro, and what else there is to say
    targets: tuple[str, ...]  # where PID 1 sees it
    options: str | None  # the file system's own; None where they are not known here
    dirty_inodes: int | None
    dirty: int | None  # bytes of its device's
    writeback: int | None
    used: int | None  # bytes, of tmpfs
    errors: int | None  # that it has seen, where it counts them
    address: int


class _Reader:
    """The file systems of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.block = kernel.bind(SUPER_BLOCK)
        self.lost = kernel.problems.lost("filesystems", "a file system")
        self.dirty_inodes, self.dirty, self.writeback = Counter[int](), Counter[int](), Counter[int]()
        self.broken = set[int]()  # devices of which not all dirty inodes were found
        self.writers_known = self._attempt(self._read_writers) is True
        self.targets: dict[int, list[str]] = {}
        self._attempt(self._read_mounts)
        self.own = OptionReader(kernel)

    def _attempt(self, read: Callable[[], bool]) -> bool | None:
        try:
            return read()
        except OopscopeError as e:
            self.lost(e)
            return None

    def _read_mounts(self) -> bool:
        namespace, root = first_namespace(self.kernel)
        paths = Paths(self.kernel, root)
        for address in mounts_of(self.kernel, namespace):
            try:
                mount = paths.mount(address)
                target, reached = paths.of(Place(mount.address, mount.root))
            except OopscopeError as e:
                self.lost(e)
                continue
            if reached:
                self.targets.setdefault(mount.sb, []).append(decoded(target))
        return True

    def _writers(self, lost: Callable[[OopscopeError], None]) -> Iterator[tuple[int, Writer]]:
        """Yield what each device has to write: (its backing_dev_info, a bdi_writeback of it)."""
        bound, memory = self.kernel.bind(WRITER), self.memory
        link, heads = (self.types.member("backing_dev_info", name).offset for name in ("bdi_list", "wb_list"))
        for bdi in for_each_list(memory, self.kernel.symbol("bdi_list"), link, lost, MAX_BDIS):
            walk = for_each_list(memory, bdi + heads, bound.offset("link"), lost, MAX_WRITERS)
            for writer in bound.rows(walk, lost):
                yield bdi, writer

    def _read_writers(self) -> bool:
        """Count the dirty inodes of each super block, and the dirty pages of each device."""
        link, inodes = self.types.member("inode", "i_io_list").offset, self.kernel.bind(INODE)
        stats = {"WB_RECLAIMABLE": self.dirty, "WB_WRITEBACK": self.writeback}
        size, left = self.types.sizeof("percpu_counter"), MAX_INODES
        whole = True

        def lost(error: OopscopeError) -> None:
            nonlocal whole
            whole = False
            self.lost(error)

        def broken(error: OopscopeError) -> None:
            self.broken.add(bdi)
            self.lost(error)

        for bdi, writer in self._writers(lost):
            for head in (writer.b_dirty, writer.b_io, writer.b_more_io, writer.b_dirty_time):
                for row in inodes.rows(for_each_list(self.memory, head, link, broken, left), broken):
                    self.dirty_inodes[row.sb] += 1
                    left -= 1
            for name, counts in stats.items():
                number = self.types.constant(name)
                if number is not None:
                    counts[bdi] += percpu_sum(self.kernel, writer.stat + number * size)
        return whole

    def row(self, block: SuperBlock) -> FileSystem:
        """Return the row of a super block."""
        name = self.memory.text(self.kernel.bind(TYPE).row(block.type).name, 64)
        own, unread = Own(), False
        try:
            if not block.flags & SB_KERNMOUNT:
                own = self.own.says(name, block.info, block.operations)
        except Absent:  # its types are not in this kernel, or in a module
            pass
        except OopscopeError as e:
            unread = True
            self.kernel.problems.lost("filesystems", f"what {name} on {_text(block.id)} says of itself")(e)
        words = ["ro" if block.flags & SB_RDONLY else "rw"]
        words += [FREEZE[block.frozen]] if 0 < block.frozen < len(FREEZE) else []
        words += ["being unmounted"] if block.flags & SB_DYING else []
        words += [own.state] if own.state else []
        words += ["rest unknown"] if unread else []  # such as that it saw errors
        noop = not self.dirty[block.bdi] and not self.writeback[block.bdi]
        page = self.memory.page_size
        known = self.writers_known
        return FileSystem(
            _text(block.id) or name, name, f"{block.device >> 20}:{block.device & (1 << 20) - 1}", ", ".join(words),
            tuple(self.targets.get(block.address, ())), own.options,
            self.dirty_inodes[block.address] if known and block.bdi not in self.broken else None,
            (0 if noop else self.dirty[block.bdi] * page) if known else None,
            (0 if noop else self.writeback[block.bdi] * page) if known else None, own.used, own.errors, block.address,
        )  # fmt: skip


def _text(raw: bytes) -> str:
    return decoded(raw)


@once
def file_systems(kernel: Kernel) -> list[FileSystem]:
    """Return every super block; one whose root is another's is dropped, and said."""
    reader, found = _Reader(kernel), []
    root_at = kernel.types.member("dentry", "d_sb").offset
    head, bound = kernel.symbol("super_blocks"), reader.block
    walk = for_each_list(kernel.memory, head, bound.offset("link"), reader.lost, MAX_BLOCKS)
    for block in bound.rows(walk, reader.lost):
        try:
            if block.root and kernel.memory.word(block.root + root_at) != block.address:
                kernel.problems.add("filesystems", "what should be a super block has another's root", block.address)
                continue
            found.append(reader.row(block))
        except OopscopeError as e:
            reader.lost(e)
    return found
