"""Tar archives: the dump in one is read where it is; what else is in it is said."""

import io
import tarfile
from pathlib import Path

import pytest

from builders import noise_page
from builders.kdump import Kdump
from oopscope.dumps import open_path
from oopscope.errors import MissingPage, NotADump
from oopscope.sources.file import BytesSource
from oopscope.sources.tar import is_tar, members

PAGES = {n: noise_page(n) for n in range(1, 20)}
DUMP = Kdump(PAGES).build()


def archive(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_the_one_dump_in_it_is_opened(tmp_path: Path, mode: str) -> None:
    path = archive(tmp_path / "crash.tar", {"notes.txt": b"x" * 700, "crash/" + "d" * 90 + "/vmcore": DUMP}, mode)
    dump = open_path(path)
    assert all(dump.page(n) == page for n, page in PAGES.items()) and dump.facts().complete


def test_none_and_several_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotADump, match=r"several dumps .a, b.*tar xf"):
        open_path(archive(tmp_path / "two.tar", {"a": DUMP, "b": DUMP}))
    with pytest.raises(NotADump, match="without a dump"):
        open_path(archive(tmp_path / "none.tar", {"a": b"some text"}))


def test_one_that_is_cut_off(tmp_path: Path) -> None:
    whole = archive(tmp_path / "whole.tar", {"vmcore": DUMP}).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: 512 + len(DUMP) // 2])
    dump = open_path(tmp_path / "cut.tar")
    facts = dump.facts()
    assert not facts.complete and any("cut off" in text for text in facts.problems)
    with pytest.raises(MissingPage):
        dump.page(19)


def test_sizes_that_lie() -> None:
    head = bytearray(512)
    head[257:262] = b"ustar"
    for size in (b"\x80" + b"\xff" * 11, b"77777777777 ", b"nonsense    ", bytes(12)):
        head[124:136] = size
        source = BytesSource(bytes(head) * 3)
        assert is_tar(source)
        assert all(len(one.read_at(0, 100)) <= 100 for one in members(source))
