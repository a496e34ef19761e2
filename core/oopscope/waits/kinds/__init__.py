"""The kinds of edge: each file knows one way in which the kernel waits, and yields what it can prove of it as Claims.

A kind looks at the sleepers, believes a wait object only where its type, its links and its owner agree, and leaves out
what it cannot show. To add one: a file with `edges(kernel)`, and its line in KINDS. The order is that of worth: of a
task for which an earlier kind found what it waits for, `else nobody known` says nothing.
"""

from collections.abc import Callable, Iterator
from importlib import import_module

from oopscope.kernel.kernel import Kernel
from oopscope.waits.graph import Claim

KINDS: tuple[tuple[str, str], ...] = (
    ("locks", "oopscope.waits.kinds.locks"),
    ("spinlocks", "oopscope.waits.kinds.spinlocks"),
    ("cpus", "oopscope.waits.kinds.cpus"),
    ("pages", "oopscope.waits.kinds.pages"),
    ("arrays", "oopscope.waits.kinds.arrays"),
    ("writeback", "oopscope.waits.kinds.writeback"),
    ("reclaim", "oopscope.waits.kinds.reclaim"),
    ("rpc", "oopscope.waits.kinds.rpc"),
    ("modules", "oopscope.waits.kinds.modules"),
    ("completions", "oopscope.waits.kinds.completions"),
    ("rcu", "oopscope.waits.kinds.rcu"),
    ("queues", "oopscope.waits.kinds.queues"),
    ("filelocks", "oopscope.waits.kinds.filelocks"),
    ("futexes", "oopscope.waits.kinds.futexes"),
    ("children", "oopscope.waits.kinds.children"),
    ("freezers", "oopscope.waits.kinds.freezers"),
    ("polls", "oopscope.waits.kinds.polls"),
)


def edges_of(module: str) -> Callable[[Kernel], Iterator[Claim]]:
    """Import a kind and return what yields its edges."""
    found: Callable[[Kernel], Iterator[Claim]] = import_module(module).edges
    return found
