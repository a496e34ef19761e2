"""Lists, chains and trees of a dead kernel: whole, looping, cut, lying, endless; each walk ends and says why."""

from typing import Any

import pytest

from core.kernel.fakes import Ram, memory_of
from oopscope.errors import Implausible, MissingPage, ReadError
from oopscope.kernel import walk
from oopscope.kernel.walk import (
    XaNode,
    for_each_chain,
    for_each_hlist,
    for_each_list,
    for_each_maple,
    for_each_rbtree,
    for_each_xarray,
)

HEAD = 0x10000
GONE = 0xDEAD0000


class Lost(list):
    """What a walk complained of, in place of an exception."""

    def __call__(self, error: Any) -> None:
        self.append(error)


def lists(*nodes: Any, word: int = 8, endian: str = "<") -> Any:
    """A list_head at HEAD and the nodes in its ring."""
    ram = Ram(endian, word)
    ring = [HEAD, *nodes]
    for i, node in enumerate(ring):
        ram.words(node, ring[(i + 1) % len(ring)], ring[i - 1])
    return ram


NODES = (0x21000, 0x22000, 0x23000, 0x24000)


class TestList:
    @pytest.mark.parametrize("endian", ["<", ">"])
    @pytest.mark.parametrize("word", [4, 8])
    def test_whole(self, endian: str, word: int) -> None:
        memory, lost = memory_of(lists(*NODES, word=word, endian=endian)), Lost()
        assert list(for_each_list(memory, HEAD, 0x10, lost)) == [n - 0x10 for n in NODES]
        assert lost == []

    def test_empty(self) -> None:
        assert list(for_each_list(memory_of(lists()), HEAD)) == []

    @pytest.mark.parametrize("back_to", [0x21000, 0x23000, 0x24000])
    def test_a_loop_ends_where_it_closes(self, back_to: int) -> None:
        ram, lost = lists(*NODES), Lost()
        ram.words(NODES[-1], back_to)
        assert list(for_each_list(memory_of(ram), HEAD, 0, lost)) == list(NODES)
        assert [type(e) for e in lost] == [Implausible]
        assert "loops" in str(lost[0])
        with pytest.raises(Implausible, match="loops"):
            list(for_each_list(memory_of(ram), HEAD))

    def test_a_missing_node_is_gone_around_from_the_other_end(self) -> None:
        ram, lost = lists(*NODES), Lost()
        ram.lose(NODES[1])
        assert list(for_each_list(memory_of(ram), HEAD, 0, lost)) == [NODES[0], NODES[3], NODES[2]]
        assert [(type(e), e.address) for e in lost] == [(MissingPage, NODES[1])]

    def test_a_missing_node_without_anyone_to_tell(self) -> None:
        ram = lists(*NODES)
        ram.lose(NODES[1])
        found = []
        with pytest.raises(MissingPage):
            for node in for_each_list(memory_of(ram), HEAD):
                found.append(node)
        assert found == [NODES[0]]

    def test_a_missing_head(self) -> None:
        lost = Lost()
        assert list(for_each_list(memory_of(Ram()), HEAD, 0, lost)) == []
        assert len(lost) == 1

    def test_the_way_back_loops_too(self) -> None:
        ram, lost = lists(*NODES), Lost()
        ram.lose(NODES[1])
        ram.words(NODES[2] + 8, NODES[3])  # prev: back to where it came from
        assert list(for_each_list(memory_of(ram), HEAD, 0, lost)) == [NODES[0], NODES[3], NODES[2]]
        assert len(lost) == 1

    def test_a_wrong_prev_is_told_once_and_walked_past(self) -> None:
        ram, lost = lists(*NODES), Lost()
        ram.words(NODES[1] + 8, 0x42)
        ram.words(NODES[2] + 8, 0x43)
        assert list(for_each_list(memory_of(ram), HEAD, 0, lost)) == list(NODES)
        assert [str(e) for e in lost] == [
            f"list {HEAD:#x}: a node's prev 0x42 is not the node before, {NODES[0]:#x}; at {NODES[1]:#x}"
        ]

    def test_poisoned_links(self) -> None:
        ram, lost = lists(*NODES), Lost()
        ram.words(NODES[1], 0xDEAD000000000100, 0xDEAD000000000122)
        assert set(for_each_list(memory_of(ram), HEAD, 0, lost)) == set(NODES)
        assert [type(e) for e in lost] == [Implausible, MissingPage]

    def test_bound(self) -> None:
        nodes = [0x100000 + 16 * i for i in range(300)]
        lost = Lost()
        found = list(for_each_list(memory_of(lists(*nodes)), HEAD, 0, lost, limit=100))
        assert found == nodes[:100]
        assert len(lost) == 1

    def test_is_lazy(self) -> None:
        ram = lists(*NODES)
        walking = for_each_list(memory_of(ram), HEAD)
        assert next(walking) == NODES[0]
        assert NODES[2] >> 12 not in ram.reads


