"""What a CPU did when it was stopped: its stack without what stopped it and what died over it."""

from collections.abc import Sequence
from itertools import pairwise

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import entry_kind, is_dying, is_softirq_loop


def _behind_interrupt(frames: Sequence[Frame]) -> int:
    """Return where in a stack stands what its innermost interrupt or NMI found; 0 where there is none."""
    for at, (frame, behind) in enumerate(pairwise(frames), 1):
        if entry_kind(frame.symbol) in ("irq", "nmi") and entry_kind(behind.symbol) not in ("irq", "nmi"):
            if is_softirq_loop(behind.symbol):  # it had let interrupts in between two handlers: who is stuck is behind
                continue
            return at
    return 0


def interrupted_in(frames: Sequence[Frame]) -> Frame | None:
    """Return what the innermost interrupt or NMI of a stack found running; None where that was a program."""
    at = _behind_interrupt(frames)
    return frames[at] if at and frames[at].kind != "user" else None


def stood_in(frames: Sequence[Frame]) -> Frame | None:
    """Return the kernel function that a CPU was in, beyond what stopped it or died; None for a program and no stack."""
    named = [frame for frame in frames if frame.symbol]
    if named and is_dying(named[0].symbol):  # else a fault stands there, in an interrupt as elsewhere
        named = [frame for frame in frames[_behind_interrupt(frames) :] if frame.symbol]
    if not named or named[0].kind == "user":
        return None
    return next((frame for frame in named if frame.kind != "user" and not is_dying(frame.symbol)), named[0])
