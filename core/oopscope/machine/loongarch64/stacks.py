"""Where a LoongArch CPU's interrupt stack is, and what a note of its registers tells.

Follows arch/loongarch/kernel/{irq,traps}.c and QEMU's target/loongarch/arch_dump.c.
"""

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.machine import Registers
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.module import in_text
from oopscope.machine.loongarch64.code import call_target

SPARE = 16  # bytes at the end of an interrupt stack: in the first word is the stack pointer of what was interrupted


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the interrupt stack of each CPU that can be found."""
    found: dict[int, list[Stack]] = {}
    if kernel.find_symbol("irq_stack") is None:
        return found
    for cpu in present_cpus(kernel):
        try:
            base = kernel.memory.word(kernel.per_cpu("irq_stack", cpu))
        except OopscopeError as e:
            kernel.problems.lost("cpus", f"CPU {cpu}: its interrupt stack")(e)
            continue
        if base:
            found[cpu] = [Stack(base, base + kernel.cached(thread_size) - SPARE, "irq")]
    return found


def note_registers(kernel: Kernel, registers: Registers) -> Registers:
    """Return a note's registers with a program counter where QEMU wrote none.

    QEMU puts CSR.ERA there, where the last exception came from, and leaves the mode out (CRMD, which no kernel runs
    with at 0). Where the last call was of the function that ERA lies in, ERA is taken; else where that call returns to.
    """
    if registers.get("crmd", 0) or "ra" not in registers:
        return registers
    era, ra = registers["pc"], registers["ra"]
    try:
        called = call_target(kernel, ra) if in_text(kernel, era) else None
        name = kernel.name_of(era) if called is not None else None
        if name is not None and era - name.offset == called:
            return registers
        if not in_text(kernel, ra):
            return registers
    except OopscopeError:
        return registers
    kernel.problems.add(
        "cpus", "QEMU's notes of LoongArch tell no program counter: where the last call returns to stands for it"
    )
    return {**registers, "pc": ra}
