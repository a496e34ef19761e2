"""Machine code, decoded by the capstone library, which is called directly.

Its Python package loads the tables of all its twenty machines for the one that a dump has: 0.1 s and 9 MB, a quarter
of a report. Structures and numbers follow include/capstone of release 5 (capstone.h, x86.h, arm64.h ...), whose layout
holds for all of that release; where only another release is found, or only the package knows where its library lies,
the package itself is used. It knows no kernel and no dump.
"""

import ctypes
import struct
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

RELEASE = 5
REGISTER, IMMEDIATE, MEMORY = 1, 2, 3  # cs_op_type
JUMP, CALL, RETURN = 1, 2, 3  # cs_group_type
READ, WRITE = 1, 2  # cs_ac_type
MACHINES = {"arm": 0, "arm64": 1, "x86": 3, "ppc": 4, "sysz": 6, "riscv": 15}  # cs_arch
MODES = {"": 0, "32": 1 << 2, "64": 1 << 3, "riscv64": 1 << 1, "riscvc": 1 << 2, "big": 1 << 31}  # cs_mode
SYNTAXES = {"intel": 1, "att": 2}
_SYNTAX, _DETAIL, _SKIPDATA = 1, 2, 5  # cs_opt_type
_ON = 3
MAX_CODE = 1 << 20  # bytes decoded at once


class Operand(NamedTuple):
    """One operand. Registers are by capstone's names; "" is none."""

    kind: int  # REGISTER, IMMEDIATE, MEMORY, or one of the machine's own
    register: str = ""
    value: int = 0  # of an immediate
    base: str = ""  # of memory, with all that follows
    scaled: str = ""  # the index register
    segment: str = ""
    scale: int = 1
    displacement: int = 0
    size: int = 0  # bytes; 0 where the library does not say
    access: int = 0  # READ, WRITE, both; 0 where the library does not say


class Instruction(NamedTuple):
    """One instruction in detail."""

    address: int
    size: int
    mnemonic: str
    text: str  # its operands, as they are written
    operands: tuple[Operand, ...]
    reads: tuple[str, ...]  # registers, the implied ones too
    writes: tuple[str, ...]
    groups: tuple[int, ...]  # JUMP, CALL, RETURN, and others


class Decoder(Protocol):
    """Decodes instructions of one machine."""

    def texts(self, code: bytes, address: int) -> list[tuple[int, int, str, str]]:
        """Return address, size, mnemonic and operands of each; what is no instruction is a line of bytes."""
        ...

    def details(self, code: bytes, address: int) -> list[Instruction]:
        """Return instructions up to the first bytes that are none; those of x86 in Intel's order of operands."""
        ...


class _Layout(NamedTuple):
    """Where a machine's part of cs_detail keeps its operands; offsets in bytes."""

    number: int
    first: int
    step: int
    kind: int
    value: int
    memory: str  # struct format of its memory operand
    members: tuple[str, ...]  # what that unpacks to
    size: int | None = None
    access: int | None = None


_LAYOUTS = {
    "x86": _Layout(64, 72, 48, 0, 8, "=IIIiq", ("segment", "base", "index", "scale", "disp"), 32, 33),
    "arm64": _Layout(7, 8, 56, 20, 32, "=IIi", ("base", "index", "disp"), None, 48),
    "arm": _Layout(32, 40, 48, 12, 16, "=IIii", ("base", "index", "scale", "disp"), None, 41),
    "riscv": _Layout(1, 8, 24, 0, 8, "=I4xq", ("base", "disp")),
    "ppc": _Layout(9, 16, 24, 0, 8, "=Ii", ("base", "disp")),
    "sysz": _Layout(4, 8, 32, 0, 8, "=BB6xQq", ("base", "index", "length", "disp")),
}
_INSTRUCTION = struct.Struct("=I4xQH24x32s160s6xQ")  # cs_insn: id, address, size, mnemonic, op_str, detail
_IMPLIED = struct.Struct("=20HB1x20HB8BB")  # cs_detail: regs_read, regs_write, groups, each with its count
_MACHINE = 96  # offset of the machine's part
_REGISTERS = ctypes.c_uint16 * 64


