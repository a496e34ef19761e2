"""ORC: the tables from which kernels of x86_64 (4.14 on) and LoongArch (6.9 on) unwind their own stacks.

Follows arch/{x86,loongarch}/kernel/unwind_orc.c and their include/asm/orc_types.h. Two tables in step: 32-bit places
of code, each relative to itself, ascending; and for each of them six bytes (LoongArch: eight) that say where the
caller's frame is. Which of four forms the six bytes have is told by a hash in .orc_header (since 6.4, and 6.3 stable),
else by the entries themselves. Knows no stacks and no symbols.
"""

import struct
from bisect import bisect_right
from collections import Counter
from typing import Literal, NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.symbols.blob import Blob, Ints, Read

Register = Literal[
    "undefined", "prev_sp", "ax", "dx", "di", "bp", "sp", "fp", "r10", "r13", "bp_indirect", "sp_indirect", "unknown"
]
FrameType = Literal["undefined", "end_of_stack", "call", "regs", "regs_partial"]
Version = Literal[1, 2, 3, 4, 5]

_OLD: tuple[Register, ...] = (
    *("undefined", "prev_sp", "dx", "di", "bp", "sp", "r10", "r13", "bp_indirect", "sp_indirect"),
)
# 1735858caa4b "objtool/x86: Reorder ORC register numbering" (7.1)
_NEW: tuple[Register, ...] = (
    *("undefined", "ax", "dx", "sp", "bp", "di", "r10", "r13", "prev_sp", "sp_indirect", "bp_indirect"),
)
# cb8a2ef0848c "LoongArch: Add ORC stack unwinder support" (6.9); its types are those of x86's later form
_LOONGARCH: tuple[Register, ...] = ("undefined", "prev_sp", "sp", "fp")
_REGISTERS = {1: _OLD, 2: _OLD, 3: _OLD, 4: _NEW}
_OLD_TYPES: tuple[FrameType, ...] = ("call", "regs", "regs_partial", "undefined")
_NEW_TYPES: tuple[FrameType, ...] = ("undefined", "end_of_stack", "call", "regs", "regs_partial")

# The first bytes of the hash that scripts/orc_hash.sh makes of orc_types.h.
_HASHES: dict[bytes, Version] = {b"\xdb\x84\xae\xd4": 2, b"\xfe\x5d\x32\xbf": 3, b"\x13\x7c\x36\xad": 4}

ENTRY, WIDE_ENTRY = struct.Struct("<hhH"), struct.Struct("<hhhH")
FORMS = {"x86": ENTRY, "loongarch": WIDE_ENTRY}  # an entry's bytes, by Arch.orc
MAX_COUNT = 1 << 22
SAMPLES = 8
SAMPLE = 512  # entries


class OrcEntry(NamedTuple):
    """How to find the caller from here. Offsets are in bytes.

    The caller's stack pointer is sp_reg + sp_offset; for "bp_indirect" it is read at bp + offset, for "sp_indirect" it
    is read at sp and the offset added, or (indirect_offset_inside, before 5.12, 87ccc826bf1c "x86/unwind/orc: Change
    REG_SP_INDIRECT") read at sp + offset. `signal`: the frame's ip is an interrupted instruction, not a return address.
    `end`: the last frame of the stack. `ra_offset`: where on LoongArch the return address lies, from the caller's stack
    pointer; None where it is in its register yet.
    """

    sp_reg: Register
    sp_offset: int
    bp_reg: Register
    bp_offset: int
    type: FrameType
    signal: bool
    end: bool
    indirect_offset_inside: bool = False
    ra_offset: int | None = None


def decode(version: Version, sp_offset: int, bp_offset: int, flags: int) -> OrcEntry:
    """Decode the three numbers of an entry."""
    names = _REGISTERS[version]
    sp, bp = flags & 15, flags >> 4 & 15
    sp_reg = names[sp] if sp < len(names) else "unknown"
    bp_reg = names[bp] if bp < len(names) else "unknown"
    if version >= 3:  # fb799447ae29 "x86,objtool: Split UNWIND_HINT_EMPTY in two" (6.4)
        number = flags >> 8 & 7
        kind = _NEW_TYPES[number] if number < len(_NEW_TYPES) else "undefined"
        return OrcEntry(sp_reg, sp_offset, bp_reg, bp_offset, kind, bool(flags & 0x800), kind == "end_of_stack")
    kind = _OLD_TYPES[flags >> 8 & 3]
    regs = kind in ("regs", "regs_partial")
    if version == 2:  # ffb1b4a41016 "x86/unwind/orc: Add 'signal' field to ORC metadata" (6.3)
        signal, end = bool(flags & 0x400), bool(flags & 0x800)
    else:
        signal, end = regs, bool(flags & 0x400)
    if sp_reg == "undefined":
        kind = "end_of_stack" if end else "undefined"
    # Before 5.12 only the entries of interrupt entry, which find pt_regs, were indirect; since, only calls are.
    inside = sp_reg == "sp_indirect" and regs
    return OrcEntry(sp_reg, sp_offset, bp_reg, bp_offset, kind, signal, end, inside)


