"""Xen's dump-core files: pages by a list of numbers, CPUs, and the guests that cannot be read."""

import random

import pytest

from builders import text_page
from builders.xen import context, dump_core
from oopscope.dumps import open_container
from oopscope.errors import MissingPage, Unsupported
from oopscope.sources.file import BytesSource

PAGES = {n: text_page(n) for n in (0, 1, 2, 7, 8, 0x100000, 0x100001)}


def opened(raw):
    return open_container([BytesSource(raw)])


@pytest.mark.parametrize("endian", ["<", ">"])
def test_pages(endian):
    dump = opened(dump_core(PAGES, [], endian=endian))
    assert {n: dump.page(n) for n in PAGES} == PAGES
    for n in (-1, 3, 9, 0x100002, (1 << 64) - 1):
        with pytest.raises(MissingPage):
            dump.page(n)
    assert dump.ranges() == [(0, 0x3000), (0x7000, 0x9000), (0x100000000, 0x100002000)]
    assert (dump.facts().format, dump.facts().pages_saved, dump.facts().complete) == ("xen", 7, True)


def test_many_runs():
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


def test_cpus():
    first, second = opened(dump_core(PAGES, [context(0), context(1, user=True)])).cpus()
    assert (first.general["r15"], first.general["rdi"], first.general["rsp"]) == (0x1000, 0x100E, 0xFFFFC90000001000)
    assert (second.general["rip"], second.control["cr3"]) == (0xFFFFFFFF81000001, 0x1234001)
    assert (first.per_cpu_base, second.per_cpu_base) == (0xFFFF888000000000, 0xFFFF888000000001)


@pytest.mark.parametrize("more", [{"magic": 0xF00FEBED}, {"p2m": True}])
def test_a_paravirtualized_guest_is_refused(more):
    with pytest.raises(Unsupported, match="paravirtualized"):
        opened(dump_core(PAGES, [], **more))
