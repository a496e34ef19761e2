"""What is distilled gives the same report as its source, from a file that any reader of kdump files opens."""

import struct
from pathlib import Path

import pytest

from builders.altered import Altered, stored
from cases import NAMES, Case, case_of
from oopscope.boot.attach import open_kernel
from oopscope.distill import kdump_file, other_readers
from oopscope.distill.recording import Recording, distill
from oopscope.dumps import open_path
from oopscope.dumps.kdump import KdumpDump
from oopscope.errors import MissingPage, OopscopeError
from oopscope.inspect.code import registers
from oopscope.inspect.words import CHUNK, words
from oopscope.report.build import build
from oopscope.stacks.cpus import all_cpus
from oopscope.symbols.vmcoreinfo import VmcoreInfo

SECTIONS = ("system", "verdict", "cpus", "tasks", "meminfo", "zones", "slabs", "modules", "mounts", "log")
# One death of each kernel: what is read depends on the kernel, little on how it died.
CHOSEN = list({name.split("-")[0]: name for name in NAMES}.values())


@pytest.fixture(scope="module", params=CHOSEN)
def distilled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Case, Path, kdump_file.Written]:
    """(the source, the distilled file, what distilling said of it)."""
    source = case_of(request.param)
    out = tmp_path_factory.mktemp("distilled") / "small.kdump"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kdump_file, "LEVEL", 1)  # the report does not depend on how well the pages are packed
        return source, out, distill(open_path(source.path), out, lambda _text: None)


