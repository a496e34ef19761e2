"""A table of symbols held in memory: what a System.map, a vmlinux's .symtab or the kernel's exports say."""

from bisect import bisect_right
from collections.abc import Iterable

LARGEST = 1 << 20  # bytes that the last symbol before a gap is taken to have at the most


class Named:
    """Addresses by name and names by address. `what` says where they are from."""

    def __init__(self, what: str, pairs: Iterable[tuple[str, int]]) -> None:
        self.what = what
        self._by_name: dict[str, list[int]] = {}
        for name, address in pairs:
            self._by_name.setdefault(name, []).append(address)
        self._sorted: list[tuple[int, str]] | None = None

    def __len__(self) -> int:
        return len(self._by_name)

    def lookup(self, name: str) -> int | None:
        """Return a symbol's address, the lowest where several share the name; None for none."""
        return min(self._by_name.get(name, ()), default=None)

    def name_at(self, address: int) -> tuple[str, int] | None:
        """Return the symbol at or before an address and how many bytes into it; None where none is near."""
        if self._sorted is None:
            self._sorted = sorted((at, name) for name, places in self._by_name.items() for at in places)
        at = bisect_right(self._sorted, (address, "\U0010ffff")) - 1
        if at < 0:
            return None
        start = self._sorted[at][0]
        while at and self._sorted[at - 1][0] == start:
            at -= 1
        return (self._sorted[at][1], address - start) if address - start < LARGEST else None

    def moved(self, shift: int, fixed: int, top: int) -> "Named":
        """Return the table as KASLR moved the kernel; what lies below `fixed` (per-CPU offsets, constants) stays."""
        pairs = ((name, at) for name, places in self._by_name.items() for at in places)
        return Named(self.what, ((name, (at + shift) % top if at >= fixed else at) for name, at in pairs))
