"""Free objects of partial slabs: counted where they are few, reckoned where they are many, whatever a list does."""

from typing import Any

import pytest

from core.kernel.fakes import FakeKernel, FakeTypes, Ram
from oopscope.linux import slab as slabs
from oopscope.linux.slab import NodeStruct, _free
from oopscope.structs.layout import Member

HEAD = 0x10000
LIST = 16  # where the link is in a slab
SLABS = [0x20000 + 0x40 * i for i in range(6)]


def kernel(name: str, objects: int = 32) -> Any:
    """A node whose partial slabs have 1, 2, 3 ... objects in use; the counts are bit-fields of one word."""
    members = {
        "inuse": Member("inuse", 8, 4, "uint", 0, bit_offset=0, bit_size=16),
        "objects": Member("objects", 8, 4, "uint", 0, bit_offset=16, bit_size=15),
        name: Member(name, LIST, 16, "struct", 0),
    }
    ram = Ram()
    ring = [HEAD, *(s + LIST for s in SLABS)]
    for i, node in enumerate(ring):
        ram.words(node, ring[(i + 1) % len(ring)], ring[i - 1])
    for i, slab in enumerate(SLABS):
        ram.put(slab + 8, (objects << 16 | i + 1 | 1 << 31).to_bytes(4, "little"))
    return FakeKernel(ram, types=FakeTypes(slab=(64, members)))


def node(partial: Any) -> Any:
    return NodeStruct(nr_partial=partial, nr_slabs=99, total_objects=3000, partial=HEAD)


@pytest.mark.parametrize("link", ["slab_list", "lru"])
def test_counted(link: str) -> None:
    """By the list's name of today, and by the one that struct page lent before."""
    found = kernel(link)
    assert _free(found, node(6), found.problems.lost("slabs")) == 6 * 32 - (1 + 2 + 3 + 4 + 5 + 6)
    assert list(found.problems) == []


def test_reckoned_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs, "MAX_PARTIAL", 3)
    found = kernel("slab_list")
    assert _free(found, node(600), found.problems.lost("slabs")) == (3 * 32 - (1 + 2 + 3)) * 600 // 3
    assert list(found.problems) == []  # a long list is no fault


def test_a_list_that_is_cut() -> None:
    found = kernel("slab_list")
    found.ram.words(SLABS[2] + LIST, 0xDEAD0000)
    assert _free(found, node(6), found.problems.lost("slabs")) == 6 * 32 - (
        1 + 2 + 3 + 4 + 5 + 6
    )  # the rest from the other end
    assert [p.section for p in found.problems] == ["slabs"]


def test_no_partial_slabs() -> None:
    found = kernel("slab_list")
    found.ram.words(HEAD, HEAD, HEAD)
    assert _free(found, node(0), found.problems.lost("slabs")) == 0


NAME, CACHE, NODE = 0x30000, 0x31000, 0x32000
HEADS = 0x33000


def member(name: str, offset: int, size: int = 8, kind: str = "int") -> Any:
    return Member(name, offset, size, kind, 0)


def of_slab(counted: Any) -> Any:
    """A kernel with CONFIG_SLAB and one cache of three slabs of 10 objects, 4 of which are free."""
    node = {"free_objects": member("free_objects", 0)}
    node |= {name: member(name, 16 + 16 * i, 16, "struct") for i, name in enumerate(LISTS)}
    if counted:
        node["total_slabs"] = member("total_slabs", 8)
    cache = {"name": member("name", 0), "object_size": member("object_size", 8, 4), "size": member("size", 12, 4)}
    cache |= {"num": member("num", 16, 4), "gfporder": member("gfporder", 20, 4), "node": member("node", 48)}
    cache["list"] = member("list", 24, 16, "struct")
    ram = Ram()
    ram.put(NAME, b"dentry\0")
    ram.words(HEADS, CACHE + 24, CACHE + 24)
    ram.words(CACHE, NAME, 192 | 200 << 32, 10 | 1 << 32, HEADS, HEADS, 0, NODE)
    ram.words(NODE, 4, 3)
    links = [NODE + 16 + 16 * i for i in range(3)]
    for head, slabs_on in zip(links, ([0x40000], [0x40100, 0x40200], []), strict=True):
        ring = [head, *slabs_on]
        for i, at in enumerate(ring):
            ram.words(at, ring[(i + 1) % len(ring)], ring[i - 1])
    types = FakeTypes(kmem_cache=(256, cache), kmem_cache_node=(64, node))
    return FakeKernel(ram, {"slab_caches": HEADS}, types=types)


LISTS = ("slabs_partial", "slabs_full", "slabs_free")


@pytest.mark.parametrize("counted", [True, False])
def test_config_slab(counted: bool) -> None:
    """Its caches were no table at all; before 4.10 nothing but its lists counts a node's slabs."""
    found = of_slab(counted)
    assert slabs.all_slabs(found) == [slabs.Slab("dentry", 192, 26, 30, 3 * 8192)]
    assert list(found.problems) == []


def test_a_list_of_config_slab_that_is_broken_counts_nothing() -> None:
    found = of_slab(False)
    found.ram.words(0x40100, 0xDEAD0000, NODE + 32)
    assert slabs.all_slabs(found) == [slabs.Slab("dentry", 192, None, None, None)]
    assert [p.section for p in found.problems] == ["slabs"]


def test_a_kernel_that_does_not_count_says_so() -> None:
    """Without CONFIG_SLUB_DEBUG nothing counts what a full slab holds."""
    found = of_slab(True)
    types = found.types._structs
    node = {"nr_partial": member("nr_partial", 0), "partial": member("partial", 16, 16, "struct")}
    types["kmem_cache_node"] = (64, node)
    cache = types["kmem_cache"][1]
    cache["oo.x"] = cache.pop("num")
    del cache["gfporder"]
    assert slabs.all_slabs(found) == [slabs.Slab("dentry", 192, None, None, None)]
    assert [p.message for p in found.problems] == [
        "this kernel (without CONFIG_SLUB_DEBUG) counts no objects of its caches"
    ]
