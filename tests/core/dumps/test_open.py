"""Opening a path: the right container, its companions, or one clear line."""

import gzip
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from builders import text_page
from builders.elf import Elf, Load
from builders.flattened import flatten
from builders.kdump import Kdump
from oopscope.dumps import find_dumps, open_path
from oopscope.errors import FormatError, NotADump

PAGES = {n: text_page(n) for n in range(64)}


def kdump(**more: Any) -> bytes:
    return Kdump(PAGES, **more).build()


def refused(*paths: Path | str) -> str:
    with pytest.raises(NotADump) as caught:
        open_path(*paths)
    said = str(caught.value)
    assert said.startswith(str(paths[0]))
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "raw", [kdump(), flatten(kdump()), Elf([Load(0, b"".join(PAGES.values()))]).build()], ids=["kdump", "flat", "elf"]
)
def test_opens_by_content_whatever_its_name(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "renamed.txt"
    path.write_bytes(raw)
    assert open_path(path).page(5) == PAGES[5]
    assert open_path(str(path)).facts().bytes == len(raw)


def split(folder: Path, bounds: Any, **more: Any) -> list[Path]:
    names = []
    for n, b in enumerate(bounds):
        names.append(folder / f"vmcore.{n}")
        names[-1].write_bytes(kdump(split=b, **more))
    return names


def test_the_other_parts_are_found_beside_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", "off")
    names = split(tmp_path, [(0, 20), (20, 40), (40, 64)])
    (tmp_path / "other-set").write_bytes(kdump(split=(20, 64), timestamp=7))
    (tmp_path / "whole").write_bytes(kdump())
    (tmp_path / "notes.txt").write_text("KDUMP   is what it begins with")
    (tmp_path / "copy-of-0").write_bytes(names[0].read_bytes())
    (tmp_path / "noise.gz").write_bytes(gzip.compress(b"KDUMP")[:-9])
    for name in names[1:]:  # a part may be packed
        name.write_bytes(gzip.compress(name.read_bytes(), 1))
    (tmp_path / "empty-part").write_bytes(kdump(split=(20, 20)))  # before the one that begins with the same page
    for name in names:
        dump = open_path(name)
        assert [dump.page(n) for n in PAGES] == list(PAGES.values())
        assert (dump.facts().parts, dump.facts().complete) == (4, True)


def test_parts_in_several_places_are_given_by_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = split(tmp_path / "a", [(0, 20)])[0], split(tmp_path / "b", [(20, 64)])[0]
    assert open_path(first).facts().parts == 1
    assert open_path(second, first).page(5) == PAGES[5]


def test_missing_and_unreadable(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none")
    assert "one dump" not in refused(tmp_path / "none")
    secret = tmp_path / "vmcore"
    secret.write_bytes(kdump())
    secret.chmod(0)
    if os.geteuid():
        assert "sudo" in refused(secret)
    assert "embedded null" in refused("bad\0name")


def test_no_permission_gives_the_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*args: Path | int) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "vmcore"
    path.write_bytes(kdump())
    monkeypatch.setattr(os, "open", deny)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "sudo" in refused(path)


def test_a_device_or_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a file" in refused(tmp_path / "pipe")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert "device" in refused("/dev/null")


def test_a_directory_names_its_dumps(tmp_path: Path) -> None:
    assert "no dump in it" in refused(tmp_path)
    for name in ("127.0.0.1-2026-01-01", "127.0.0.1-2026-02-02"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vmcore").write_bytes(flatten(kdump()))
        (tmp_path / name / "vmcore-dmesg.txt").write_text("[    0.000000] Linux version 6.1.0")
    said = refused(tmp_path)
    assert said.endswith("127.0.0.1-2026-01-01/vmcore, 127.0.0.1-2026-02-02/vmcore")
    assert [p.parent.name for p in find_dumps(tmp_path)] == ["127.0.0.1-2026-01-01", "127.0.0.1-2026-02-02"]
    for n in range(5):
        (tmp_path / f"dump{n}").write_bytes(kdump())
    assert refused(tmp_path).endswith(", ...")


def test_what_is_no_dump(tmp_path: Path) -> None:
    for raw, words in (
        (b"", "empty file"),
        (b"hello there\n" * 400, "text file"),
        (b"\x89LZO\0\r\n\x1a\n" + kdump(), "header is damaged"),
        (Elf([Load(0x1000, bytes(99))], type=2).build(), "no vmlinux"),
        (bytes(0x202) + b"HdrS" + bytes(9999), "kernel image"),
    ):
        path = tmp_path / "vmcore"
        path.write_bytes(raw)
        assert words in refused(path)


def test_a_dump_cut_in_half_opens_and_says_so(tmp_path: Path) -> None:
    path, raw = tmp_path / "vmcore", kdump(codec=None)
    path.write_bytes(raw[: len(raw) // 2])
    dump = open_path(path)
    assert dump.page(1) == PAGES[1]
    assert not dump.facts().complete
    path.write_bytes(raw[:3000])
    with pytest.raises(FormatError, match=re.escape(f"{path}: cut off within its headers (3000 bytes)")):
        open_path(path)


def test_a_read_that_the_system_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "vmcore"
    path.write_bytes(kdump())
    dump = open_path(path)
    dump.page(1)
    monkeypatch.setattr(os, "pread", lambda *args: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    facts = dump.facts()
    assert not facts.complete
    assert any("Input/output error" in problem for problem in facts.problems)
