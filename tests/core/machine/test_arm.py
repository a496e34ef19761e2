"""32-bit ARM: where memory begins, told by trying; unwind tables on instructions as compilers write them."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.errors import FormatError, MissingPage
from oopscope.machine import arch, arch_of_info
from oopscope.machine.arm import memory, syndromes, tables
from oopscope.symbols.vmcoreinfo import VmcoreInfo
from oopscope.triage import verdict

ROOTS = {"short": 0xC0004000, "LPAE": 0xC0003000}
STEXT = 0xC0300000
BASE = 0x40000000


class Physical:
    """Physical memory of a few entries of page tables."""

    page_size = 4096

    def __init__(self, words: dict[int, bytes]) -> None:
        self.words = words

    def read(self, address: int, size: int) -> bytes:
        if address not in self.words:
            raise MissingPage(address, "never-saved")
        return self.words[address][:size]

    @contextmanager
    def searching(self) -> Iterator[None]:
        yield


def info_of(shape: str) -> VmcoreInfo:
    long = {"CONFIG_ARM_LPAE": "y"} if shape == "LPAE" else {}
    return VmcoreInfo({"SYMBOL(swapper_pg_dir)": f"{ROOTS[shape]:x}", "SYMBOL(_stext)": f"{STEXT:x}", **long})


def mapped(shape: str, lies: int) -> Physical:
    """Return page tables that lie where memory begins at BASE, and map the kernel's text to where it lies."""
    root = ROOTS[shape] - 0xC0000000 + BASE
    if shape == "short":
        return Physical({root + 4 * (STEXT >> 20): struct.pack("<I", lies & 0xFFF00000 | 0x1540E)})
    table = root + 0x1000
    return Physical(
        {
            root + 8 * 3: struct.pack("<Q", table | 3),
            table + 8 * (STEXT >> 21 & 511): struct.pack("<Q", lies & -(2 << 20) | 0x71D),
        }
    )


@pytest.mark.parametrize("shape", ROOTS)
def test_memory_begins_where_the_tables_map_the_kernel_s_text(shape: str) -> None:
    made = mapped(shape, STEXT - 0xC0000000 + BASE)
    space = memory.kernel_memory(arch("arm"), info_of(shape), made, lambda: None)
    assert space.translate(STEXT + 0x1234) == STEXT - 0xC0000000 + BASE + 0x1234


@pytest.mark.parametrize("shape", ROOTS)
def test_tables_that_map_it_elsewhere_prove_nothing(shape: str) -> None:
    with pytest.raises(FormatError, match="where memory begins"):
        memory.kernel_memory(arch("arm"), info_of(shape), mapped(shape, BASE), lambda: BASE)


def test_a_kernel_with_lpae_is_told_by_its_vmcoreinfo() -> None:
    found = arch_of_info({"CONFIG_ARM_LPAE": "y"})
    assert found is not None and found.name == "arm"


def test_a_kernel_without_lpae_is_told_by_its_tables_below_its_text() -> None:
    """As i386's never are; and where a key says another machine, that is believed."""
    said = {"SYMBOL(swapper_pg_dir)": "c0004000", "SYMBOL(_stext)": "c0300000"}
    found, other = arch_of_info(said), arch_of_info({**said, "CONFIG_X86_PAE": "y"})
    assert found is not None and found.name == "arm"
    assert other is not None and other.name != "arm"
    assert arch_of_info({"SYMBOL(swapper_pg_dir)": "c1b40000", "SYMBOL(_stext)": "c1000000"}) is None
    assert arch_of_info({"SYMBOL(_stext)": "c1000000"}) is None


def index(*functions: tuple[int, int]) -> dict[int, int]:
    """Return the words of an index at 0x1000: where functions begin, and what undoes their frames."""
    words = dict[int, int]()
    for at, (start, undo) in enumerate(functions):
        place = 0x1000 + 8 * at
        words |= {place: start - place & 0x7FFFFFFF, place + 4: undo}
    return words


def test_the_index_is_searched_by_distances() -> None:
    words = index((0x100, 1), (0x200, 0x80B0B0B0), (0x8000, 1))
    find = lambda pc: tables.find(words.__getitem__, 0x1000, 0x1018, pc)  # noqa: E731
    assert [find(pc) for pc in (0xFF, 0x100, 0x1FC, 0x200, 0x7FFC, 0x9000)] == [
        None, 0x1000, 0x1000, 0x1008, 0x1008, 0x1010,
    ]  # fmt: skip
    with pytest.raises(tables.NoUnwindError):
        tables.instructions(words.__getitem__, 0x1000)
    assert tables.instructions(words.__getitem__, 0x1008) == b"\xb0\xb0\xb0"


def test_longer_instructions_lie_elsewhere() -> None:
    words = {0x1004: 0x2000 - 0x1004, 0x2000: 0x8101B108, 0x2004: 0x84FFB0B0}
    assert tables.instructions(words.__getitem__, 0x1000) == bytes.fromhex("b10884ffb0b0")


