"""kdump-compressed files: every version, ABI and codec, and every reason for a missing page."""

import struct
from pathlib import Path
from typing import Any

import pytest

from builders import noise_page, text_page
from builders.flattened import flatten
from builders.kdump import EXCLUDED, PACK, Kdump
from builders.notes import VMCOREINFO, note, qemu_cpu, vmcoreinfo
from oopscope.dumps import open_container, open_path
from oopscope.dumps.kdump import KdumpDump
from oopscope.errors import FormatError, MissingPage
from oopscope.sources.file import BytesSource

PAGES = {1: text_page(1), 2: bytes(4096), 3: noise_page(3), 7: EXCLUDED, 40: text_page(40), 70_000: text_page(70_000)}
NOTES = note("CORE", 1, bytes(336)) + vmcoreinfo()


def opened(*files: Kdump | bytes) -> Any:
    return open_container([BytesSource(f if isinstance(f, bytes) else f.build()) for f in files])


def saved(dump: KdumpDump, pages: Any) -> dict[int, bytes]:
    return {pfn: dump.page(pfn) for pfn, page in pages.items() if page is not EXCLUDED}


def why(dump: Any, pfn: int) -> str:
    with pytest.raises(MissingPage) as caught:
        dump.page(pfn)
    assert caught.value.address == pfn * dump.page_size
    return caught.value.why


@pytest.mark.parametrize("codec", [*PACK, None])
def test_round_trip_of_every_codec(codec: str) -> None:
    dump = opened(Kdump(PAGES, codec=codec))
    assert saved(dump, PAGES) == {n: p for n, p in PAGES.items() if p is not EXCLUDED}
    assert why(dump, 7) == "excluded"
    assert [why(dump, n) for n in (-1, 0, 8, 69_999, 70_001, 1 << 60)] == ["never-saved"] * 6
    facts = dump.facts()
    assert (facts.format, facts.compression, facts.machine) == ("kdump", codec, "x86_64")
    assert (facts.pages_saved, facts.pages_total, facts.complete, facts.problems) == (5, 6, True, [])
    assert (facts.nodename, facts.release, facts.timestamp) == ("lab", "6.1.0-test", 1_700_000_000)
    assert dump.ranges() == [(0x1000, 0x4000), (0x7000, 0x8000), (0x28000, 0x29000), (70_000 << 12, 70_001 << 12)]
    assert next(dump.saved_ranges()) == (0x1000, 0x4000)


ABIS = [
    {"bits": 64, "machine": "x86_64"},
    {"bits": 64, "endian": ">", "machine": "s390x"},
    {"bits": 64, "endian": ">", "machine": "ppc64", "block": 65536},
    {"bits": 64, "machine": "aarch64", "block": 16384},
    {"bits": 32, "machine": "i686"},
    {"bits": 32, "machine": "armv7l", "padded": True, "release": ""},
    {"bits": 32, "endian": ">", "machine": "ppc", "padded": True},
    {"bits": 64, "machine": "", "nodename": "", "release": "", "timestamp": 0},
]


@pytest.mark.parametrize("version", range(7))
@pytest.mark.parametrize("abi", ABIS, ids=lambda a: f"{a['machine']}{a.get('endian', '')}{a['bits']}")
def test_every_version_and_abi(version: int, abi: dict[str, int | str]) -> None:
    size, endian = abi.get("block", 4096), abi.get("endian", "<")
    notes = note("CORE", 1, bytes(336), endian) + vmcoreinfo(endian=endian)
    pages = {n: None if p is EXCLUDED else text_page(n, size) for n, p in PAGES.items()}
    dump = opened(Kdump(pages, version=version, notes=notes, vmcoreinfo=VMCOREINFO, phys_base=0x1000000, **abi))
    assert dump.header.abi.bits == abi["bits"]
    assert saved(dump, pages) == {n: p for n, p in pages.items() if p is not EXCLUDED}
    facts = dump.facts()
    assert (facts.page_size, facts.machine, facts.phys_base) == (size, abi["machine"] or None, 0x1000000)
    assert facts.byteorder == ("little" if endian == "<" else "big")
    assert facts.dump_level == (31 if version else None)
    names = [n.name for n in dump.notes()]
    assert names == (["CORE", "VMCOREINFO"] if version >= 4 else ["VMCOREINFO"] if version == 3 else [])
    assert [n.desc for n in dump.notes() if n.name == "VMCOREINFO"] == [VMCOREINFO] * (version >= 3)


