"""A kernel's byte order is part of what tells its machine: one of the other order is refused, and never misread."""

import pytest

from builders.elf import Elf, Load
from builders.kdump import Kdump
from builders.notes import note, vmcoreinfo
from oopscope.boot.attach import attach
from oopscope.dumps import open_container, open_path
from oopscope.errors import Unsupported
from oopscope.machine import arch_of_info, arch_of_machine
from oopscope.sources.file import BytesSource
from stored import STORE

PPC = b"OSRELEASE=6.12.0\nPAGESIZE=65536\nSYMBOL(mmu_psize_defs)=c000000002a10000\nSYMBOL(_stext)=c000000000000000\n"
ARM = b"OSRELEASE=6.12.0\nPAGESIZE=4096\nNUMBER(kimage_voffset)=0xffff7fffc7e00000\n"
RAM = bytes(0x1000)


@pytest.mark.parametrize(("number", "text", "name"), [(21, PPC, "ppc64le"), (183, ARM, "aarch64")])
def test_a_big_endian_kernel_is_not_taken_for_a_little_endian_one(number: int, text: bytes, name: str) -> None:
    raw = Elf([Load(0, RAM)], [vmcoreinfo(text, ">")], endian=">", machine=number).build()
    with pytest.raises(Unsupported, match=f"a big-endian kernel of the machine of {name}"):
        attach(open_container([BytesSource(raw)]), lambda _text: None)


@pytest.mark.parametrize("machine", ["ppc64", "powerpc", "aarch64_be"])
def test_nor_where_the_container_alone_tells_the_machine(machine: str) -> None:
    raw = Kdump({0: RAM}, endian=">", machine=machine, notes=note("VMCOREINFO", 0, b"OSRELEASE=6.12.0\n", ">")).build()
    with pytest.raises(Unsupported):
        attach(open_container([BytesSource(raw)]), lambda _text: None)


def test_where_nothing_tells_the_order_the_machine_does() -> None:
    keys = {"SYMBOL(lowcore_ptr)"}
    assert arch_of_info(keys) is arch_of_info(keys, "big") is arch_of_machine("s390x", "big")
    assert arch_of_info(keys, "little") is arch_of_info(keys)  # it has no other: the file was written elsewhere
    assert arch_of_machine("ppc64le", "little") is arch_of_info({"SYMBOL(mmu_psize_defs)"})


def test_a_kernel_that_has_one_order_is_told_in_a_file_of_the_other() -> None:
    """What is distilled has a little-endian header whatever machine it is of: s390x is big-endian all the same."""
    kernel = attach(open_path(STORE / "machines" / "6.12-s390x.kdump"), lambda _text: None)
    assert (kernel.arch.name, kernel.endian) == ("s390x", ">")
