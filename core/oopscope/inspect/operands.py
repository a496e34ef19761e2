"""What an instruction was about to do, reckoned from the registers: the address that it used, and what lies there.

For the instruction at which an exception came: `mov 0x18(%rax),%rcx` with rax 0 read 0x18, and so died of NULL.
Registers of a frame are the CPU's own, else those that the entry of an exception or interrupt saved on a stack.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import NamedTuple, TypeVar

from oopscope.errors import OopscopeError
from oopscope.inspect.address_space import stack_map
from oopscope.inspect.describe import describe
from oopscope.inspect.disassemble import decoder
from oopscope.inspect.meaning import NULL_PAGE, Meaning
from oopscope.instructions import Decoder
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.machine import Reckoned, Use
from oopscope.linux.sched import runqueues
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.stacks.registers import Registers, registers

Used = TypeVar("Used", "Access", Use)


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
    saved = kernel.machine.saved_registers(kernel, pc, sp) if sp else None
    return Context(saved, cpu, task) if saved is not None else None


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


def deed(kernel: Kernel, pc: int, context: Context) -> Deed | None:
    """Say what the instruction at pc did with these registers; None where that cannot be read or told."""
    how = kernel.machine.assembly
    if how is None:
        return None
    pc, longest = how.stopped_at(kernel, pc), how.longest
    code = b""
    for size in (longest, 4096 - (pc & 4095)):
        try:
            code = kernel.memory.read(pc, min(size, longest))
            break
        except OopscopeError:
            continue
    found = reckoned(kernel, code, pc, context.registers, _per_cpu_base(kernel, context))
    if found is None:
        return None
    text, done = found
    known = tuple(
        (name, context.registers[name], register_meaning(kernel, context.registers[name], context.task))
        for name in done.registers
    )
    return Deed(text, tuple(_access(kernel, use, context) for use in done.uses), known, done.note)


def reckoned(kernel: Kernel, code: bytes, pc: int, known: Registers, per_cpu: int) -> tuple[str, Reckoned] | None:
    """Decode an instruction from its bytes and reckon what it did with some registers; None where that cannot be.

    per_cpu: the base of the CPU's own area, 0 for unknown.
    """
    made, how = decoder(kernel), kernel.machine.assembly
    if how is None:
        return None
    if how.uses:
        return _by_tables(how.uses, made, kernel.memory.top, code, pc, known)
    one = next(iter(made.details(code, pc)), None) if made is not None and how.reckon is not None else None
    if one is None or made is None or how.reckon is None:
        return None
    return _text(made, code, pc), how.reckon(kernel, one, known, per_cpu)


def _by_tables(
    module: str, made: Decoder | None, top: int, code: bytes, pc: int, known: Registers
) -> tuple[str, Reckoned] | None:
    """Reckon by the machine's own tables, which need no capstone: the text alone is shorter without it."""
    done = import_module(module).uses(code, pc, known, top)
    text = _text(made, code, pc) if made is not None and code else ""
    if done is None and not text:
        return None
    return text or done.mnemonic, done.reckoned if done is not None else Reckoned((), (), "")


def _text(made: Decoder, code: bytes, pc: int) -> str:
    _, _, mnemonic, words = made.texts(code, pc)[0]
    return f"{mnemonic} {words.replace(', ', ',')}".rstrip()


def about(uses: Iterable[Used], address: int | None) -> Used | None:
    """Return the use of memory that an address lies within, such as the one that the processor named; None for none."""
    return next((one for one in uses if address is not None and 0 <= address - one.address < max(one.size, 1)), None)


def _access(kernel: Kernel, use: Use, context: Context) -> Access:
    verb, formula, address, size, base, displacement = use
    return Access(verb, formula, address, size, _at(kernel, address, context), base, displacement)


def register_meaning(kernel: Kernel, value: int, task: TaskStruct | None) -> Meaning | None:
    """Describe a register's value; a small one is a number, in decimal."""
    found = describe(kernel, value, task)
    return Meaning("null", str(value)) if found is not None and found.kind == "null" and value else found


def _at(kernel: Kernel, address: int, context: Context) -> Meaning | None:
    """Describe what was used as an address, and so is no number."""
    if address < NULL_PAGE:
        return Meaning("null", f"NULL + {address:#x}" if address else "NULL")
    return describe(kernel, address, context.task)


def _per_cpu_base(kernel: Kernel, context: Context) -> int:
    offsets = kernel.cached(per_cpu_offsets)
    return offsets[context.cpu] if context.cpu is not None and context.cpu < len(offsets) else 0
