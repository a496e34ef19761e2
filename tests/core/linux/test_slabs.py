"""Free objects of partial slabs: counted where they are few, reckoned where they are many, whatever a list does."""

import pytest

from core.kernel.fakes import FakeKernel, FakeTypes, Ram
from oopscope.linux import slab as slabs
from oopscope.linux.slab import NodeStruct, _free
from oopscope.structs.layout import Member

HEAD = 0x10000
LIST = 16  # where the link is in a slab
SLABS = [0x20000 + 0x40 * i for i in range(6)]


def kernel(name, objects=32):
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


def node(partial):
    return NodeStruct(nr_partial=partial, nr_slabs=99, total_objects=3000, partial=HEAD)


@pytest.mark.parametrize("link", ["slab_list", "lru"])
def test_counted(link):
    """By the list's name of today, and by the one that struct page lent before."""
    found = kernel(link)
    assert _free(found, node(6)) == 6 * 32 - (1 + 2 + 3 + 4 + 5 + 6)
    assert list(found.problems) == []


def test_reckoned_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(slabs, "MAX_PARTIAL", 3)
    found = kernel("slab_list")
    assert _free(found, node(600)) == (3 * 32 - (1 + 2 + 3)) * 600 // 3
    assert list(found.problems) == []  # a long list is no fault


def test_a_list_that_is_cut():
    found = kernel("slab_list")
    found.ram.words(SLABS[2] + LIST, 0xDEAD0000)
    assert _free(found, node(6)) == 6 * 32 - (1 + 2 + 3 + 4 + 5 + 6)  # the rest from the other end
    assert [p.section for p in found.problems] == ["slabs"]


def test_no_partial_slabs():
    found = kernel("slab_list")
    found.ram.words(HEAD, HEAD, HEAD)
    assert _free(found, node(0)) == 0
