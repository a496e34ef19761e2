"""Interfaces against what ip(8) and /proc/net/dev said some seconds before the guest died."""

import re
from typing import Any

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.net import TXQ, interfaces

LINE = re.compile(r" *(\S+?): *((?:\d+ *){16})")


FIRST = 0xF0000000  # PROC_NET_INIT_INO, the number of the first namespace


def test_counters_of_proc_net_dev_in_each_namespace() -> None:
    rows = {(row.namespace == FIRST, row.name): row for row in interfaces(case_of("6.1-life").kernel)}
    told: dict[tuple[bool, str], list[int]] = {}
    for first, part in ((True, "dev2"), (False, "other dev")):
        lines = [found for line in account("6.1-life")[part] if (found := LINE.fullmatch(line))]
        told |= {(first, found[1]): [int(word) for word in found[2].split()] for found in lines}
    assert set(rows) == set(told)
    for key, counts in told.items():
        row = rows[key]
        if row.name == "eth0":  # virtio_net counts for itself
            assert row.rx_packets is None
            continue
        assert [row.rx_bytes, row.rx_packets, row.rx_errors, row.rx_dropped] == counts[:4]
        assert [row.tx_bytes, row.tx_packets, row.tx_errors, row.tx_dropped] == counts[8:12]


def test_state_and_addresses() -> None:
    lo, eth0, dummy0, dum0, other = interfaces(case_of("6.1-life").kernel)
    assert (lo.state, lo.driver, lo.mac, lo.mtu) == ("up, unknown", "loopback", None, 65536)
    assert (eth0.state, eth0.driver, eth0.mac) == ("up", "virtio_net", "52:54:00:12:34:56")
    told = [line.split()[1] for line in account("6.1-life")["ifconfig"] if line.split()[:1] in (["inet"], ["inet6"])]
    assert sorted([*lo.addresses, *eth0.addresses, *dum0.addresses]) == sorted(told)
    assert (dummy0.state, dum0.state, dum0.mtu, other.state) == ("down", "up, unknown", 1400, "up, unknown")
    assert other.namespace > FIRST == lo.namespace == eth0.namespace
    assert lo.stopped == eth0.stopped == ()


def test_a_queue_that_its_driver_stopped() -> None:
    def stop(kernel: Kernel) -> Any:
        eth0 = interfaces(kernel)[1]
        tx = kernel.memory.word(eth0.address + kernel.types.member("net_device", "_tx").offset)
        return tx + kernel.bind(TXQ).offset("state"), b"\x01"

    row = interfaces(changed("6.1-life", stop))[1]
    assert row.stopped == ("0 by the driver",)


def test_a_device_of_another_namespace_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> Any:
        eth0 = interfaces(kernel)[1]
        return eth0.address + kernel.types.member("net_device", "nd_net.net").offset, bytes(8)

    kernel = changed("6.1-life", moved)
    assert [row.name for row in interfaces(kernel)] == ["lo", "dummy0", "dum0", "lo"]
    assert "of another, or none" in next(iter(kernel.problems)).message
