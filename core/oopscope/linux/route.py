"""Routes of each network namespace, of IPv4 and IPv6, table by table, as ip(8) has them.

Follows net/ipv4/{fib_trie.c,fib_frontend.c}, net/ipv6/ip6_fib.c, include/net/{ip_fib.h,ip6_fib.h}. An IPv4 leaf is
believed in the place where its key leads; an IPv6 route must name the table in which it hangs.
"""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain, for_each_hlist
from oopscope.linux.net import namespaces
from oopscope.structs.plan import Plan

MAX_ROUTES = 200_000
MAX_NODES = 1 << 20
MAX_HOPS = 256
MAX_BITS = 20  # of a trie's node
TABLES = {253: "default", 254: "main", 255: "local"}
TYPES = ("unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit",
         "throw", "nat", "xresolve")  # fmt: skip
PROTOCOLS = {0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 11: "zebra",
             12: "bird", 15: "ntk", 16: "dhcp", 18: "keepalived", 42: "babel", 186: "bgp", 188: "ospf"}  # fmt: skip
DEAD, LINKDOWN = 1, 16  # RTNH_F_*
AF_INET6 = 10
HASHED = 256  # FIB_TABLE_HASHSZ with CONFIG_IP_MULTIPLE_TABLES, else 2 or 1


class Vector(NamedTuple):
    """struct key_vector: a node of the trie, or with bits 0 a leaf."""

    key: int
    pos: int
    bits: int


class Alias(NamedTuple):
    """struct fib_alias: a route in a leaf."""

    address: int
    info: int
    type: int
    slen: int
    table: int


class Info(NamedTuple):
    """struct fib_info: where it leads, shared by routes."""

    nhs: int
    prefsrc: int
    priority: int
    protocol: int
    hops: int
    nexthop: int


class Hop(NamedTuple):
    """struct fib_nh_common."""

    device: int
    gateway_family: int
    flags: int
    gateway: int


class Info6(NamedTuple):
    """struct fib6_info."""

    address: int
    table: int
    destination: int
    length: int
    metric: int
    protocol: int
    type: int
    hops: int
    nexthop: int


class Node6(NamedTuple):
    """struct fib6_node."""

    left: int
    right: int
    leaf: int


VECTOR = Plan("key_vector", Vector)
ALIAS = Plan("fib_alias", Alias, info="fa_info", type="fa_type", slen="fa_slen", table="tb_id")
INFO = Plan(
    "fib_info", Info, nhs="fib_nhs", prefsrc="fib_prefsrc", priority="fib_priority", protocol="fib_protocol",
    hops="&fib_nh", nexthop="nh",
)  # fmt: skip
HOP = Plan("fib_nh_common", Hop, device="nhc_dev", gateway_family="nhc_gw_family", flags="nhc_flags", gateway="&nhc_gw")
INFO6 = Plan(
    "fib6_info", Info6, table="fib6_table", destination="&fib6_dst.addr", length="fib6_dst.plen",
    metric="fib6_metric", protocol="fib6_protocol", type="fib6_type", hops="&fib6_nh", nexthop="nh",
)  # fmt: skip
NODE6 = Plan("fib6_node", Node6)


class Route(NamedTuple):
    """A route, by one of its next hops."""

    namespace: int
    table: str
    destination: str
    type: str
    gateway: str | None
    device: str | None
    source: str | None
    metric: int
    protocol: str
    state: str  # dead, linkdown, or nothing
    hop: int  # the number of its next hop
    address: int


