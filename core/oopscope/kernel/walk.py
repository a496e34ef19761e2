"""The kernel's containers, walked: lists, hash lists, red-black trees, radix trees and xarrays, maple trees.

Each walk is a generator of addresses over hostile memory: bounded by itself and by what one kernel may cost in all,
with a seen-set, and a broken link ends it with one call of `lost` (or an exception where none is given). Layouts follow
include/linux/{types,rbtree,xarray}.h and maple_tree.h.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError, ReadError
from oopscope.memory.virtual import Memory

MAX_STEPS = 1 << 20  # of one walk
MAX_OF_ALL = 4 << 20  # of all walks of one memory
MAX_SLOTS = 64  # of an xa_node
Lost = Callable[[OopscopeError], None] | None


def _end(error: OopscopeError, lost: Lost) -> None:
    if lost is None:
        raise error
    lost(error)


def _stop(memory: Memory, node: int, seen: set[int], what: str, limit: int | None = None) -> Implausible | None:
    """Count a step; return why a walk must not go on to a node: it was there, or went far enough."""
    memory.steps += 1
    limit = MAX_STEPS if limit is None else limit
    if node in seen:
        return Implausible(f"{what} loops: it comes back to a node", node)
    if len(seen) > limit:
        return Implausible(f"{what} is longer than {limit} nodes, and is followed no further", node)
    if memory.steps > MAX_OF_ALL:
        return Implausible(f"{what}: all lists of this kernel have more than {MAX_OF_ALL} nodes; no further", node)
    return None


def for_each_list(
    memory: Memory, head: int, offset: int = 0, lost: Lost = None, limit: int = MAX_STEPS
) -> Iterator[int]:
    """Yield the entries of a struct list_head, each less offset; links are checked both ways.

    A node whose `prev` does not name the one before is reported once and the walk goes on, for `next` is what the
    kernel itself would follow.
    """
    seen = {head}
    previous, crossed = head, False
    try:
        node = memory.word(head)
        while node != head:
            if (why := _stop(memory, node, seen, f"list {head:#x}", limit)) is not None:
                return _end(why, lost)
            seen.add(node)
            following, back = memory.pair(node)
            if back != previous and not crossed:
                crossed = True
                if lost is not None:
                    lost(
                        Implausible(
                            f"list {head:#x}: a node's prev {back:#x} is not the node before, {previous:#x};", node
                        )
                    )
            yield node - offset
            previous, node = node, following
    except ReadError as e:
        if lost is not None:
            yield from _backwards(memory, head, offset, seen, limit)
        _end(e, lost)


def _backwards(memory: Memory, head: int, offset: int, seen: set[int], limit: int) -> Iterator[int]:
    """What a list still holds beyond a broken link, read from its other end."""
    size = memory.word_size
    try:
        node = memory.word(head + size)
        while _stop(memory, node, seen, "a list", limit) is None:
            memory.word(node)
            seen.add(node)
            yield node - offset
            node = memory.word(node + size)
    except ReadError:
        return


def for_each_hlist(memory: Memory, head: int, offset: int = 0, lost: Lost = None) -> Iterator[int]:
    """Yield the entries of a struct hlist_head (or of a chain of `next` pointers), each less offset."""
    yield from for_each_chain(memory, head, 0, offset, lost)


def for_each_chain(
    memory: Memory, head: int, link: int, offset: int = 0, lost: Lost = None, known: Mapping[int, int] | None = None
) -> Iterator[int]:
    """Yield a NULL-terminated chain: the pointer at head, then the pointer at node + link, and so on.

    known: what was read before of the pointers at node + link, by node.
    """
    seen: set[int] = set()
    try:
        node = memory.word(head)
        while node and not node & 1:  # an odd end is a "nulls" marker
            if (why := _stop(memory, node, seen, "a chain")) is not None:
                return _end(why, lost)
            seen.add(node)
            following = known.get(node) if known else None
            if following is None:
                following = memory.word(node + link)
            yield node - offset
            node = following
    except ReadError as e:
        _end(e, lost)


def for_each_rbtree(memory: Memory, root: int, offset: int = 0, lost: Lost = None) -> Iterator[int]:
    """Yield the nodes of a struct rb_root in order, each less offset. rb_node: parent and colour, right, left."""
    size = memory.word_size
    seen: set[int] = set()
    stack: list[int] = []
    try:
        node = memory.word(root)
        while stack or node:
            while node:
                if (why := _stop(memory, node, seen, "a tree")) is not None:
                    return _end(why, lost)
                seen.add(node)
                stack.append(node)
                node = memory.word(node + 2 * size)
            node = stack.pop()
            yield node - offset
            node = memory.word(node + size)
    except ReadError as e:
        yield from (n - offset for n in reversed(stack))
        _end(e, lost)


class XaNode(NamedTuple):
    """A struct xa_node (radix_tree_node before 4.20): offsets of its slots and shift, how many slots (width), its mark.

    A node has 64 slots, 16 with CONFIG_BASE_SMALL. tag: the low bits of a pointer to one, 1 before 4.20.
    """

    slots: int
    width: int
    shift: int
    tag: int = 2


def for_each_xarray(memory: Memory, head: int, layout: XaNode, lost: Lost = None) -> Iterator[tuple[int, int]]:
    """Yield (index, entry) of an xarray or radix tree, from the value of its head pointer.

    Value entries and siblings are passed over.
    """
    seen: set[int] = set()
    todo = [(head, 0)]
    while todo:
        entry, index = todo.pop()
        tag = entry & 3
        if not entry:
            continue
        if tag == 0:
            yield index, entry
            continue
        if tag != layout.tag or entry < 4096:  # a value, a mark of a multi-index entry's sibling
            continue
        node = entry & ~3
        if (why := _stop(memory, node, seen, "a radix tree")) is not None:
            _end(why, lost)
            if node in seen:
                continue
            return
        seen.add(node)
        try:
            width = memory.u8(node + layout.shift)
            children = memory.words(node + layout.slots, min(layout.width, MAX_SLOTS))
        except ReadError as e:
            _end(e, lost)
            continue
        if width > 60:
            _end(Implausible("a radix tree node with an impossible shift", node), lost)
            continue
        todo += [(child, index + (i << width)) for i, child in reversed(list(enumerate(children))) if child]


# By bytes of a word, type -> pivots, slots: MAPLE_RANGE64_SLOTS and MAPLE_ARANGE64_SLOTS fill 256 bytes either way.
_MAPLE_SLOTS = {8: {1: (15, 16), 2: (15, 16), 3: (9, 10)}, 4: {1: (31, 32), 2: (31, 32), 3: (20, 21)}}


def for_each_maple(memory: Memory, root: int, lost: Lost = None) -> Iterator[tuple[int, int]]:
    """Yield (index, entry) of a maple tree, from the value of ma_root, in order.

    A node's pointer carries its type in bits 3..6; after the parent word come the pivots, then the slots.
    """
    if not root:
        return
    if root & 3 != 2 or root < 4096:
        yield 0, root
        return
    seen: set[int] = set()
    slots = _MAPLE_SLOTS[memory.word_size]
    todo = [(root, 0, memory.top - 1)]
    while todo:
        entry, low, high = todo.pop()
        node, kind = entry & ~0xFF, entry >> 3 & 0xF
        if kind not in slots:
            _end(Implausible("a maple tree node of unknown type", node), lost)
            continue
        if (why := _stop(memory, entry, seen, "a maple tree")) is not None:
            _end(why, lost)
            if entry in seen:
                continue
            return
        seen.add(entry)
        try:
            children = _maple_children(memory, node, slots[kind], low, high)
        except ReadError as e:
            _end(e, lost)
            continue
        if kind == 1:
            yield from ((first, slot) for slot, first, _last in children if slot & 3 != 2 or slot >= 4096)
        else:
            todo += reversed(children)


def _maple_children(
    memory: Memory, node: int, slots: tuple[int, int], low: int, high: int
) -> list[tuple[int, int, int]]:
    """Return (slot, first index, last index) of a node's slots that are used."""
    pivots_n, slots_n = slots
    words = memory.words(node, 1 + pivots_n + slots_n)
    children = []
    for i in range(slots_n):
        last = words[1 + i] if i < pivots_n else high
        if i and last == 0:
            last = high  # an unused pivot: the slot reaches the node's end
        slot = words[1 + pivots_n + i]
        if slot:
            children.append((slot, low, min(last, high)))
        low = last + 1
        if last >= high:
            break
    return children
