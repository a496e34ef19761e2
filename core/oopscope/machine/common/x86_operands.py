"""What an instruction of x86 did with its registers: the addresses that it used, reckoned from its operands."""

from oopscope.instructions import CALL, JUMP, MEMORY, READ, REGISTER, WRITE, Instruction, Operand
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Flow, Reckoned, Registers, Use

FLOW = Flow(
    calls=("call*",),
    jumps=("j*", "loop*"),
    ends=("jmp*", "ret*", "ud2*", "int3*", "hlt*", "iretq*"),
    copies=("mov",),
    moves=("mov", "movabs", "movsxd", "movzx", "movsx"),
    zeroes=("xor",),
    landing=4,  # ENDBR
)
NO_ACCESS = ("lea", "nop", "prefetch")
DIVISIONS = ("div", "idiv")
STOPS = {"ud2": "where BUG() and WARN() stop", "ud1": "where a sanitizer stops", "int3": "a breakpoint"}


def reckon(kernel: Kernel, one: Instruction, registers: Registers, per_cpu: int) -> Reckoned:
    """Reckon an instruction that ran with some registers.

    per_cpu: the base of the CPU's own area, for where the registers do not tell; 0 for unknown.
    """
    read = [_full(kernel, name) for name in one.reads if name]
    named = (name for name in dict.fromkeys(read) if name in registers and name not in ("rip", "eip", "eflags"))
    return Reckoned(tuple(_uses(kernel, one, registers, per_cpu)), tuple(named), _note(kernel, one, registers))


_PARTS = {
    f"{prefix}{letter}{suffix}": f"r{letter}{'x' if letter in 'abcd' else suffix.rstrip('l')}"
    for letter in "abcd"
    for prefix, suffix in (("e", "x"), ("", "x"), ("", "l"), ("", "h"))
} | {
    f"{prefix}{name}{suffix}": f"r{name}"
    for name in ("si", "di", "bp", "sp")
    for prefix, suffix in (("e", ""), ("", ""), ("", "l"))
}


def whole_64(name: str) -> str:
    """Return the 64-bit register that a part of it is: rax for al, r8 for r8d."""
    if name[:1] == "r" and name[1:2].isdigit():
        return name.rstrip("dwb")
    return _PARTS.get(name, name)


def whole_32(name: str) -> str:
    """Return the 32-bit register that a part of it is: eax for al."""
    whole = _PARTS.get(name, name)
    return f"e{whole[1:]}" if whole[:1] == "r" else whole


def _full(kernel: Kernel, name: str) -> str:
    return whole_64(name) if kernel.arch.bits == 64 else whole_32(name)


def _uses(kernel: Kernel, one: Instruction, registers: Registers, per_cpu: int) -> list[Use]:
    """Reckon the addresses of an instruction's operands."""
    found = []
    branch = CALL in one.groups or JUMP in one.groups
    verb = "calls" if CALL in one.groups else "jumps to"
    for operand in one.operands:
        if operand.kind == MEMORY and not one.mnemonic.startswith(NO_ACCESS):
            reckoned = _address(kernel, one, operand, registers, per_cpu)
            if reckoned is not None:
                formula, address = reckoned
                base = _base(kernel, operand)
                found.append(Use(_verb(operand.access), formula, address, operand.size, *base))
        elif branch and operand.kind == REGISTER:
            name = _full(kernel, operand.register)
            if name in registers:
                found.append(Use(verb, name, registers[name], 0, name))
    if one.mnemonic.startswith(("push", "call")):
        sp = registers.get(kernel.arch.sp, 0) - kernel.memory.word_size
        found.append(Use("pushes to", f"{kernel.arch.sp} - {kernel.memory.word_size:#x}", sp, kernel.memory.word_size))
    return found


def _verb(access: int) -> str:
    reads, writes = access & READ, access & WRITE
    return "reads and writes" if reads and writes else "writes" if writes else "reads"


def _address(
    kernel: Kernel, one: Instruction, mem: Operand, registers: Registers, per_cpu: int
) -> tuple[str, int] | None:
    """Return how an operand's address comes about, and the address; None where a register is not known."""
    parts, total = [], mem.displacement
    if mem.base in ("rip", "eip"):
        total += one.address + one.size
        parts.append("rip")
    elif mem.base:
        name = _full(kernel, mem.base)
        if name not in registers:
            return None
        total += registers[name]
        parts.append(name)
    if mem.scaled:
        name = _full(kernel, mem.scaled)
        if name not in registers:
            return None
        total += registers[name] * mem.scale
        parts.append(f"{name} * {mem.scale}" if mem.scale > 1 else name)
    segment = mem.segment
    if segment in ("gs", "fs"):
        base = registers.get(f"{segment}_base") or per_cpu if segment == "gs" else 0
        if not base:
            return None
        total += base
        parts.insert(0, "gs")
    formula = " + ".join(parts)
    if mem.displacement and "rip" not in parts:
        sign = "-" if mem.displacement < 0 else "+"
        formula += f" {sign} {abs(mem.displacement):#x}" if parts else f"{mem.displacement:#x}"
    return formula, total % kernel.memory.top


def _base(kernel: Kernel, mem: Operand) -> tuple[str, int]:
    """Return the register and the displacement of an operand without index and segment; an empty name for others."""
    if not mem.base or mem.scaled or mem.segment or mem.base in ("rip", "eip"):
        return "", 0
    return _full(kernel, mem.base), mem.displacement


def _note(kernel: Kernel, one: Instruction, registers: Registers) -> str:
    """Say what needs no memory: a division by zero, an instruction that stops."""
    if one.mnemonic.rstrip("bwlq") in DIVISIONS or one.mnemonic in DIVISIONS:
        names = [_full(kernel, operand.register) for operand in one.operands if operand.kind == REGISTER]
        if any(registers.get(name) == 0 for name in names):
            return f"divides by {names[0]}, which is 0"
    return STOPS.get(one.mnemonic, "")
