"""Where an inode stands, by one of its names, and where its file system is mounted.

Follows fs/d_path.c and fs/namespace.c. Of several mounts of a file system the shortest place is taken.
"""

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import Lost
from oopscope.linux.mount import mounts_of
from oopscope.linux.path import Paths, Place, alias_offset
from oopscope.linux.proc_mounts import first_namespace

MAX_DEPTH = 256


class InodePaths:
    """Paths of inodes as the first process sees them; each name is read once."""

    def __init__(self, kernel: Kernel, lost: Lost) -> None:
        self._names: dict[int, str] = {}
        self._alias = alias_offset(kernel)
        self._places: dict[int, tuple[str, int]] = {}  # of a super block: where it is mounted, and with which root
        self.mounts: dict[int, str] = {}  # of a struct mount: where it is
        try:
            namespace, root = first_namespace(kernel)
        except Absent:  # no task is left that has one
            namespace, root = 0, Place(0, 0)
        self._paths = Paths(kernel, root)
        for address in mounts_of(kernel, namespace) if namespace else ():
            try:
                mount = self._paths.mount(address)
                path, reached = self._paths.of(Place(mount.address, mount.root))
            except OopscopeError as e:
                if lost is not None:
                    lost(e)
                continue
            known, text = self._places.get(mount.sb), decoded(path)
            self.mounts[address] = text
            if reached and (known is None or len(text) < len(known[0])):
                self._places[mount.sb] = text, mount.root

    def place(self, block: int) -> str | None:
        """Return where a super block is mounted; None where it is nowhere that the first process sees."""
        return self._places.get(block, (None, 0))[0]

    def of(self, alias: int, block: int) -> str | None:
        """Return where an inode stands, by the link of one of its dentries and its super block; None without a name.

        Of a file system that is mounted nowhere, or whose mounts are lost, the names in it, `…` before them.
        """
        if not alias:
            return None
        names, at = list[str](), alias - self._alias
        place, root = self._places.get(block, ("…", 0))
        for _ in range(MAX_DEPTH):
            if at == root:
                break
            row = self._paths.dentry(at)
            if row.parent == at:
                break
            if at not in self._names:
                self._names[at] = decoded(self._paths.name(row))
            names.append(self._names[at])
            at = row.parent
        if not names:
            return place if place != "…" else None
        return f"{place.rstrip('/')}/{'/'.join(reversed(names))}"
