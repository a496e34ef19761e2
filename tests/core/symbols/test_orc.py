"""ORC: the four forms of an entry, how they are told apart, and tables that lie."""

import struct
from typing import Any

import pytest

from oopscope.errors import Implausible, NotMapped, OopscopeError, ReadError
from oopscope.symbols.orc import Orc, decode

TEXT, PLACES, ENTRIES, HEADER = 0xFFFFFFFF81000000, 0xFFFFFFFF82A00000, 0xFFFFFFFF82B00000, 0xFFFFFFFF82C00000
HASHES = {2: "db84aed4", 3: "fe5d32bf", 4: "137c36ad"}
CALL = {1: 0x05, 2: 0x05, 3: 0x205, 4: 0x203}  # found from sp, in each version


class Memory:
    def __init__(self, **regions: Any) -> None:
        self.regions = [(int(k[1:], 16), v) for k, v in regions.items()]
        self.reads = 0

    def read(self, address: int, size: int) -> Any:
        self.reads += 1
        for start, data in self.regions:
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        raise NotMapped(address)


def make(entries: Any, header: bytes = b"") -> Any:
    """A table of (ip, sp_offset, bp_offset, flags)."""
    places = b"".join(struct.pack("<i", ip - PLACES - 4 * i) for i, (ip, *_) in enumerate(entries))
    rows = b"".join(struct.pack("<hhH", *e[1:]) for e in entries)
    return Memory(**{f"x{PLACES:x}": places, f"x{ENTRIES:x}": rows, f"x{HEADER:x}": header}), len(entries)


def ordinary(version: str | int, count: int = 5000) -> Any:
    return [(TEXT + 16 * i, 8 * (i % 20), -16, CALL[version]) for i in range(count)]


@pytest.mark.parametrize("version", [1, 2, 3, 4])
@pytest.mark.parametrize("with_header", [False, True])
def test_the_version_by_hash_or_by_the_entries(version: int, with_header: bool) -> None:
    entries = ordinary(version)
    entries[40] = (entries[40][0], 0, 0, {1: 0x400, 2: 0x800, 3: 0x100, 4: 0x100}[version])
    header = bytes.fromhex(HASHES[version]) + bytes(16) if with_header and version > 1 else b""
    memory, count = make(entries, header)
    orc = Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES, HEADER if with_header else None)
    assert orc.version == version
    found = orc.lookup(TEXT + 16 * 41 + 3)
    assert found[:5] == ("sp", 8 * (41 % 20), "undefined", -16, "call")
    assert orc.lookup(TEXT + 16 * 40).end
    assert not found.end
    assert orc.lookup(TEXT - 1) is None
    assert orc.lookup(0) is None
    assert orc.lookup(TEXT + 16 * 5000 + 900).sp_offset == 8 * (4999 % 20)


@pytest.mark.parametrize(
    ("version", "flags", "expected"),
    [
        (1, 0x05, ("sp", "undefined", "call", False, False, False)),
        (1, 0x15, ("sp", "prev_sp", "call", False, False, False)),
        (1, 0x105, ("sp", "undefined", "regs", True, False, False)),
        (1, 0x245, ("sp", "bp", "regs_partial", True, False, False)),
        (1, 0x400, ("undefined", "undefined", "end_of_stack", False, True, False)),
        (1, 0x000, ("undefined", "undefined", "undefined", False, False, False)),
        (1, 0x109, ("sp_indirect", "undefined", "regs", True, False, True)),
        (1, 0x019, ("sp_indirect", "prev_sp", "call", False, False, False)),
        (2, 0x505, ("sp", "undefined", "regs", True, False, False)),
        (2, 0x800, ("undefined", "undefined", "end_of_stack", False, True, False)),
        (3, 0x205, ("sp", "undefined", "call", False, False, False)),
        (3, 0xB04, ("bp", "undefined", "regs", True, False, False)),
        (3, 0x100, ("undefined", "undefined", "end_of_stack", False, True, False)),
        (3, 0x209, ("sp_indirect", "undefined", "call", False, False, False)),
        (4, 0x283, ("sp", "prev_sp", "call", False, False, False)),
        (4, 0xC4A, ("bp_indirect", "bp", "regs_partial", True, False, False)),
        (4, 0x2FF, ("unknown", "unknown", "call", False, False, False)),
        (4, 0x703, ("sp", "undefined", "undefined", False, False, False)),
        (3, 0x20F, ("unknown", "undefined", "call", False, False, False)),
    ],
)
def test_decode(version: int, flags: int, expected: tuple[str, str, str, bool, bool, bool]) -> None:
    entry = decode(version, 16, -24, flags)
    assert (entry.sp_reg, entry.bp_reg, entry.type, entry.signal, entry.end, entry.indirect_offset_inside) == expected
    assert (entry.sp_offset, entry.bp_offset) == (16, -24)


def test_of_several_at_one_place_the_last() -> None:
    entries = [(TEXT, 0, 0, 0x05), (TEXT + 32, 0, 0, 0x00), (TEXT + 32, 24, 0, 0x05), (TEXT + 64, 8, 0, 0x05)]
    memory, count = make(entries)
    assert Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES).lookup(TEXT + 40).sp_offset == 24


def test_few_pages_are_read() -> None:
    memory, count = make(ordinary(1, 100_000))
    orc = Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES, version=1)
    memory.reads = 0
    assert orc.lookup(TEXT + 16 * 70_000 + 5)
    assert memory.reads < 12
    before = memory.reads
    assert orc.lookup(TEXT + 16 * 70_000 + 5)
    assert memory.reads == before


def test_a_module_has_the_kernels_version() -> None:
    memory, count = make(ordinary(4), bytes.fromhex(HASHES[4]))
    orc = Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES, HEADER).for_module(PLACES + 400, ENTRIES + 600, 2)
    assert orc.version == 4
    assert orc.lookup(TEXT + 1600).sp_reg == "sp"


@pytest.mark.parametrize("stop", [PLACES, PLACES - 4, PLACES + (1 << 40)])
def test_bounds_that_lie(stop: int) -> None:
    memory, _ = make(ordinary(1))
    with pytest.raises(Implausible):
        Orc(memory.read, PLACES, stop, ENTRIES)
    with pytest.raises(Implausible):
        Orc(memory.read, PLACES, PLACES + 8, ENTRIES).for_module(PLACES, ENTRIES, 1 << 30)


def test_tables_out_of_order_or_missing() -> None:
    entries = ordinary(1)
    memory, count = make(entries[::-1])
    orc = Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES)
    for ip in range(TEXT - 100, TEXT + 90000, 777):
        orc.lookup(ip)
    memory.regions = memory.regions[:1]
    with pytest.raises(ReadError):
        Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES)
    with pytest.raises(OopscopeError):
        Orc(memory.read, PLACES, PLACES + 4 * count, ENTRIES, version=1).lookup(TEXT + 90000)


def test_real(real_kernel: Any) -> None:
    names = ("__start_orc_unwind_ip", "__stop_orc_unwind_ip", "__start_orc_unwind", "__start_orc_header")
    start, stop, entries, header = (real_kernel.find_symbol(n) for n in names)
    if not start:
        pytest.skip("a kernel without ORC")
    orc = Orc(real_kernel.memory.read, start, stop, entries, header)
    try:
        assert orc.lookup(real_kernel.symbol("_stext") - 1) is None
        assert orc.lookup(real_kernel.symbol("panic", "schedule") + 60).type in ("call", "undefined")
    except ReadError:
        pytest.skip("this dump was distilled without those pages")
