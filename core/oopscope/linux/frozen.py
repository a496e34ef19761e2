"""File systems that are frozen, or on the way there. Follows fs/super.c (freeze_super) and include/linux/fs.h.

A super block's s_writers.frozen goes from 0 over SB_FREEZE_WRITE (1), _PAGEFAULT (2) and _FS (3) to _COMPLETE (4); its
s_writers.rw_sem are the percpu_rw_semaphores in which writers wait.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_list
from oopscope.linux.proc_mounts import all_mounts
from oopscope.structs.plan import Plan

FROZEN = 4  # SB_FREEZE_COMPLETE
MAX_BLOCKS = 1 << 16


class SuperBlock(NamedTuple):
    """struct super_block."""

    address: int
    frozen: int
    id: bytes
    type: int


SUPER_BLOCK = Plan("super_block", SuperBlock, frozen="s_writers.frozen", id="s_id", type="s_type")


class Frozen(NamedTuple):
    """A frozen file system; `name` is where it is mounted, with its device and type."""

    address: int  # struct super_block *
    size: int
    name: str
    level: int

    def holds(self, lock: int) -> bool:
        """Tell whether a lock lies within the super block."""
        return self.address <= lock < self.address + self.size


def all_frozen(kernel: Kernel) -> list[Frozen]:
    """Return the file systems that are not thawed; those that cannot be read are problems."""
    return list(_frozen(kernel))


def _frozen(kernel: Kernel) -> Iterator[Frozen]:
    bound, lost = kernel.bind(SUPER_BLOCK), kernel.problems.lost("findings", "super blocks")
    link = kernel.types.member("super_block", "s_list").offset
    blocks = for_each_list(kernel.memory, kernel.symbol("super_blocks"), link, lost, MAX_BLOCKS)
    for block in bound.rows(blocks, lost):
        if 0 < block.frozen <= FROZEN:
            yield Frozen(block.address, bound.size, _name(kernel, block), block.frozen)


def _name(kernel: Kernel, block: SuperBlock) -> str:
    device = decoded(block.id)
    try:
        name_at = kernel.types.member("file_system_type", "name").offset
        fstype = kernel.memory.text(kernel.memory.word(block.type + name_at), 64)
        target = next(
            (m.target for m in all_mounts(kernel) if m.source and m.source.rpartition("/")[2] == device), None
        )
    except OopscopeError:
        return f"the file system on {device}"
    place = f"{target} " if target else "the file system "
    return f"{place}({device}, {fstype})"