@pytest.mark.thorough
def test_the_report_is_the_same(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    source, out, _ = distilled
    report = build(open_kernel([out]), [*SECTIONS, "dump"], stacks=True)
    for section in SECTIONS:
        assert report[section] == source.report[section], section
    assert [p for p in report["problems"] if p["section"] != "meminfo"] == []  # whose lines are more than was distilled
    same = ("compression", "dump_level", "excluded", "page_size", "arch", "complete")
    assert {k: report["dump"][k] for k in same} == {k: source.report["dump"][k] for k in same}


@pytest.mark.thorough
def test_pages_are_the_sources_own(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    source, out, done = distilled
    small, whole = open_path(out), open_path(source.path)
    pages = 0
    for address, data in small.blocks():
        for at in range(0, len(data), 4096):
            page = data[at : at + 4096]
            if any(page):
                assert page == whole.page((address + at) // 4096)
            pages += 1
    assert 1000 < pages <= done.pages == small.facts().pages_saved
    assert done.bytes == out.stat().st_size


def test_what_registers_and_a_stacks_words_point_at_is_in_it(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    source, out, _ = distilled
    kernel = open_kernel([out])
    for cpu in all_cpus(source.kernel):
        told = [str(register.meaning) for register in registers(source.kernel, cpu.cpu)]
        assert [str(register.meaning) for register in registers(kernel, cpu.cpu)] == told
    for frame in all_cpus(source.kernel)[0].frames[:8]:
        if frame.sp and frame.kind != "user":
            start = frame.sp & -8 * CHUNK
            assert [str(word) for word in words(kernel, start)] == [str(word) for word in words(source.kernel, start)]


def test_code_around_every_frame_is_in_it(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    """For a disassembly by hand, and for whoever scans a stack for calls; the boot's own code was freed long since."""
    source, out, _ = distilled
    kernel, seen = open_kernel([out]), 0
    frames = [f for c in source.report["cpus"] for f in c["frames"]] + [
        f for t in source.report["tasks"] for f in t["frames"]
    ]
    for address in {int(f["address"], 16) for f in frames if f["kind"] != "user"}:
        try:
            code = source.kernel.memory.read(address - 64, 128)
        except MissingPage:
            continue
        assert kernel.memory.read(address - 64, 128) == code
        seen += 1
    assert seen > 40


def test_nothing_of_a_program_is_in_it(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    """The guest's own script printed its account from a program's memory, and lies in the page cache."""
    _, out, _ = distilled
    for _address, data in open_path(out).blocks():
        for text in (b"=== TRUTH", b"#!/bin/", b"; do ", b"awk '"):
            assert text not in data


def test_header_as_any_reader_wants_it(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    source, out, _ = distilled
    raw, system = out.read_bytes()[:12288], source.report["system"]
    assert raw[:8] == b"KDUMP   "
    assert struct.unpack_from("<i", raw, 8) == (6,)
    names = [raw[12 + 65 * i : 12 + 65 * (i + 1)].split(b"\0")[0].decode() for i in range(6)]
    assert names[:5] == ["Linux", system["nodename"], system["release"], system["version"], system["machine"]]
    _status, block, _sub, _bitmaps = struct.unpack_from("<Iiii", raw, 424)
    assert block == 4096
    assert b"OSRELEASE=" + system["release"].encode() in raw
    facts = open_path(out).facts()
    assert (facts.nodename, facts.release, facts.machine) == (system["nodename"], system["release"], "x86_64")
    assert facts.timestamp == open_path(source.path).facts().timestamp
    assert facts.phys_base is not None


def test_a_page_that_was_left_out_is_excluded_not_unknown(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    """RAM that is not in the file is told from what is no RAM."""
    _, out, _ = distilled
    small = open_path(out)
    start, end = max(small.ranges(), key=lambda r: r[1] - r[0])
    missing = {"excluded": 0}
    for pfn in range(start // 4096, end // 4096, 97):
        try:
            small.page(pfn)
        except MissingPage as e:
            missing[e.reason] += 1
    assert missing["excluded"] > 100
    with pytest.raises(MissingPage) as caught:
        small.page(1 << 40)
    assert caught.value.reason == "never-saved"


def test_what_is_read_is_what_is_kept() -> None:
    """A recording hands on what the dump has, and remembers the number of each page that was there."""
    whole = open_path(case_of("6.1-null").path)
    recording = Recording(whole, VmcoreInfo({}))
    pfn = next(whole.blocks())[0] // 4096
    assert recording.page(pfn) == recording.page(pfn) == whole.page(pfn)
    with pytest.raises(MissingPage):
        recording.page(1 << 40)
    assert recording.wanted == {pfn}
    assert (recording.page_size, recording.ranges()) == (whole.page_size, whole.ranges())
    assert [n.name for n in recording.notes()] == [n.name for n in whole.notes()]
    assert recording.facts().bytes == whole.facts().bytes


def test_a_recording_has_vmcoreinfo_in_any_case() -> None:
    """What was found by a search need not be searched for again."""
    info = case_of("6.1-null").kernel.info
    (found,) = Recording(Altered(stored("6.1-null.kdump"), bare=True), info).notes()
    assert VmcoreInfo.parse(found.desc).raw == info.raw


@pytest.mark.thorough
def test_what_a_search_only_passes_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VMCOREINFO of 5.10 does not name kallsyms, which is looked for through the whole image."""
    monkeypatch.setattr(kdump_file, "LEVEL", 1)
    kernel = case_of("5.10-sysrq").kernel
    first, last = (
        kernel.memory.translate(kernel.symbol(name)) >> 12 for name in ("_stext", "_sdata")
    )  # the data is kept
    small = stored("5.10-sysrq.kdump")
    held = {at // 4096 for at, _ in small.blocks()}
    image = {pfn: bytes([pfn % 256]) * 4096 for pfn in range(first, last) if pfn not in held}
    assert len(image) > 2000
    plain = distill(small, tmp_path / "plain.kdump", lambda _text: None)
    whole = distill(Altered(small, pages=image), tmp_path / "whole.kdump", lambda _text: None)
    assert plain.pages <= whole.pages < plain.pages + len(image) // 10
    others = [
        name for name in SECTIONS if name != "meminfo"
    ]  # more lines than were distilled, which zeros give a value
    report, source = build(open_kernel([tmp_path / "whole.kdump"]), others, stacks=True), case_of("5.10-sysrq").report
    assert {key: report[key] for key in others} == {key: source[key] for key in others}


def test_what_other_tools_read_is_in_it(distilled: tuple[Case, Path, kdump_file.Written]) -> None:
    """Crash opens with the kernel's data, each task_struct and stack whole, the roots of mem_section, the modules."""
    source, out, _ = distilled
    kernel, lacking = open_kernel([out]), list[str]()
    for start, end in other_readers.ranges(source.kernel):
        for address in range(start & -4096, end, 4096):
            try:
                page = source.kernel.memory.page(address >> 12)
            except OopscopeError:
                continue
            try:
                assert kernel.memory.page(address >> 12) == page
            except OopscopeError:
                lacking.append(hex(address))
    assert not lacking


@pytest.mark.thorough
def test_zlib_is_for_readers_without_zstd(tmp_path: Path) -> None:
    out = tmp_path / "small.kdump"
    distill(open_path(case_of(CHOSEN[0]).path), out, lambda _text: None, zlib=True)
    assert open_path(out).facts().compression == "zlib"


def test_many_pages_stay_as_they_are_packed_and_zero_pages_share_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kdump_file, "FEW", 0)
    source, out, said = open_path(case_of("5.10-sysrq").path), tmp_path / "small.kdump", list[str]()
    done = distill(source, out, said.append)
    small = open_path(out)
    pfn = next(address // 4096 for address, _ in small.blocks())
    assert isinstance(small, KdumpDump) and isinstance(source, KdumpDump)
    assert small.packed(pfn) == source.packed(pfn)
    assert done.pages == small.facts().pages_saved
    assert any(text.startswith("writing page") for text in said)
