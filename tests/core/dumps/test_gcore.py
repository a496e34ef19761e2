"""Cores of a QEMU process: the RAM found by its size, placed by the machine's type."""

from typing import Any

import pytest

from builders import text_page
from builders.gcore import MIB, gcore
from oopscope.dumps import open_container
from oopscope.errors import MissingPage, NotADump
from oopscope.sources.file import BytesSource

RAM = b"".join(text_page(n) for n in range(16 * MIB // 4096))
Q35 = "/usr/bin/qemu-system-x86_64 -cpu max -machine pc-q35-7.2,accel=kvm -m 16 -smp 2"


def opened(raw: bytes) -> Any:
    return open_container([BytesSource(raw, "core.740")])


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("size", ["16", "16M", "16384k", "size=16384k,slots=16,maxmem=1g"])
def test_ram_of_the_size_on_the_command_line(parts: int, size: str) -> None:
    dump = opened(gcore(RAM, Q35.replace("-m 16", f"-m {size}"), parts=parts))
    assert dump.ranges() == [(0, 16 * MIB)]
    assert [dump.page(n) for n in (0, 1023, 1024, 4095)] == [text_page(n) for n in (0, 1023, 1024, 4095)]
    with pytest.raises(MissingPage):
        dump.page(4096)
    assert (dump.facts().format, dump.facts().machine, dump.facts().complete) == ("gcore", "x86_64", True)


def test_without_a_command_line_the_largest_mapping_is_ram() -> None:
    assert opened(gcore(RAM, "something else")).ranges() == [(0, 16 * MIB)]


@pytest.mark.parametrize(
    "name, elf_machine, machine, base",
    [
        (b"qemu-system-aarch64", 62, "aarch64", 0x40000000),
        (b"qemu-system-riscv64", 62, "riscv64", 0x80000000),
        (b"qemu-system-loongarch64", 62, "loongarch64", 0),
        (b"qemu-kvm", 183, "aarch64", 0x40000000),
        (b"qemu-kvm", 62, "x86_64", 0),
    ],
)
def test_the_guest_need_not_be_as_the_host(name: bytes, elf_machine: int, machine: str, base: int) -> None:
    dump = opened(gcore(RAM, f"{name.decode()} -m 16", name=name, machine=elf_machine))
    assert dump.ranges() == [(base, base + 16 * MIB)]
    assert dump.facts().machine == machine


@pytest.mark.parametrize(
    "ram, memsz, words", [(b"", 16 * MIB, "dump-guest-core"), (bytes(4096), None, "without a guest's")]
)
def test_a_core_without_the_guests_memory(ram: bytes, memsz: int, words: str) -> None:
    with pytest.raises(NotADump, match=words):
        opened(gcore(ram, Q35, memsz=memsz))


def test_another_process_is_refused_by_name() -> None:
    with pytest.raises(NotADump, match="process 'bash'"):
        opened(gcore(RAM, "bash -m 16", name=b"bash"))
