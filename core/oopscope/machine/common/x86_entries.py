"""How entries of an x86 kernel are told, 64-bit and 32-bit: by what enters through them, and what they save."""

from oopscope.kernel.frame import FrameKind

IN_FUNCTION = 128  # bytes of a function's code within which its frame is made; an entry makes none
ALWAYS_SET, FLAGS = 2, 1 << 22  # of eflags: a bit that is 1 on every CPU; all that mean something


def boundary(symbol: str) -> FrameKind:
    """Name the kind of an entry function by what enters through it."""
    if symbol.startswith(("entry_", "__ia32_", "ret_from_fork", "ia32_", "system_call", "sysenter_", "stub_")):
        return "syscall"
    if "nmi" in symbol:
        return "nmi"
    if symbol.startswith(("asm_sysvec", "ret_from_intr", "irq_")) or "interrupt" in symbol:
        return "irq"
    return "exception"
