"""Network interfaces by namespace: addresses, state, counters, and queues that are stopped.

Follows include/linux/{netdevice.h,inetdevice.h}, include/net/{net_namespace.h,if_inet6.h} and net/core/dev.c. A device
must name the namespace in whose list it hangs. Counters that a driver keeps for itself are not told, but virtio_net's.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain, for_each_list
from oopscope.linux.net_driver import of_driver
from oopscope.linux.ticks import seconds_since
from oopscope.structs.plan import Plan

MAX_NAMESPACES = 65_536
MAX_DEVICES = 65_536
MAX_QUEUES = 4096
MAX_ADDRESSES = 1024
MAX_ADDR_LEN = 32
IFF_UP, ARPHRD_LOOPBACK = 1, 772
XOFF = ((1, "by the driver"), (2, "by the stack"), (4, "frozen"))  # enum netdev_queue_state_t
NOCARRIER = 1 << 2  # enum netdev_state_t
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")  # RFC 2863


class NetStruct(NamedTuple):
    """struct net."""

    address: int
    inum: int
    devices: int
    link: int


class Device(NamedTuple):
    """struct net_device."""

    address: int
    name: bytes
    ifindex: int
    flags: int
    state: int
    operstate: int
    type: int
    mtu: int
    addr_len: int
    dev_addr: int
    net: int | None  # which CONFIG_NET_NS adds
    ops: int
    tx: int
    num_tx_queues: int
    ip_ptr: int
    ip6_ptr: int
    stats: int
    core_stats: int | None  # 625788b58445 "net: add per-cpu storage and net->core_stats", 5.18; atomic counters before
    rx_dropped: int | None
    tx_dropped: int | None
    lstats: int | None
    stat_type: int | None  # 34d21de99cea "net: Move {l,t,d}stats allocation to core", 6.7
    link: int


class Ops(NamedTuple):
    """struct net_device_ops: what counts."""

    stats64: int
    stats: int


class Stats(NamedTuple):
    """struct net_device_stats."""

    rx_packets: int
    tx_packets: int
    rx_bytes: int
    tx_bytes: int
    rx_errors: int
    tx_errors: int
    rx_dropped: int
    tx_dropped: int


class Silent(NamedTuple):
    """The counters of a device that only its driver knows."""

    rx_packets: None = None
    tx_packets: None = None
    rx_bytes: None = None
    tx_bytes: None = None
    rx_errors: None = None
    tx_errors: None = None
    rx_dropped: None = None
    tx_dropped: None = None


SILENT = Silent()


class CoreStats(NamedTuple):
    """struct net_device_core_stats of a CPU."""

    rx_dropped: int
    tx_dropped: int


class LStats(NamedTuple):
    """struct pcpu_lstats of a CPU: what is sent is received."""

    packets: int
    bytes: int


class TStats(NamedTuple):
    """struct pcpu_sw_netstats of a CPU."""

    rx_packets: int
    tx_packets: int
    rx_bytes: int
    tx_bytes: int


class TxQueue(NamedTuple):
    """struct netdev_queue."""

    dev: int
    state: int
    trans_start: int


class InDevice(NamedTuple):
    """struct in_device."""

    dev: int
    ifa_list: int


class InIfaddr(NamedTuple):
    """struct in_ifaddr."""

    local: int
    prefix: int


class Inet6Dev(NamedTuple):
    """struct inet6_dev."""

    dev: int
    addresses: int


class Inet6Ifaddr(NamedTuple):
    """struct inet6_ifaddr."""

    addr: int
    prefix: int
    link: int


NET = Plan("net", NetStruct, inum="ns.inum", devices="&dev_base_head", link="&list")
DEVICE = Plan(
    "net_device", Device, net="nd_net.net", ops="netdev_ops", tx="_tx", stats="&stats", rx_dropped="rx_dropped.counter",
    tx_dropped="tx_dropped.counter", stat_type="pcpu_stat_type", link="&dev_list",
)  # fmt: skip
OPS = Plan("net_device_ops", Ops, stats64="ndo_get_stats64", stats="ndo_get_stats")
STATS = Plan("net_device_stats", Stats)
CORE_STATS = Plan("net_device_core_stats", CoreStats)
LSTATS = Plan("pcpu_lstats", LStats)
TSTATS = Plan("pcpu_sw_netstats", TStats)
DSTATS = Plan("pcpu_dstats", TStats)
TXQ = Plan("netdev_queue", TxQueue)
IN_DEVICE = Plan("in_device", InDevice)
IN_IFADDR = Plan("in_ifaddr", InIfaddr, local="ifa_local", prefix="ifa_prefixlen")
INET6_DEV = Plan("inet6_dev", Inet6Dev, addresses="&addr_list")
INET6_IFADDR = Plan("inet6_ifaddr", Inet6Ifaddr, addr="&addr", prefix="prefix_len", link="&if_list")

# Which per-CPU counters the functions add up that answer ndo_get_stats64, and enum netdev_stat_type without one.
COUNTED: dict[str, Plan[LStats] | Plan[TStats]] = {
    "loopback_get_stats64": LSTATS, "dev_get_tstats64": TSTATS, "ip_tunnel_get_stats64": TSTATS,
    "br_get_stats64": TSTATS, "dev_get_dstats64": DSTATS, "tun_net_get_stats64": TSTATS,
}  # fmt: skip
STAT_TYPES: dict[int, Plan[LStats] | Plan[TStats]] = {2: TSTATS, 3: DSTATS}
ONLY_SENT = "dummy_get_stats64"  # until 6.9: it counts in pcpu_lstats what is sent, and receives nothing


class Interface(NamedTuple):
    """A network interface; a counter that only its driver knows is None."""

    namespace: int
    name: str
    ifindex: int
    state: str
    addresses: tuple[str, ...]
    mac: str | None
    mtu: int
    rx_packets: int | None
    rx_bytes: int | None
    rx_errors: int | None
    rx_dropped: int | None
    tx_packets: int | None
    tx_bytes: int | None
    tx_errors: int | None
    tx_dropped: int | None
    stopped: tuple[str, ...]  # send queues that take nothing, with why
    stopped_seconds: float | None  # since the first of them sent anything
    driver: str | None
    address: int


@once
def namespaces(kernel: Kernel) -> dict[int, NetStruct]:
    """Return the network namespaces by their struct net's address."""
    bound, lost = kernel.bind(NET), kernel.problems.lost("interfaces", "network namespaces")
    walk = for_each_list(kernel.memory, kernel.symbol("net_namespace_list"), bound.offset("link"), lost, MAX_NAMESPACES)
    return {row.address: row for row in bound.rows(walk, lost)}