class TestChain:
    def chain(self, *nodes: Any, link: int = 0x18, end: int = 0) -> Any:
        ram = Ram()
        ram.words(HEAD, nodes[0] if nodes else end)
        for node, following in zip(nodes, [*nodes[1:], end], strict=False):
            ram.words(node + link, following)
        return ram

    def test_whole_and_empty(self) -> None:
        assert list(for_each_chain(memory_of(self.chain(*NODES)), HEAD, 0x18, 8)) == [n - 8 for n in NODES]
        assert list(for_each_chain(memory_of(self.chain()), HEAD, 0x18)) == []

    def test_pointers_that_were_read_before_are_not_read_again(self) -> None:
        known = {NODES[0]: NODES[1], NODES[1]: 0}
        assert list(for_each_chain(memory_of(self.chain(NODES[0])), HEAD, 0x18, known=known)) == list(NODES[:2])
        looping = {NODES[0]: NODES[1], NODES[1]: NODES[0]}
        lost = Lost()
        assert list(for_each_chain(memory_of(self.chain(NODES[0])), HEAD, 0x18, 0, lost, looping)) == list(NODES[:2])
        assert list(for_each_hlist(memory_of(self.chain(*NODES, link=0)), HEAD, 4)) == [n - 4 for n in NODES]

    def test_a_nulls_marker_is_an_end(self) -> None:
        assert list(for_each_hlist(memory_of(self.chain(*NODES, link=0, end=0x23)), HEAD)) == list(NODES)
        assert list(for_each_hlist(memory_of(self.chain(end=1)), HEAD)) == []

    def test_loop_and_hole(self) -> None:
        lost = Lost()
        looping = self.chain(*NODES, end=NODES[1])
        assert list(for_each_chain(memory_of(looping), HEAD, 0x18, 0, lost)) == list(NODES)
        assert [str(e) for e in lost] == [f"a chain loops: it comes back to a node at {NODES[1]:#x}"]
        lost.clear()
        cut = self.chain(*NODES, end=GONE)
        assert list(for_each_chain(memory_of(cut), HEAD, 0x18, 0, lost)) == list(NODES)
        assert [e.address for e in lost] == [GONE]

    def test_bound(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(walk, "MAX_STEPS", 2)
        lost = Lost()
        assert list(for_each_chain(memory_of(self.chain(*NODES)), HEAD, 0x18, 0, lost)) == list(NODES[:3])
        assert len(lost) == 1


def tree(edges: Any, root: int = 0x20000) -> Any:
    """An rb_root at HEAD; edges: node -> (left, right)."""
    ram = Ram()
    ram.words(HEAD, root)
    for node, (left, right) in edges.items():
        ram.words(node, 1, right, left)  # parent and colour, right, left
    return ram


WHOLE = {
    0x20000: (0x18000, 0x28000),
    0x18000: (0x14000, 0x1C000),
    0x28000: (0, 0x2C000),
    **dict.fromkeys((0x14000, 0x1C000, 0x2C000), (0, 0)),
}


class TestRedBlackTree:
    def test_in_order(self) -> None:
        assert list(for_each_rbtree(memory_of(tree(WHOLE)), HEAD, 0x10)) == [n - 0x10 for n in sorted(WHOLE)]

    def test_empty(self) -> None:
        assert list(for_each_rbtree(memory_of(tree({}, 0)), HEAD)) == []

    @pytest.mark.parametrize(
        "node, children", [(0x2C000, (0x20000, 0)), (0x1C000, (0, 0x1C000)), (0x14000, (0x18000, 0))]
    )
    def test_loops(self, node: int, children: tuple[int, int]) -> None:
        lost = Lost()
        found = list(for_each_rbtree(memory_of(tree({**WHOLE, node: children})), HEAD, 0, lost))
        assert len(found) == len(set(found)) <= len(WHOLE)
        assert [type(e) for e in lost] == [Implausible]

    def test_a_hole_costs_what_hangs_below_it(self) -> None:
        ram, lost = tree(WHOLE), Lost()
        ram.lose(0x1C000)
        assert list(for_each_rbtree(memory_of(ram), HEAD, 0, lost)) == [0x14000, 0x18000, 0x1C000, 0x20000]
        assert len(lost) == 1

    def test_without_anyone_to_tell(self) -> None:
        with pytest.raises(MissingPage):
            list(for_each_rbtree(memory_of(tree({}, GONE)), HEAD))

    def test_a_degenerate_tree_takes_no_recursion(self) -> None:
        chain = {0x100000 + 32 * i: (0x100000 + 32 * (i + 1), 0) for i in range(5000)}
        chain[0x100000 + 32 * 4999] = (0, 0)
        assert len(list(for_each_rbtree(memory_of(tree(chain, 0x100000)), HEAD))) == 5000


SLOTS, SHIFT = 0x28, 0


def xa_node(ram: Any, address: int, shift: int, slots: Any) -> None:
    ram.put(address + SHIFT, bytes([shift]))
    ram.words(address + SLOTS, *(slots.get(i, 0) for i in range(64)))


class TestXarray:
    def entries(self, ram: Any, head: Any, lost: Any = None, tag: int = 2, width: int = 64) -> Any:
        return list(for_each_xarray(memory_of(ram), head, XaNode(SLOTS, width, SHIFT, tag), lost))

    def test_a_small_kernel_has_nodes_of_sixteen_slots_and_what_lies_behind_is_none_of_its(self) -> None:
        ram = Ram()
        xa_node(ram, 0x30000, 0, {1: 0x51000, 15: 0x52000, 16: 0x66000, 40: 0x67000})
        assert self.entries(ram, 0x30000 | 2, width=16) == [(1, 0x51000), (15, 0x52000)]

    def test_one_entry_without_a_node_and_none(self) -> None:
        assert self.entries(Ram(), 0x51000) == [(0, 0x51000)]
        assert self.entries(Ram(), 0) == []

    def test_two_levels(self) -> None:
        ram = Ram()
        xa_node(ram, 0x30000, 6, {0: 0x31000 | 2, 2: 0x32000 | 2})
        xa_node(ram, 0x31000, 0, {1: 0x51000, 63: 0x52000})
        xa_node(ram, 0x32000, 0, {5: 0x53000})
        assert self.entries(ram, 0x30000 | 2) == [(1, 0x51000), (63, 0x52000), (2 * 64 + 5, 0x53000)]

    def test_values_and_siblings_are_no_pointers(self) -> None:
        """A value entry has bit 0 set, however large it is; a sibling is a small internal entry."""
        ram, lost = Ram(), Lost()
        xa_node(ram, 0x30000, 0, {0: 0x51000, 1: (0 << 2) | 2, 2: 0x123456789 << 1 | 1, 3: 0x7FF << 1 | 1, 4: 0x52000})
        assert self.entries(ram, 0x30000 | 2, lost) == [(0, 0x51000), (4, 0x52000)]
        assert lost == []

    def test_radix_tree_of_old(self) -> None:
        """Before 4.20 an internal node is tagged 1, and 2 marks what is no pointer."""
        ram, lost = Ram(), Lost()
        xa_node(ram, 0x30000, 0, {0: 0x51000, 1: 0x61000 | 2})
        assert self.entries(ram, 0x30000 | 1, lost, tag=1) == [(0, 0x51000)]
        assert lost == []

    def test_loops(self) -> None:
        ram, lost = Ram(), Lost()
        xa_node(ram, 0x30000, 6, {0: 0x51000, 1: 0x30000 | 2})
        assert self.entries(ram, 0x30000 | 2, lost) == [(0, 0x51000)]
        assert [type(e) for e in lost] == [Implausible]

    def test_a_hole_costs_one_node(self) -> None:
        ram, lost = Ram(), Lost()
        xa_node(ram, 0x30000, 6, {0: GONE | 2, 1: 0x32000 | 2})
        xa_node(ram, 0x32000, 0, {5: 0x53000})
        assert self.entries(ram, 0x30000 | 2, lost) == [(64 + 5, 0x53000)]
        assert [e.address & -4096 for e in lost] == [GONE]
        with pytest.raises(ReadError):
            self.entries(ram, 0x30000 | 2)

    def test_an_impossible_shift(self) -> None:
        ram, lost = Ram(), Lost()
        xa_node(ram, 0x30000, 200, {0: 0x51000})
        assert self.entries(ram, 0x30000 | 2, lost) == []
        assert [type(e) for e in lost] == [Implausible]

    def test_bound(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(walk, "MAX_STEPS", 1)
        ram, lost = Ram(), Lost()
        xa_node(ram, 0x30000, 6, {i: 0x31000 + 0x1000 * i | 2 for i in range(8)})
        for i in range(8):
            xa_node(ram, 0x31000 + 0x1000 * i, 0, {0: 0x90000})
        assert len(self.entries(ram, 0x30000 | 2, lost)) == 1
        assert lost


LEAF, RANGE, ARANGE = 1, 2, 3


def maple(ram: Any, address: int, kind: str | int, pivots: Any, slots: Any) -> Any:
    """Write a maple node and return the entry that points at it."""
    wide = {LEAF: (15, 16), RANGE: (15, 16), ARANGE: (9, 10)}
    pivots_n, slots_n = (wide if ram.word == 8 else {LEAF: (31, 32), RANGE: (31, 32), ARANGE: (20, 21)})[kind]
    ram.words(address, 0x1234, *(pivots + [0] * pivots_n)[:pivots_n], *(slots + [0] * slots_n)[:slots_n])
    return address | kind << 3 | 2


class TestMapleTree:
    def entries(self, ram: Any, root: Any, lost: Any = None) -> Any:
        return list(for_each_maple(memory_of(ram), root, lost))

    def test_empty_and_one_entry(self) -> None:
        assert self.entries(Ram(), 0) == []
        assert self.entries(Ram(), 0x51000) == [(0, 0x51000)]

    def test_leaf(self) -> None:
        ram = Ram()
        root = maple(ram, 0x40000, LEAF, [0xFFF, 0x1FFF, 0x4FFF], [0, 0x51000, 0, 0x52000])
        assert self.entries(ram, root) == [(0x1000, 0x51000), (0x5000, 0x52000)]

    @pytest.mark.parametrize("kind", [RANGE, ARANGE])
    def test_two_levels(self, kind: int) -> None:
        ram = Ram()
        one = maple(ram, 0x41000, LEAF, [9, 19, 99], [0x51000, 0x52000, 0x53000])
        two = maple(ram, 0x42000, LEAF, [199], [0x54000, 0x55000])
        root = maple(ram, 0x40000, kind, [99], [one, two])
        expected = [(0, 0x51000), (10, 0x52000), (20, 0x53000), (100, 0x54000), (200, 0x55000)]
        assert self.entries(ram, root) == expected

    def test_a_full_node(self) -> None:
        ram = Ram()
        root = maple(ram, 0x40000, LEAF, [10 * i + 9 for i in range(15)], [0x50000 + 0x1000 * i for i in range(16)])
        assert self.entries(ram, root) == [(10 * i, 0x50000 + 0x1000 * i) for i in range(16)]

    @pytest.mark.parametrize("kind", [RANGE, ARANGE])
    def test_a_tree_of_32_bits(self, kind: int) -> None:
        """Its nodes have as many bytes and twice the slots, and the last one ends with the address space."""
        ram = Ram(word=4)
        one = maple(ram, 0x41000, LEAF, [10 * i + 9 for i in range(31)], [0x50000 + 0x1000 * i for i in range(32)])
        two = maple(ram, 0x42000, LEAF, [0xBFFFFFFF], [0, 0x99000])
        expected = [(10 * i, 0x50000 + 0x1000 * i) for i in range(32)] + [(0xC0000000, 0x99000)]
        root = maple(ram, 0x40000, kind, [319], [one, two])
        assert self.entries(ram, root) == expected

    def test_what_stands_behind_a_nodes_end_is_stale(self) -> None:
        """A node ends where its last pivot reaches what its parent gave it; slots beyond hold what was there before."""
        ram, lost = Ram(), Lost()
        one = maple(ram, 0x41000, LEAF, [9, 99, 49, 0], [0x51000, 0x52000, 0x66000, 0x67000])
        two = maple(ram, 0x42000, LEAF, [], [0x53000])
        root = maple(ram, 0x40000, RANGE, [99], [one, two])
        assert self.entries(ram, root, lost) == [(0, 0x51000), (10, 0x52000), (100, 0x53000)]
        assert lost == []

    def test_loops_holes_and_nonsense(self) -> None:
        ram, lost = Ram(), Lost()
        leaf = maple(ram, 0x41000, LEAF, [9], [0x51000])
        loop = 0x40000 | RANGE << 3 | 2
        root = maple(
            ram, 0x40000, RANGE, [9, 19, 29, 39], [leaf, loop, GONE | LEAF << 3 | 2, 0x43000 | 9 << 3 | 2, leaf]
        )
        assert self.entries(ram, root, lost) == [(0, 0x51000)]
        assert [type(e).__name__ for e in lost] == ["Implausible", "MissingPage", "Implausible", "Implausible"]


class TestBudget:
    """What all walks of one kernel may cost together."""

    def test_all_walks_of_a_memory_have_one_budget(self, monkeypatch: Any) -> None:
        ram = Ram()
        nodes = [HEAD + 0x20 * n for n in range(9)]
        for n, node in enumerate(nodes):
            ram.words(node, nodes[(n + 1) % 9], nodes[n - 1])
        memory = memory_of(ram)
        monkeypatch.setattr(walk, "MAX_OF_ALL", 20)
        assert [len(list(walk.for_each_list(memory, nodes[0]))) for _ in range(2)] == [8, 8]
        lost: list[Any] = []
        assert len(list(walk.for_each_list(memory, nodes[0], 0, lost.append))) == 4
        assert "all lists of this kernel" in str(lost[0]) and "loops" not in str(lost[0])

    def test_a_list_that_is_too_long_is_not_said_to_loop(self) -> None:
        ram = Ram()
        nodes = [HEAD + 0x20 * n for n in range(9)]
        for n, node in enumerate(nodes):
            ram.words(node, nodes[(n + 1) % 9], nodes[n - 1])
        lost: list[Any] = []
        assert len(list(walk.for_each_list(memory_of(ram), nodes[0], 0, lost.append, 3))) == 3
        assert "longer than 3 nodes" in str(lost[0])
