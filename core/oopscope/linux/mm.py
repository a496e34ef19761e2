"""A process's memory as mm_struct counts it: its size, and its resident pages by kind.

Follows include/linux/mm_types.h and mm/memory.c. The counters were an array of
atomics up to 6.1, beside which each task kept up to 64 pages of its own (SPLIT_RSS_COUNTING); they are per-CPU since.
"""

from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.linux.percpu_counter import percpu_sum
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan


class Mm(NamedTuple):
    """struct mm_struct: its size in pages, and where its resident pages are counted."""

    total_vm: int
    rss_stat: int


MM = Plan("mm_struct", Mm, rss_stat="&rss_stat")


class Pages(NamedTuple):
    """What mm_struct.rss_stat counts, in pages; in its order."""

    file: int
    anonymous: int
    swap: int
    shared: int

    @property
    def resident(self) -> int:
        """All but swap."""
        return self.file + self.anonymous + self.shared


def pages_of(kernel: Kernel, mm: int) -> Pages:
    """Return the counted pages of an mm, read once for all of its threads; ReadError."""
    counted = kernel.cached(_counted)
    if mm not in counted:
        counted[mm] = _count(kernel, mm)
    return counted[mm]


def _counted(_kernel: Kernel) -> dict[int, Pages]:
    return {}


def _count(kernel: Kernel, mm: int) -> Pages:
    types, memory = kernel.types, kernel.memory
    at = mm + kernel.bind(MM).offset("rss_stat")
    member = types.member("mm_struct", "rss_stat")
    if member.kind != "array":
        counts: list[tuple[int, ...]] = [tuple(_signed(word) for word in memory.words(at, 4))]
        counts += kernel.cached(kept_by_tasks).get(mm, [])
        return Pages(*(max(sum(count[kind] for count in counts), 0) for kind in range(4)))
    # struct percpu_counter[], f1a7941243c1 "mm: convert mm's rss stats into percpu_counter", 6.2
    return Pages(*(percpu_sum(kernel, at + kind * member.element_size) for kind in range(4)))


def kept_by_tasks(kernel: Kernel) -> dict[int, list[tuple[int, ...]]]:
    """Return what the tasks of each mm have counted by themselves, by the mm's address; {} since 6.2."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for task in kernel.cached(task_structs).values():
        if task.mm and task.rss is not None and any(task.rss):
            found.setdefault(task.mm, []).append(tuple(_signed(count, 32) for count in task.rss))
    return found


def _signed(word: int, bits: int = 64) -> int:
    return word - (word >> bits - 1 << bits)