def test_32_bit_arm_counts_from_the_start_of_ram() -> None:
    dump = opened(Kdump({0: text_page(0)}, bits=32, padded=True, machine="armv7l", phys_base=0x80000000))
    assert dump.page(0x80000) == text_page(0)
    assert dump.ranges() == [(0x80000000, 0x80001000)]
    assert why(dump, 0) == "never-saved"


def test_kernel_text_moved_below_its_link_address() -> None:
    assert opened(Kdump(PAGES, phys_base=-0x2000000)).facts().phys_base == -0x2000000


def test_one_bitmap_plays_both_roles() -> None:
    pages = {n: p for n, p in PAGES.items() if p}
    dump = opened(Kdump(pages, version=1, one_bitmap=True))
    assert saved(dump, pages) == pages
    assert why(dump, 7) == "never-saved"


def test_qemu_file_names_no_kernel_but_its_cpus() -> None:
    dump = opened(Kdump(PAGES, nodename="", release="", timestamp=0, machine="", notes=qemu_cpu(0) + qemu_cpu(1)))
    assert [c.general["rax"] for c in dump.cpus()] == [0x1000, 0x2000]
    facts = dump.facts()
    assert (facts.machine, facts.nodename, facts.release, facts.timestamp) == (None, None, None, None)


def test_incomplete_dump_says_so_and_its_lost_pages_are_truncated() -> None:
    dump = opened(Kdump(PAGES, status=0x8, lost={40, 70_000}))
    assert dump.page(1) == PAGES[1]
    assert [why(dump, 40), why(dump, 70_000), why(dump, 7)] == ["truncated", "truncated", "excluded"]
    assert not dump.facts().complete
    assert "disk was full" in dump.facts().problems[0]


@pytest.mark.parametrize(
    "where, reason",
    [
        ((1 << 40, 100, 1), "truncated"),
        ((1 << 63, 4096, 0), "truncated"),
        ((4096, 4096, 0), "corrupt"),  # the headers themselves
        ((-1 & (1 << 64) - 1, 100, 1), "truncated"),
        ("size", "corrupt"),
        ("zero", "corrupt"),
        ("codec", "corrupt"),
    ],
)
def test_descriptors_that_lie(where: tuple[int, int, int], reason: str) -> None:
    last = len(Kdump(PAGES).build()) - 4096
    named = {"size": (last, 5000, 1), "zero": (last, 0, 0), "codec": (last, 100, 0x40)}
    dump = opened(Kdump(PAGES, descriptors={40: named.get(where, where)}))  # type: ignore[call-overload]
    assert why(dump, 40) == reason
    assert dump.page(1) == PAGES[1]


@pytest.mark.parametrize("name", PACK)
def test_a_page_that_does_not_unpack_to_a_page_is_corrupt(name: str) -> None:
    flag, pack = PACK[name]
    stored = {40: (pack(bytes(1 << 16)), flag), 1: (b"\x55" * 99, flag), 3: (pack(text_page(1, 100)), flag)}
    dump = opened(Kdump(PAGES, codec=name, stored=stored))
    assert [why(dump, n) for n in (40, 1, 3)] == ["corrupt"] * 3
    assert dump.page(70_000) == PAGES[70_000]


def test_a_file_cut_off_keeps_what_it_has() -> None:
    raw = Kdump(PAGES, codec=None).build()
    dump = opened(raw[:-5000])
    assert dump.page(1) == PAGES[1]
    assert [why(dump, 40), why(dump, 70_000)] == ["truncated", "truncated"]
    assert dump.facts().complete is False
    assert "cut off" in dump.facts().problems[0]


