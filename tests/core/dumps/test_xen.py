"""Xen's dump-core files: pages by a list of numbers, CPUs, and the guests that cannot be read."""

import random
from typing import Any

import pytest

from builders import text_page
from builders.xen import context, dump_core
from oopscope.dumps import open_container, xen
from oopscope.errors import MissingPage, Unsupported
from oopscope.sources.file import BytesSource

PAGES = {n: text_page(n) for n in (0, 1, 2, 7, 8, 0x100000, 0x100001)}


def opened(raw: bytes) -> Any:
    return open_container([BytesSource(raw)])


@pytest.mark.parametrize("endian", ["<", ">"])
def test_pages(endian: str) -> None:
    dump = opened(dump_core(PAGES, [], endian=endian))
    assert {n: dump.page(n) for n in PAGES} == PAGES
    for n in (-1, 3, 9, 0x100002, (1 << 64) - 1):
        with pytest.raises(MissingPage):
            dump.page(n)
    assert dump.ranges() == [(0, 0x3000), (0x7000, 0x9000), (0x100000000, 0x100002000)]
    assert (dump.facts().format, dump.facts().pages_saved, dump.facts().complete) == ("xen", 7, True)


def test_many_runs() -> None:
    rng = random.Random(3)
    numbers = sorted(rng.sample(range(30_000), 20_000))
    page = text_page(1)
    dump = opened(dump_core(dict.fromkeys(numbers, page), []))
    runs = [(n << 12, n + 1 << 12) for n in numbers]
    joined = [runs[0]]
    for start, end in runs[1:]:
        if joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    assert dump.ranges() == joined


def test_cpus() -> None:
    first, second = opened(dump_core(PAGES, [context(0), context(1, user=True)])).cpus()
    assert (first.general["r15"], first.general["rdi"], first.general["rsp"]) == (0x1000, 0x100E, 0xFFFFC90000001000)
    assert (second.general["rip"], second.control["cr3"]) == (0xFFFFFFFF81000001, 0x1234001)
    assert (first.per_cpu_base, second.per_cpu_base) == (0xFFFF888000000000, 0xFFFF888000000001)


class TestParavirtual:
    HOSTS = {0: 50, 1: 51, 2: 90, 7: 52, 8: 53, 0x100000: 91, 0x100001: 5}

    def test_pages_by_the_guests_numbers_and_places_by_the_hosts(self) -> None:
        dump = opened(dump_core(PAGES, [], host=self.HOSTS.get))
        assert {n: dump.page(n) for n in PAGES} == PAGES
        assert dump.ranges() == [(0, 0x3000), (0x7000, 0x9000), (0x100000000, 0x100002000)]
        assert {n: dump.place(host << 12 | 0xABC) for n, host in self.HOSTS.items()} == {
            n: n << 12 | 0xABC for n in PAGES
        }
        for host in (0, 4, 6, 49, 54, 89, 92, 1 << 40):
            with pytest.raises(MissingPage):
                dump.place(host << 12)
        assert dump.facts().pages_saved == 7

    def test_numbers_that_only_seem_to_follow(self) -> None:
        hosts = {10: 100, 11: 300, 12: 102, 13: 103}  # the ends of a run fit, its middle does not
        dump = opened(dump_core({n: text_page(n) for n in hosts}, [], host=hosts.get))
        assert [dump.place(host << 12) >> 12 for host in hosts.values()] == list(hosts)
        with pytest.raises(MissingPage):
            dump.place(101 << 12)

    def test_a_fully_virtual_guest_has_no_places(self) -> None:
        assert opened(dump_core(PAGES, [])).place is None

    def test_the_kernel_in_ring_3_is_no_program(self) -> None:
        cpus = [context(0, pv=True), context(1, user=True, pv=True)]
        kernel, program = opened(dump_core(PAGES, cpus, host=self.HOSTS.get)).cpus()
        assert (kernel.segments["cs"].selector, program.segments["cs"].selector) == (0xE030, 0x33)
        assert (kernel.per_cpu_base, program.per_cpu_base) == (0xFFFF888000000000, 0xFFFF888000000001)

    def test_32_bits_are_refused(self) -> None:
        raw = bytearray(dump_core(PAGES, [], host=self.HOSTS.get))
        raw[18:20] = b"\3\0"
        with pytest.raises(Unsupported, match="paravirtualized"):
            opened(bytes(raw))

    def test_pages_in_no_order_on_the_host_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(xen, "MAX_RUNS", 3)
        with pytest.raises(Unsupported, match="runs of pages"):
            opened(dump_core(PAGES, [], host=self.HOSTS.get))
