"""What an instruction was about to do, reckoned from the registers: the address that it used, and what lies there.

For the instruction at which an exception came: `mov 0x18(%rax),%rcx` with rax 0 read 0x18, and so died of NULL.
Registers of a frame are the CPU's own, else those that the entry of an exception or interrupt saved on a stack.
"""

from typing import Any, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.address_space import stack_map
from oopscope.inspect.describe import describe
from oopscope.inspect.disassemble import decoder
from oopscope.inspect.meaning import NULL_PAGE, Meaning
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.linux.sched import runqueues
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.machine.x86_64.stacks import stacks_by_cpu
from oopscope.machine.x86_64.unwind import PT_REGS
from oopscope.stacks.registers import Registers, registers

MAX_STACKS = 64  # exception stacks that are searched for saved registers
MAX_INSTRUCTION = 15
NO_ACCESS = ("lea", "nop", "prefetch")
DIVISIONS = ("div", "idiv")
STOPS = {"ud2": "where BUG() and WARN() stop", "ud1": "where a sanitizer stops", "int3": "a breakpoint"}


class Access(NamedTuple):
    """One use of memory, or a jump: what it did, how its address came about, the address, what lies there."""

    verb: str  # reads, writes, reads and writes, calls, jumps to, pushes to
    formula: str  # "rax + 0x18", empty where the address is the operand itself
    address: int
    size: int  # bytes; 0 for a jump
    meaning: Meaning | None
    base: str = ""  # the register that the address was reckoned from, where it is one alone, and what was added
    displacement: int = 0


class Deed(NamedTuple):
    """An instruction with its registers: the uses of memory, the registers that it names, what else is to be said."""

    text: str
    accesses: tuple[Access, ...]
    registers: tuple[tuple[str, int, Meaning | None], ...]
    note: str


class Context(NamedTuple):
    """Whose registers they are: the CPU, its task."""

    registers: Registers
    cpu: int | None
    task: TaskStruct | None


def context_of(kernel: Kernel, pc: int, sp: int) -> Context | None:
    """Return the registers at a frame, given its program counter and stack pointer; None where nothing saved them."""
    cpu, task = _owner(kernel, sp)
    for number, found in kernel.cached(registers).items():
        if found.get(kernel.arch.pc) == pc and (not sp or found.get(kernel.arch.sp) == sp):
            return Context(found, number, task or running_on(kernel, number))
    if kernel.arch.name != "x86_64" or not sp:
        return None
    at = _saved(kernel, pc, sp)
    if at is None:
        return None
    return Context(dict(zip(PT_REGS, kernel.memory.words(at, len(PT_REGS)), strict=True)), cpu, task)


def _owner(kernel: Kernel, sp: int) -> tuple[int | None, TaskStruct | None]:
    owned = kernel.cached(stack_map).at(sp)
    if owned is None:
        return None, None
    if owned.task is None:
        return owned.cpu, running_on(kernel, owned.cpu)
    address = owned.task.address
    return next((queue.cpu for queue in kernel.cached(runqueues) if queue.curr == address), None), owned.task


def running_on(kernel: Kernel, cpu: int | None) -> TaskStruct | None:
    """Return the task that a CPU ran; None where that is not known."""
    try:
        current = next((queue.curr for queue in kernel.cached(runqueues) if queue.cpu == cpu), 0)
        return kernel.cached(task_structs).get(current)
    except OopscopeError:
        return None


