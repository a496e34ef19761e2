"""What bios carry: of a clone as many pages as its bytes take, of a suspended device those that it holds back."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made
from oopscope.linux.task import task_structs
from oopscope.waits import carried
from oopscope.waits.carried import Carried, _carry_all

MEMBERS = {
    "bio.bi_next": 0, "bio.bi_private": 8, "bio.bi_io_vec": 16, "bio.bi_vcnt": 24, "bio.bi_iter.bi_idx": 32,
    "bio.bi_iter.bi_size": 40, "bio_vec.bv_page": 0, "bio_vec.bv_len": 8,
}  # fmt: skip
BIO, VECTORS, DISK = TOP + 0x1000, TOP + 0x2000, TOP + 0x3000
PAGES = [TOP + 0x10000 + number * 0x40 for number in range(4)]


def pages(monkeypatch: pytest.MonkeyPatch, count: int, index: int, size: int) -> set[int]:
    words = {BIO: 0, BIO + 8: 0, BIO + 16: VECTORS, BIO + 24: count, BIO + 32: index, BIO + 40: size}
    for number, page in enumerate(PAGES):
        words |= {VECTORS + number * 16: page, VECTORS + number * 16 + 8: 4096}
    types = SimpleNamespace(sizeof=lambda _struct: 16)
    kernel: Any = made(monkeypatch, carried, MEMBERS, words, types=types, cached={task_structs: {}}.__getitem__)
    found = Carried({}, {})
    _carry_all(kernel, BIO, DISK, found)
    assert set(found.pages.values()) <= {DISK}
    return set(found.pages)


def test_a_bio_has_the_pages_that_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pages(monkeypatch, 3, 0, 4096) == set(PAGES[:3])


def test_a_clone_has_those_that_its_bytes_take(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pages(monkeypatch, 0, 1, 8192) == set(PAGES[1:3])
    assert pages(monkeypatch, 0, 0, 0) == set()


def test_lengths_that_make_no_sense_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried, "MAX_VECTORS", 2)
    assert pages(monkeypatch, 0, 0, 1 << 30) == set(PAGES[:2])
