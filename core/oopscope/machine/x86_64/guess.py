"""A stack whose registers are not known: the chain of frames in it that holds together, all of it a guess.

A stack that is in use has stale words below it, and among it. A word is taken for the innermost frame if it is a return
address from which the kernel's own tables lead frame by frame to the stack's outer end. Of those, one that was dying
(panic, die) is preferred, for below it lies what it called before; then the innermost in which every direct call calls
the function whose frame it has. A CPU that was in an interrupt or an NMI is looked for on that stack
first; from there the tables lead back to the task's.

A task that sleeps left its CPU through one call, of __switch_to_asm: where one return address of such a call leads to
the stack's outer end, it is the place (it was for each of 7178 sleepers in dumps of 5.10 to 7.3).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import pairwise

from oopscope.errors import ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.lazy_re import lazy_re
from oopscope.linux.module import in_text
from oopscope.machine.common.x86_code import call_target, follows_call
from oopscope.machine.x86_64.unwind import Unwinder

DYING = ("__crash_kexec", "crash_kexec", "panic", "vpanic", "nmi_panic", "oops_end", "die", "die_addr")
MAX_TRIED = 200
MIN_FRAMES = 3
JUMPS, MAX_CODE = 2, 1024
_JUMP = lazy_re(rb"(?:\xe9|\x0f[\x80-\x8f])(.{4})", re.DOTALL)
_ENTRY = lazy_re("asm_|end_repeat_nmi|entry_|ret_from")  # what was interrupted has called nothing
_PASSED_ON = lazy_re("x86_(indirect|return)_|x64_sys_call|__(x64|ia32|se|do)_sys_")  # these jump elsewhere


def guess(kernel: Kernel, stack: Stack, live: Sequence[Stack] = ()) -> list[Frame]:
    """Return the most likely frames of a task's stack, each marked unreliable; ReadError if it is not in the dump.

    live: the CPU's other stacks that were in use, the innermost first.
    """
    for place in live:
        with suppress(ReadError):
            frames = _best(kernel, place, stack)
            if frames:
                return frames
    return _best(kernel, stack, stack)


def _best(kernel: Kernel, place: Stack, stack: Stack) -> list[Frame]:
    """Return the most likely frames that begin on one stack."""
    best: list[Frame] = []
    least, known = (True, 0), dict[tuple[int, str], bool]()
    for start in _starts(kernel, place, lambda address: follows_call(kernel, address)):
        unwinder = Unwinder(kernel, [stack])
        frames = [f._replace(reliable=False) for f in unwinder.frames(start)]
        if unwinder.problem is None and len(frames) >= MIN_FRAMES:
            dying = next((n for n, f in enumerate(frames) if _bare(f.symbol) in DYING), None)
            doubts = dying is None, _mismatches(kernel, frames if dying is None else frames[: dying + 1], known)
            if not best or doubts < least:
                best, least = frames, doubts
            if least == (False, 0):
                break
    return best


def _mismatches(kernel: Kernel, frames: list[Frame], known: dict[tuple[int, str], bool]) -> int:
    """Count the frames whose direct call does not lead to the function of the frame within, or that are no call's."""
    found = 0
    for inner, outer in pairwise(frames):
        called = outer.kind != "user" and not _ENTRY.match(inner.symbol or "")
        target = call_target(kernel, outer.address) if called else None
        if target is not None:
            key = target, _bare(inner.symbol)
            if key not in known:
                known[key] = _leads(kernel, *key, JUMPS)
            found += not known[key]
        found += (outer.symbol or "").startswith("__pfx_")  # a pointer to a function, whose padding this is
    return found


def _leads(kernel: Kernel, function: int, inner: str, jumps: int) -> bool:
    """Tell whether a call of a function can be one of an inner frame's: it is that, or ends in a jump that leads there.

    A jump to a place in a register leads anywhere.
    """
    name = kernel.name_of(function)
    if name is None or name.offset or _bare(name.symbol) == inner or _PASSED_ON.search(name.symbol):
        return True
    try:
        code = kernel.memory.read(function, MAX_CODE) if jumps else b""
    except ReadError:
        return True  # nobody can tell
    for found in _JUMP.finditer(code):
        target = (function + found.end() + int.from_bytes(found[1], "little", signed=True)) % kernel.memory.top
        within = function <= target < function + MAX_CODE
        leaves = not within and in_text(kernel, target) and _starts_there(kernel, target)
        if leaves and _leads(kernel, target, inner, jumps - 1):
            return True
    return False


def _starts_there(kernel: Kernel, address: int) -> bool:
    name = kernel.name_of(address)
    return name is not None and not name.offset


def _bare(symbol: str | None) -> str:
    """Return a function's name without what the compiler adds to its parts."""
    return (symbol or "").partition(".")[0]


def guess_sleeper(kernel: Kernel, stack: Stack) -> list[Frame]:
    """Return the frames of a task that is not running, each marked unreliable; none where two places would do."""
    switch = kernel.find_symbol("__switch_to_asm")
    newborn = {kernel.find_symbol(name) for name in ("ret_from_fork", "ret_from_fork_asm")}
    found: list[list[Frame]] = []
    for start in _starts(
        kernel, stack, lambda word: word in newborn or call_target(kernel, word) == switch is not None
    ):
        unwinder = Unwinder(kernel, [stack])
        frames = [f._replace(reliable=False) for f in unwinder.frames(start._replace(signal=start.pc in newborn))]
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
