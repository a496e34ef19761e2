"""Interfaces against what ip(8) and /proc/net/dev said some seconds before the guest died."""

import re
from typing import Any

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.net import TXQ, interfaces

LINE = re.compile(r" *(\S+?): *((?:\d+ *){16})")


def test_counters_of_proc_net_dev() -> None:
    rows = {row.name: row for row in interfaces(case_of("6.1-life").kernel)}
    told = [found for line in account("6.1-life")["net/dev"] if (found := LINE.fullmatch(line))]
    assert list(rows) == [found[1] for found in told]
    counts = [int(word) for word in told[0][2].split()]
    lo = rows["lo"]
    assert [lo.rx_bytes, lo.rx_packets, lo.rx_errors, lo.rx_dropped] == counts[:4]
    assert [lo.tx_bytes, lo.tx_packets, lo.tx_errors, lo.tx_dropped] == counts[8:12]
    assert rows["eth0"].rx_packets is None  # virtio_net counts for itself


def test_state_and_addresses() -> None:
    lo, eth0 = interfaces(case_of("6.1-life").kernel)
    assert (lo.state, lo.driver, lo.mac, lo.mtu) == ("up, unknown", "loopback", None, 65536)
    assert (eth0.state, eth0.driver, eth0.mac) == ("up", "virtio_net", "52:54:00:12:34:56")
    told = [line.split()[1] for line in account("6.1-life")["ifconfig"] if line.split()[:1] in (["inet"], ["inet6"])]
    assert [*lo.addresses, *eth0.addresses] == told
    assert lo.namespace == eth0.namespace == 0xF0000000
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
    assert [row.name for row in interfaces(kernel)] == ["lo"]
    assert "of another, or none" in next(iter(kernel.problems)).message
