"""Interfaces, addresses, routes, neighbours and sockets, against /proc/net and busybox's ip of the guest."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from life.tally import Account, Tally
from oopscope.api import OpenDump

DEVICE = re.compile(r" *(\S+?): *((?:\d+ *){16})")
STATES = {1: "established", 2: "syn sent", 7: "closed", 10: "listening", 8: "close wait", 6: "time wait"}
KINDS = {"unreachable", "blackhole", "local", "broadcast", "multicast", "anycast", "prohibit"}
UNIX = {"0001": "stream", "0002": "datagram", "0005": "seqpacket"}


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the guest told of its first network namespace."""
    first = dump.table("interfaces")[0].namespace
    _interfaces([row for row in dump.table("interfaces") if row.namespace == first], account, tally)
    _routes([row for row in dump.table("routes") if row.namespace == first], account, tally)
    _neighbours([row for row in dump.table("neighbours") if row.namespace == first], account, tally)
    _sockets([row for row in dump.table("sockets") if row.namespace == first], account, tally)


def _interfaces(rows: list[Any], account: Account, tally: Tally) -> None:
    ours = {row.name: row for row in rows}
    lines = [match for line in account["/proc/net/dev"] if (match := DEVICE.fullmatch(line))]
    tally.same("interfaces", "names", set(ours), {match[1] for match in lines})
    for match in lines:
        row, told = ours.get(match[1]), [int(word) for word in match[2].split()]
        for field, at in (("rx_bytes", 0), ("rx_packets", 1), ("rx_errors", 2), ("rx_dropped", 3), ("tx_bytes", 8),
                          ("tx_packets", 9), ("tx_errors", 10), ("tx_dropped", 11)):  # fmt: skip
            ours_now = getattr(row, field)  # a packet more may have come
            tally.near("interfaces", (match[1], field), ours_now, told[at], 0, 900 if field.endswith("bytes") else 9)
    words = {"carrier": "carrier", "operstate": "operstate", "address": "mac"}
    for line in account["devices"]:
        if (match := re.search(r"\bnet/(\w+)/(operstate|address) = (.*)", line)) and match[1] in ours:
            row = ours[match[1]]
            mine = row.state.removeprefix("up, ") if match[2] == "operstate" else row.mac or ""
            told_word = match[3].strip().replace("00:00:00:00:00:00", "")
            tally.same("interfaces", (match[1], words[match[2]]), mine, told_word)
    addresses = {(row.name, address) for row in rows for address in row.addresses if ":" in address}
    six = [line.split() for line in account["/proc/net/if_inet6"]]
    told_six = {(line[5], f"{IPv6Address(bytes.fromhex(line[0]))}/{int(line[2], 16)}") for line in six}
    for one in addresses | told_six:
        tally.same("interfaces", one, one in addresses, one in told_six)


def _route(line: str) -> tuple[object, ...]:
    words = line.split()
    kind = words.pop(0) if words[0] in KINDS else "unicast"
    facts = dict(zip(words[1::2], words[2::2], strict=False))
    return (words[0], kind, facts.get("table", "main"), facts.get("dev"), facts.get("via"), facts.get("src"),
            int(facts.get("metric", 0)))  # fmt: skip


def _routes(rows: list[Any], account: Account, tally: Tally) -> None:
    for part, six in (("iproute4", False), ("iproute6", True)):
        ours = {(row.destination, row.type, row.table, row.device, row.gateway, row.source, row.metric)
                for row in rows if (":" in f"{row.destination}{row.gateway}") is six
                or (row.destination == "default" and (":" in (row.gateway or "")) is six)}  # fmt: skip
        told = {_route(line.replace("expires 0sec", "")) for line in account[part] if line.strip()}
        for one in sorted(ours | told, key=str):
            if one in told or (one[1] != "anycast" and one[3] != "lo"):  # busybox leaves anycast and lo's own out
                tally.same("routes", one, one in ours, one in told)


