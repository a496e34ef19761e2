"""An xarray, or the radix tree that it was before 4.20 (f8d5d0cc145c "xarray: Add definition of struct xarray").

Follows include/linux/{xarray.h,radix-tree.h}.
"""

from collections.abc import Iterator

from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import Lost, XaNode, for_each_xarray


def entries(kernel: Kernel, root: int, lost: Lost = None) -> Iterator[tuple[int, int]]:
    """Yield (index, entry) of the tree whose root (struct xarray *) lies at an address."""
    types = kernel.types
    new = types.has_member("xarray", "xa_head")
    tree, head, node = ("xarray", "xa_head", "xa_node") if new else ("radix_tree_root", "rnode", "radix_tree_node")
    slots = types.member(node, "slots")
    layout = XaNode(slots.offset, slots.count, types.member(node, "shift").offset, 2 if new else 1)
    return for_each_xarray(kernel.memory, kernel.memory.word(root + types.member(tree, head).offset), layout, lost)
