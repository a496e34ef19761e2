"""Unwinding on an architecture that has no unwinder of its own yet: frame pointers on i386, else a scan.

Follows arch/x86/kernel/unwind_frame.c for i386. A chain of frame pointers is believed where the kernel keeps them; what
a scan of the stack's words finds is a guess.
"""

from collections.abc import Iterator, Mapping

from oopscope.errors import OopscopeError, ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.x86_64.unwind import follows_call

MAX_FRAMES = 256
PROLOGUES = (b"\x55\x89\xe5", b"\x55\x8b\xec")  # push %ebp; mov %esp,%ebp
SAMPLES = ("schedule", "do_exit", "vfs_read", "panic", "kthread")


def keeps_frame_pointers(kernel: Kernel) -> bool:
    """Tell whether an i386 kernel's functions begin by saving ebp."""
    found = 0
    for name in SAMPLES if kernel.arch.name == "i386" else ():
        address = kernel.find_symbol(name)
        try:
            found += address is not None and any(p in kernel.memory.read(address, 24) for p in PROLOGUES)
        except OopscopeError:
            continue
    return found >= 2


def frames_of(kernel: Kernel, registers: Mapping[str, int], stack: Stack) -> list[Frame]:
    """Return the frames of a CPU from its registers."""
    arch = kernel.arch
    pc, sp, fp = registers[arch.pc], registers[arch.sp], registers[arch.fp]
    found = [_frame(kernel, pc, sp, reliable=True, called=False)]
    if kernel.cached(keeps_frame_pointers):
        found += _chain(kernel, fp, stack)
    return found if len(found) > 1 else [*found, *scan(kernel, sp, stack)]


def _chain(kernel: Kernel, fp: int, stack: Stack) -> Iterator[Frame]:
    """Follow saved frame pointers, each with the return address above it, upwards."""
    word = kernel.memory.word_size
    for _ in range(MAX_FRAMES):
        if fp not in stack or fp % word:
            return
        try:
            above, address = kernel.memory.words(fp, 2)
        except ReadError:
            return
        if not in_text(kernel, address):
            return
        yield _frame(kernel, address, fp + 2 * word, reliable=True, called=True)
        if above <= fp:
            return
        fp = above


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
        if in_text(kernel, address) and follows_call(kernel, address, inner) and found < MAX_FRAMES:
            found += 1
            frame = _frame(kernel, address, start + i * word, reliable=False, called=True)
            inner = frame.symbol
            yield frame


def _frame(kernel: Kernel, address: int, sp: int, reliable: bool, called: bool) -> Frame:
    name = kernel.name_of(address - called)
    offset = name.offset + called if name else None
    return Frame(address, name.symbol if name else None, offset, name.module if name else None, "task", reliable, sp)
