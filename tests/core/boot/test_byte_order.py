"""A kernel of the other byte order is refused by its own word, and never misread; a container's order tells nothing."""

import pytest

from builders.elf import Elf, Load
from builders.kdump import Kdump
from builders.notes import note, vmcoreinfo
from oopscope.boot.attach import attach
from oopscope.dumps import Dump, open_container
from oopscope.elf import other_order
from oopscope.errors import Unsupported
from oopscope.machine import arch_of_info
from oopscope.machine.powerpc import arch as powerpc
from oopscope.machine.powerpc import big
from oopscope.sources.file import BytesSource

LINUX = int.from_bytes(b"Linux\0\0\0", "big")
DIFFER = dict.fromkeys(("name", "machines", "byteorder", "module", "other"))
UTS = 0x100  # where the made kernel has its init_uts_ns.name
PPC = (
    b"OSRELEASE=6.12.0\nPAGESIZE=65536\nSYMBOL(mmu_psize_defs)=c000000002a10000\nSYMBOL(_stext)=c000000000000000\n"
    b"SYMBOL(init_uts_ns)=c000000000000100\nOFFSET(uts_namespace.name)=0\n"
)


def dump_of(machine: str, endian: str) -> Dump:
    """An ELF core of one page, in which utsname.machine says so."""
    names = ("Linux", "node", "6.12.0", "#1", machine)
    page = bytearray(0x10000)
    for at, name in enumerate(names):
        page[UTS + 65 * at : UTS + 65 * at + len(name)] = name.encode()
    elf = Elf([Load(0, bytes(page))], [vmcoreinfo(PPC, endian)], endian=endian, machine=21)
    dump = open_container([BytesSource(elf.build())])
    assert dump is not None
    return dump


@pytest.mark.parametrize("endian", ["<", ">"])
def test_a_big_endian_kernel_is_refused_in_any_container(endian: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its machine is known in the other order alone."""
    monkeypatch.setattr("oopscope.machine.powerpc.arch.ARCH", powerpc.ARCH._replace(other=""))
    with pytest.raises(Unsupported, match=r"a big-endian kernel \(ppc64\)"):
        attach(dump_of("ppc64", endian), lambda _text: None)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_a_machine_of_both_orders_is_read_in_the_kernel_s_own(endian: str) -> None:
    kernel = attach(dump_of("ppc64", endian), lambda _text: None)
    assert (kernel.arch, kernel.machine) == (big.ARCH, big.MACHINE)
    assert (kernel.endian, kernel.arch.word.unpack(kernel.memory.read(0xC000000000000100, 8))[0]) == (">", LINUX)
    assert {**powerpc.ARCH._asdict(), **DIFFER} == {**big.ARCH._asdict(), **DIFFER}


@pytest.mark.parametrize("endian", ["<", ">"])
def test_a_little_endian_kernel_opens_in_any_container(endian: str) -> None:
    """QEMU writes a big-endian ELF of a ppc64le guest."""
    assert attach(dump_of("ppc64le", endian), lambda _text: None).arch is arch_of_info({"SYMBOL(mmu_psize_defs)": "0"})


@pytest.mark.parametrize("machine", ["ppc64", "aarch64_be"])
def test_nor_is_it_taken_for_another_where_the_container_alone_tells_the_machine(machine: str) -> None:
    raw = Kdump(
        {0: bytes(0x1000)}, endian=">", machine=machine, notes=note("VMCOREINFO", 0, b"OSRELEASE=6.12.0\n", ">")
    ).build()
    with pytest.raises(Unsupported):
        attach(open_container([BytesSource(raw)]), lambda _text: None)


def test_names_of_one_machine_in_two_orders() -> None:
    assert (other_order("ppc64le"), other_order("ppc64"), other_order("aarch64")) == ("ppc64", "ppc64le", "aarch64_be")
    assert other_order("s390x") is other_order("x86_64") is other_order("vax") is None
