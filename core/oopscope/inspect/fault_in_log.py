"""The fault of a log alone: the instruction of the oops's own Code: line, reckoned with the registers that it printed.

There is no memory to look at: who passed a value is not known, and a pointer means what its number says by itself.
"""

from oopscope.arch import ByteOrder
from oopscope.inspect.fault import Fault
from oopscope.inspect.meaning import number_meaning
from oopscope.inspect.operands import about, reckoned
from oopscope.kernel.kernel import Kernel
from oopscope.klog.detail import Code
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re

_OF_NOTE = lazy_re(r"^r0(\d)$")  # an oops of x86_64 writes R08, a crash note and the disassembler r8


def _as_in_memory(code: Code, order: ByteOrder) -> bytes:
    """Return the code from pc on; numbers as they are printed lie the other way about in little-endian memory."""
    raw = code.data[code.at :]
    if order == "big":
        return raw
    return b"".join(raw[at : at + code.unit][::-1] for at in range(0, len(raw), code.unit))


def fault_in_log(kernel: Kernel, oops: Report) -> Fault | None:
    """Tell the fault of an oops by its own words; None where it printed no code, or too few registers."""
    code = oops.code
    registers = {_OF_NOTE.sub(r"r\1", name): value for name, value in oops.registers.items()}
    own = registers.keys() & set(kernel.arch.prstatus.names)  # of another machine than the kernel is taken for: none
    if code is None or code.at is None or not own or oops.in_user:
        return None
    pc = oops.pc.address if oops.pc is not None else 0
    found = reckoned(kernel, _as_in_memory(code, kernel.arch.byteorder), pc, registers, 0)
    if found is None:
        return None
    text, done = found
    wanted = oops.fault_address
    uses = [use for use in done.uses if use.verb != "pushes to"]
    use = about(uses, wanted) or (uses[0] if len(uses) == 1 else None)
    if use is None:
        return Fault(text, "", "", wanted, None, None, None, (), ())
    register = use.base if use.base in registers else None
    value = registers[register] if register else None
    what = value if value is not None else use.address
    meaning = number_meaning(what, kernel.arch.bits, kernel.arch.byteorder)
    return Fault(text, use.verb, use.formula, use.address, register, value, meaning, (), ())
