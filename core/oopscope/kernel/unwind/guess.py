"""A stack whose registers are not known: the longest chain of frames in it that holds together, all of it a guess.

A stack that is in use has stale words below it, and among it. A word is taken for the innermost frame if it is a return
address from which the kernel's own tables lead frame by frame to the stack's outer end; the innermost such one that
was dying (panic, die) is preferred, for below it lies what it called before.
"""

from collections.abc import Iterable

from oopscope.errors import ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.modules import in_text
from oopscope.kernel.stacks import Stack
from oopscope.kernel.unwind.x86 import State, Unwinder, follows_call

DYING = ("__crash_kexec", "crash_kexec", "panic", "vpanic", "nmi_panic", "oops_end", "die", "die_addr")
MAX_TRIED = 200
MIN_FRAMES = 3


def guess(kernel: Kernel, stack: Stack) -> list[Frame]:
    """Return the most likely frames of a stack, each marked unreliable; ReadError if it is not in the dump at all."""
    best: list[Frame] = []
    for start in _starts(kernel, stack):
        unwinder = Unwinder(kernel, [stack])
        frames = [f._replace(reliable=False) for f in unwinder.frames(start)]
        if unwinder.problem is not None or len(frames) < MIN_FRAMES:
            continue
        if any(f.symbol in DYING for f in frames):
            return frames
        best = best or frames
    return best


def _starts(kernel: Kernel, stack: Stack) -> Iterable[State]:
    """Yield the places of return addresses, the innermost first."""
    tried, word = 0, kernel.memory.word_size
    for page in range(stack.start, stack.end, kernel.memory.page_size):
        try:
            words = kernel.memory.words(page, min(kernel.memory.page_size, stack.end - page) // word)
        except ReadError:
            if page + kernel.memory.page_size >= stack.end:
                raise
            continue
        for i, address in enumerate(words):
            if in_text(kernel, address) and follows_call(kernel, address):
                tried += 1
                if tried > MAX_TRIED:
                    return
                at = page + (i + 1) * word
                bp = words[i - 1] if i and words[i - 1] in stack else 0  # a frame pointer lies below
                yield State(address, at, bp, False, reliable=False)
