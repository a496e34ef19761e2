"""Big-endian ppc64: the same kernel but for the order of its words, notes and instructions."""

from oopscope.kernel.machine import Registers
from oopscope.machine.common.forms import Done
from oopscope.machine.powerpc import arch, machine
from oopscope.machine.powerpc.accesses import uses_word

ARCH = arch.ARCH._replace(name="ppc64", machines=("ppc64",), byteorder="big", module=__name__, other="")
assert machine.MACHINE.assembly is not None
MACHINE = machine.MACHINE._replace(assembly=machine.MACHINE.assembly._replace(modes=("64", "big"), uses=__name__))


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory."""
    return uses_word(int.from_bytes(code[:4], "big"), pc, known, top) if len(code) >= 4 else None
