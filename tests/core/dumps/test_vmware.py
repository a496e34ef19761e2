"""VMware's state files: memory inside or beside, regions about the hole, CPUs in both notations."""

from pathlib import Path
from typing import Any

import pytest

from builders import text_page
from builders.vmware import cpu_tags, memory_tags, vmss
from oopscope.dumps import open_container, open_path
from oopscope.errors import FormatError, MissingPage, NotADump
from oopscope.sources.file import BytesSource

RAM = b"".join(text_page(n) for n in range(8))
REGIONS = [(0, 0, 5), (5, 0x100000, 3)]  # the second at 4 GiB


def check(dump: Any) -> None:
    assert [dump.page(n) for n in (0, 4, 0x100000, 0x100002)] == [text_page(n) for n in (0, 4, 5, 7)]
    with pytest.raises(MissingPage) as caught:
        dump.page(5)
    assert caught.value.why == "never-saved"
    assert dump.ranges() == [(0, 5 << 12), (0x100000000, 0x100003000)]
    facts = dump.facts()
    assert (facts.format, facts.machine, facts.pages_saved, facts.complete) == ("vmware", "x86_64", 8, True)


@pytest.mark.parametrize("magic", [0xBED2BED2, 0xBED3BED3, 0xBAD1BAD1])
def test_memory_inside(magic: int) -> None:
    raw = vmss({"memory": memory_tags(REGIONS, RAM), "cpu": cpu_tags(1, blocks=True)}, magic)
    check(open_container([BytesSource(raw)]))


def test_memory_beside_by_either_name(tmp_path: Path) -> None:
    (tmp_path / "vm-Snapshot1.vmsn").write_bytes(vmss({"memory": memory_tags(REGIONS)}))
    (tmp_path / "vm-Snapshot1.vmem").write_bytes(RAM)
    for name in ("vm-Snapshot1.vmsn", "vm-Snapshot1.vmem"):
        dump = open_path(tmp_path / name)
        check(dump)
        assert dump.facts().parts == 2


@pytest.mark.parametrize("blocks", [True, False])
def test_cpus(blocks: bool) -> None:
    raw = vmss({"memory": memory_tags(REGIONS, RAM), "cpu": cpu_tags(2, blocks)})
    first, second = open_container([BytesSource(raw)]).cpus()
    assert (first.general["rax"], second.general["r15"]) == (0x1000, 0x200F)
    assert (second.general["rip"], second.general["rflags"]) == (0xFFFFFFFF81000001, 0x246)
    assert second.control == {"cr0": 0x80050033, "cr2": 0xDEAD, "cr3": 0x1234001, "cr4": 0x6F0}
    assert (first.segments["gs"].base, first.segments["cs"].selector) == (5 << 20, 8)
    assert first.segments["idt"].base == 0xFFFFFE0000000000


def test_without_regions_memory_begins_at_zero() -> None:
    dump = open_container([BytesSource(vmss({"memory": memory_tags([], RAM)}))])
    assert dump.ranges() == [(0, 8 << 12)]


def test_a_state_file_alone_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "vm.vmss").write_bytes(vmss({"memory": memory_tags(REGIONS)}))
    with pytest.raises(NotADump, match=r"put vm\.vmem beside it"):
        open_path(tmp_path / "vm.vmss")


def test_packed_memory_is_refused() -> None:
    with pytest.raises(NotADump, match="packed"):
        open_container([BytesSource(vmss({"memory": memory_tags(REGIONS, RAM, packed=True)}))])


def test_a_memory_file_cut_off(tmp_path: Path) -> None:
    (tmp_path / "vm.vmss").write_bytes(vmss({"memory": memory_tags(REGIONS)}))
    (tmp_path / "vm.vmem").write_bytes(RAM[:-5000])
    dump = open_path(tmp_path / "vm.vmss")
    with pytest.raises(MissingPage) as caught:
        dump.page(0x100002)
    assert caught.value.why == "truncated"
    assert not dump.facts().complete


def test_two_memory_files_are_refused() -> None:
    with pytest.raises(FormatError, match="at most one"):
        open_container([BytesSource(vmss({"memory": memory_tags(REGIONS)})), BytesSource(RAM), BytesSource(RAM)])
