"""Interrupts against what /proc/interrupts and /proc/softirqs said some seconds before the guest died."""

import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from builders.altered import Altered, stored
from cases import case_of
from core.linux.account import account
from oopscope.boot.attach import attach
from oopscope.linux.irq import DESC, interrupts, ranges
from oopscope.machine.common import irq_counters

LINE = re.compile(r" *(\d+): +(\d+) +(\d+) +(\S+) +\d+-(\S+) +(.+)")
COUNTER = re.compile(r" *([A-Z]{3}): +(\d+) +(\d+) +(\S.*)")
SOFT = re.compile(r" *([A-Z_]+): +(\d+) +(\d+)$")


def test_every_line_of_proc_interrupts() -> None:
    rows = {row.irq: row for row in interrupts(case_of("6.1-life").kernel) if row.irq is not None}
    told = [LINE.fullmatch(line) for line in account("6.1-life")["interrupts"]]
    told = {int(found[1]): found.groups()[1:] for found in told if found}  # type: ignore[assignment]
    assert set(rows) == set(told)  # type: ignore[comparison-overlap]
    for number, (first, second, chip, flow, name) in told.items():  # type: ignore[attr-defined]
        row = rows[number]
        assert (row.chip, row.trigger, row.name) == (chip, flow, name.strip())
        assert row.counts[0] >= int(first) and row.counts[1] >= int(second)
        assert row.total == sum(row.counts)
        assert row.depth == 0
        assert row.effective in ("0", "1")
    assert rows[25].affinity == rows[25].effective == "0"
    assert rows[0].handlers == ("timer_interrupt",)


def test_soft_interrupts() -> None:
    soft = [row for row in interrupts(case_of("6.1-life").kernel) if row.name.endswith(" (soft)")]
    rows = {row.name.removesuffix(" (soft)"): row for row in soft}
    told = [SOFT.fullmatch(line) for line in account("6.1-life")["softirqs"]]
    assert list(rows) == [found[1] for found in told if found]
    for found in filter(None, told):
        assert rows[found[1]].counts[0] >= int(found[2])
        assert rows[found[1]].counts[1] >= int(found[3])


def test_the_machines_counters() -> None:
    rows = {(row.name, row.text): row for row in interrupts(case_of("6.1-life").kernel) if row.text}
    told = [COUNTER.fullmatch(line) for line in account("6.1-life")["interrupts"]]
    counted = {(found[1], found[4]): (int(found[2]), int(found[3])) for found in told if found}
    assert len(counted) > 10 and set(counted) <= set(rows)
    for name, least in counted.items():
        assert all(now >= then for now, then in zip(rows[name].counts or (), least, strict=True))


def test_counters_in_an_array_have_the_kernels_own_names() -> None:
    """struct irq_stat_info { unsigned int skip_vector; const char *symbol; const char *text; } of 7.x."""
    texts = {0x900: b"NMI", 0x910: b"Non-maskable interrupts", 0x940: b"LOC", 0x950: b"Local timer interrupts"}
    words = {0x808: 0x900, 0x810: 0x910, 0x820: 0, 0x828: 0, 0x838: 0x940, 0x840: 0x950}
    offsets = {"counts": 4, "symbol": 8, "text": 16}
    kernel: Any = SimpleNamespace(
        arch=SimpleNamespace(byteorder="little"), per_cpu=lambda address, cpu: address + 0x100 * cpu,
        symbol={"irq_stat": 0x1000, "irq_stat_info": 0x800, "__cpu_possible_mask": 0x2000}.__getitem__,
        types=SimpleNamespace(has_member=lambda *_: True, sizeof=lambda _: 24,
                              member=lambda _, name: SimpleNamespace(offset=offsets[name], count=3)),
        memory=SimpleNamespace(word=words.__getitem__, text=lambda address, _most: texts[address].decode(),
                               read=lambda address, size: bytes([address >> 8, 0, 0, 0] * 3)),
    )  # fmt: skip
    with patch.object(irq_counters, "_cpus", return_value=[0, 1]):
        found = list(irq_counters.x86(kernel))
    assert found == [("NMI", "Non-maskable interrupts", (16, 17)), ("LOC", "Local timer interrupts", (16, 17))]


def test_a_descriptor_that_is_another_line_s_is_dropped_and_said() -> None:
    dump = stored("6.1-life.kdump")
    kernel = attach(dump, lambda _text: None)
    row = next(row for row in interrupts(kernel) if row.irq == 4)
    at = kernel.memory.translate(row.address + kernel.types.member("irq_desc", "irq_data.irq").offset)
    page = bytearray(dump.page(at >> 12))
    page[at & 4095 : (at & 4095) + 4] = (77).to_bytes(4, "little")
    other = attach(Altered(dump, pages={at >> 12: bytes(page)}), lambda _text: None)
    assert 4 not in [row.irq for row in interrupts(other)]
    assert "calls itself 77" in next(iter(other.problems)).message
    assert other.bind(DESC).row(row.address).irq == 77


def test_ranges() -> None:
    assert [ranges(numbers) for numbers in ([], [0], [0, 1, 2, 5], [1, 3])] == ["", "0", "0-2,5", "1,3"]
