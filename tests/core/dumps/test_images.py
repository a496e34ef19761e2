"""LiME, AVML and raw images."""

import struct
from collections.abc import Callable
from typing import Any

import pytest

from builders import noise_page, text_page
from builders.images import BANNER, PROC_BANNER, avml, lime, raw
from builders.notes import vmcoreinfo
from oopscope.dumps import open_container
from oopscope.errors import FormatError, MissingPage
from oopscope.sources.file import BytesSource

RAM = b"".join(text_page(n) if n % 3 else noise_page(n) for n in range(1, 65))
HIGH = b"".join(text_page(n) for n in range(0x100000, 0x100004))
RANGES = [(0x1000, RAM), (0x100000000, HIGH)]


def opened(data: bytes) -> Any:
    return open_container([BytesSource(data)])


def why(dump: Any, pfn: int) -> str:
    with pytest.raises(MissingPage) as caught:
        dump.page(pfn)
    return caught.value.why


@pytest.mark.parametrize("make, key", [(lime, "lime"), (avml, "avml"), (lambda r: avml(r, plain=True), "avml")])
def test_ranges(make: Callable[..., Any], key: str) -> None:
    dump = opened(make(RANGES))
    assert b"".join(dump.page(n) for n in range(1, 65)) == RAM
    assert b"".join(dump.page(n) for n in reversed(range(0x100000, 0x100004))) == b"".join(
        HIGH[n : n + 4096] for n in (0x3000, 0x2000, 0x1000, 0)
    )
    assert dump.ranges() == [(0x1000, 0x41000), (0x100000000, 0x100004000)]
    assert [why(dump, n) for n in (-1, 0, 65, 0x100004, 1 << 60)] == ["never-saved"] * 5
    facts = dump.facts()
    assert (facts.format, facts.pages_saved, facts.complete) == (key, 68, True)
    assert facts.compression == ("snappy" if key == "avml" else None)


@pytest.mark.parametrize("make", [lime, avml])
def test_edges_within_a_page(make: Callable[..., Any]) -> None:
    dump = opened(make([(0x1000, RAM[:0x1C00]), (0x2E00, RAM[0x1E00:0x3000])]))
    assert dump.page(2) == RAM[0x1000:0x1C00] + bytes(0x200) + RAM[0x1E00:0x2000]


@pytest.mark.parametrize("make", [lime, avml])
def test_cut_off(make: Callable[..., Any]) -> None:
    data = make(RANGES)
    dump = opened(data[: len(data) // 2])
    assert dump.page(1) == RAM[:4096]
    assert why(dump, 64) == "truncated"
    assert not dump.facts().complete


def test_lime_with_damage_between_ranges() -> None:
    data = bytearray(lime(RANGES))
    data[32 + len(RAM)] ^= 1
    dump = opened(bytes(data))
    assert dump.page(64) == RAM[-4096:]
    assert "where one should begin" in dump.facts().problems[0]


def test_avml_with_a_wrong_length_is_read_forwards() -> None:
    data = bytearray(avml(RANGES))
    data[-1] = 7
    dump = opened(bytes(data))
    assert dump.page(0x100003) == HIGH[-4096:]
    assert not dump.facts().complete


def test_avml_damage_is_a_corrupt_page() -> None:
    data = bytearray(avml(RANGES))
    data[32 + 10] = 0x33  # the first chunk's type
    dump = opened(bytes(data))
    assert [why(dump, 1), why(dump, 2)] == ["corrupt", "corrupt"]
    data = bytearray(avml(RANGES))
    data[32 + 18 : 32 + 21] = b"\xff\xff\x7f"  # the first chunk's size unpacked
    assert why(opened(bytes(data)), 1) == "corrupt"


def test_a_range_of_the_whole_address_space_is_refused_or_empty() -> None:
    header = struct.pack("<IIQQQ", 0x4C694D45, 1, 0, (1 << 64) - 1, 0)
    assert opened(header + bytes(4096)).ranges() == []


@pytest.mark.parametrize("content", [{100: vmcoreinfo()}, {100: BANNER, 2000: PROC_BANNER}], ids=["note", "banners"])
def test_raw_is_known_by_what_a_kernel_leaves_in_memory(content: dict[int, bytes]) -> None:
    dump = opened(raw({**content, 7: text_page(7)}))
    assert dump.page(7) == text_page(7)
    assert dump.ranges() == [(0, 9 << 20)]
    assert dump.facts().format == "raw"


@pytest.mark.parametrize(
    "content, size",
    [
        ({100: BANNER}, 9 << 20),  # a log of one
        ({100: PROC_BANNER}, 9 << 20),
        ({100: b"the VMCOREINFO note"}, 9 << 20),
        ({100: vmcoreinfo(), 0: bytes(510) + b"\x55\xaa"}, 9 << 20),  # a disk
        ({100: vmcoreinfo()}, 1 << 20),
    ],
)
def test_what_is_no_raw_image(content: dict[int, bytes], size: int) -> None:
    assert opened(raw(content, size)) is None


def test_text_across_the_blocks_that_are_searched() -> None:
    image = bytearray(9 << 20)
    at = (4 << 20) - 20
    image[at : at + len(vmcoreinfo())] = vmcoreinfo()
    assert opened(bytes(image)) is not None


@pytest.mark.parametrize("make", [lime, avml])
def test_several_files_are_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(FormatError, match="one file"):
        open_container([BytesSource(make(RANGES))] * 2)
