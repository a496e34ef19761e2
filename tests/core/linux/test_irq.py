"""Interrupts against what /proc/interrupts and /proc/softirqs said some seconds before the guest died."""

import re

from builders.altered import Altered, stored
from cases import case_of
from core.linux.account import account
from oopscope.boot.attach import attach
from oopscope.linux.irq import DESC, interrupts, ranges

LINE = re.compile(r" *(\d+): +(\d+) +(\d+) +(\S+) +\d+-(\S+) +(.+)")
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
    rows = {row.name.removesuffix(" (soft)"): row for row in interrupts(case_of("6.1-life").kernel) if row.irq is None}
    told = [SOFT.fullmatch(line) for line in account("6.1-life")["softirqs"]]
    assert list(rows) == [found[1] for found in told if found]
    for found in filter(None, told):
        assert rows[found[1]].counts[0] >= int(found[2])
        assert rows[found[1]].counts[1] >= int(found[3])


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