def test_a_file_cut_off_counts_the_pages_that_it_still_has() -> None:
    pages = {n: text_page(n, 4096) for n in range(10_000, 15_000)}
    raw = Kdump(pages, codec=None).build()
    for lost in (1, 1234, 4999):
        dump = opened(raw[: len(raw) - lost * 4096])
        assert dump.facts().pages_saved == 5000 - lost
        assert dump.saved_in(0, 15_000 * 4096) == (5000 - lost) * 4096
        assert dump.saved_in((14_999 - lost) * 4096, (15_001 - lost) * 4096) == 4096
    assert opened(raw).facts().pages_saved == 5000


def test_a_file_cut_off_behind_many_zero_pages_counts_those_before() -> None:
    pages = {n: text_page(n, 4096) if n < 12_000 or n >= 30_000 else bytes(4096) for n in range(10_000, 31_000)}
    raw = Kdump(pages, codec=None).build()
    dump = opened(raw[: len(raw) - 500 * 4096])
    assert dump.facts().pages_saved == 20_500


def test_a_file_cut_off_in_its_bitmaps_knows_no_page() -> None:
    raw = Kdump(PAGES).build()
    second = 4096 * 2 + 3 * 4096
    dump = opened(raw[: second + 100])
    assert why(dump, 1) == "truncated"
    assert why(dump, 70_000) == "truncated"
    assert not dump.facts().complete


def test_a_file_cut_off_in_its_headers_does_not_open() -> None:
    raw = Kdump(PAGES).build()
    for size in (8, 300, 463, 4096, 8000):
        with pytest.raises(FormatError, match="cut off"):
            opened(raw[:size])


SPLIT = {n: text_page(n) if n % 3 else EXCLUDED for n in range(300)}


def parts(*bounds: tuple[int, int], **more: int) -> list[Kdump]:
    return [Kdump(SPLIT, split=b, **more) for b in bounds]


def test_split_set_in_any_order() -> None:
    dump = opened(*parts((200, 300), (0, 100), (100, 200)))
    assert saved(dump, SPLIT) == {n: p for n, p in SPLIT.items() if p}
    assert why(dump, 150) == "excluded"
    assert (dump.facts().parts, dump.facts().complete) == (3, True)
    assert dump.facts().pages_saved == 200


def test_split_set_with_a_part_missing() -> None:
    dump = opened(*parts((0, 100), (200, 300)))
    assert dump.page(250) == SPLIT[250]
    assert why(dump, 151) == "never-saved"
    problems = dump.facts().problems
    assert len(problems) == 1
    assert "0x64 to 0xc8" in problems[0]


@pytest.mark.parametrize("bounds", [[(0, 100)], [(200, 300)]])
def test_one_part_alone(bounds: Any) -> None:
    dump = opened(*parts(*bounds))
    first, end = bounds[0]
    assert [dump.page(n) for n in range(first, end) if n % 3] == [SPLIT[n] for n in range(first, end) if n % 3]
    assert not dump.facts().complete


def test_parts_of_older_files_use_the_older_bounds() -> None:
    dump = opened(*parts((0, 100), (100, 300), version=5))
    assert saved(dump, SPLIT) == {n: p for n, p in SPLIT.items() if p}


def test_files_that_are_no_set_are_refused() -> None:
    for other in (Kdump(SPLIT, split=(100, 300), timestamp=5), Kdump(SPLIT)):
        with pytest.raises(FormatError, match="not parts of one"):
            opened(Kdump(SPLIT, split=(0, 100)), other)
    with pytest.raises(FormatError, match="no part of"):
        opened(Kdump(SPLIT, split=(0, 100)), bytes(9999))


@pytest.mark.parametrize("seed", [None, 1])
def test_flattened(seed: int | None) -> None:
    dump = opened(flatten(Kdump(PAGES).build(), 999, seed))
    assert saved(dump, PAGES) == {n: p for n, p in PAGES.items() if p}
    assert (dump.facts().flattened, dump.facts().complete) == (True, True)


def test_flattened_and_cut_off() -> None:
    raw = flatten(Kdump(PAGES, codec=None).build(), 999)
    dump = opened(raw[:-6000])
    assert dump.page(1) == PAGES[1]
    assert why(dump, 70_000) == "truncated"
    assert not dump.facts().complete