def _library() -> ctypes.CDLL | None:
    """Load the library that the Python package brings along; None where it is not there or of another release."""
    try:
        found = find_spec("capstone")
    except (ImportError, ValueError):
        return None
    places = [Path(place) / "lib" for place in (found.submodule_search_locations or ())] if found else []
    for path in (place / name for place in places for name in ("libcapstone.so", "libcapstone.dylib", "capstone.dll")):
        if path.is_file():
            return _loaded(str(path))
    return None


@cache
def _loaded(path: str) -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(path)
    except OSError:
        return None
    if library.cs_version(None, None) >> 8 != RELEASE:
        return None
    library.cs_disasm.restype = ctypes.c_size_t
    library.cs_reg_name.restype = ctypes.c_char_p
    return library


def decoder(machine: str, modes: tuple[str, ...], syntax: str | None) -> Decoder | None:
    """Return a decoder of MACHINES, MODES and SYNTAXES; None where there is no capstone."""
    if machine not in MACHINES:  # LoongArch, which only release 6 knows
        return None
    library = _library()
    if library is not None:
        return _Direct(library, machine, modes, syntax)
    try:
        return _Packaged(import_module("capstone"), machine, modes, syntax)
    except ImportError:
        return None


class _Direct:
    """The library's own functions."""

    def __init__(self, library: ctypes.CDLL, machine: str, modes: tuple[str, ...], syntax: str | None) -> None:
        self._library, self._syntax, self._layout = library, syntax, _LAYOUTS[machine]
        self._handle = ctypes.c_size_t()
        self._mode = sum(MODES[mode] for mode in modes)
        if library.cs_open(MACHINES[machine], ctypes.c_uint(self._mode), ctypes.byref(self._handle)):
            raise ImportError(f"this capstone does not know {machine}")
        self._names: dict[int, str] = {0: ""}
        self._memory = struct.Struct(self._layout.memory)

    def __del__(self) -> None:
        if self._handle:
            self._library.cs_close(ctypes.byref(self._handle))

    def _options(self, syntax: str | None, detail: bool) -> None:
        values = [(_DETAIL, _ON if detail else 0), (_SKIPDATA, 0 if detail else _ON)]
        for option, value in values + ([(_SYNTAX, SYNTAXES[syntax])] if syntax else []):
            self._library.cs_option(self._handle, option, ctypes.c_size_t(value))

    def _run(self, code: bytes, address: int) -> tuple[ctypes.c_void_p, int]:
        """Decode; return the library's array and its length, for cs_free."""
        code = code[:MAX_CODE]
        found = ctypes.c_void_p()
        size, start = ctypes.c_size_t(len(code)), ctypes.c_uint64(address)
        count = self._library.cs_disasm(self._handle, code, size, start, ctypes.c_size_t(0), ctypes.byref(found))
        return found, int(count)

    def texts(self, code: bytes, address: int) -> list[tuple[int, int, str, str]]:
        self._options(self._syntax, detail=False)
        array, count = self._run(code, address)
        if not count:
            return []
        raw = ctypes.string_at(array, count * _INSTRUCTION.size)
        self._library.cs_free(array, ctypes.c_size_t(count))
        return [(at, size, _text(word), _text(rest)) for _, at, size, word, rest, _ in _INSTRUCTION.iter_unpack(raw)]

    def details(self, code: bytes, address: int) -> list[Instruction]:
        self._options("intel" if self._syntax else None, detail=True)
        array, count = self._run(code, address)
        if not count or array.value is None:
            return []
        raw = ctypes.string_at(array, count * _INSTRUCTION.size)
        places = range(array.value, array.value + len(raw), _INSTRUCTION.size)
        found = [self._detail(place, *one) for place, one in zip(places, _INSTRUCTION.iter_unpack(raw), strict=True)]
        self._library.cs_free(array, ctypes.c_size_t(count))
        return found

    def _detail(
        self, place: int, _: int, address: int, size: int, word: bytes, rest: bytes, detail: int
    ) -> Instruction:
        implied = _IMPLIED.unpack(ctypes.string_at(detail, _IMPLIED.size))
        groups = implied[42 : 42 + implied[50]]
        reads, writes = _REGISTERS(), _REGISTERS()
        read_count, write_count = ctypes.c_uint8(), ctypes.c_uint8()
        failed = self._library.cs_regs_access(
            self._handle, ctypes.c_void_p(place), reads, ctypes.byref(read_count), writes, ctypes.byref(write_count)
        )
        if failed:  # not known for this machine: the implied ones alone
            read, written = implied[: implied[20]], implied[21 : 21 + implied[41]]
        else:
            read, written = tuple(reads[: read_count.value]), tuple(writes[: write_count.value])
        operands = self._operands(detail + _MACHINE)
        names = tuple(map(self._name, read)), tuple(map(self._name, written))
        return Instruction(address, size, _text(word), _text(rest), operands, *names, groups)

    def _operands(self, place: int) -> tuple[Operand, ...]:
        how = self._layout
        count = ctypes.string_at(place + how.number, 1)[0]
        raw = ctypes.string_at(place + how.first, how.step * count)
        return tuple(self._operand(raw[at : at + how.step]) for at in range(0, len(raw), how.step))

    def _operand(self, raw: bytes) -> Operand:
        how = self._layout
        kind = int.from_bytes(raw[how.kind : how.kind + 4], _HOST)
        size = raw[how.size] if how.size is not None else 0
        access = raw[how.access] if how.access is not None else 0
        if kind == REGISTER:
            number = int.from_bytes(raw[how.value : how.value + 4], _HOST)
            return Operand(kind, self._name(number), size=size, access=access)
        if kind == IMMEDIATE:
            value = int.from_bytes(raw[how.value : how.value + 8], _HOST, signed=True)
            return Operand(kind, value=value, size=size, access=access)
        if kind != MEMORY:
            return Operand(kind, size=size, access=access)
        found = dict(zip(how.members, self._memory.unpack_from(raw, how.value), strict=True))
        base, scaled, segment = (self._name(found.get(part, 0)) for part in ("base", "index", "segment"))
        return Operand(kind, "", 0, base, scaled, segment, found.get("scale", 1), found["disp"], size, access)

    def _name(self, number: int) -> str:
        if number not in self._names:
            self._names[number] = _text(self._library.cs_reg_name(self._handle, number) or b"")
        return self._names[number]