def _neighbours(rows: list[Any], account: Account, tally: Tally) -> None:
    ours = {(row.ip, row.device): row for row in rows}
    for line in account["neigh"]:
        words = line.split()
        row = ours.get((words[0], words[2]))
        if tally.same("neighbours", words[0], row is not None, True) and row is not None:
            mac = words[words.index("lladdr") + 1] if "lladdr" in words else None
            if mac is not None:
                tally.same("neighbours", (words[0], "mac"), row.mac, mac)
            told = words[-1].lower().replace("incomplete", "failed")  # as it becomes when nobody answers
            tally.same("neighbours", (words[0], "state"), row.state.replace("incomplete", "failed"), told)
            tally.same("neighbours", (words[0], "router"), "router" in row.flags, "router" in words)
    known = {line.split()[0] for line in account["neigh"]}
    more = {ip for (ip, _), row in ours.items() if row.state != "noarp"}
    tally.same("neighbours", "others", more - known, set())


def _end(text: str) -> str | None:
    host, port = text.split(":")
    raw = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
    name = str(IPv4Address(raw)) if len(raw) == 4 else f"[{IPv6Address(raw)}]"
    return f"{name}:{int(port, 16)}" if int(port, 16) else None


def _sockets(rows: list[Any], account: Account, tally: Tally) -> None:
    for part in ("tcp", "tcp6", "udp", "udp6"):
        lines = [line.split() for line in account[f"/proc/net/{part}"]]
        lines = [words for words in lines if len(words) > 9 and words[0].rstrip(":").isdigit()]
        ours = [row for row in rows if row.protocol == part and (row.state != "closed" or part.startswith("udp"))]
        # Who asks for a connection gives up meanwhile, and one that was closed (05, 06) is forgotten.
        ours = [row for row in ours if row.state not in ("fin wait 2", "time wait")]
        lines = [words for words in lines if words[3] not in ("05", "06")]
        lines = [words for words in lines if words[3] != "02" or any(row.state == "syn sent" for row in ours)]
        tally.same("sockets", (part, "number"), len(ours), len(lines))
        for words in lines:
            ends = _end(words[1]), _end(words[2])
            row = tally.one("sockets", (part, *ends), (row for row in ours if (row.local, row.remote) == ends))
            if row is not None:
                _socket(row, (part, *ends), words, tally)
    for line in account["/proc/net/unix"][1:]:
        words = line.split()
        row = tally.one("sockets", ("unix", words[6]), (
            row for row in rows if row.protocol == "unix" and row.inode == int(words[6])))  # fmt: skip
        if row is not None:
            tally.same("sockets", ("unix", words[6], "type"), row.type, UNIX[words[4]])
            tally.same("sockets", ("unix", words[6], "path"), row.local or "", words[7] if len(words) > 7 else "")
    lines = [line.split() for line in account["/proc/net/netlink"][1:]]
    ours = [row for row in rows if row.protocol == "netlink" and row.local]
    tally.same("sockets", ("netlink", "number"), len(ours), len(lines))
    for words in lines:
        tally.same("sockets", ("netlink", *words[:3]),
                   any(row.local.endswith(f"port {words[2]}") for row in ours), True)  # fmt: skip


def _socket(row: Any, name: tuple[object, ...], words: list[str], tally: Tally) -> None:
    unsent, received = (int(word, 16) for word in words[4].split(":"))
    tally.same("sockets", (*name, "state"), row.state, STATES.get(int(words[3], 16), words[3]))
    tally.same("sockets", (*name, "uid"), row.uid, int(words[7]))
    tally.same("sockets", (*name, "inode"), row.inode or 0, int(words[9]))
    if row.state == "listening":
        tally.same("sockets", (*name, "backlog"), row.backlog, received)
    else:
        tally.same("sockets", (*name, "received"), row.received or 0, received)
        tally.same("sockets", (*name, "unsent"), row.unsent or 0, unsent)
    if row.protocol.startswith("tcp") and row.state != "listening":
        tally.near("sockets", (*name, "retransmits"), row.retransmits, int(words[6], 16), 0, 2)
