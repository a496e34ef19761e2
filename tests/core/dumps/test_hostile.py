"""Damaged and hostile files of every container: a word of ours or a dump, never another exception, in time."""

import random
import time
from itertools import islice

import pytest

from builders.fixtures import FIXTURES
from oopscope.dumps import BLOCK, FORMATS, open_container
from oopscope.errors import MissingPage, OopscopeError
from oopscope.sources.file import BytesSource

FLIPS = 60
SECONDS = 2.0  # of processor time for one file; the slowest takes some milliseconds

ALSO = {("elf", "qemu"): "qemu-elf", ("migration", "libvirt"): "libvirt"}
CASES = [(f.key, name) for f in FORMATS for name in FIXTURES.get(f.key, {})]


def exercise(files: dict[str, bytes]) -> None:
    """Open files and ask everything of the dump; OopscopeError is an answer."""
    started = time.process_time()
    try:
        dump = open_container([BytesSource(raw, name) for name, raw in files.items()])
        if dump is not None:
            facts = dump.facts()
            assert facts.bytes <= sum(len(raw) for raw in files.values())
            list(dump.notes())
            dump.cpus()
            for address, data in islice(dump.blocks(), 100):
                assert address >= 0
                assert 0 < len(data) <= max(BLOCK, dump.page_size)
            ranges = dump.ranges()
            assert ranges == sorted(ranges)
            pages = {0, 1, 1 << 20, 1 << 51, *(n // dump.page_size for pair in ranges[:8] for n in pair)}
            for pfn in sorted(pages):
                try:
                    assert len(dump.page(pfn)) == dump.page_size
                except MissingPage as e:
                    assert e.why in ("excluded", "truncated", "corrupt", "never-saved")
    except OopscopeError:
        pass
    assert time.process_time() - started < SECONDS


def test_every_container_has_fixtures() -> None:
    assert set(FIXTURES) == {f.key for f in FORMATS} - {"log"}  # which holds no pages: test_log has its forms


@pytest.mark.parametrize("key, name", CASES)
def test_fixture_opens_as_its_own_format(key: str, name: str) -> None:
    files = FIXTURES[key][name]()
    dump = open_container([BytesSource(raw, path) for path, raw in files.items()])
    assert dump is not None
    facts = dump.facts()
    assert facts.format == ALSO.get((key, name), key)
    assert facts.complete, facts.problems
    start, end = dump.ranges()[0]
    assert start < end
    assert dump.facts().pages_saved


@pytest.mark.parametrize("key, name", CASES)
def test_blocks_are_the_pages_without_zeros(key: str, name: str) -> None:
    files = FIXTURES[key][name]()
    dump = open_container([BytesSource(raw, path) for path, raw in files.items()])
    size, seen, last = dump.page_size, set(), -1
    for address, data in dump.blocks():
        assert address > last
        last = address
        for at in range(-(-address // size) * size, address + len(data) - size + 1, size):
            assert dump.page(at // size) == data[at - address : at - address + size]
            seen.add(at // size)
        seen |= {address // size, (address + len(data) - 1) // size}
    assert seen
    for start, end in dump.ranges():
        for pfn in range(-(-start // size), end // size):
            if pfn not in seen:
                try:
                    assert not any(dump.page(pfn))
                except MissingPage:
                    continue


@pytest.mark.thorough
@pytest.mark.parametrize("key, name", CASES)
def test_cut_at_each_sixteenth(key: str, name: str) -> None:
    files = FIXTURES[key][name]()
    for path, raw in files.items():
        for n in range(16):
            exercise({**files, path: raw[: len(raw) * n // 16]})


@pytest.mark.thorough
@pytest.mark.parametrize("key, name", CASES)
def test_headers_with_flipped_bytes(key: str, name: str) -> None:
    files = FIXTURES[key][name]()
    rng = random.Random(f"{key} {name}")
    for _ in range(FLIPS):
        path = rng.choice(sorted(files))
        raw = bytearray(files[path])
        reach = min(len(raw), rng.choice([64, 512, 4096 + 128, 20_000]))
        for _ in range(rng.choice([1, 1, 2, 8])):
            raw[rng.randrange(reach)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        exercise({**files, path: bytes(raw)})
