"""The code of a function as it stands in the dump: instructions, what they name, and which places the kernel patches.

Decoding is capstone's; where it is missing or does not know the machine, there are the bytes, as an oops' Code: line
has them. The text is what the machine ran: with ftrace, alternatives and static keys as they were patched at the end.
"""

from typing import NamedTuple

from oopscope import instructions
from oopscope.errors import OopscopeError
from oopscope.inspect.describe import describe
from oopscope.instructions import Decoder
from oopscope.kernel.kernel import Kernel, Name
from oopscope.linux.module import in_text, module_map

MAX_FUNCTION = 64 << 10
AROUND = 256  # bytes where no symbol bounds the code
BEFORE, AFTER = 42, 22  # bytes of a Code: line, as arch/x86/kernel/dumpstack.c prints them
WITHOUT = "disassembly needs capstone: pip install capstone"
UNKNOWN = f"capstone {instructions.RELEASE} does not know this machine's instructions: here are the bytes"


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


def decoder(kernel: Kernel) -> Decoder | None:
    """Return what decodes the machine's code; None where capstone is not there, or the machine does not say how."""
    how = kernel.machine.assembly
    return instructions.decoder(how.arch, how.modes, how.syntax) if how is not None else None


def disassemble(kernel: Kernel, address: int) -> Code:
    """Return the function that an address lies in; ReadError where its bytes are not to be had at all."""
    start, end, name = bounds(kernel, address)
    raw, why = _bytes(kernel, start, end, address)
    if not raw:
        kernel.memory.read(address, 1)  # says why
    start = max(start, end - len(raw)) if why and raw else start
    made = decoder(kernel)
    if made is None:
        return Code(address, start, end, name, (), code_line(kernel, address), why or _why_not(kernel))
    lines = tuple(_instruction(kernel, one, raw, start, name) for one in made.texts(raw, start))
    return Code(address, start, end, name, lines, code_line(kernel, address), why)


def _why_not(kernel: Kernel) -> str:
    """Return why nothing decodes the machine's code."""
    how = kernel.machine.assembly
    return WITHOUT if how is not None and how.arch in instructions.MACHINES else UNKNOWN


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
    how = kernel.machine.assembly
    assert how is not None  # there is no decoder without it
    code = raw[address - start : address - start + size]
    operands = spelt_operands(kernel, operands)
    target = how.target(kernel, address + size, mnemonic, operands)
    note = how.patched(kernel, code, address, start, target)
    if target is not None and not note:
        note = _named(kernel, target, name, how.jumps(mnemonic), how.per_cpu(operands))
    return Instruction(address, code, f"{mnemonic:<6} {operands}".rstrip(), target, note)


def spelt_operands(kernel: Kernel, operands: str) -> str:
    """Return operands as the kernel's own tools have them: no blanks, numbers as one reads them."""
    how = kernel.machine.assembly
    return how.shown(operands.replace(", ", ",")) if how is not None else operands


def _named(kernel: Kernel, target: int, name: Name | None, jumps: bool, per_cpu: bool) -> str:
    """Say what a target is: a function, a variable, a per-CPU variable, a string."""
    if per_cpu:
        found = kernel.symbols.variable_at(target) if target < 1 << 32 else kernel.symbols.name_at(target)
        return f"per-CPU {found[0]}" + (f"+{found[1]:#x}" if found and found[1] else "") if found else ""
    if jumps and name is not None:
        there = kernel.name_of(target)
        if there is not None and (there.symbol, there.module) == (name.symbol, name.module):
            return f"+{there.offset:#x}"
    meaning = describe(kernel, target)
    return meaning.words if meaning is not None and meaning.kind not in ("user", "nothing") else ""
