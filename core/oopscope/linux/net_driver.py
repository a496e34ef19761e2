"""Counters of interfaces that only their drivers keep: virtio_net's and veth's by queue, VLANs' by CPU.

Follows drivers/net/{virtio_net.c,veth.c,macvlan.c} and net/8021q/vlan_dev.c. A driver's struct lies behind the
device's; virtio_net's must name that, a veth's peer must name it as its own. The types may be a module's.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from oopscope.errors import Absent, Implausible
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.linux.optional_module import types_of
from oopscope.structs.layout import Types

MAX_QUEUES, NETDEV_ALIGN = 1024, 32
MODULE = "virtio_net"


class Counts(NamedTuple):
    """What a driver counted."""

    rx_packets: int
    rx_bytes: int
    rx_dropped: int
    tx_packets: int
    tx_bytes: int
    tx_errors: int | None  # None here and below: what struct net_device has of it counts
    tx_dropped: int | None = None
    rx_errors: int | None = None


def of_driver(kernel: Kernel, function: str, device: int) -> Counts | None:
    """Return what the driver of a struct net_device counted, by its ndo_get_stats64; None for one not known here."""
    known = DRIVERS.get(function)
    try:
        return known(kernel, device) if known is not None else None
    except Absent:  # its types are of a module whose types this kernel does not keep
        return None


def _private(kernel: Kernel, device: int) -> int:
    """Return where the driver's own struct lies: behind the device's, a member of it since 6.11."""
    if kernel.types.has_member("net_device", "priv"):
        return device + kernel.types.member("net_device", "priv").offset
    return device + -(-kernel.types.sizeof("net_device") // NETDEV_ALIGN) * NETDEV_ALIGN


def _virtio(kernel: Kernel, device: int) -> Counts:
    types, memory, at = types_of(kernel, MODULE, "virtnet_info"), kernel.memory, _private(kernel, device)

    def member(name: str) -> int:
        return at + types.member("virtnet_info", name).offset

    if memory.word(member("dev")) != device:
        raise Implausible("what should be virtio_net's struct is of another device", at)
    pairs = int.from_bytes(memory.read(member("max_queue_pairs"), 2), kernel.arch.byteorder)
    if not 0 < pairs <= MAX_QUEUES:
        raise Implausible(f"virtio_net with {pairs} pairs of queues", at)
    rx = _sums(kernel, types, memory.word(member("rq")), pairs, "receive_queue", ("packets", "bytes", "drops"))
    tx = _sums(kernel, types, memory.word(member("sq")), pairs, "send_queue", ("packets", "bytes", "tx_timeouts"))
    return Counts(*rx, *tx)


def _sums(kernel: Kernel, types: Types, first: int, count: int, struct: str, names: tuple[str, ...]) -> Iterator[int]:
    """Yield each counter added up over the queues of an array."""
    size = types.sizeof(struct)
    for name in names:
        found = types.member(struct, f"stats.{name}")
        places: Any = (first + number * size + found.offset for number in range(count))
        yield sum(int.from_bytes(kernel.memory.read(at, 8), kernel.arch.byteorder) for at in places)


def _by_cpu(kernel: Kernel, types: Types, base: int, struct: str, *names: str) -> Iterator[int]:
    """Yield each counter of a per-CPU struct added up over the CPUs."""
    top, cpus = kernel.memory.top, kernel.cached(per_cpu_offsets)
    for name in names:
        at = types.member(struct, name)
        places: Any = ((base + offset) % top + at.offset for offset in cpus)
        yield sum(int.from_bytes(kernel.memory.read(place, at.size), kernel.arch.byteorder) for place in places)


def _vlan(kernel: Kernel, device: int, struct: str, member: str, module: str) -> Counts:
    """Return what a VLAN, or a macvlan, counted in its struct vlan_pcpu_stats."""
    types = types_of(kernel, module, struct)
    base = kernel.memory.word(_private(kernel, device) + types.member(struct, member).offset)
    names = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "tx_dropped", "rx_errors")
    rx, rx_bytes, tx, tx_bytes, dropped, errors = _by_cpu(kernel, types, base, "vlan_pcpu_stats", *names)
    return Counts(rx, rx_bytes, 0, tx, tx_bytes, None, dropped, errors)


def _veth(kernel: Kernel, device: int) -> Counts:
    """Return what a veth sent, and what its peer did, which it received."""
    types, memory = types_of(kernel, "veth", "veth_priv"), kernel.memory
    peer_at, lstats = types.member("veth_priv", "peer").offset, kernel.types.member("net_device", "lstats").offset
    priv = _private(kernel, device)
    peer = memory.word(priv + peer_at)
    if peer and memory.word(_private(kernel, peer) + peer_at) != device:
        raise Implausible("the peer of a veth has another", device)
    queues = int.from_bytes(
        memory.read(device + types.member("net_device", "real_num_rx_queues").offset, 4), kernel.arch.byteorder
    )
    if not 0 < queues <= MAX_QUEUES:
        raise Implausible(f"a veth of {queues} queues", device)
    rings = memory.word(priv + types.member("veth_priv", "rq").offset)
    words = ("vs.xdp_packets", "vs.xdp_bytes", "vs.rx_drops")
    rx, rx_bytes, drops = _sums(kernel, types, rings, queues, "veth_rq", words)
    sums = [tuple(_by_cpu(kernel, kernel.types, memory.word(one + lstats), "pcpu_lstats", "packets", "bytes"))
            if one else (0, 0) for one in (device, peer)]  # fmt: skip
    (tx, tx_bytes), (came, came_bytes) = sums
    drop = types.member("veth_priv", "dropped.counter")  # of 64 bits on every machine
    dropped = int.from_bytes(memory.read(priv + drop.offset, drop.size), kernel.arch.byteorder)
    return Counts(rx + came, rx_bytes + came_bytes, drops, tx, tx_bytes, None, dropped)


DRIVERS: dict[str, Callable[[Kernel, int], Counts]] = {
    "virtnet_stats": _virtio,
    "veth_get_stats64": _veth,
    "vlan_dev_get_stats64": partial(_vlan, struct="vlan_dev_priv", member="vlan_pcpu_stats", module="8021q"),
    "macvlan_dev_get_stats64": partial(_vlan, struct="macvlan_dev", member="pcpu_stats", module="macvlan"),
}
