"""Counters of interfaces that only their drivers keep: virtio_net's, one set a queue.

Follows drivers/net/virtio_net.c. The driver's struct lies behind the device's and must name it; its types may be its
module's.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oopscope.errors import Absent, Implausible, NoType
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module_types import module_types
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
    tx_errors: int


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


def _types(kernel: Kernel) -> Types:
    if kernel.types.has("virtnet_info"):
        return kernel.types
    try:
        return module_types(kernel, MODULE)
    except NoType:
        raise Absent(f"the types of module {MODULE} are not in this kernel") from None


def _virtio(kernel: Kernel, device: int) -> Counts:
    types, memory, at = _types(kernel), kernel.memory, _private(kernel, device)

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


DRIVERS: dict[str, Callable[[Kernel, int], Counts]] = {"virtnet_stats": _virtio}
