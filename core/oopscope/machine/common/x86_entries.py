"""How entries of an x86 kernel are told, 64-bit and 32-bit: by what enters through them, and what they save."""

from oopscope.kernel.frame import FrameKind

IN_FUNCTION = 128  # bytes of a function's code within which its frame is made; an entry makes none
ALWAYS_SET, FLAGS = 2, 1 << 22  # of eflags: a bit that is 1 on every CPU; all that mean something
PUSH = b"\x55"  # push %rbp or %ebp
BETWEEN = 24  # bytes of other instructions that a compiler schedules between the push and the move


def frame_made(code: bytes, moves: tuple[bytes, ...]) -> tuple[int, int] | None:
    """Return where a function's code pushes the frame pointer, and where it then sets it; None where it does not.

    moves: the encodings of the machine's move from the stack pointer. The two need not follow each other at once.
    """
    for move in moves:
        at = code.find(move)
        while at >= 0:
            pushed = code.rfind(PUSH, max(0, at - BETWEEN), at)
            if pushed >= 0:
                return pushed, at
            at = code.find(move, at + 1)
    return None


def boundary(symbol: str) -> FrameKind:
    """Name the kind of an entry function by what enters through it."""
    if symbol.startswith(("entry_", "__ia32_", "ret_from_fork", "ia32_", "system_call", "sysenter_", "stub_")):
        return "syscall"
    if "nmi" in symbol:
        return "nmi"
    if symbol.startswith(("asm_sysvec", "ret_from_intr", "irq_")) or "interrupt" in symbol:
        return "irq"
    return "exception"