def patched(offset: int, layout: str, *values: bytes | int, **spec: Any) -> bytes:
    raw = bytearray(Kdump(PAGES, **spec).build())
    struct.pack_into(layout, raw, offset, *values)
    return bytes(raw)


@pytest.mark.parametrize(
    "raw",
    [
        patched(4096 + 96, "<Q", 1 << 60),  # max_mapnr_64
        patched(440, "<I", 0),
        patched(436, "<I", 0xFFFFFFFF),  # bitmap_blocks
        patched(436, "<I", 0),
        patched(432, "<i", 0x7FFF),  # sub_hdr_size
        patched(4096 + 48, "<qQ", 4096 + 104, 1 << 62, notes=NOTES),  # size_note
        patched(4096 + 48, "<qQ", -1, 1 << 63, notes=NOTES),
        patched(4096 + 32, "<qQ", 1 << 62, 1 << 62, version=3),
        patched(4096 + 12, "<i2Q", 1, 500, 2, version=2),  # split, from 500 to 2
        patched(4096 + 80, "<2Q", 1 << 63, 1 << 63, split=(0, 1)),
        patched(12, "390s", b"\xff" * 390),  # utsname
    ],
)
def test_headers_that_lie_end_in_a_word_or_a_dump(raw: bytes) -> None:
    try:
        dump = opened(raw)
    except FormatError:
        return
    assert isinstance(dump, KdumpDump)
    dump.facts()
    list(dump.notes())
    dump.ranges()
    for pfn in PAGES:
        try:
            dump.page(pfn)
        except MissingPage as e:
            assert e.why in ("truncated", "corrupt", "never-saved", "excluded")


@pytest.mark.parametrize(
    "offset, value", [(428, 3), (428, 1 << 20), (428, -4096), (432, 0), (432, -1), (8, 99), (8, -1)]
)
def test_headers_of_no_sense_are_refused(offset: int, value: int) -> None:
    with pytest.raises(FormatError, match="no sense"):
        opened(patched(offset, "<i", value))


def test_a_writer_that_died_left_its_last_pages_out() -> None:
    dump = opened(Kdump(PAGES, lost={40, 70_000}))
    assert why(dump, 70_000) == "truncated"
    assert "never written" in dump.facts().problems[0]
    assert not dump.facts().complete


def test_a_part_without_pages_does_not_stand_in_the_way() -> None:
    dump = opened(*parts((0, 100), (100, 100), (100, 300)))
    assert saved(dump, SPLIT) == {n: p for n, p in SPLIT.items() if p}
    assert dump.facts().problems == []


def test_what_was_erased_is_told() -> None:
    told = b"erase saved_command_line\nerase module.account.key size 16\n"
    facts = opened(Kdump(PAGES, notes=NOTES, eraseinfo=told)).facts()
    assert facts.erased == ("erase saved_command_line", "erase module.account.key size 16")
    assert opened(Kdump(PAGES, notes=NOTES)).facts().erased == ()


def test_cut_within_its_bitmaps_is_not_complete() -> None:
    whole = Kdump(PAGES).build()
    header = opened(whole).header
    for end in range(header.bitmap + 512, header.descriptors, 4096):
        facts = opened(whole[:end]).facts()
        assert not facts.complete and "within its bitmaps" in facts.problems[0]
    assert not opened(whole[: header.descriptors]).facts().complete


def test_a_copy_with_zero_bytes_in_the_place_of_pages_is_not_complete() -> None:
    pages = {n: noise_page(n) for n in range(64)}
    for codec in ("zlib", None):
        whole = Kdump(pages, codec=codec).build()
        assert opened(whole).facts().complete
        facts = opened(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2)).facts()
        assert not facts.complete and "zero bytes in the place of pages" in facts.problems[0]


def test_a_file_that_became_shorter_is_not_complete(tmp_path: Path) -> None:
    whole = Kdump({n: noise_page(n) for n in range(64)}).build()
    path = tmp_path / "dump"
    path.write_bytes(whole)
    dump = open_path(path)
    facts = dump.facts()
    assert facts.complete
    with path.open("r+b") as file:
        file.truncate(len(whole) // 2)
    assert why(dump, 63) == "truncated"
    facts.look_again()
    assert not facts.complete and "became shorter" in facts.problems[0]
