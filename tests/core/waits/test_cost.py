"""What looking at sleepers costs: each page of the dump is unpacked once, and each stack is looked through once."""

from collections import Counter

from cases import DUMPS
from oopscope.boot.attach import open_kernel
from oopscope.linux.task import task_structs
from oopscope.waits.build import wait_graph
from oopscope.waits.sleepers import sleepers, stacks_seen


def test_who_waits_for_whom_unpacks_each_page_once() -> None:
    kernel = open_kernel([DUMPS / "6.1-life.kdump"])
    kernel.cached(task_structs)
    physical = kernel.memory.physical
    physical._limit = 64  # a cache as small against this dump as the real one against a machine of many tasks
    dump, unpacked, real = physical._dump, Counter[int](), physical._dump.page

    def page(pfn: int) -> bytes:
        unpacked[pfn] += 1
        return real(pfn)

    dump.page = page  # type: ignore[method-assign]
    seen = stacks_seen(kernel)
    before = unpacked.copy()
    wait_graph(kernel)
    stacks = {kernel.memory.translate(one.places[-1]) >> 12 for one in seen.values() if one.places}
    assert len(stacks) > 50
    assert sum((unpacked - before)[pfn] for pfn in stacks) == 0


def test_the_end_of_a_page_is_kept_beside_the_cache() -> None:
    kernel = open_kernel([DUMPS / "6.1-life.kdump"])
    memory = kernel.memory
    start = kernel.symbol("init_task") & -4096 | 0xF00
    data = memory.read(start, 0x100)
    assert memory.keep(start, data)
    memory._pages.clear()
    assert memory.view(start + 16, 8) == (data, 16)
    assert memory.word(start + 16) == int.from_bytes(data[16:24], "little")
    assert memory.read(start - 8, 16)[8:] == data[:8]  # across what is kept and what is not
    memory._room = 0
    assert not memory.keep(start, data)


def test_stacks_are_let_go_once_the_graph_is_made() -> None:
    kernel = open_kernel([DUMPS / "6.1-life.kdump"])
    graph = wait_graph(kernel)
    assert graph.edges and not kernel.memory._kept
    assert not [read for read in kernel._cached if read in (stacks_seen, sleepers)]
    again = {one.address: one.functions for one in sleepers(kernel)}  # read anew for who asks later
    assert len(again) > 50 and all(isinstance(functions, tuple) for functions in again.values())
