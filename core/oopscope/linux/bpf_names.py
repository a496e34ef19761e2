"""The names of compiled BPF programs, trampolines and dispatchers, as they stand in stacks.

Follows kernel/bpf/core.c (bpf_kallsyms). It is apart from programs and maps, which few reports ask for.
"""

from bisect import bisect_right
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan

MAX_SYMBOLS = 100_000


class Symbol(NamedTuple):
    """struct bpf_ksym."""

    start: int
    end: int
    name: bytes
    link: int


SYMBOL = Plan("bpf_ksym", Symbol, link="&lnode")


class BpfNames(NamedTuple):
    """Compiled programs, trampolines and dispatchers by address."""

    starts: list[int]
    found: list[tuple[int, int, str]]

    def at(self, address: int) -> tuple[str, int] | None:
        """Return the name of what an address lies in, and how far into it."""
        place = bisect_right(self.starts, address) - 1
        if place < 0:
            return None
        start, end, name = self.found[place]
        return (name, address - start) if address < end else None


@once
def bpf_names(kernel: Kernel) -> BpfNames:
    """Return the names of machine code that BPF made, as kallsyms has them; none where the kernel has no such list."""
    head, found = kernel.find_symbol("bpf_kallsyms"), list[tuple[int, int, str]]()
    if head is not None:
        try:
            bound = kernel.bind(SYMBOL)
            for row in bound.rows(for_each_list(kernel.memory, head, bound.offset("link"), None, MAX_SYMBOLS)):
                if row.start < row.end and row.name:
                    found.append((row.start, row.end, decoded(row.name)))
        except OopscopeError:  # what has no name stays without one
            pass
    found.sort()
    return BpfNames([start for start, _, _ in found], found)
