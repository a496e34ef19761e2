"""`distill --user`: the pages behind user addresses, through an address space's own tables, and only those there."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cases import NAMES, case_of
from oopscope.distill.recording import distill
from oopscope.distill.user_pages import _touch
from oopscope.dumps import open_path
from oopscope.errors import MissingPage
from oopscope.machine.x86_64.arch import ARCH

ROOT, STACK = 0x1000, 0x7FFE_1234_5000
FRAME = 0x9000


class Physical:
    """Four tables that map one page of a stack, and that page; nothing else."""

    place = None

    def __init__(self) -> None:
        at, self.words, self.asked = ROOT, {}, []  # type: ignore[var-annotated]
        for table, shift in ((0x2000, 39), (0x3000, 30), (0x4000, 21), (FRAME, 12)):
            self.words[at + (STACK >> shift & 511) * 8] = table | 0x67
            at = table

    def read(self, address: int, size: int) -> Any:
        self.asked.append(address)
        if size == 8:
            return self.words.get(address, 0).to_bytes(8, "little")
        if address != FRAME:
            raise MissingPage(address, "excluded")
        return bytes(size)


def test_pages_are_found_through_the_tables() -> None:
    physical = Physical()
    memory = SimpleNamespace(physical=physical, word=lambda _at: 0xFFFF_8880_0000_1000, translate=lambda _at: ROOT)
    kernel = SimpleNamespace(memory=memory, info=SimpleNamespace(number=lambda _name: None))
    found = _touch(kernel, ARCH.pagings["4-level"], 0xFFFF_8880_1234_0000, [STACK + 0x18, STACK + 0x1000, 0x40_0000])
    assert found == [FRAME]
    assert physical.asked[-1] != 0x40_0000


def test_a_dump_without_user_memory_gains_none(tmp_path: Path) -> None:
    dump = case_of(NAMES[0]).path
    plain = distill(open_path(dump), tmp_path / "plain", lambda _text: None)
    user = distill(open_path(dump), tmp_path / "user", lambda _text: None, user=True)
    assert user.pages == plain.pages
