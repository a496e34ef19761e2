"""Sockets against what /proc/net/* said some seconds before the guest died."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.socket_rows import TCP, socket_rows

STATES = {"01": "established", "07": "closed", "0A": "listening"}


FIRST = 0xF0000000  # PROC_NET_INIT_INO, the number of the first namespace


def rows(protocol: str, first: bool = True) -> list[Any]:
    found = socket_rows(case_of("6.1-life").kernel)
    return [row for row in found if row.protocol == protocol and (row.namespace == FIRST) == first]


def end(text: str) -> Any:
    """Return an address of /proc/net/tcp{,6} as it is written."""
    host, port = text.split(":")
    raw = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
    name = str(IPv4Address(raw)) if len(raw) == 4 else f"[{IPv6Address(raw)}]"
    return f"{name}:{int(port, 16)}" if int(port, 16) else None


def told(part: Any) -> Any:
    lines = [line.split() for line in account("6.1-life")[part]]
    return [words for words in lines if len(words) > 9 and words[0].rstrip(":").isdigit()]


@pytest.mark.parametrize(
    "part, protocol",
    [("tcp", "tcp"), ("tcp6", "tcp6"), ("udp", "udp"), ("udp6", "udp6"), ("other tcp", "tcp"), ("other udp", "udp")],
)
def test_every_line_of_proc_net(part: str, protocol: str) -> None:
    here = [row for row in rows(protocol, not part.startswith("other")) if row.state != "closed" or "udp" in part]
    found = {(row.local, row.remote): row for row in here}
    assert set(found) == {(end(words[1]), end(words[2])) for words in told(part)}
    for words in told(part):
        row = found[end(words[1]), end(words[2])]
        unsent, unread = (int(number, 16) for number in words[4].split(":"))
        assert row.state == STATES[words[3]]
        assert (row.inode or 0) == int(words[9])
        if row.state == "listening":
            assert row.backlog == unread
        else:
            assert (row.unsent, row.received) == (unsent, unread)


def test_raw_packet_and_netlink_sockets() -> None:
    assert [(row.local, row.comm) for row in rows("raw")] == [("0.0.0.0:icmp", "life-raw")]
    assert [(row.local, row.comm) for row in rows("raw6")] == [("[::]:icmp6", "life-tcp6")]
    (packet,) = rows("packet")
    assert packet.comm == "life-packet"
    assert str(packet.inode) in account("6.1-life")["packet"][1].split()
    lines = [line.split() for line in account("6.1-life")["netlink"]]
    bound = next(row for row in rows("netlink") if row.comm == "life-netlink")
    assert bound.local == "route, port 4711"
    assert len(rows("netlink")) == sum(words[0] != "sk" for words in lines if words)


def test_a_full_backlog_is_marked() -> None:
    (full,) = [row for row in rows("tcp") if row.note]
    assert (full.local, full.backlog, full.backlog_limit) == ("127.0.0.1:9999", 3, 2)
    assert (full.note, full.comm) == ("backlog full", "life-backlog")


def test_every_line_of_proc_net_unix_and_its_peer() -> None:
    lines = [line.split() for line in account("6.1-life")["unix"]]
    told = {int(words[6]): words[7:] for words in lines if len(words) > 6 and words[0] != "Num"}
    found = {row.inode: row for row in rows("unix")}
    assert {number: [row.local] if row.local else [] for number, row in found.items()} == told
    mine = [row for row in found.values() if row.comm == "life-unix"]
    accepted = next(row for row in mine if row.local and row.state == "established")
    peer = next(row for row in mine if not row.local)
    assert accepted.remote == f"socket:[{peer.inode}]"
    assert peer.remote == accepted.local == "/tmp/life.sock"
    assert (accepted.received, peer.received) == (5, 0)
    one, two = (row for row in found.values() if row.comm == "life-pair")
    assert (one.remote, two.remote) == (f"socket:[{two.inode}]", f"socket:[{one.inode}]")
    assert {one.type, two.type} == {"seqpacket"} and one.received + two.received == 3
    assert [row.local for row in rows("unix", first=False)] == ["@hidden"]


def test_a_listener_that_does_not_listen_is_none() -> None:
    def closed(kernel: Kernel) -> Any:
        row = next(row for row in socket_rows(kernel) if row.note)
        return row.address + kernel.types.member("sock", "__sk_common.skc_state").offset, b"\x07"

    kernel = changed("6.1-life", closed)
    found = [row for row in socket_rows(kernel) if row.local == "127.0.0.1:9999" and not row.remote]
    assert [row.pid for row in found] == [row.pid for row in rows("tcp") if row.note]  # its process still has it
    assert "sockets of the table of TCP are none" in next(iter(kernel.problems)).message


def test_a_peer_that_takes_nothing() -> None:
    def shut(kernel: Kernel) -> Any:
        row = next(
            row for row in socket_rows(kernel) if row.protocol == "tcp" and row.comm == "life-tcp" and row.remote
        )
        tcp = kernel.bind(TCP)
        one = tcp.row(row.address)
        start, size = tcp.offset("snd_una"), 4
        assert (one.write_seq - one.snd_una) & 0xFFFFFFFF == 0
        return row.address + start, ((one.snd_una - 7) & 0xFFFFFFFF).to_bytes(size, "little")

    row = next(row for row in socket_rows(changed("6.1-life", shut)) if row.unsent == 7)
    assert row.protocol == "tcp"
