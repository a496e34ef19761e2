"""Dumps that were cut off say so, wherever the cut is."""

from typing import Any

import pytest

from builders import noise_page
from builders.gcore import gcore
from builders.kdump import Kdump
from oopscope.dumps import open_container
from oopscope.errors import NotADump
from oopscope.sources.file import BytesSource


class Counting(BytesSource):
    """Counts the bytes that are read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.counted = 0

    def read_at(self, offset: int, size: int) -> Any:
        data = super().read_at(offset, size)
        self.counted += len(data)
        return data


@pytest.mark.parametrize("zeros", [0, 7, 8, 9, 5000, 12_000])
def test_a_cut_is_seen_behind_zero_pages_that_share_one_place(zeros: int) -> None:
    pages = {n: noise_page(n) for n in range(20)} | {20 + n: bytes(4096) for n in range(zeros)}
    raw = Kdump(pages).build()
    whole = Counting(raw)
    assert open_container([whole]).facts().complete
    for cut in (1, 5000, 15 * 4096):
        facts = open_container([BytesSource(raw[:-cut])]).facts()
        assert not facts.complete
        assert "is cut off: it ends before its last pages" in facts.problems[0]
    lost = Kdump(pages, lost={19}).build()
    assert "was not finished" in open_container([BytesSource(lost)]).facts().problems[0]
    assert whole.counted < 2 << 20


def test_a_table_of_descriptors_that_is_cut() -> None:
    raw = Kdump({n: bytes(4096) for n in range(9000)}).build()
    table = len(raw) - 4096
    for cut in (table - 1, table - 24 * 8000):
        assert not open_container([BytesSource(raw[:cut])]).facts().complete


def test_a_core_whose_notes_are_behind_its_memory_and_cut_off() -> None:
    core = bytearray(gcore(bytes(8 << 20), "qemu-system-x86_64 -M q35 -m 8"))
    at = next(at for at in range(64, 1000, 56) if core[at] == 4)
    core[at + 8 : at + 16] = (len(core) + 1).to_bytes(8, "little")
    with pytest.raises(NotADump, match="the core of a process, cut off before the notes that name it"):
        open_container([BytesSource(bytes(core))])