class _Routes:
    """The routes of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.names: dict[int, str] = {}

    def lost(self, what: str) -> Callable[[OopscopeError], None]:
        """Return what notes that a part was lost."""
        return self.kernel.problems.lost("routes", what)

    def tables(self, net: int, family: str) -> Iterator[int]:
        """Yield the tables of a family: chains of a hash, whose size the kernel keeps nowhere."""
        path = f"{family}.fib_table_hash"
        heads = self.memory.word(net + self.types.member("net", path).offset)
        multiple = self.types.has_member("net", f"{family}.rules_ops") or self.types.has_member(
            "net", f"{family}.fib6_rules_ops"
        )
        count = HASHED if multiple else 2 if family == "ipv4" else 1
        for at, first in enumerate(self.memory.words(heads, count) if heads else ()):
            if first:
                yield from for_each_hlist(self.memory, heads + at * self.memory.word_size, 0, self.lost("tables"))

    def ipv4(self, namespace: int, net: int) -> Iterator[Route]:
        """Yield the IPv4 routes of a namespace; tables that share a trie are each asked for their own."""
        number_at, data_at = (self.types.member("fib_table", name).offset for name in ("tb_id", "tb_data"))
        for table in self.tables(net, "ipv4"):
            number = self.memory.u32(table + number_at)
            for key, alias in self._leaves(self.memory.word(table + data_at)):
                if alias.table == number and alias.slen <= 32:
                    yield from self._route4(namespace, key, alias)

    def _leaves(self, trie: int) -> Iterator[tuple[int, Alias]]:
        """Yield (key, route) of a trie: struct trie begins with a vector of one child."""
        vectors, aliases = self.kernel.bind(VECTOR), self.kernel.bind(ALIAS)
        slots = self.types.member("key_vector", "tnode").offset
        link = self.types.member("fib_alias", "fa_list").offset
        todo, seen = [self.memory.word(trie + slots)], set[int]()
        while todo:
            node = todo.pop()
            if not node or node in seen:
                continue
            if len(seen) > MAX_NODES:
                raise Implausible(f"a trie of routes with more than {MAX_NODES} nodes", node)
            seen.add(node)
            try:
                row = vectors.row(node)
                if row.bits > MAX_BITS:
                    raise Implausible(f"a node of routes with {row.bits} bits", node)
                if row.bits:
                    todo += reversed(self.memory.words(node + slots, 1 << row.bits))
                    continue
            except OopscopeError as e:
                self.lost("a node of routes")(e)
                continue
            walk = for_each_hlist(self.memory, node + slots, link, self.lost("a leaf of routes"))
            yield from ((row.key, alias) for alias in aliases.rows(walk, self.lost("a route")))

    def _route4(self, namespace: int, key: int, alias: Alias) -> Iterator[Route]:
        info = self.kernel.bind(INFO).row(alias.info)
        length = 32 - alias.slen
        where = "default" if not length else f"{IPv4Address(key)}/{length}" if length < 32 else str(IPv4Address(key))
        source = str(IPv4Address(info.prefsrc.to_bytes(4, self.kernel.arch.byteorder))) if info.prefsrc else None
        size = self.types.sizeof("fib_nh")
        hops = [info.hops + at * size for at in range(min(info.nhs, MAX_HOPS))] if not info.nexthop else []
        yield from self._by_hop(
            namespace, alias.table, where, alias.type, hops, source, info.priority, info.protocol, alias.address
        )

    def ipv6(self, namespace: int, net: int) -> Iterator[Route]:
        """Yield the IPv6 routes of a namespace; the entry that stands for none is none."""
        number_at, root_at = (self.types.member("fib6_table", name).offset for name in ("tb6_id", "tb6_root"))
        null = self.memory.word(net + self.types.member("net", "ipv6.fib6_null_entry").offset)
        chain = self.types.member("fib6_info", "fib6_next").offset
        leaf_at, infos = self.types.member("fib6_node", "leaf").offset, self.kernel.bind(INFO6)
        seen = {null}
        for table in self.tables(net, "ipv6"):
            number = self.memory.u32(table + number_at)
            for node in self._nodes6(table + root_at):
                for address in for_each_chain(self.memory, node + leaf_at, chain, 0, self.lost("a chain of routes")):
                    if address in seen:  # a node without routes of its own names those of another
                        continue
                    seen.add(address)
                    info = infos.row(address)
                    if info.table != table or info.length > 128:
                        text = "what should be an IPv6 route is of another table, or none"
                        self.kernel.problems.add("routes", text, address)
                        continue
                    yield from self._route6(namespace, number, info)

    def _nodes6(self, root: int) -> Iterator[int]:
        bound, todo, seen = self.kernel.bind(NODE6), [root], set[int]()
        while todo:
            node = todo.pop()
            if not node or node in seen or len(seen) > MAX_NODES:
                continue
            seen.add(node)
            try:
                row = bound.row(node)
            except OopscopeError as e:
                self.lost("a node of IPv6 routes")(e)
                continue
            if row.leaf:
                yield node
            todo += [row.right, row.left]

    def _route6(self, namespace: int, table: int, info: Info6) -> Iterator[Route]:
        address = IPv6Address(self.memory.read(info.destination, 16))
        where = "default" if not info.length else str(address) if info.length == 128 else f"{address}/{info.length}"
        hops = [] if info.nexthop else [info.hops]
        yield from self._by_hop(
            namespace, table, where, info.type, hops, None, info.metric, info.protocol, info.address
        )

    def _by_hop(
        self, namespace: int, table: int, where: str, kind: int, hops: list[int], source: str | None, metric: int,
        protocol: int, address: int,
    ) -> Iterator[Route]:  # fmt: skip
        word = TYPES[kind] if kind < len(TYPES) else f"type {kind}"
        for number, at in enumerate(hops or [0]):
            hop = self.kernel.bind(HOP).row(at) if at else Hop(0, 0, 0, 0)
            state = " ".join(text for bit, text in ((DEAD, "dead"), (LINKDOWN, "linkdown")) if hop.flags & bit)
            yield Route(
                namespace, TABLES.get(table, str(table)), where, word, self._gateway(hop), self._device(hop.device),
                source, metric, PROTOCOLS.get(protocol, str(protocol)), state, number, address,
            )  # fmt: skip

    def _gateway(self, hop: Hop) -> str | None:
        if not hop.gateway_family:
            return None
        raw = self.memory.read(hop.gateway, 16 if hop.gateway_family == AF_INET6 else 4)
        return str(IPv6Address(raw) if len(raw) == 16 else IPv4Address(raw))

    def _device(self, address: int) -> str | None:
        if not address:
            return None
        if address not in self.names:
            raw = self.memory.cstring(address + self.types.member("net_device", "name").offset, 16)
            self.names[address] = decoded(raw)
        return self.names[address]


@once
def routes(kernel: Kernel) -> list[Route]:
    """Return the routes, namespace by namespace, IPv4 before IPv6."""
    reader, found = _Routes(kernel), list[Route]()
    for address, net in namespaces(kernel).items():
        for family in (reader.ipv4, reader.ipv6):
            try:
                for route in family(net.inum, address):
                    if len(found) >= MAX_ROUTES:
                        raise Implausible(f"more than {MAX_ROUTES} routes: the others are not listed")
                    found.append(route)
            except Absent:  # a kernel without IPv6, or with it in a module
                continue
            except OopscopeError as e:
                kernel.problems.lost("routes", f"namespace {net.inum}")(e)
    return found
