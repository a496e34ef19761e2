"""What each socket is and does: ends, state, what it holds unsent and unread, timers, retransmits, backlog, peer.

Follows the seq_show functions of net/ipv4/{tcp_ipv4.c,udp.c,raw.c}, net/unix/af_unix.c and include/net/sock.h, so that
the figures are those of /proc/net/{tcp,udp,unix} and ss(8).
"""

from ipaddress import IPv6Address
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.net import NetStruct, namespaces
from oopscope.linux.sock import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    FAMILIES,
    NETLINK,
    NETLINKS,
    PROTOCOLS,
    STATES,
    TYPES,
    UNIX,
    SockStruct,
    unix_name,
)
from oopscope.linux.sock import SOCK as ENDS
from oopscope.linux.sockets import AF_PACKET, IPPROTO_TCP, TCP_LISTEN, TCP_TIME_WAIT, Owner, Walk, all_sockets
from oopscope.linux.sockets import owners as socket_owners
from oopscope.linux.ticks import seconds_since
from oopscope.structs.plan import Plan

SHORT = (TCP_TIME_WAIT, 12)  # and TCP_NEW_SYN_RECV: no whole struct sock
TCP_SYN_SENT, TCP_CLOSE = 2, 7
TIMERS = {1: "retransmit", 2: "delayed ack", 3: "zero window probe", 4: "reordering", 5: "loss probe"}
MAX_BUFFERS = 4096  # of a queue that are added up


class Sock(NamedTuple):
    """struct sock."""

    type: int
    protocol: int
    socket: int
    rmem: int
    wmem: int
    receive_queue: int
    receive_count: int
    ack_backlog: int
    max_ack_backlog: int
    err: int
    drops: int
    uid: int
    timer: int  # of sk_timer: where it hangs, 0 for one that is off
    timer_expires: int


class Tcp(NamedTuple):
    """struct tcp_sock, with the inet_connection_sock in it."""

    write_seq: int
    snd_una: int
    rcv_nxt: int
    copied_seq: int
    snd_wnd: int
    pending: int
    retransmits: int
    total_retrans: int
    timeout: int | None
    keepalive: int | None
    keepalive_expires: int | None


class SocketAlloc(NamedTuple):
    """struct socket_alloc."""

    socket: int
    number: int


class Buffer(NamedTuple):
    """struct sk_buff."""

    len: int


SOCK = Plan(
    "sock", Sock, type="sk_type", protocol="sk_protocol", socket="sk_socket", rmem="sk_backlog.rmem_alloc.counter",
    wmem=("sk_wmem_alloc.refs.counter", "sk_wmem_alloc.counter"), receive_queue="&sk_receive_queue",
    receive_count="sk_receive_queue.qlen", ack_backlog="sk_ack_backlog", max_ack_backlog="sk_max_ack_backlog",
    err="sk_err", drops="sk_drops.counter", uid="sk_uid.val", timer="sk_timer.entry.pprev",
    timer_expires="sk_timer.expires",
)  # fmt: skip
TCP = Plan(
    "tcp_sock", Tcp, pending="inet_conn.icsk_pending", retransmits="inet_conn.icsk_retransmits",
    # the retransmit timer became sk_timer, and keepalive got its own, by 7.0
    timeout=("inet_conn.icsk_timeout", "inet_conn.icsk_inet.sk.tcp_retransmit_timer.expires"),
    keepalive="inet_conn.icsk_keepalive_timer.entry.pprev",
    keepalive_expires="inet_conn.icsk_keepalive_timer.expires",
)  # fmt: skip
ALLOC = Plan("socket_alloc", SocketAlloc, socket="&socket", number="vfs_inode.i_ino")
BUFFER = Plan("sk_buff", Buffer)


class SocketRow(NamedTuple):
    """A socket; what its kind has not is None."""

    namespace: int | None
    protocol: str
    type: str | None
    state: str | None
    local: str | None
    remote: str | None
    received: int | None
    unsent: int | None
    backlog: int | None
    backlog_limit: int | None
    retransmits: int | None
    timer: str | None
    timer_seconds: float | None
    note: str | None
    pid: int | None
    comm: str | None
    inode: int | None
    uid: int | None
    error: int | None
    drops: int | None
    address: int


