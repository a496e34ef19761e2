"""Registers with what they point at, and the code at a frame with what its instruction did with them."""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.describe import describe
from oopscope.inspect.disassemble import Code, code_line, disassemble
from oopscope.inspect.look_up import address_of, prototype
from oopscope.inspect.meaning import Meaning
from oopscope.inspect.operands import Context, Deed, context_of, deed, register_meaning, running_on
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import in_text
from oopscope.linux.task import TaskStruct
from oopscope.stacks.registers import registers as all_registers


class Register(NamedTuple):
    """A register, and what it points at."""

    name: str
    value: int
    meaning: Meaning | None


def registers(kernel: Kernel, cpu: int) -> tuple[Register, ...]:
    """Return a CPU's registers with what they point at, those that are addresses or numbers of size."""
    found = kernel.cached(all_registers).get(cpu, {})
    task = running_on(kernel, cpu)
    return tuple(Register(name, value, _register(kernel, name, value, task)) for name, value in found.items())


def _register(kernel: Kernel, name: str, value: int, task: TaskStruct | None) -> Meaning | None:
    """Return what a register means: flags by name, a system call's number, nothing for selectors."""
    words = kernel.machine.about_register(kernel, name, value)
    if words is not None:
        return Meaning("nothing", words) if words else None
    return register_meaning(kernel, value, task)


class CodeFound(NamedTuple):
    """A function's code, and of a frame with registers what its instruction did."""

    address: int
    sp: int  # of the frame, 0 for none
    code: Code | None
    why: str  # why there is no code
    meaning: Meaning | None  # of an address that is no code
    prototype: str | None
    deed: Deed | None
    context: Context | None


def code(kernel: Kernel, key: str) -> CodeFound:
    """Return the code about an address or of a function; of a frame (`ADDRESS@SP`) with its registers."""
    where, _, stack = key.partition("@")
    address, sp = address_of(kernel, where), int(stack, 16) if stack else 0
    context = context_of(kernel, address, sp) if sp else None
    within = address if context or not sp else address - 1  # what never returns may be called last
    name = kernel.name_of(within)
    try:
        found = disassemble(kernel, within)._replace(address=address, line=code_line(kernel, address))
    except OopscopeError as error:
        return CodeFound(address, sp, None, str(error), describe(kernel, address), None, None, context)
    spelt = prototype(kernel, name.symbol, name.module) if name and in_text(kernel, within) else None
    done = deed(kernel, address, context) if context else None
    return CodeFound(address, sp, found, "", None, spelt, done, context)
