"""The registers that the entry of an exception or interrupt saved on a stack (struct pt_regs)."""

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.machine.x86_64.entry_frames import PT_REGS
from oopscope.machine.x86_64.stacks import stacks_by_cpu

MAX_STACKS = 64  # exception stacks that are searched for saved registers


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an entry saved for an interrupted (pc, sp); None for nothing."""
    at = _place(kernel, pc, sp)
    return None if at is None else dict(zip(PT_REGS, kernel.memory.words(at, len(PT_REGS)), strict=True))


def _place(kernel: Kernel, pc: int, sp: int) -> int | None:
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