def devices(kernel: Kernel, net: NetStruct) -> Iterator[Device]:
    """Yield the devices of a namespace; what does not name it is dropped, and said."""
    bound, lost = kernel.bind(DEVICE), kernel.problems.lost("interfaces", f"namespace {net.inum}")
    walk = for_each_list(kernel.memory, net.devices, bound.offset("link"), lost, MAX_DEVICES)
    for device in bound.rows(walk, lost):
        if device.net in (net.address, None) and device.ifindex > 0:
            yield device
        else:
            text = f"what should be an interface of namespace {net.inum} is of another, or none"
            kernel.problems.add("interfaces", text, device.address)


class _Interfaces:
    """The interfaces of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory

    def row(self, net: NetStruct, device: Device) -> Interface:
        """Return the row of a device."""
        stopped, since = self._stopped(device)
        counted = self._counters(device)
        return Interface(
            net.inum, decoded(device.name), device.ifindex, _state(device),
            tuple(self._addresses(device)), self._mac(device), device.mtu,
            counted.rx_packets, counted.rx_bytes, counted.rx_errors, counted.rx_dropped,
            counted.tx_packets, counted.tx_bytes, counted.tx_errors, counted.tx_dropped,
            stopped, since, self._driver(device), device.address,
        )  # fmt: skip

    def _mac(self, device: Device) -> str | None:
        if device.type == ARPHRD_LOOPBACK or not 0 < device.addr_len <= MAX_ADDR_LEN or not device.dev_addr:
            return None
        return self.memory.read(device.dev_addr, device.addr_len).hex(":")

    def _driver(self, device: Device) -> str | None:
        """Return whose operations a device has: a module's, or what the table of them is called."""
        name = self.kernel.name_of(device.ops) if device.ops else None
        return (name.module or name.symbol.removesuffix("_netdev_ops").removesuffix("_ops")) if name else None

    def _addresses(self, device: Device) -> Iterator[str]:
        try:
            if device.ip_ptr:
                yield from self._ipv4(device)
            if device.ip6_ptr:
                yield from self._ipv6(device)
        except OopscopeError as e:
            name = decoded(device.name)
            self.kernel.problems.lost("interfaces", f"the addresses of {name}")(e)

    def _ipv4(self, device: Device) -> Iterator[str]:
        here, link = self.kernel.bind(IN_DEVICE), self.kernel.types.member("in_ifaddr", "ifa_next").offset
        if here.row(device.ip_ptr).dev != device.address:
            return
        chain = for_each_chain(self.memory, device.ip_ptr + here.offset("ifa_list"), link)
        for number, address in enumerate(chain):
            if number >= MAX_ADDRESSES:
                return
            found = self.kernel.bind(IN_IFADDR).row(address)
            yield f"{IPv4Address(found.local.to_bytes(4, self.kernel.arch.byteorder))}/{found.prefix}"

    def _ipv6(self, device: Device) -> Iterator[str]:
        found = self.kernel.bind(INET6_DEV).row(device.ip6_ptr)
        if found.dev != device.address:
            return
        rows = self.kernel.bind(INET6_IFADDR)
        walk = for_each_list(self.memory, found.addresses, rows.offset("link"), None, MAX_ADDRESSES)
        for row in rows.rows(walk):
            yield f"{IPv6Address(self.memory.read(row.addr, 16))}/{row.prefix}"

    def _counters(self, device: Device) -> Stats | Silent:
        """Return the counters as dev_get_stats() would; None where the driver counts."""
        try:
            found = self._counted(device)
            if found is None:
                return SILENT
            rx, tx = self._core(device)
        except OopscopeError as e:
            name = decoded(device.name)
            self.kernel.problems.lost("interfaces", f"the counters of {name}")(e)
            return SILENT
        return found._replace(rx_dropped=found.rx_dropped + rx, tx_dropped=found.tx_dropped + tx)

    def _counted(self, device: Device) -> Stats | None:
        own = self.kernel.bind(STATS).row(device.stats)
        ops = self.kernel.bind(OPS).row(device.ops)
        function = self.kernel.name_of(ops.stats64) if ops.stats64 else None
        name = function.symbol if function else ""
        plan = LSTATS if name == ONLY_SENT else COUNTED.get(name)
        if plan is None and not ops.stats64:
            if ops.stats:
                return None
            plan = STAT_TYPES.get(device.stat_type or 0)
            if plan is None:
                return own
        if plan is None and (counts := of_driver(self.kernel, name, device.address)) is not None:
            return own._replace(**{name: count for name, count in counts._asdict().items() if count is not None})
        if plan is None or not device.lstats:
            return None
        base, top = device.lstats, self.memory.top
        sums = [self._of_cpu(plan, (base + at) % top) for at in self.kernel.cached(per_cpu_offsets)]
        if plan is not LSTATS:  # their own are not added
            sums.append(TStats(own.rx_packets, own.tx_packets, own.rx_bytes, own.tx_bytes))
        rx, tx, rx_bytes, tx_bytes = (sum(column) for column in zip(*sums, strict=True))
        if name == ONLY_SENT:
            rx = rx_bytes = 0
        return own._replace(rx_packets=rx, tx_packets=tx, rx_bytes=rx_bytes, tx_bytes=tx_bytes)

    def _of_cpu(self, plan: Plan[LStats] | Plan[TStats], address: int) -> TStats:
        """Return what a CPU counted."""
        if plan is LSTATS:
            row = self.kernel.bind(LSTATS).row(address)
            return TStats(row.packets, row.packets, row.bytes, row.bytes)
        return self.kernel.bind(DSTATS if plan is DSTATS else TSTATS).row(address)

    def _core(self, device: Device) -> tuple[int, int]:
        """Return what the stack itself dropped of a device's packets."""
        if device.rx_dropped is not None:
            return device.rx_dropped, device.tx_dropped or 0
        if not device.core_stats:
            return 0, 0
        bound, top = self.kernel.bind(CORE_STATS), self.memory.top
        rows = [bound.row((device.core_stats + offset) % top) for offset in self.kernel.cached(per_cpu_offsets)]
        return sum(row.rx_dropped for row in rows), sum(row.tx_dropped for row in rows)

    def _stopped(self, device: Device) -> tuple[tuple[str, ...], float | None]:
        """Return the send queues that are stopped, with why, and how long ago the first of them last sent."""
        bound, found, ages = self.kernel.bind(TXQ), [], []
        if not device.flags & IFF_UP:
            return (), None  # none of a device that is down sends
        for number in range(min(device.num_tx_queues, MAX_QUEUES)):
            try:
                queue = bound.row(device.tx + number * bound.size)
            except OopscopeError as e:
                self.kernel.problems.lost("interfaces", f"a send queue of {device.name.decode('ascii', 'replace')}")(e)
                continue
            if queue.dev != device.address:
                break
            why = [word for bit, word in XOFF if queue.state & bit]
            if why:
                found.append(f"{number} {', '.join(why)}")
                ages.append(self._age(queue.trans_start))
        return tuple(found), max((age for age in ages if age is not None), default=None)

    def _age(self, then: int) -> float | None:
        """Return how long ago a queue sent something; None for one that never did."""
        try:
            return seconds_since(self.kernel, then) if then else None
        except OopscopeError:
            return None


def _state(device: Device) -> str:
    """Return a device's state in ip(8)'s words."""
    operates = device.operstate
    word = OPERSTATES[operates] if operates < len(OPERSTATES) else f"state {operates}"
    if not device.flags & IFF_UP:
        return "down"
    return f"up, {'no carrier' if device.state & NOCARRIER else word}" if word != "up" else "up"


@once
def interfaces(kernel: Kernel) -> list[Interface]:
    """Return the interfaces, namespace by namespace, the first one's first."""
    found, reader = list[Interface](), _Interfaces(kernel)
    for net in namespaces(kernel).values():
        for device in devices(kernel, net):
            try:
                found.append(reader.row(net, device))
            except Absent:
                raise
            except OopscopeError as e:
                kernel.problems.lost("interfaces", f"the interface at {device.address:#x}")(e)
    return found
