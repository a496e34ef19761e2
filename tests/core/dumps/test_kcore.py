"""/proc/kcore: its notes are its reader's, vmalloc has no physical address, and only the file itself is LIVE."""

import os
import struct
from pathlib import Path
from typing import Any

import pytest

from builders import text_page
from builders.elf import Elf, Load
from builders.notes import note, vmcoreinfo
from cases import DUMPS
from oopscope.boot.attach import attach
from oopscope.dumps import elf, open_path
from oopscope.errors import NotADump
from oopscope.report.build import build
from oopscope.report.text import render

NOWHERE = (1 << 64) - 1
TEXT = 0xFFFFFFFF81000000
DIRECT = 0xFFFF888000000000
PRPSINFO = struct.pack("<4xI", 0).ljust(40, b"\0") + b"vmlinux".ljust(96, b"\0")
READER = note("CORE", 1, bytes(336)) + note("CORE", 3, PRPSINFO) + note("CORE", 4, bytes(9000))


def kcore(pages: list[bytes], base: int = 0) -> bytes:
    """Return a file as the kernel shows it: text, vmalloc, then each range of RAM."""
    loads = [Load(base, b"".join(pages), vaddr=TEXT), Load(NOWHERE, b"", 1 << 45, 0xFFFFC90000000000)]
    return Elf([*loads, Load(base, b"".join(pages), vaddr=DIRECT + base)], [READER + vmcoreinfo()]).build()


def test_a_copy_is_a_dump_like_others(tmp_path: Path) -> None:
    (tmp_path / "kcore").write_bytes(kcore([text_page(n) for n in range(4)], 0x5000))
    dump = open_path(tmp_path / "kcore")
    assert [dump.page(n) for n in (5, 8)] == [text_page(0), text_page(3)]
    assert dump.ranges() == [(0x5000, 0x9000)]
    assert [n.name for n in dump.notes()] == ["VMCOREINFO"]
    facts = dump.facts()
    assert (facts.format, facts.live, facts.phys_base) == ("kcore", False, 0x5000 - 0x1000000)
    assert (facts.pages_saved, facts.complete) == (4, True)


def test_notes_of_other_dumps_stay(tmp_path: Path) -> None:
    (tmp_path / "vmcore").write_bytes(Elf([Load(0x1000, text_page(1))], [note("CORE", 1, bytes(336))]).build())
    assert [n.name for n in open_path(tmp_path / "vmcore").notes()] == ["CORE"]


class TestLive:
    @pytest.fixture
    def live(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let a file in a folder pass for /proc/kcore, whatever file system the tests are on."""
        monkeypatch.setattr(elf, "_in_procfs", lambda name: Path(name).name == "kcore")

    def test_bytes_are_those_of_memory(self, tmp_path: Path, live: Any) -> None:
        (tmp_path / "kcore").write_bytes(kcore([text_page(n) for n in range(4)], 0x5000))
        os.truncate(tmp_path / "kcore", 1 << 40)
        facts = open_path(tmp_path / "kcore").facts()
        assert (facts.live, facts.bytes, facts.complete) == (True, 4 * 4096, True)

    def test_a_vmcore_is_not_live_by_its_name(self, tmp_path: Path, live: Any) -> None:
        (tmp_path / "kcore").write_bytes(Elf([Load(0x1000, text_page(1))], [vmcoreinfo()]).build())
        assert not open_path(tmp_path / "kcore").facts().live

    def test_the_report_says_so_and_calls_nothing_crashed(self, tmp_path: Path, live: Any) -> None:
        dump = open_path(DUMPS / "6.1-null.kdump")
        info = next(n for n in dump.notes() if n.name == "VMCOREINFO").desc
        loads = [Load(a * 4096, b"".join(map(dump.page, range(a, b)))) for a, b in stretches(dump)]
        (tmp_path / "kcore").write_bytes(Elf(loads, [READER + note("VMCOREINFO", 0, info)]).build())
        report = build(attach(open_path(tmp_path / "kcore"), print))
        assert report["dump"]["live"] is True
        assert report["system"]["crash_time"] is None
        assert report["verdict"]["title"] == "LIVE: a running machine"
        text = render(report)
        assert "LIVE" in text
        assert "crashed" not in text


def stretches(dump: Any) -> Any:
    """Return the runs of page frames that a dump holds."""
    return [(a // 4096, b // 4096) for a, b in dump.saved_ranges()]


def test_a_copy_in_a_folder_is_not_in_procfs(tmp_path: Path) -> None:
    (tmp_path / "kcore").write_bytes(b"x" * 5000)
    assert not elf._in_procfs(str(tmp_path / "kcore"))
    assert not elf._in_procfs("/proc/self/status")
    assert not elf._in_procfs("https://host/kcore")
    assert not elf._in_procfs("a\0b")


@pytest.mark.parametrize(("user", "says"), [(1000, "sudo"), (0, "root squash")])
def test_a_file_that_may_not_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, says: str
) -> None:
    (tmp_path / "kcore").write_bytes(b"x")

    def refuse(*_args: Path | int, **_more: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(NotADump, match=says) as caught:
        open_path(tmp_path / "kcore")
    assert "\n" not in str(caught.value)
