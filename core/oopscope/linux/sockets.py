"""Every socket: by the tables of each protocol and each namespace, and by the files that processes have open.

Follows net/ipv4/{inet_hashtables.c,udp.c,raw.c,ping.c}, net/unix/af_unix.c, net/netlink/af_netlink.c and
net/packet/af_packet.c. A socket found by a table must be of its family and protocol, a listening one in that state:
what fails is dropped, and said. What each one is stands in socket_rows.py.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_chain
from oopscope.linux.file import FILE, descriptors
from oopscope.linux.net import NetStruct, namespaces
from oopscope.linux.sock import AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, SOCKET
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

AF_PACKET = 17
IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE = 6, 17, 136
TCP_TIME_WAIT, TCP_LISTEN = 6, 10
LISTENING = 32  # INET_LHTABLE_SIZE
UNIX_TABLE = 512  # UNIX_HASH_SIZE, twice as many as hashes: bound sockets, then the others
MAX_BUCKETS = 1 << 22
MAX_SOCKETS = 1 << 20
NETLINK_TABLES = 32  # MAX_LINKS
CHUNK = 4096  # buckets read at once
MAX_FAILED = 64  # of such reads


class Common(NamedTuple):
    """struct sock_common: what a whole socket, one in time wait and a request begin with."""

    address: int
    family: int
    state: int
    net: int


COMMON = Plan("sock", Common, family="__sk_common.skc_family", state="__sk_common.skc_state",
              net="__sk_common.skc_net.net")  # fmt: skip


class Walk:
    """One gathering of the sockets of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.common, self.node = kernel.bind(COMMON), kernel.types.member("sock", "__sk_common.skc_node").offset
        self.protocol = kernel.types.member("sock", "sk_protocol")
        self.lost = kernel.problems.lost("sockets", "a socket")
        self.found: dict[int, str] = {}  # a socket's address, and the table that it is of
        # Of sockets that were read in the order of memory: what stands in them, and what follows each in its chain.
        self.known: dict[int, Common] = {}
        self.following: dict[int, int] = {}
        self.dropped = 0

    def at(self, struct: str, path: str) -> int:
        """Return a member's offset."""
        return self.types.member(struct, path).offset

    def look(self, address: int) -> None:
        """Read what the tables ask of a socket, where it is at hand: chains lead all over memory; ReadError."""
        self.known[address] = self.common.row(address)
        self.following[address + self.node] = self.memory.word(address + self.node)

    def take(self, address: int, table: str, families: tuple[int, ...], states: tuple[int, ...] = ()) -> None:
        """Keep a socket that is what its table holds."""
        if address in self.found:
            return
        try:
            common = self.known.get(address) or self.common.row(address)
        except OopscopeError as e:
            self.lost(e)
            return
        if common.family not in families or (states and common.state not in states) or not common.net:
            self.dropped += 1
            text = f"{self.dropped} of what should be sockets of the table of {table} are none"
            if self.dropped == 1:
                self.kernel.problems.add("sockets", text, address)
            return
        self.found[address] = table

    def chains(self, first: int, count: int, stride: int, link: int, inner: int = 0) -> Iterator[int]:
        """Yield what hangs in the buckets of a table: chains from the pointer at each bucket."""
        word, used, failed = self.memory.word_size, 0, 0
        for start in range(0, min(count, MAX_BUCKETS), CHUNK):
            here = min(CHUNK, count - start)
            try:
                words = self.memory.words(first + start * stride, here * stride // word)
            except OopscopeError as e:
                self.lost(e)
                failed += 1
                if failed >= MAX_FAILED:  # of a table that is none, or that the dump does not hold
                    return
                continue
            for number in range(here):
                head = words[(number * stride + inner) // word]
                if not head or head & 1:  # the end of an hlist_nulls: its bucket's number
                    continue
                bucket = first + (start + number) * stride + inner
                for node in for_each_chain(self.memory, bucket, 0, link, self.lost, self.following):
                    used += 1
                    if used > MAX_SOCKETS:
                        return
                    yield node

    # The tables.

    def tcp(self, hashinfo: int) -> None:
        """Take the connections and the listeners of a struct inet_hashinfo."""
        inet, memory = (AF_INET, AF_INET6), self.memory
        ehash, mask = memory.word(hashinfo + self.at("inet_hashinfo", "ehash")), self.at("inet_hashinfo", "ehash_mask")
        for node in self.chains(ehash, memory.u32(hashinfo + mask) + 1, memory.word_size, self.node):
            self.take(node, "TCP", inet)
        head, size = self.at("inet_listen_hashbucket", "nulls_head"), self.types.sizeof("inet_listen_hashbucket")
        # cae3873c5b3a "net: inet: Retire port only listening_hash", 5.19: lhash2 alone
        if self.types.has_member("inet_hashinfo", "listening_hash"):
            table, count = hashinfo + self.at("inet_hashinfo", "listening_hash"), LISTENING
        else:
            table = memory.word(hashinfo + self.at("inet_hashinfo", "lhash2"))
            count = memory.u32(hashinfo + self.at("inet_hashinfo", "lhash2_mask")) + 1
        for node in self.chains(table, count, size, self.node, head):
            self.take(node, "TCP", inet, (TCP_LISTEN,))

    def udp(self, table: int) -> None:
        """Take the sockets of a struct udp_table."""
        first = self.memory.word(table + self.at("udp_table", "hash"))
        count = self.memory.u32(table + self.at("udp_table", "mask")) + 1
        for node in self.chains(first, count, self.types.sizeof("udp_hslot"), self.node, self.at("udp_hslot", "head")):
            self.take(node, "UDP", (AF_INET, AF_INET6))

    def buckets(self, struct: str, member: str, table: int, name: str) -> None:
        """Take the sockets of a table with a fixed number of chains."""
        heads = self.types.member(struct, member)
        for node in self.chains(table + heads.offset, heads.count, self.memory.word_size, self.node):
            self.take(node, name, (AF_INET, AF_INET6))

    def unix(self, first: int) -> None:
        """Take the sockets of a table of AF_UNIX: one of all until 5.19, then one a namespace.

        cf21b355ccb3 "af_unix: Optimise hash table layout.", 6.0.
        """
        for node in self.chains(first, UNIX_TABLE, self.memory.word_size, self.node):
            self.take(node, "unix", (AF_UNIX,))

    def netlink(self) -> None:
        """Take the bound sockets of netlink: a resizable hash table for each protocol."""
        first = self.memory.word(self.kernel.symbol("nl_table"))
        size, link = self.types.sizeof("netlink_table"), self.at("netlink_sock", "node")
        for number in range(NETLINK_TABLES):
            at = first + number * size + self.at("netlink_table", "hash.tbl")
            tables, seen = self.memory.word(at), set[int]()
            while tables and tables not in seen:
                seen.add(tables)
                if not self.memory.u32(tables + self.at("bucket_table", "nest")):
                    count = self.memory.u32(tables)
                    buckets = tables + self.at("bucket_table", "buckets")
                    self._resizable(buckets, min(count, MAX_BUCKETS), link)
                tables = self.memory.word(tables + self.at("bucket_table", "future_tbl"))

    def _resizable(self, first: int, count: int, link: int) -> None:
        """Take a rhashtable's entries; the lowest bit of a bucket is its lock, that of a pointer the chain's end."""
        for head in self.memory.words(first, count):
            node, seen = head & ~1, set[int]()
            while node and not node & 1 and node not in seen and len(seen) < MAX_SOCKETS:
                seen.add(node)
                self.take(node - link, "netlink", (AF_NETLINK,))
                node = self.memory.word(node)

    def packet(self, net: NetStruct) -> None:
        """Take the packet sockets of a namespace."""
        if not self.types.has_member("net", "packet"):
            return
        head = net.address + self.at("net", "packet.sklist")
        for node in for_each_chain(self.memory, head, 0, self.node, self.lost):
            self.take(node, "packet", (AF_PACKET,))

    def tables(self) -> None:
        """Take what all tables hold; one that this kernel has not, or that cannot be read, costs itself alone."""
        nets, find = list(namespaces(self.kernel).values()), self.kernel.find_symbol
        hashes = {symbol for symbol in [find("tcp_hashinfo")] if symbol}
        udp = {symbol for symbol in (find("udp_table"), find("udplite_table")) if symbol}
        unix = {symbol for symbol in [find("unix_socket_table")] if symbol}
        for net in nets:
            # e9bd0cca09d1 "tcp: Don't allocate tcp_death_row outside of struct netns_ipv4.", 6.1: a namespace's own
            hashes |= self._of_net(net, "ipv4.tcp_death_row.hashinfo")
            udp |= self._of_net(net, "ipv4.udp_table")  # ba6aac151677 "udp: Access &udp_table via net.", 6.2
            unix |= self._of_net(net, "unx.table.buckets")
        raw = [symbol for name in ("raw_v4_hashinfo", "raw_v6_hashinfo") if (symbol := find(name))]
        ping = [symbol for symbol in [find("ping_table")] if symbol]
        steps = [
            *((self.tcp, (one,)) for one in sorted(hashes)),
            *((self.udp, (one,)) for one in sorted(udp)),
            *((self.buckets, ("raw_hashinfo", "ht", one, "raw")) for one in raw),
            *((self.buckets, ("ping_table", "hash", one, "ping")) for one in ping),
            *((self.unix, (one,)) for one in sorted(unix)),
            (self.netlink, ()),
            *((self.packet, (net,)) for net in nets),
        ]
        for step, arguments in steps:
            try:
                step(*arguments)  # type: ignore[operator]
            except Absent:
                continue
            except OopscopeError as e:
                self.kernel.problems.lost("sockets", f"a table of {step.__name__} sockets")(e)

    def _of_net(self, net: NetStruct, path: str) -> set[int]:
        """Return the pointer to a table that a namespace holds, where it is one."""
        if not self.types.has_member("net", path):
            return set()
        member = self.types.member("net", path)
        try:
            found = self.memory.word(net.address + member.offset) if member.kind == "ptr" else 0
        except OopscopeError as e:
            self.lost(e)
            return set()
        return {found} - {0}


class Owner(NamedTuple):
    """The first task, by PID, that has a socket open, the struct socket, and its inode's number."""

    pid: int
    comm: str
    socket: int
    number: int | None


def owners(kernel: Kernel) -> dict[int, Owner]:
    """Return who has which struct sock open, by its address."""
    found: dict[int, Owner] = {}
    table = kernel.find_symbol("socket_file_ops")
    if table is None:
        return found
    seen = set[int]()
    ops_at, sk_at = kernel.types.member("file", "f_op").offset, kernel.bind(SOCKET).offset("sk")
    private_at = kernel.bind(FILE).offset("private")
    alloc = kernel.types.member("socket_alloc", "socket").offset
    number_at = kernel.types.member("socket_alloc", "vfs_inode.i_ino").offset - alloc
    for task in sorted(task_structs(kernel).values(), key=lambda task: task.pid):
        if not task.mm and not task.pid:
            continue
        try:
            if not task.files or task.files in seen:
                continue
            seen.add(task.files)
            for _fd, file, _closing in descriptors(kernel, task.files):
                if kernel.memory.word(file + ops_at) != table:
                    continue
                socket = kernel.memory.word(file + private_at)
                sk = kernel.memory.word(socket + sk_at) if socket else 0
                if sk and sk not in found:
                    comm = decoded(task.comm)
                    found[sk] = Owner(task.pid, comm, socket, _word(kernel, socket + number_at))
        except OopscopeError as e:
            kernel.problems.lost("sockets", f"the files of task {task.pid}")(e)
    return found


def _word(kernel: Kernel, address: int) -> int | None:
    """Return a word, or None where it cannot be read."""
    try:
        return kernel.memory.word(address)
    except OopscopeError:
        return None


def all_sockets(kernel: Kernel, walk: Walk) -> dict[int, str]:
    """Return the address of every struct sock, with the table in which it was found, or "" for a file alone."""
    walk.tables()
    for sk in kernel.cached(owners):
        walk.found.setdefault(sk, "")
    return walk.found