def decode_wide(sp_offset: int, fp_offset: int, ra_offset: int, flags: int) -> OrcEntry:
    """Decode the four numbers of an entry of LoongArch."""
    sp_reg, fp_reg, ra_reg = (
        _LOONGARCH[number] if number < len(_LOONGARCH) else "unknown"
        for number in (flags & 15, flags >> 4 & 15, flags >> 8 & 15)
    )
    number = flags >> 12 & 7
    kind = _NEW_TYPES[number] if number < len(_NEW_TYPES) else "undefined"
    saved = ra_offset if ra_reg == "prev_sp" else None
    end = kind == "end_of_stack"
    return OrcEntry(sp_reg, sp_offset, fp_reg, fp_offset, kind, bool(flags >> 15), end, ra_offset=saved)


class Orc:
    """The tables of the kernel or of a module; ReadError where a page of them is missing.

    `start` and `stop` bound the table of places (__start_orc_unwind_ip ..), `entries` is __start_orc_unwind, `header`
    __start_orc_header where the kernel has one.
    """

    def __init__(
        self,
        read: Read,
        start: int,
        stop: int,
        entries: int,
        header: int | None = None,
        version: Version | None = None,
        form: str = "x86",
    ) -> None:
        count = (stop - start) // 4
        if not 0 < count <= MAX_COUNT:
            raise Implausible(f"ORC: a table of {count} entries", start)
        self.count = count
        self._read, self._start = read, start
        self._places = Ints(read, start, count, "i")
        self._shape = FORMS[form]
        self._form = form
        self._blob = Blob(read, entries, count * self._shape.size)
        self._decoded: dict[bytes, OrcEntry] = {}
        wide: Version | None = 5 if self._shape is WIDE_ENTRY else None
        self.version: Version = version or wide or self._by_header(header) or self._by_entries()

    def for_module(self, places: int, entries: int, count: int) -> "Orc":
        """Return the tables of a module of this kernel (module.arch: orc_unwind_ip, orc_unwind, num_orcs)."""
        return Orc(self._read, places, places + 4 * count, entries, version=self.version, form=self._form)

    def _by_header(self, header: int | None) -> Version | None:
        try:
            return _HASHES.get(self._read(header, 4)) if header else None
        except OopscopeError:
            return None

    def _by_entries(self) -> Version:
        """Tell the version by a sample of entries: nearly all are calls, and find the frame from the stack pointer."""
        types: Counter[int] = Counter()
        registers: Counter[int] = Counter()
        flags_met = 0
        step = max((self.count - SAMPLE) // (SAMPLES - 1), SAMPLE)
        for first in range(0, max(self.count - SAMPLE, 0) + 1, step):
            end = min(first + SAMPLE, self.count)
            self._blob.need(first * ENTRY.size, end * ENTRY.size)
            for _, _, flags in ENTRY.iter_unpack(self._blob.data[first * ENTRY.size : end * ENTRY.size]):
                types[flags >> 8 & 7] += 1
                registers[flags & 15] += 1
                flags_met |= flags
        if types[2] > types[0]:
            return 4 if registers[_NEW.index("sp")] > registers[_OLD.index("sp")] else 3
        return 2 if flags_met & 0x800 else 1

    def lookup(self, ip: int) -> OrcEntry | None:
        """Return the entry that governs an address; None before the first.

        For a return address ask for the byte before it, which is in the call. The last entry has no end here: whose
        text an address is in is the caller's to know.
        """
        places, start = self._places, self._start
        index = bisect_right(range(self.count), ip, key=lambda i: start + 4 * i + places[i]) - 1
        return self._entry(index) if index >= 0 else None

    def _entry(self, index: int) -> OrcEntry:
        size = self._shape.size
        at = index * size
        self._blob.need(at, at + size)
        raw = bytes(self._blob.data[at : at + size])
        found = self._decoded.get(raw)
        if found is None:
            numbers = self._shape.unpack(raw)
            found = decode_wide(*numbers) if len(numbers) > 3 else decode(self.version, *numbers)
            self._decoded[raw] = found
        return found
