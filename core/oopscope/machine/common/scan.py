"""What the words of a stack alone tell: every return address among them, each a guess."""

from collections.abc import Iterator, Sequence

from oopscope.errors import ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text

MAX_FRAMES = 256


def scan(kernel: Kernel, sp: int, stack: Stack) -> Iterator[Frame]:
    """Yield every word of a stack that is a return address, each a guess."""
    word = kernel.memory.word_size
    start = max(sp, stack.start) & -word
    try:
        words = kernel.memory.words(start, max(0, stack.end - start) // word)
    except ReadError as e:
        kernel.problems.lost("stacks", "a scanned stack")(e)
        return
    found, inner = 0, None
    for i, address in enumerate(words):
        if in_text(kernel, address) and kernel.machine.follows_call(kernel, address, inner) and found < MAX_FRAMES:
            found += 1
            frame = frame_at(kernel, address, start + i * word, reliable=False, called=True)
            inner = frame.symbol
            yield frame


def frame_at(kernel: Kernel, address: int, sp: int, reliable: bool, called: bool) -> Frame:
    """Return the frame of an address: of a return address, the call before it is what is named."""
    name = kernel.name_of(address - called)
    offset = name.offset + called if name else None
    return Frame(address, name.symbol if name else None, offset, name.module if name else None, "task", reliable, sp)


def guess_by_scan(kernel: Kernel, stack: Stack, _live: Sequence[Stack]) -> list[Frame]:
    """Return what a task's stack alone tells of a CPU without registers."""
    return list(scan(kernel, stack.start, stack))
