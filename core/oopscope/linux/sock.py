"""What a socket is: family, type, state, and the addresses at its two ends.

Follows include/net/sock.h, include/net/af_unix.h and net/netlink/af_netlink.h. It reads one socket and walks nothing.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.structs.plan import Plan

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
FAMILIES = {
    0: "unspecified", AF_UNIX: "unix", AF_INET: "inet", AF_INET6: "inet6", AF_NETLINK: "netlink", 17: "packet",
    29: "can", 30: "tipc", 31: "bluetooth", 38: "alg", 40: "vsock", 42: "qipcrtr", 43: "smc", 44: "xdp",
}  # fmt: skip
TYPES = {1: "stream", 2: "datagram", 3: "raw", 4: "rdm", 5: "seqpacket", 6: "dccp", 10: "packet"}
PROTOCOLS = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    33: "dccp",
    58: "icmp6",
    132: "sctp",
    136: "udplite",
    262: "mptcp",
}
NETLINKS = {
    0: "route", 2: "usersock", 4: "sock_diag", 6: "xfrm", 7: "selinux", 9: "audit", 12: "netfilter",
    15: "kobject_uevent", 16: "generic",
}  # fmt: skip
# include/net/tcp_states.h; sockets of other protocols use some of them.
STATES = (
    "", "established", "syn sent", "syn received", "fin wait 1", "fin wait 2", "time wait", "closed", "close wait",
    "last ack", "listening", "closing", "new syn received",
)  # fmt: skip
MAX_SUN_PATH = 108


class SocketStruct(NamedTuple):
    """struct socket."""

    type: int
    sk: int


class SockStruct(NamedTuple):
    """struct sock."""

    family: int
    state: int
    protocol: int
    local: int
    remote: int
    port: int
    remote_port: int
    local6: int | None  # both without CONFIG_IPV6
    remote6: int | None


class UnixStruct(NamedTuple):
    """struct unix_sock."""

    addr: int
    peer: int


class UnixAddress(NamedTuple):
    """struct unix_address."""

    len: int
    name: int


class NetlinkStruct(NamedTuple):
    """struct netlink_sock."""

    portid: int


SOCKET = Plan("socket", SocketStruct)
SOCK = Plan(
    "sock",
    SockStruct,
    family="__sk_common.skc_family",
    state="__sk_common.skc_state",
    protocol="sk_protocol",
    local="__sk_common.skc_rcv_saddr",
    remote="__sk_common.skc_daddr",
    port="__sk_common.skc_num",
    remote_port="__sk_common.skc_dport",
    local6="&__sk_common.skc_v6_rcv_saddr",
    remote6="&__sk_common.skc_v6_daddr",
)
UNIX = Plan("unix_sock", UnixStruct)
UNIX_ADDRESS = Plan("unix_address", UnixAddress, name="&name")
NETLINK = Plan("netlink_sock", NetlinkStruct)


class Socket(NamedTuple):
    """A socket in words; an address that it has not, or that cannot be told, is None."""

    family: str
    type: str
    protocol: str | None
    state: str | None
    local: str | None
    remote: str | None

    def __str__(self) -> str:
        kind = self.protocol if self.protocol and self.family in ("inet", "inet6") else self.type
        words = [self.family if self.family != "netlink" else f"netlink {self.protocol or ''}".strip()]
        words += [kind] if self.family != "netlink" else []
        ends = " to ".join(end for end in (self.local, self.remote) if end)
        return " ".join([*words, *([ends] if ends else []), *([f"({self.state})"] if self.state else [])])


def socket_at(kernel: Kernel, address: int) -> Socket:
    """Return what the struct socket at an address is; ReadError or Absent."""
    socket = kernel.bind(SOCKET).row(address)
    kind = TYPES.get(socket.type, f"type {socket.type}")
    if not socket.sk:
        return Socket("no", kind, None, "closed", None, None)
    sock = kernel.bind(SOCK).row(socket.sk)
    family = FAMILIES.get(sock.family, f"family {sock.family}")
    names = NETLINKS if sock.family == AF_NETLINK else PROTOCOLS if sock.family in (AF_INET, AF_INET6) else {}
    protocol = names.get(sock.protocol) or (str(sock.protocol) if sock.protocol else None)
    state = STATES[sock.state] if sock.state < len(STATES) else f"state {sock.state}"
    try:
        local, remote = _ends(kernel, socket.sk, sock)
    except (ReadError, Absent):
        local = remote = None
    if sock.family == AF_NETLINK or (sock.family, state) == (AF_INET, "closed"):
        state = "" if sock.family == AF_NETLINK or kind != "stream" else state
    return Socket(family, kind, protocol, state or None, local, remote)


def _ends(kernel: Kernel, address: int, sock: SockStruct) -> tuple[str | None, str | None]:
    if sock.family == AF_INET:
        local, remote = (_ipv4(kernel, raw) for raw in (sock.local, sock.remote))
        return _ports(kernel, sock, local, remote)
    if sock.family == AF_INET6 and sock.local6 and sock.remote6:
        local, remote = (f"[{IPv6Address(kernel.memory.read(at, 16))}]" for at in (sock.local6, sock.remote6))
        return _ports(kernel, sock, local, remote)
    if sock.family == AF_UNIX:
        unix = kernel.bind(UNIX).row(address)
        peer = kernel.bind(UNIX).row(unix.peer) if unix.peer else None
        return unix_name(kernel, unix.addr), unix_name(kernel, peer.addr) if peer else None
    if sock.family == AF_NETLINK:
        return f"port {kernel.bind(NETLINK).row(address).portid}", None
    return None, None


def _ipv4(kernel: Kernel, raw: int) -> str:
    return str(IPv4Address(raw.to_bytes(4, kernel.arch.byteorder)))  # the bytes as they lie in memory


def _ports(kernel: Kernel, sock: SockStruct, local: str, remote: str) -> tuple[str | None, str | None]:
    port = int.from_bytes(sock.remote_port.to_bytes(2, kernel.arch.byteorder), "big")  # network order
    return f"{local}:{sock.port}", f"{remote}:{port}" if port else None


def unix_name(kernel: Kernel, address: int) -> str | None:
    """A socket's path; an abstract name begins with @, as ss(8) shows it; None for one that is not bound."""
    if not address:
        return None
    found = kernel.bind(UNIX_ADDRESS).row(address)
    raw = kernel.memory.read(found.name + 2, max(0, min(found.len - 2, MAX_SUN_PATH)))
    if raw[:1] == b"\0":
        return "@" + decoded(raw[1:])
    return decoded(raw.split(b"\0", 1)[0]) or None