@pytest.mark.parametrize(
    "code, registers, expected",
    [
        ("b0b0b0", {13: 0x100, 14: 0x8000}, {13: 0x100, 15: 0x8000}),  # a leaf: bx lr
        ("a8b0b0", {13: 0x100}, {13: 0x108, 4: 1, 15: 2}),  # pop {r4, lr}
        ("01a8b0", {13: 0xF8}, {13: 0x108, 4: 1, 15: 2}),  # add sp, #8; pop {r4, lr}
        ("9ba8b0", {13: 0x10, 11: 0x100}, {13: 0x108, 4: 1, 15: 2}),  # mov sp, fp; pop {r4, lr}
        ("840fb0", {13: 0x100}, {13: 0x114, 4: 1, 5: 2, 6: 3, 7: 4, 15: 5}),  # pop {r4-r7, lr}
        ("b201b0", {13: 0x100, 14: 0x8000}, {13: 0x100 + 0x204 + 4, 15: 0x8000}),  # add sp, #520
    ],
)
def test_frames_are_undone(code: str, registers: dict[int, int], expected: dict[int, int]) -> None:
    stack = {0x100 + 4 * n: n + 1 for n in range(16)}
    found = tables.undone(bytes.fromhex(code), registers, stack.__getitem__)
    assert {number: found.get(number) for number in expected} == expected


def test_what_cannot_be_followed_is_not_guessed() -> None:
    for code, registers in (("8000", {13: 0}), ("9b", {13: 0}), ("b500", {13: 0}), ("c3", {13: 0})):
        with pytest.raises(tables.NoUnwindError):
            tables.undone(bytes.fromhex(code), registers, lambda _at: 0)


@pytest.mark.parametrize(
    "value, words",
    [
        (0x5, "no translation by a section, a read"),
        (0x817, "no translation by a page, a write"),
        (0x80F, "no permission (page), a write"),
        (0x206, "no translation at level 2, a read"),
        (0xA0F, "no permission at level 3, a write"),
    ],
)
def test_fault_status_in_words(value: int, words: str) -> None:
    assert syndromes.fsr(value) == words


# As arch/arm/kernel/{traps,process}.c print it since 6.3.
OOPS = """\
8<--- cut here ---
Unable to handle kernel NULL pointer dereference at virtual address 00000028 when read
[00000028] *pgd=80000040004003, *pmd=00000000
Internal error: Oops: 206 [#1] SMP ARM
Modules linked in: labcrash(OE+) ext4 mbcache jbd2
CPU: 0 UID: 0 PID: 163 Comm: insmod Tainted: G           OE      6.12.117+deb13-armmp-lpae #1  Debian 6.12.117-1
Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE
Hardware name: Generic DT based system
PC is at lab_read_balance+0x10/0x20 [labcrash]
LR is at labcrash_init+0x44/0x1000 [labcrash]
pc : [<bf0c0010>]    lr : [<bf0c2044>]    psr: 60000013
sp : e0a2dd98  ip : 00000000  fp : e0a2dda4
r10: 00000000  r9 : c1a08d88  r8 : 00000000
r7 : bf0bd000  r6 : c2b4c000  r5 : bf0bf0c0  r4 : 00000000
r3 : 00000000  r2 : 00000000  r1 : bf0bf0c4  r0 : 00000000
Flags: nZCv  IRQs on  FIQs on  Mode SVC_32  ISA ARM  Segment user
Control: 30c5383d  Table: 42b0c000  DAC: fffffffd
Call trace:
 lab_read_balance [labcrash] from labcrash_init+0x44/0x1000 [labcrash]
 labcrash_init [labcrash] from do_one_initcall+0x60/0x2b0
 do_one_initcall from do_init_module+0x60/0x240
Code: e92d4000 e8bd4000 e52db004 e28db000 (e5900028)
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception
---[ end Kernel panic - not syncing: Fatal exception ]---
"""


def test_an_oops_is_told_to_its_end(tmp_path: Path) -> None:
    """All registers are the report's, those that are listed from r10 down too."""
    log = tmp_path / "dmesg.txt"
    log.write_text("".join(f"[   41.1{at:05}] {line}\n" for at, line in enumerate(OOPS.splitlines())))
    found = verdict(open_kernel([log]))
    assert (found.cause, found.symbol, found.module) == (
        "null-pointer-dereference",
        "lab_read_balance+0x10",
        "labcrash",
    )
    assert found.fault is not None
    fault = found.fault
    assert (fault.instruction, fault.formula, fault.address, fault.value) == (
        "ldr r0,[r0,#0x28]",
        "r0 + 0x28",
        0x28,
        0,
    )
    assert any("FSR 206: no translation at level 2, a read" in one.text for one in found.evidence)
