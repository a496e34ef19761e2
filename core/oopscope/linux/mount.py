"""Every struct mount of a namespace: by its tree or list, and around missing pages by parents and super blocks.

Follows fs/namespace.c and fs/mount.h. It knows addresses only; what a mount says is the mounts table's business.
"""

from collections.abc import Callable, Iterator

from oopscope.errors import OopscopeError, is_lost
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_chain, for_each_list, for_each_rbtree

MAX_MOUNTS = 100_000


class _Around:
    """What other links than the namespace's own lead to."""

    def __init__(self, kernel: Kernel, namespace: int) -> None:
        self._kernel, self._memory, self._namespace = kernel, kernel.memory, namespace
        self._at = {
            name: kernel.types.member("mount", name).offset
            for name in ("mnt_parent", "mnt_mounts", "mnt_child", "mnt_ns")
        }

    def _words(self, address: int, count: int = 1) -> tuple[int, ...]:
        try:
            return self._memory.words(address, count)
        except OopscopeError:
            return ()

    def ours(self, mount: int) -> bool:
        """Tell whether a mount belongs to the namespace; False where that cannot be read."""
        return self._words(mount + self._at["mnt_ns"]) == (self._namespace,)

    def neighbours(self, mount: int) -> Iterator[int]:
        """Yield a mount's parent, and its first and last child and sibling."""
        at = self._at
        (parent,) = self._words(mount + at["mnt_parent"]) or (0,)
        if parent:
            yield parent
        for place, head in ((mount + at["mnt_mounts"], mount), (mount + at["mnt_child"], parent)):
            for node in self._words(place, 2):
                if node and node not in (place, head + at["mnt_mounts"]):
                    yield node - at["mnt_child"]

    def by_super_block(self) -> Iterator[int]:
        """Yield the mounts of every super block: a list, or a chain since 6.18."""
        types, memory = self._kernel.types, self._memory
        blocks, mounts = types.member("super_block", "s_list").offset, types.member("super_block", "s_mounts")
        for block in for_each_list(memory, self._kernel.symbol("super_blocks"), blocks, _ignore):
            if mounts.kind == "ptr":
                link = types.member("mount", "mnt_next_for_sb").offset
                yield from for_each_chain(memory, block + mounts.offset, link, 0, _ignore)
            else:
                link = types.member("mount", "mnt_instance").offset
                yield from for_each_list(memory, block + mounts.offset, link, _ignore)


def _ignore(_error: OopscopeError) -> None:
    """A hole of a walk that goes around holes; the walk that met the first has said so."""


def mounts_of(kernel: Kernel, namespace: int) -> Iterator[int]:
    """Yield every struct mount of a namespace, around holes if there are any.

    A tree since 2eea9ce4310d "mounts: keep list of mounts in an rbtree" (6.8), a list before.
    """
    holes: list[OopscopeError] = []
    seen: set[int] = set()
    for mount in _own(kernel, namespace, holes.append):
        seen.add(mount)
        yield mount
    damaged = [e for e in holes if not is_lost(e)]
    for error in damaged:
        kernel.problems.lost("mounts", "mount namespace")(error)
    if not holes and all(_is_readable(kernel, mount) for mount in seen):
        return
    kernel.problems.add("mounts", "pages of mounts are missing: other links lead around them, some may be lost")
    around = _Around(kernel, namespace)
    todo = [*seen, *(m for m in around.by_super_block() if m not in seen and around.ours(m))]
    visited: set[int] = set()
    while todo and len(visited) < MAX_MOUNTS:
        mount = todo.pop()
        if mount in visited:
            continue
        visited.add(mount)
        if mount not in seen:
            yield mount
        todo += [m for m in around.neighbours(mount) if m not in visited and around.ours(m)]


def _own(kernel: Kernel, namespace: int, lost: Callable[[OopscopeError], None]) -> Iterator[int]:
    types = kernel.types
    if types.has_member("mnt_namespace", "list"):
        head, link = types.member("mnt_namespace", "list"), types.member("mount", "mnt_list")
        yield from for_each_list(kernel.memory, namespace + head.offset, link.offset, lost, MAX_MOUNTS)
    else:
        root, link = types.member("mnt_namespace", "mounts"), types.member("mount", "mnt_node")
        yield from for_each_rbtree(kernel.memory, namespace + root.offset, link.offset, lost)


def _is_readable(kernel: Kernel, mount: int) -> bool:
    try:
        kernel.memory.word(mount)
    except OopscopeError:
        return False
    return True
