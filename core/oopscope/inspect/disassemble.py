"""The code of a function as it stands in the dump: instructions, what they name, and which places the kernel patches.

Decoding is capstone's; where it is missing or does not know the machine, there are the bytes, as an oops' Code: line
has them. The text is what the machine ran: with ftrace, alternatives and static keys as they were patched at the end.
"""

import re
from typing import Any, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.describe import describe
from oopscope.kernel.kernel import Kernel, Name
from oopscope.linux.module import in_text, module_map

MAX_FUNCTION = 64 << 10
AROUND = 256  # bytes where no symbol bounds the code
BEFORE, AFTER = 42, 22  # bytes of a Code: line, as arch/x86/kernel/dumpstack.c prints them
BRANCHES = ("call", "j", "loop")
NOP5 = (b"\x0f\x1f\x44\x00\x00", b"\x66\x66\x66\x66\x90")  # one or the other by CPU up to 5.12
ENDBR = b"\xf3\x0f\x1e\xfa"
SEALED = (b"\x0f\x1f\x40\xd6", b"\x66\x0f\x1f\x00")  # gen_endbr_poison(): since 6.14, and before
WITHOUT = "disassembly needs capstone: pip install capstone"

_RELATIVE = re.compile(r"(-?0x[0-9a-f]+|-?\d+)\(%rip\)")
_IMMEDIATE = re.compile(r"\$(-?0x[0-9a-f]+|-?\d+)")
_ABSOLUTE = re.compile(r"%gs:(0x[0-9a-f]+)(?=,|$)")


class Instruction(NamedTuple):
    """One instruction; `target` is the code or data that it names, `note` what that is or what was patched there."""

    address: int
    code: bytes
    text: str
    target: int | None
    note: str


class Code(NamedTuple):
    """A stretch of code: a whole function where a symbol bounds it."""

    address: int  # what was asked
    start: int
    end: int
    name: Name | None
    instructions: tuple[Instruction, ...]
    line: str  # the bytes about the address, <that one> marked
    why: str  # why there are no instructions, or not all


def decoder(kernel: Kernel) -> Any:
    """Return capstone for the kernel's architecture; None where it is not installed, or knows no such machine."""
    modes = {"x86_64": 64, "i386": 32}
    try:
        import capstone
    except ImportError:
        return None
    bits = modes.get(kernel.arch.name)
    if bits is None:
        return None
    made = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64 if bits == 64 else capstone.CS_MODE_32)
    made.syntax = capstone.CS_OPT_SYNTAX_ATT
    made.skipdata = True
    return made


def disassemble(kernel: Kernel, address: int) -> Code:
    """Return the function that an address lies in; ReadError where its bytes are not to be had at all."""
    start, end, name = bounds(kernel, address)
    raw, why = _bytes(kernel, start, end, address)
    if not raw:
        kernel.memory.read(address, 1)  # says why
    start = max(start, end - len(raw)) if why and raw else start
    made = decoder(kernel)
    if made is None:
        return Code(address, start, end, name, (), code_line(kernel, address), why or WITHOUT)
    lines = tuple(_instruction(kernel, one, raw, start, name) for one in made.disasm_lite(raw, start))
    return Code(address, start, end, name, lines, code_line(kernel, address), why)


def bounds(kernel: Kernel, address: int) -> tuple[int, int, Name | None]:
    """Return the first address of a function, the one after its last, and its name."""
    name = kernel.name_of(address)
    if name is None or not in_text(kernel, address):
        return address, address + AROUND, name
    module = kernel.cached(module_map).at(address) if name.module else None
    table = module.symbols if module else kernel.symbols
    end = (table.end_of(address) if table else None) or address + AROUND
    start = address - name.offset
    if address - start > MAX_FUNCTION:
        return address, min(end, address + AROUND), name
    return start, min(max(end, address + 1), start + MAX_FUNCTION), name