class _Rows:
    """The sockets of one kernel as rows."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.ends, self.sock, self.tcp = kernel.bind(ENDS), kernel.bind(SOCK), kernel.bind(TCP)
        self.nets, types = namespaces(kernel), kernel.types
        at = "sock", "__sk_common.skc_net.net"  # without CONFIG_NET_NS there is one namespace
        self.net_at = types.member(*at).offset if types.has_member(*at) else None
        self.alloc, self.unix = kernel.bind(ALLOC), kernel.bind(UNIX)
        self.owners = kernel.cached(socket_owners)

    def row(self, address: int, table: str) -> SocketRow:
        """Return the row of the struct sock at an address."""
        ends = self.ends.row(address)
        net = self._net(address)
        if ends.family in (AF_INET, AF_INET6) and ends.state in SHORT and table == "TCP":
            name = f"tcp{'6' if ends.family == AF_INET6 else ''}"
            here, there = self._internet(ends)
            blank = (None,) * 8
            return SocketRow(net.inum if net else None, name, "stream", STATES[ends.state], here, there, *blank,
                             None, None, None, None, None, None, address)  # fmt: skip
        sock = self.sock.row(address)
        protocol, state, local, remote = self._words(address, ends, sock.type, sock.protocol)
        if ends.family in (AF_INET, AF_INET6) and sock.protocol == IPPROTO_TCP and sock.type == 1:
            flow = self._tcp(address, ends.state, sock)
        else:
            flow = self._other(ends.family, ends.state, sock)
        owner = self.owners.get(address)
        return SocketRow(
            net.inum if net else None, protocol, TYPES.get(sock.type, f"type {sock.type}"), state, local, remote,
            *flow, owner.pid if owner else None, owner.comm if owner else None, self._inode(sock.socket, owner),
            sock.uid, sock.err, sock.drops, address,
        )  # fmt: skip

    def _net(self, address: int) -> NetStruct | None:
        if self.net_at is None:
            return next(iter(self.nets.values()), None)
        return self.nets.get(self.memory.word(address + self.net_at))

    def _inode(self, socket: int, owner: Owner | None) -> int | None:
        socket = socket or (owner.socket if owner else 0)
        if owner is not None and owner.socket == socket:
            return owner.number
        try:
            return self.alloc.row(socket - self.alloc.offset("socket")).number if socket else None
        except OopscopeError:
            return None

    def _words(
        self, address: int, ends: SockStruct, kind: int, number: int
    ) -> tuple[str, str | None, str | None, str | None]:
        """Return a socket's protocol, state and ends."""
        state = STATES[ends.state] if ends.state < len(STATES) else f"state {ends.state}"
        if ends.family in (AF_INET, AF_INET6):
            six = "6" if ends.family == AF_INET6 else ""
            name = PROTOCOLS.get(number, f"protocol {number}") + six if kind != 3 else f"raw{six}"
            here, there = self._internet(ends)
            if kind == 3:  # a raw socket's port is its protocol
                here = here.rpartition(":")[0] + f":{PROTOCOLS.get(number, number)}"
            return name, state, here, there
        if ends.family == AF_UNIX:
            unix = self.unix.row(address)
            return "unix", state, self._unix(unix.addr), self._peer(unix.peer)
        if ends.family == AF_NETLINK:
            where = f"port {self.kernel.bind(NETLINK).row(address).portid}"
            return "netlink", None, f"{NETLINKS.get(number, number)}, {where}", None
        name = FAMILIES.get(ends.family, f"family {ends.family}")
        if ends.family == AF_PACKET:
            return name, None, f"protocol {number:#06x}" if number else None, None
        return name, state, None, None

    def _internet(self, ends: SockStruct) -> tuple[str, str | None]:
        order = self.kernel.arch.byteorder
        port = int.from_bytes(ends.remote_port.to_bytes(2, order), "big")
        if ends.family == AF_INET:
            here, there = (".".join(map(str, raw.to_bytes(4, order))) for raw in (ends.local, ends.remote))
        else:
            places = (ends.local6 or 0, ends.remote6 or 0)  # such a socket has them
            here, there = (f"[{IPv6Address(self.memory.read(at, 16))}]" for at in places)
        return f"{here}:{ends.port}", f"{there}:{port}" if port else None

    def _unix(self, address: int) -> str | None:
        try:
            return unix_name(self.kernel, address)
        except OopscopeError:
            return None

    def _peer(self, peer: int) -> str | None:
        """Return the other end of a unix socket: its path, or its inode's number."""
        if not peer:
            return None
        try:
            address, owner = self.memory.word(peer + self.unix.offset("addr")), self.owners.get(peer)
            path = self._unix(address) if address else None
            number = owner.number if owner is not None else self._inode(self.sock.row(peer).socket, None)
        except OopscopeError:
            return f"{peer:#x}"
        return path or (f"socket:[{number}]" if number else f"{peer:#x}")

    Flow = tuple[int | None, int | None, int | None, int | None, int | None, str | None, float | None, str | None]

    def _tcp(self, address: int, state: int, sock: Sock) -> Flow:
        """Return what /proc/net/tcp says of a socket: queues, backlog, timer, and what is noteworthy of them."""
        if state == TCP_LISTEN:
            full = "backlog full" if sock.ack_backlog > sock.max_ack_backlog else None
            return None, None, sock.ack_backlog, sock.max_ack_backlog, None, None, None, full
        tcp = self.tcp.row(address)
        unread, unsent = _apart(tcp.rcv_nxt, tcp.copied_seq), _apart(tcp.write_seq, tcp.snd_una)
        timer, seconds = self._timer(tcp, sock)
        return unread, unsent, None, None, tcp.total_retrans, timer, seconds, _stuck(state, tcp, unsent)

    def _timer(self, tcp: Tcp, sock: Sock) -> tuple[str | None, float | None]:
        """Return the timer that runs, and in how many seconds it is due; less than 0: overdue."""
        if tcp.pending and tcp.timeout is not None:
            return TIMERS.get(tcp.pending, f"timer {tcp.pending}"), self._due(tcp.timeout)
        own = tcp.keepalive is not None and tcp.keepalive_expires is not None
        on, expires = (tcp.keepalive, tcp.keepalive_expires) if own else (sock.timer, sock.timer_expires)
        return ("keepalive", self._due(expires)) if on and expires is not None else (None, None)

    def _due(self, expires: int) -> float | None:
        try:
            return -seconds_since(self.kernel, expires)
        except OopscopeError:
            return None

    def _other(self, family: int, state: int, sock: Sock) -> Flow:
        backlog = limit = note = None
        if family == AF_UNIX and state == TCP_LISTEN:
            backlog, limit = sock.receive_count, sock.max_ack_backlog
            note = "backlog full" if backlog > limit else None
            return None, None, backlog, limit, None, None, None, note
        received = self._unread(sock.receive_queue) if family == AF_UNIX else sock.rmem
        unsent = max(sock.wmem - 1, 0) if family != AF_UNIX else sock.wmem - 1 if sock.wmem else 0
        return received, unsent, None, None, None, None, None, None

    def _unread(self, queue: int) -> int | None:
        """Return how many bytes the buffers of a queue hold; None where one of them is lost."""
        rows, lost = self.kernel.bind(BUFFER), list[OopscopeError]()
        found = for_each_list(self.memory, queue, 0, lost.append, MAX_BUFFERS)
        size = sum(row.len for row in rows.rows(found, lost.append))
        return None if lost else size


