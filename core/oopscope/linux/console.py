"""Consoles: where the kernel's messages go, and how far each has come.

Follows include/linux/console.h and kernel/printk/printk.c. A console's write function must have a name.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain, for_each_hlist
from oopscope.structs.plan import Plan

MAX_CONSOLES = 256
FLAGS = (
    (4, "enabled"), (2, "is /dev/console"), (8, "boot"), (128, "suspended"), (256, "nbcon"), (16, "any time"),
    (1, "prints what came before it"),
)  # fmt: skip
NBCON = 256


class ConsoleStruct(NamedTuple):
    """struct console."""

    address: int
    name: bytes
    number: int
    flags: int
    write: int
    thread: int | None  # of one that prints without the console lock
    seq: int | None  # a5a3d3b7d4b8 "printk: add per-console seq", 5.19; one for all before
    nbcon_seq: int | None
    dropped: int | None


CONSOLE = Plan("console", ConsoleStruct, number="index", thread="write_thread", nbcon_seq="nbcon_seq.counter")


class Console(NamedTuple):
    """A console."""

    name: str
    flags: tuple[str, ...]
    function: str | None
    printed: int | None  # the record that it prints next
    behind: int | None  # records that it has not printed
    dropped: int | None
    address: int


def _addresses(kernel: Kernel) -> Iterator[int]:
    lost = kernel.problems.lost("consoles", "a console")
    # 4dc64682ad37 "printk: Convert console_drivers list to hlist", 6.2
    new = kernel.find_symbol("console_list")
    if new is not None:
        link = kernel.types.member("console", "node").offset
        yield from for_each_hlist(kernel.memory, new, link, lost)
    else:
        link = kernel.types.member("console", "next").offset
        yield from for_each_chain(kernel.memory, kernel.symbol("console_drivers"), link, 0, lost)


def _next_record(kernel: Kernel) -> int | None:
    """Return the number of the next record of the log, as the ring counts them."""
    try:
        prb = kernel.memory.word(kernel.symbol("prb"))
        ring = prb + kernel.types.member("printk_ringbuffer", "desc_ring.last_finalized_seq").offset
        return kernel.memory.word(ring) + 1
    except OopscopeError:
        return None


@once
def consoles(kernel: Kernel) -> list[Console]:
    """Return the consoles that are registered."""
    found, bound, newest = list[Console](), kernel.bind(CONSOLE), _next_record(kernel)
    for row in bound.rows(_addresses(kernel), kernel.problems.lost("consoles", "a console")):
        if len(found) >= MAX_CONSOLES:
            break
        name = kernel.name_of(row.write or row.thread or 0)
        seq = row.nbcon_seq if row.flags & NBCON and row.nbcon_seq is not None else row.seq
        behind = max(newest - seq, 0) if newest is not None and seq is not None else None
        text = decoded(row.name) + (str(row.number) if row.number >= 0 else "")
        words = tuple(word for bit, word in FLAGS if row.flags & bit)
        found.append(Console(text, words, name.symbol if name else None, seq, behind, row.dropped, row.address))
    return found