def _bytes(kernel: Kernel, start: int, end: int, address: int) -> tuple[bytes, str]:
    """Read the code; of a function of which a page is missing, what hangs together about the address."""
    try:
        return kernel.memory.read(start, end - start), ""
    except OopscopeError as e:
        why = str(e)
    size = kernel.memory.page_size
    pages = [max(page, start) for page in range(start & -size, end, size)]
    raw = b""
    for page in pages:
        try:
            raw += kernel.memory.read(page, min(end, (page & -size) + size) - page)
        except OopscopeError:
            if page > address:
                break
            raw = b""
    return raw, why


def code_line(kernel: Kernel, address: int) -> str:
    """Return the bytes about an address as an oops prints them; what cannot be read is left out."""
    parts = []
    for at in range(address - BEFORE, address + AFTER):
        try:
            byte = f"{kernel.memory.u8(at % kernel.memory.top):02x}"
        except OopscopeError:
            byte = "??"
        parts.append(f"<{byte}>" if at == address else byte)
    return " ".join(parts)


def _instruction(
    kernel: Kernel, one: tuple[int, int, str, str], raw: bytes, start: int, name: Name | None
) -> Instruction:
    address, size, mnemonic, operands = one
    code = raw[address - start : address - start + size]
    operands = spelt_operands(operands)
    target = _target(kernel, address + size, mnemonic, operands)
    note = _patched(kernel, code, address, start, target)
    if target is not None and not note:
        note = _named(kernel, target, mnemonic, name, operands)
    return Instruction(address, code, f"{mnemonic:<6} {operands}".rstrip(), target, note)


def spelt_operands(operands: str) -> str:
    """Return operands as the AT&T syntax of the kernel's own tools has them: no blanks, immediates in hexadecimal."""
    return _IMMEDIATE.sub(_hex, operands.replace(", ", ","))


def _hex(found: "re.Match[str]") -> str:
    value = int(found[1], 0)
    return f"${value:#x}" if abs(value) > 9 else f"${value}"


def _target(kernel: Kernel, after: int, mnemonic: str, operands: str) -> int | None:
    """Return the address that an instruction names: where it jumps, or what it reads relative to itself."""
    if mnemonic.startswith(BRANCHES) and operands.startswith("0x"):
        return int(operands, 16)
    relative = _RELATIVE.search(operands)
    if relative is not None:
        return (after + int(relative[1], 0)) % kernel.memory.top
    per_cpu = _ABSOLUTE.search(operands)
    if per_cpu is not None:
        return int(per_cpu[1], 16)
    immediate = _IMMEDIATE.search(operands)
    value = int(immediate[1], 0) % kernel.memory.top if immediate else 0
    return value if value >> kernel.arch.bits - 31 == (1 << 31) - 1 and -value % kernel.memory.top > 1 << 20 else None


def _named(kernel: Kernel, target: int, mnemonic: str, name: Name | None, operands: str) -> str:
    """Say what a target is: a function, a variable, a per-CPU variable, a string."""
    if "%gs:" in operands:
        found = kernel.symbols.variable_at(target) if target < 1 << 32 else kernel.symbols.name_at(target)
        return f"per-CPU {found[0]}" + (f"+{found[1]:#x}" if found and found[1] else "") if found else ""
    if mnemonic.startswith("j") and name is not None:
        there = kernel.name_of(target)
        if there is not None and (there.symbol, there.module) == (name.symbol, name.module):
            return f"+{there.offset:#x}"
    meaning = describe(kernel, target)
    return meaning.words if meaning is not None and meaning.kind not in ("user", "nothing") else ""


def _patched(kernel: Kernel, code: bytes, address: int, start: int, target: int | None) -> str:
    """Name the places that the kernel itself writes to while it runs."""
    before = kernel.arch.name == "x86_64" and address - start in (0, len(ENDBR))
    if code in SEALED and address == start:
        return "endbr, sealed: nothing calls it indirectly"
    if code in NOP5:
        return "ftrace's place, off" if before else "patched: a static key that is off, or an alternative ?"
    if before and code[:1] == b"\xe8" and target is not None:
        name = kernel.name_of(target)
        if name is None or "ftrace" in name.symbol or "fentry" in name.symbol:
            return "ftrace is on here" + (f": {name.symbol}" if name else "")
    if code == b"\xcc" and before:
        return "a breakpoint: kprobes ?"
    return ""