def _saved(kernel: Kernel, pc: int, sp: int) -> int | None:
    """Find the pt_regs of an interrupted (pc, sp): below sp on the same stack, else on an exception's own stack."""
    ip, own = 8 * PT_REGS.index("rip"), 8 * PT_REGS.index("rsp")
    below = (sp & -16) - 8 * len(PT_REGS)
    try:
        if kernel.memory.word(below + ip) == pc and kernel.memory.word(below + own) == sp:
            return below
    except OopscopeError:
        pass
    stacks = [stack for own_stacks in kernel.cached(stacks_by_cpu).values() for stack in own_stacks]
    for stack in [stack for stack in stacks if stack.kind in ("exception", "nmi")][:MAX_STACKS]:
        try:
            words = kernel.memory.words(stack.start, (stack.end - stack.start) // 8)
        except OopscopeError:
            continue
        for at in range(len(PT_REGS) - 5, len(words) - 3):
            if words[at] == pc and words[at + 3] == sp:
                return stack.start + 8 * at - ip
    return None


def deed(kernel: Kernel, pc: int, context: Context) -> Deed | None:
    """Say what the instruction at pc did with these registers; None without capstone, or where it cannot be read."""
    made = decoder(kernel)
    if made is None:
        return None
    code = b""
    for size in (MAX_INSTRUCTION, 4096 - (pc & 4095)):
        try:
            code = kernel.memory.read(pc, min(size, MAX_INSTRUCTION))
            break
        except OopscopeError:
            continue
    made.skipdata = False
    shown = next(made.disasm_lite(code, pc, 1), None)
    made.syntax, made.detail = 1, True  # Intel's order of operands: in AT&T's, capstone mixes up what is written
    one = next(made.disasm(code, pc, 1), None)
    if one is None or shown is None:
        return None
    used = [made.reg_name(number) for number in one.regs_access()[0]]
    named = [full_register(name) for name in used if name]
    known = tuple(
        (name, context.registers[name], register_meaning(kernel, context.registers[name], context.task))
        for name in dict.fromkeys(named)
        if name in context.registers and name not in ("rip", "eip", "eflags")
    )
    text = f"{shown[2]} {shown[3].replace(', ', ',')}".rstrip()
    return Deed(text, tuple(_accesses(kernel, one, context)), known, _note(one, context))


def register_meaning(kernel: Kernel, value: int, task: TaskStruct | None) -> Meaning | None:
    """Describe a register's value; a small one is a number, in decimal."""
    found = describe(kernel, value, task)
    return Meaning("null", str(value)) if found is not None and found.kind == "null" and value else found


_PARTS = {
    f"{prefix}{letter}{suffix}": f"r{letter}{'x' if letter in 'abcd' else suffix.rstrip('l')}"
    for letter in "abcd"
    for prefix, suffix in (("e", "x"), ("", "x"), ("", "l"), ("", "h"))
} | {
    f"{prefix}{name}{suffix}": f"r{name}"
    for name in ("si", "di", "bp", "sp")
    for prefix, suffix in (("e", ""), ("", ""), ("", "l"))
}


def full_register(name: str) -> str:
    """Return the 64-bit register that a part of it is: rax for al, r8 for r8d."""
    if name[:1] == "r" and name[1:2].isdigit():
        return name.rstrip("dwb")
    return _PARTS.get(name, name)


def _accesses(kernel: Kernel, one: Any, context: Context) -> list[Access]:
    """Reckon the addresses of an instruction's operands."""
    import capstone

    found = []
    branch = one.group(capstone.CS_GRP_CALL) or one.group(capstone.CS_GRP_JUMP)
    verb = "calls" if one.group(capstone.CS_GRP_CALL) else "jumps to"
    for operand in one.operands:
        if operand.type == capstone.x86.X86_OP_MEM and not one.mnemonic.startswith(NO_ACCESS):
            reckoned = _address(kernel, one, operand.mem, context)
            if reckoned is not None:
                formula, address = reckoned
                done, meaning = _verb(operand.access, capstone), _at(kernel, address, context)
                found.append(Access(done, formula, address, operand.size, meaning, *_base(one, operand.mem)))
        elif branch and operand.type == capstone.x86.X86_OP_REG:
            name = full_register(one.reg_name(operand.reg))
            if name in context.registers:
                address = context.registers[name]
                found.append(Access(verb, name, address, 0, _at(kernel, address, context), name))
    if one.mnemonic.startswith(("push", "call")):
        sp = context.registers.get(kernel.arch.sp, 0) - kernel.memory.word_size
        found.append(
            Access("pushes to", f"{kernel.arch.sp} - {kernel.memory.word_size:#x}", sp, 8, _at(kernel, sp, context))
        )
    return found


def _at(kernel: Kernel, address: int, context: Context) -> Meaning | None:
    """Describe what was used as an address, and so is no number."""
    if address < NULL_PAGE:
        return Meaning("null", f"NULL + {address:#x}" if address else "NULL")
    return describe(kernel, address, context.task)


def _verb(access: int, capstone: Any) -> str:
    reads, writes = access & capstone.CS_AC_READ, access & capstone.CS_AC_WRITE
    return "reads and writes" if reads and writes else "writes" if writes else "reads"


def _address(kernel: Kernel, one: Any, mem: Any, context: Context) -> tuple[str, int] | None:
    """Return how an operand's address comes about, and the address; None where a register is not known."""
    parts, total = [], mem.disp
    if mem.base and one.reg_name(mem.base) in ("rip", "eip"):
        total += one.address + one.size
        parts.append("rip")
    elif mem.base:
        name = full_register(one.reg_name(mem.base))
        if name not in context.registers:
            return None
        total += context.registers[name]
        parts.append(name)
    if mem.index:
        name = full_register(one.reg_name(mem.index))
        if name not in context.registers:
            return None
        total += context.registers[name] * mem.scale
        parts.append(f"{name} * {mem.scale}" if mem.scale > 1 else name)
    segment = one.reg_name(mem.segment) if mem.segment else ""
    if segment in ("gs", "fs"):
        base = context.registers.get(f"{segment}_base") or _per_cpu_base(kernel, context) if segment == "gs" else 0
        if not base:
            return None
        total += base
        parts.insert(0, "gs")
    formula = " + ".join(parts)
    if mem.disp and "rip" not in parts:
        formula += f" {'-' if mem.disp < 0 else '+'} {abs(mem.disp):#x}" if parts else f"{mem.disp:#x}"
    return formula, total % kernel.memory.top


def _base(one: Any, mem: Any) -> tuple[str, int]:
    """Return the register and the displacement of an operand without index and segment; an empty name for others."""
    if not mem.base or mem.index or mem.segment or one.reg_name(mem.base) in ("rip", "eip"):
        return "", 0
    return full_register(one.reg_name(mem.base)), int(mem.disp)


def _per_cpu_base(kernel: Kernel, context: Context) -> int:
    offsets = kernel.cached(per_cpu_offsets)
    return offsets[context.cpu] if context.cpu is not None and context.cpu < len(offsets) else 0


def _note(one: Any, context: Context) -> str:
    """Say what needs no memory: a division by zero, an instruction that stops."""
    if one.mnemonic.rstrip("bwlq") in DIVISIONS or one.mnemonic in DIVISIONS:
        names = [full_register(one.reg_name(operand.reg)) for operand in one.operands if operand.type == 1]
        if any(context.registers.get(name) == 0 for name in names):
            return f"divides by {names[0]}, which is 0"
    return STOPS.get(one.mnemonic, "")
