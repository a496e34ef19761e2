"""Files and folders as they come: what is opened, what is named, and that nothing is left out in silence."""

import bz2
import errno
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from builders.altered import DUMPS
from cases import case_of
from core.cli.runner import Run
from oopscope.boot.attach import open_kernel
from oopscope.cli import DAMAGED, DONE, NOT_A_DUMP, USAGE
from oopscope.cli.report import status
from oopscope.distill.kdump_file import Written
from oopscope.dumps import _forbidden, find_dumps
from oopscope.fleet import many
from oopscope.report.build import build
from oopscope.report.rows import _flat
from oopscope.sources.remote import _reason
from oopscope.whole_file import whole_file

NAME = "6.1-null.kdump"


def test_a_folder_with_one_dump_is_that_dump(command: Run, tmp_path: Path) -> None:
    shutil.copy(DUMPS / NAME, tmp_path / "vmcore")
    done = command("report", tmp_path, "--format", "json", "--sections", "dump,verdict")
    assert done.status == DONE
    report = json.loads(done.out)
    assert report["dump"]["path"] == str(tmp_path / "vmcore")
    assert report["verdict"]["cause"] == case_of("6.1-null").report["verdict"]["cause"]
    shutil.copy(DUMPS / NAME, tmp_path / "another")
    done = command("report", tmp_path)
    assert done.status == NOT_A_DUMP and "give a dump in it" in done.err


@pytest.mark.parametrize(
    "head, said",
    [
        (b"Salted__" + b"x" * 600, "openssl"),
        (b"age-encryption.org/v1\n-> X25519", "age -d"),
        (b"-----BEGIN PGP MESSAGE-----\n", "gpg -d"),
        (b"PK\x03\x04" + b"x" * 600, "unzip"),
    ],
)
def test_what_hides_a_dump_is_named(command: Run, tmp_path: Path, head: bytes, said: str) -> None:
    (tmp_path / "vmcore").write_bytes(head)
    done = command("report", tmp_path / "vmcore")
    assert done.status == NOT_A_DUMP and said in done.err


def test_a_plain_file_that_root_cannot_read_is_no_locked_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "root squash" in _forbidden(Path("/srv/nfs/vmcore"))
    assert "locked down" in _forbidden(Path("/proc/kcore"))


def test_what_could_not_be_looked_at_is_a_line(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(DUMPS / NAME, tmp_path / "vmcore")
    closed = tmp_path / "closed"
    closed.mkdir()
    real = os.scandir

    def scandir(path: Path) -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    lines = [json.loads(line) for line in command("triage", tmp_path).out.splitlines()]
    assert {"path": str(closed), "error": f"{closed}: Permission denied"} in lines
    assert any(line.get("cause") for line in lines)


def test_more_files_than_are_looked_at_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oopscope.dumps.MAX_ENTRIES", 3)
    for n in range(5):
        (tmp_path / f"f{n}").write_bytes(b"x")
    missed = []
    assert list(find_dumps(tmp_path, missed=lambda path, why: missed.append((path, why)))) == []
    assert missed == [(tmp_path, "it has more than 3 files: the others were not looked at")]


def test_a_dump_that_takes_too_long_or_too_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "SECONDS", 1)

    def long(_path: Path) -> None:
        with many.limited(1):
            while True:
                pass

    monkeypatch.setattr(many, "line_of", long)
    assert "took longer than 1 s" in many.one(Path("x"))["error"]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

    def large(_path: Path) -> None:
        raise MemoryError

    monkeypatch.setattr(many, "line_of", large)
    assert "MiB of memory" in many.one(Path("x"))["error"]


def test_a_file_is_written_whole_or_not_at_all(command: Run, tmp_path: Path) -> None:
    out = tmp_path / "report.txt"
    out.write_text("before")
    with pytest.raises(OSError, match="No space") as caught, whole_file(out) as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(out)
    assert out.read_text() == "before" and list(tmp_path.iterdir()) == [out]
    assert command("report", DUMPS / NAME, "--sections", "dump", "-o", out).status == DONE
    assert "kdump" in out.read_text() and list(tmp_path.iterdir()) == [out]


def test_a_dash_is_the_standard_output(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = command("report", DUMPS / NAME, "--sections", "dump", "-o", "-")
    assert done.status == DONE and "kdump" in done.out
    assert not list(tmp_path.iterdir())


def test_a_distilled_dump_goes_to_the_standard_output(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(_dump: Any, out: Path, *_: Any) -> Any:
        out.write_bytes(b"KDUMP   ")
        return Written(1, 8)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("oopscope.cli.distill.distill", made)
    done = command("distill", DUMPS / NAME, "-")
    assert done.status == DONE and done.out == "KDUMP   "
    assert not list(tmp_path.iterdir())


def test_a_file_that_becomes_shorter_while_it_is_open_is_a_cut_one(tmp_path: Path) -> None:
    path = tmp_path / "vmcore"
    shutil.copy(DUMPS / NAME, path)
    kernel = open_kernel([path])
    assert kernel.facts.complete
    os.truncate(path, path.stat().st_size * 6 // 10)
    report = build(kernel)
    assert report["dump"]["complete"] is False and status(report) == DAMAGED
    assert report["tasks"] is None and report["modules"] is None and report["verdict"]["lacks"]
    assert report["verdict"]["confidence"] == "possible"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_line(command: Run) -> None:
    done = command("report", DUMPS / NAME, "--sections", "dump", "-o", "/dev/full")
    assert done.status == USAGE and done.err.count("\n") == 1 and "/dev/full" in done.err


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", " =1", "\n=1"])
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    assert _flat(text).startswith("'")


@pytest.mark.parametrize("text", ["insmod", "0xffff888000000000", "[kworker/0:1]", "a=b", ""])
def test_other_cells_of_csv_are_as_they_are(text: str) -> None:
    assert _flat(text) == text


@pytest.mark.thorough
def test_a_small_file_that_unpacks_to_gigabytes_costs_little(
    tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path / "cache"))
    packer = bz2.BZ2Compressor()
    data = b"".join([packer.compress(bytes(1 << 20)) for _ in range(200)]) + packer.flush()
    assert len(data) < 10_000
    (tmp_path / "vmcore.bz2").write_bytes(data)
    done = command("report", tmp_path / "vmcore.bz2")
    assert done.status == DAMAGED and "no dump does" in done.err


def test_no_message_tells_a_query_or_a_credential() -> None:
    error = OSError("cannot open https://me:secret@host/vmcore?X-Amz-Signature=abc123&x=y (403)")
    assert "secret" not in _reason(error) and "abc123" not in _reason(error) and "host/vmcore" in _reason(error)


@pytest.mark.parametrize(
    "host, said",
    [
        ("localhost:8000", "localhost:8000"),
        ("[::1]:8000", "[::1]:8000"),
        ("LOCALHOST", "localhost"),
        ("localhost; script-src *", ""),
        ("localhost:80; script-src *", ""),
        ("localhost:80\r\nX: y", ""),
        ("", ""),
    ],
)
def test_nothing_of_a_host_header_comes_back_but_a_name_and_a_port(host: str, said: str) -> None:
    web = pytest.importorskip("oopscope.cli.web")
    assert web.place(host) == said
