"""VMware's debug.guest: memory between the holes, CPUs, and what is none for its sums or its name."""

import gzip
from pathlib import Path

import pytest

from builders import text_page
from builders.guestdump import GAPS, guestdump
from oopscope.dumps import find_format, open_container, open_path
from oopscope.errors import FormatError, MissingPage, NotADump
from oopscope.sources.file import BytesSource

RAM = b"".join(text_page(n) for n in range(8))
HOLES = [(5, 0x100000 - 5)]  # up to 4 GiB


def put(folder: Path, state: bytes, memory: bytes = RAM, name: str = "debug") -> Path:
    (folder / f"{name}.guest").write_bytes(state)
    (folder / f"{name}.vmem").write_bytes(memory)
    return folder / f"{name}.guest"


def key_of(raw: bytes, name: str = "debug.guest") -> str | None:
    found = find_format(BytesSource(raw, name), guess=False)
    return found and found.key


@pytest.mark.parametrize("version", GAPS)
def test_every_version(tmp_path: Path, version: int) -> None:
    dump = open_path(put(tmp_path, guestdump(8, HOLES, 2, version)))
    assert [dump.page(n) for n in (0, 4, 0x100000, 0x100002)] == [text_page(n) for n in (0, 4, 5, 7)]
    with pytest.raises(MissingPage) as caught:
        dump.page(5)
    assert caught.value.why == "never-saved"
    assert dump.ranges() == [(0, 5 << 12), (0x100000000, 0x100003000)]
    first, second = dump.cpus()
    assert (first.general["r15"], second.general["rip"], second.general["rsp"]) == (0x1000, 0x2010, 0x2013)
    assert (second.general["rflags"], second.segments["cs"].selector) == (0x2012, 0x2011)
    assert second.control == {"cr0": 0x80050033, "cr2": 0xDEAD, "cr3": 0x1234001, "cr4": 0x6F0}
    assert first.segments["idt"].base == 0xFFFFFE0000000000
    facts = dump.facts()
    assert (facts.format, facts.machine, facts.parts, facts.pages_saved) == ("guestdump", "x86_64", 2, 8)
    assert facts.complete


def test_two_holes_or_none(tmp_path: Path) -> None:
    dump = open_path(put(tmp_path, guestdump(8, [(2, 3), (9, 0x100)])))
    assert dump.ranges() == [(0, 0x2000), (0x5000, 0x9000), (0x109000, 0x10B000)]
    assert dump.page(0x109) == text_page(6)
    assert open_path(put(tmp_path, guestdump(8, []))).ranges() == [(0, 0x8000)]


def test_either_name_and_packed_ones(tmp_path: Path) -> None:
    put(tmp_path, guestdump(8, HOLES))
    assert open_path(tmp_path / "debug.vmem").facts().format == "guestdump"
    packed = tmp_path / "packed"
    packed.mkdir()
    for name in ("debug.guest", "debug.vmem"):
        (packed / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    for name in ("debug.guest.gz", "debug.vmem.gz"):
        assert open_path(packed / name).page(0x100002) == text_page(7)


def test_what_is_none() -> None:
    state = guestdump(8, HOLES)
    assert key_of(state) == "guestdump"
    assert key_of(state, "debug.vmss") is None
    assert key_of(state + b"x") is None
    assert key_of(state[:-1]) is None
    assert key_of(guestdump(8, HOLES, version=7, machine=0)) is None  # aarch64
    for at in (0, 22, 30, 42):  # the version, the last address, the pages, the number of holes
        damaged = bytearray(state)
        damaged[at] ^= 0x7F
        assert key_of(bytes(damaged)) is None


def test_alone_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "debug.guest").write_bytes(guestdump(8, HOLES))
    with pytest.raises(NotADump, match=r"put debug\.vmem beside it"):
        open_path(tmp_path / "debug.guest")


def test_two_memory_files_are_refused() -> None:
    with pytest.raises(FormatError, match="at most one"):
        open_container([BytesSource(guestdump(8, HOLES), "a.guest"), BytesSource(RAM), BytesSource(RAM)])


def test_a_memory_file_cut_off(tmp_path: Path) -> None:
    dump = open_path(put(tmp_path, guestdump(8, HOLES), RAM[:-5000]))
    with pytest.raises(MissingPage) as caught:
        dump.page(0x100002)
    assert caught.value.why == "truncated"
    assert not dump.facts().complete
