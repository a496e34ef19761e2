"""Routes and neighbours against /proc/net/route and arp of the guest, and lying tables."""

from typing import Any

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.neighbour import counted, neighbours
from oopscope.linux.net import namespaces
from oopscope.linux.route import routes

LIFE = "6.1-life"


def life() -> Kernel:
    return case_of(LIFE).kernel


def ipv4(text: str) -> str:
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(text)))


def test_the_main_table_is_proc_net_route() -> None:
    told = {
        (words[0], ipv4(words[1]), bin(int(words[7], 16)).count("1"), ipv4(words[2]))
        for words in (line.split() for line in account(LIFE)["route"][1:])
        if len(words) > 7
    }
    first = next(iter(namespaces(life()).values())).inum
    mine = set()
    for row in routes(life()):
        if row.namespace == first and row.table == "main" and ":" not in f"{row.destination}{row.gateway}":
            address, _, length = row.destination.replace("default", "0.0.0.0/0").partition("/")
            mine.add((row.device, address, int(length or 32), row.gateway or "0.0.0.0"))
    assert mine == told


def test_local_addresses_of_each_namespace() -> None:
    local = [(row.namespace, row.destination) for row in routes(life()) if row.type == "local"]
    spaces = {net.inum for net in namespaces(life()).values()}
    assert len(spaces) == 2
    for space in spaces:
        assert {(space, "127.0.0.1"), (space, "::1")} <= set(local)
    assert ("10.9.8.7" in {where for _, where in local}) and ("192.0.2.5" in {where for _, where in local})
    default = [row for row in routes(life()) if row.destination == "default"]
    assert {(row.gateway, row.protocol) for row in default} == {("10.9.8.1", "boot"), ("fe80::2", "ra")}


def test_neighbours_are_those_of_arp_and_as_many_as_counted() -> None:
    rows = neighbours(life())
    assert len(rows) == counted(life())
    told = {words[0]: words[3] for words in (line.split() for line in account(LIFE)["arp"][1:]) if len(words) == 6}
    mine = {row.ip: row.mac for row in rows if ":" not in row.ip and row.state != "noarp"}
    assert mine == {ip: None if mac == "00:00:00:00:00:00" else mac for ip, mac in told.items()}
    assert [row.flags for row in rows if row.ip == "fe80::2"] == ["router"]


def test_a_neighbour_of_another_table_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> Any:
        return neighbours(kernel)[0].address + kernel.types.member("neighbour", "tbl").offset, bytes(8)

    kernel = changed(LIFE, moved)
    assert len(neighbours(kernel)) == len(neighbours(life())) - 1
    assert "of another table" in next(iter(kernel.problems)).message


def test_a_trie_that_lies_about_its_size_ends() -> None:
    def wide(kernel: Kernel) -> Any:
        net, found = next(iter(namespaces(kernel))), kernel.types.member
        heads = kernel.memory.word(net + found("net", "ipv4.fib_table_hash").offset)
        words = kernel.memory.words(heads, 256)
        table = next(word for word in words if word)
        trie = kernel.memory.word(table + found("fib_table", "tb_data").offset)
        root = kernel.memory.word(trie + found("key_vector", "tnode").offset)
        return root + found("key_vector", "bits").offset, b"\x1f"

    kernel = changed(LIFE, wide)
    assert all(":" in row.destination + (row.gateway or ":") for row in routes(kernel)[:1])
    assert any("31 bits" in problem.message for problem in kernel.problems)
