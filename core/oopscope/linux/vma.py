"""What a program has at a user address: the mapping, found in its tree of vm_area_structs, and the file behind it.

Follows include/linux/mm_types.h: a maple tree since 524e00b36e8c "mm: remove rb tree." (6.1), a red-black tree before.
No page of a program is read.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_maple, for_each_rbtree
from oopscope.structs.plan import Plan

MAX_AREAS = 1 << 16
VM_GROWSDOWN = 0x100


class AreaStruct(NamedTuple):
    """struct vm_area_struct."""

    address: int
    vm_start: int
    vm_end: int
    vm_flags: int
    vm_pgoff: int
    vm_file: int
    vm_ops: int
    vm_private_data: int
    anon_name: int | None


# anon_name: 9a10064f5625 "mm: add a field to store names for private anonymous memory", 5.17, with CONFIG_ANON_VMA_NAME
AREA = Plan("vm_area_struct", AreaStruct)


class Mm(NamedTuple):
    """The tree's root, of either kind."""

    maple: int | None
    root: int | None


MM = Plan("mm_struct", Mm, maple="mm_mt.ma_root", root="&mm_rb")


class File(NamedTuple):
    """struct file, as far as the name of its dentry."""

    dentry: int


FILE = Plan("file", File, dentry=("f_path.dentry", "__f_path.dentry"))


class Dentry(NamedTuple):
    """struct dentry's name."""

    name: int


DENTRY = Plan("dentry", Dentry, name=("d_name.name", "__d_name.name"))


def areas_of(kernel: Kernel, mm: int, lost: Callable[[OopscopeError], None]) -> list[AreaStruct]:
    """Return the mappings of an mm_struct by their addresses, at most MAX_AREAS; ReadError for the mm itself."""
    row = kernel.bind(MM).row(mm)
    found: Iterable[int]
    if row.maple is not None:
        found = (entry for _index, entry in for_each_maple(kernel.memory, row.maple, lost))
    else:
        offset = kernel.types.member("vm_area_struct", "vm_rb").offset
        found = for_each_rbtree(kernel.memory, row.root or 0, offset, lost)
    return sorted(kernel.bind(AREA).rows(islice(found, MAX_AREAS), lost), key=lambda area: area.vm_start)


class UserMap:
    """A program's mappings by address."""

    def __init__(self, kernel: Kernel, mm: int) -> None:
        self._kernel = kernel
        areas = areas_of(kernel, mm, kernel.problems.lost("tasks", "a program's mappings"))
        self._areas, self._starts = areas, [area.vm_start for area in areas]

    def at(self, address: int) -> str | None:
        """Say what is mapped at an address; None for nothing."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._areas[at].vm_end:
            return None
        area = self._areas[at]
        if area.vm_file:
            return f"{self._file(area.vm_file)} +{address - area.vm_start:#x}"
        return "the program's stack" if area.vm_flags & VM_GROWSDOWN else "anonymous memory"

    def _file(self, file: int) -> str:
        try:
            dentry = self._kernel.bind(FILE).row(file).dentry
            name = self._kernel.memory.cstring(self._kernel.bind(DENTRY).row(dentry).name, 255)
            return decoded(name)
        except OopscopeError:
            return "a file"


def user_map(kernel: Kernel, mm: int) -> UserMap | None:
    """Return the mappings of an mm_struct; None for none, or where they cannot be read."""
    known = kernel.cached(_maps)
    if mm and mm not in known:
        try:
            known[mm] = UserMap(kernel, mm)
        except OopscopeError:
            known[mm] = None
    return known.get(mm)


def _maps(kernel: Kernel) -> dict[int, UserMap | None]:
    return {}