_HOST: Any = "little" if struct.pack("=H", 1)[0] else "big"


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "replace")


class _Packaged:
    """The same by the Python package, for a library that only it can find or that is of another release."""

    def __init__(self, capstone: Any, machine: str, modes: tuple[str, ...], syntax: str | None) -> None:
        arch = next((n for n in (f"CS_ARCH_{machine.upper()}", "CS_ARCH_AARCH64") if hasattr(capstone, n)), None)
        if arch is None:
            raise ImportError(f"this capstone does not know {machine}")
        self._capstone, self._syntax = capstone, syntax
        self._made = capstone.Cs(getattr(capstone, arch), sum(MODES[mode] for mode in modes))

    def texts(self, code: bytes, address: int) -> list[tuple[int, int, str, str]]:
        made = self._made
        made.detail, made.skipdata = False, True
        if self._syntax:
            made.syntax = SYNTAXES[self._syntax]
        return list(made.disasm_lite(code[:MAX_CODE], address))

    def details(self, code: bytes, address: int) -> list[Instruction]:
        made = self._made
        made.detail, made.skipdata = True, False
        if self._syntax:
            made.syntax = SYNTAXES["intel"]
        return [self._detail(one) for one in made.disasm(code[:MAX_CODE], address)]

    def _detail(self, one: Any) -> Instruction:
        try:
            read, written = one.regs_access()
        except self._capstone.CsError:
            read, written = one.regs_read, one.regs_write

        def name(number: int) -> str:
            return one.reg_name(number) or "" if number else ""

        return Instruction(
            one.address, one.size, one.mnemonic, one.op_str, tuple(self._operand(name, o) for o in one.operands),
            tuple(map(name, read)), tuple(map(name, written)), tuple(one.groups),
        )  # fmt: skip

    def _operand(self, name: Any, one: Any) -> Operand:
        size, access, its = getattr(one, "size", 0), int(getattr(one, "access", 0)), self._capstone
        if one.type == its.CS_OP_REG:
            return Operand(REGISTER, name(one.reg), size=size, access=access)
        if one.type == its.CS_OP_IMM:
            return Operand(IMMEDIATE, value=int(one.imm), size=size, access=access)
        if one.type != its.CS_OP_MEM:
            return Operand(one.type, size=size, access=access)
        parts = (getattr(one.mem, part, 0) for part in ("base", "index", "segment"))
        base, scaled, segment = map(name, parts)
        return Operand(
            MEMORY, "", 0, base, scaled, segment, getattr(one.mem, "scale", 1), int(one.mem.disp), size, access
        )
