"""Views of sources, and libvirt's images whose stream is packed inside."""

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pytest
import zstandard

from builders import noise_page, text_page
from builders.migration import Migration, libvirt, x86_cpu
from builders.packed import lzop
from oopscope.dumps import open_path
from oopscope.errors import FormatError, NotADump
from oopscope.sources.file import BytesSource
from oopscope.sources.spliced import Rest, Spliced

PAGES = {n: noise_page(n) if n % 3 else text_page(n) for n in range(50)}
STREAM = Migration({"pc.ram": 50}, [("pc.ram", n, page) for n, page in PAGES.items()], cpus=[x86_cpu(0)]).build()
PACK = {
    1: gzip.compress,
    2: bz2.compress,
    3: lzma.compress,
    4: lzop,
    5: zstandard.ZstdCompressor().compress,
}


def test_views_are_cut_where_the_source_ends() -> None:
    source = BytesSource(b"0123456789")
    rest, spliced = Rest(source, 4), Spliced(b"abc", source, "both")
    assert (rest.size, spliced.size) == (6, 13)
    assert [rest.read_at(*at) for at in ((0, 3), (4, 9), (6, 1), (-1, 2))] == [b"456", b"89", b"", b""]
    assert [spliced.read_at(*at) for at in ((0, 3), (1, 4), (3, 2), (12, 9), (-1, 2), (0, 99))] == [
        b"abc",
        b"bc01",
        b"01",
        b"9",
        b"",
        b"abc0123456789",
    ]
    assert Rest(source, 99).size == 0


@pytest.mark.parametrize("kind", PACK)
def test_the_stream_inside_is_unpacked(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "vm.save"
    path.write_bytes(libvirt(PACK[kind](STREAM), kind=kind))
    said: list[Any] = []
    dump = open_path(path, say=said.append)
    assert {n: dump.page(n) for n in PAGES} == PAGES
    assert len(dump.cpus()) == 1
    facts = dump.facts()
    assert (facts.format, facts.complete) == ("libvirt", True)
    assert kind == 4 or said[0].startswith("unpacking vm.save")


def test_one_that_is_cut_says_so(tmp_path: Path) -> None:
    path = tmp_path / "vm.save"
    path.write_bytes(libvirt(gzip.compress(STREAM)[:-30_000], kind=1))
    dump = open_path(path)
    assert dump.page(0) == PAGES[0]
    assert any("cut off" in text for text in dump.facts().problems)
    assert not dump.facts().complete


def test_what_cannot_be_unpacked_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "vm.save"
    path.write_bytes(libvirt(STREAM, kind=1))
    with pytest.raises(NotADump, match=r"a libvirt image packed with gzip: unpack it first, with"):
        open_path(path)
    path.write_bytes(libvirt(lzop(STREAM)[:40] + bytes(500), kind=4))
    with pytest.raises(
        FormatError, match=r"vm.save: its compressed stream is damaged after 0 MiB: its header is damaged$"
    ):
        open_path(path)