def _apart(later: int, earlier: int) -> int:
    """Return how far two sequence numbers are apart; 0 where the first is not the later one."""
    found = (later - earlier) & 0xFFFFFFFF
    return found if found < 1 << 31 else 0


def _stuck(state: int, tcp: Tcp, unsent: int) -> str | None:
    """Say what keeps a socket from sending."""
    if state == TCP_CLOSE:  # what it has not sent it never will
        return None
    if tcp.retransmits:
        word = "no answer to its SYN" if state == TCP_SYN_SENT else "unacknowledged"
        return f"{word}, sent {tcp.retransmits} times again"
    if unsent and not tcp.snd_wnd and state != TCP_SYN_SENT:
        return "peer takes no more: its window is 0"
    return None


@once
def socket_rows(kernel: Kernel) -> list[SocketRow]:
    """Return every socket, in the order of their tables."""
    rows, walk, early = _Rows(kernel), Walk(kernel), dict[int, SocketRow | None]()
    lost = kernel.problems.lost("sockets", "a socket")

    def row(address: int, table: str) -> SocketRow | None:
        try:
            return rows.row(address, table)
        except OopscopeError as e:
            lost(e)
            return None

    for address in sorted(rows.owners):  # in the order of memory: each page is unpacked once
        early[address] = row(address, "")
        if early[address] is not None:
            walk.look(address)
    tables = all_sockets(kernel, walk)
    others = {address: row(address, tables[address]) for address in sorted(tables.keys() - early.keys())}
    found = (early[address] if address in early else others[address] for address in tables)
    return [one for one in found if one is not None]
