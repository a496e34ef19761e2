"""What kdump left beside a dump of how it was saved: told as the dump's problem, never as a death of its own."""

from pathlib import Path

import pytest

from cases import DUMPS
from oopscope.boot.attach import open_kernel
from oopscope.boot.saving import failures_beside
from oopscope.dumps import find_dumps
from oopscope.sources.beside import SAVING, STATUS
from oopscope.sources.names import is_named_so

LOG = """[    0.000000] Linux version 6.1.0-50-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP
[    2.523456] kdump[415]: saving vmcore-dmesg.txt complete
[    5.523456] kdump.sh[420]: write_buffer: Can't write the dump file(/var/vmcore-incomplete). No space left on device
[    5.523457] kdump.sh[420]: makedumpfile Failed.
[    5.623457] kdump[422]: saving vmcore failed, exitcode:1
[    5.623459] kdump[422]: saving vmcore failed, exitcode:1
"""
CUT = (DUMPS / "6.1-panic.kdump").read_bytes()[: 2 << 20]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vmcore-incomplete").write_bytes(CUT)
    (tmp_path / SAVING).write_text(LOG)
    (tmp_path / STATUS).write_text("fail 1764000000\n")
    return tmp_path


def test_why_a_dump_is_not_whole(folder: Path) -> None:
    said = open_kernel([folder / "vmcore-incomplete"]).facts.problems
    assert "cut off" in said[0] and f"{STATUS} beside it says: fail 1764000000" in said
    told = [one for one in said if one.startswith(SAVING)]
    assert (
        len(told) == 3
        and "No space left on device" in told[0]
        and told[1].endswith("kdump.sh[420]: makedumpfile Failed.")
    )


def test_neither_is_a_dump_nor_a_death(folder: Path) -> None:
    assert [path.name for path in find_dumps(folder, named=is_named_so)] == ["vmcore-incomplete"]


def test_what_went_well_is_not_told(tmp_path: Path) -> None:
    dump = tmp_path / "vmcore"
    assert not list(failures_beside(dump))
    (tmp_path / STATUS).write_text("success 1764000000\n")
    (tmp_path / SAVING).write_text("\n".join(LOG.splitlines()[:2]) + "\n[ 9.0] kdump[430]: saving vmcore complete\n")
    assert not list(failures_beside(dump))
    (tmp_path / STATUS).write_bytes(b"\xff\0" * 9000)
    (tmp_path / SAVING).write_bytes(bytes(1 << 20) + b"x" * (1 << 20) + b"makedumpfile Failed" + b"y" * 5000)
    assert all(len(line) < 300 for line in failures_beside(dump))
