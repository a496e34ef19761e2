"""Neighbours: which hardware address stands for which IP address (ARP and NDP), and how sure that is.

Follows include/net/neighbour.h and net/core/neighbour.c. A neighbour must name the table in which it hangs.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain, for_each_hlist
from oopscope.linux.ticks import seconds_since
from oopscope.structs.plan import Plan

MAX_SHIFT = 20
TABLES = ("arp_tbl", "nd_tbl")
STATES = ((0x01, "incomplete"), (0x02, "reachable"), (0x04, "stale"), (0x08, "delay"), (0x10, "probe"),
          (0x20, "failed"), (0x40, "noarp"), (0x80, "permanent"))  # fmt: skip
FLAGS = ((0x01, "use"), (0x08, "proxy"), (0x10, "learned"), (0x80, "router"), (0x100, "managed"))
MAX_ADDR_LEN = 32


class NeighTable(NamedTuple):
    """struct neigh_table."""

    key_len: int
    entries: int
    nht: int


class Neighbour(NamedTuple):
    """struct neighbour."""

    address: int
    tbl: int
    updated: int
    confirmed: int
    waiting: int
    probes: int
    state: int
    flags: int
    ha: int
    key: int
    dev: int


class Device(NamedTuple):
    """struct net_device."""

    name: bytes
    addr_len: int
    net: int


TABLE = Plan("neigh_table", NeighTable, entries="entries.counter")
NEIGHBOUR = Plan(
    "neighbour", Neighbour, waiting="arp_queue.qlen", probes="probes.counter", state="nud_state", ha="&ha",
    key="&primary_key",
)  # fmt: skip
DEVICE = Plan("net_device", Device, net="nd_net.net")


class NeighbourRow(NamedTuple):
    """A neighbour."""

    namespace: int | None
    ip: str
    mac: str | None  # None where it is not known
    device: str | None
    state: str
    flags: str
    waiting: int  # packets
    updated_seconds: float | None
    address: int


def _members(kernel: Kernel, nht: int) -> Iterator[int]:
    """Yield the neighbours of a hash table."""
    types, memory = kernel.types, kernel.memory
    shift = memory.u32(nht + types.member("neigh_hash_table", "hash_shift").offset)
    if shift > MAX_SHIFT:
        raise Implausible(f"a hash table of 1 << {shift} chains", nht)
    # "neighbour: Convert iteration to use hlist" , 6.13: chains of struct neighbour.hash, no longer of next
    new = types.has_member("neigh_hash_table", "hash_heads")
    buckets = memory.word(nht + types.member("neigh_hash_table", "hash_heads" if new else "hash_buckets").offset)
    link = types.member("neighbour", "hash" if new else "next").offset
    for at, first in enumerate(memory.words(buckets, 1 << shift)):
        if first:
            place = buckets + at * memory.word_size
            yield from for_each_hlist(memory, place, link) if new else for_each_chain(memory, place, link)


def _row(kernel: Kernel, table: NeighTable, row: Neighbour) -> NeighbourRow:
    raw = kernel.memory.read(row.key, table.key_len)
    ip = str(IPv6Address(raw) if len(raw) == 16 else IPv4Address(raw))
    device = kernel.bind(DEVICE).row(row.dev) if row.dev else None
    mac = None
    if device is not None and 0 < device.addr_len <= MAX_ADDR_LEN and row.state & 0xDE:  # NUD_VALID
        mac = kernel.memory.read(row.ha, device.addr_len).hex(":")
    net = kernel.types.member("net", "ns.inum").offset
    return NeighbourRow(
        kernel.memory.u32(device.net + net) if device is not None and device.net else None, ip, mac,
        decoded(device.name) if device is not None else None,
        " ".join(word for bit, word in STATES if row.state & bit) or "none",
        " ".join(word for bit, word in FLAGS if row.flags & bit),
        row.waiting, seconds_since(kernel, row.updated), row.address,
    )  # fmt: skip


def _tables(kernel: Kernel) -> Iterator[tuple[int, NeighTable]]:
    for name in TABLES:
        at = kernel.find_symbol(name)
        if at is not None:
            yield at, kernel.bind(TABLE).row(at)


def counted(kernel: Kernel) -> int | None:
    """Return how many neighbours the kernel counts."""
    return sum(table.entries for _, table in _tables(kernel))


@once
def neighbours(kernel: Kernel) -> list[NeighbourRow]:
    """Return the neighbours of all namespaces, those of IPv4 first."""
    found, bound = list[NeighbourRow](), kernel.bind(NEIGHBOUR)
    lost = kernel.problems.lost("neighbours", "a neighbour")
    for at, table in _tables(kernel):
        if not table.nht:  # not set up yet
            continue
        if table.key_len not in (4, 16):
            kernel.problems.add("neighbours", f"a table of addresses of {table.key_len} bytes", at)
            continue
        try:
            for row in bound.rows(_members(kernel, table.nht), lost):
                if row.tbl != at:
                    kernel.problems.add("neighbours", "what should be a neighbour is of another table", row.address)
                    continue
                found.append(_row(kernel, table, row))
        except OopscopeError as e:
            lost(e)
    return found
