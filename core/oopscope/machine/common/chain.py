"""Unwinding by a chain of frame records, or whatever else leads from one frame to the next, step by step.

A machine says how one step is made (`ChainUnwinder.step`) and what its entry functions are called; all that a walk must
watch is here: that it ends, that it stays on known stacks and goes upwards, that it stops at a program with one frame.
"""

import re
from collections.abc import Iterable, Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame, FrameKind
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.common.walk import GUARD, MAX_FRAMES, StopError, Walker


class ChainUnwinder(Walker):
    """Unwinds one stack of one kernel; what a step is, a machine's own class says."""

    entries: tuple[
        tuple[str, FrameKind], ...
    ] = ()  # entry functions by a pattern of their names, and what enters there

    def __init__(self, kernel: Kernel, stacks: Iterable[Stack]) -> None:
        self._kernel, self._memory = kernel, kernel.memory
        others = kernel.cached(kernel.machine.stacks_by_cpu).values()
        self._stacks = [*stacks, *(stack for own in others for stack in own)]

    def step(self, state: State) -> State:
        """Return the caller's state; EndError where there is none, StopError with the reason where it is not known."""
        raise NotImplementedError

    def is_entry(self, symbol: str) -> bool:
        """Tell whether something comes in through a function, by its name."""
        return self.entry_kind(symbol) is not None

    def each_frame(self, state: State) -> Iterator[Frame]:
        """Yield the frames as they are found."""
        seen: set[tuple[int, int, int]] = set()
        for _ in range(MAX_FRAMES):
            if (state.pc, state.sp, state.fp) in seen:
                raise StopError("the stack loops")
            seen.add((state.pc, state.sp, state.fp))
            if not state.signal and not in_text(self._kernel, state.pc):
                raise StopError(f"{state.pc:#x} is not a return address")
            yield self._frame(state)
            following = self.step(state)
            if following.registers and self._kernel.machine.in_user(following.registers):
                yield Frame(following.pc, None, None, None, "user", True, following.sp)
                return
            if following.signal and self._not_entered_yet(following):
                yield self._frame(following)
                return
            self._check_progress(state, following)
            state = following
        raise StopError(f"more than {MAX_FRAMES} frames")

    def _not_entered_yet(self, state: State) -> bool:
        """Tell whether an entry from a program was interrupted before it had changed to a stack of the kernel's."""
        return in_text(self._kernel, state.pc) and state.sp < self._kernel.machine.kernel_from(self._kernel)

    def _frame(self, state: State) -> Frame:
        lookup = self.lookup(state)
        name = self._kernel.name_of(lookup)
        symbol = name.symbol if name else None
        stack = self.stack_of(state.sp)
        kind = (self.entered_as(state, symbol) if symbol else None) or (stack.kind if stack else "task")
        offset = state.pc - (lookup - name.offset) if name else None
        return Frame(state.pc, symbol, offset, name.module if name else None, kind, state.reliable, state.sp)

    def lookup(self, state: State) -> int:
        """Return an address in the function that a walk stands in: of a return address, that of the call before it."""
        return state.pc if state.signal else state.pc - 1

    def entered_as(self, _state: State, symbol: str) -> FrameKind | None:
        """Return what came in through a function that a walk stands in; None for one that is no entry."""
        return self.entry_kind(symbol)

    def entry_kind(self, symbol: str) -> FrameKind | None:
        """Return what enters the kernel at a function; None for a function like any other."""
        return next((kind for pattern, kind in self.entries if re.fullmatch(pattern, symbol)), None)

    def stack_of(self, sp: int) -> Stack | None:
        """Return the stack that sp points into, or a little below: an overflowing one faults in its guard page."""
        inside = next((s for s in self._stacks if sp in s or sp == s.end), None)
        return inside or next((s for s in self._stacks if s.start - GUARD <= sp < s.start), None)

    def _check_progress(self, old: State, new: State) -> None:
        before, after = self.stack_of(old.sp), self.stack_of(new.sp)
        if after is None:
            raise StopError(f"the stack pointer {new.sp:#x} is on no stack that is known")
        if before is after and new.sp < old.sp:
            raise StopError("the stack does not go on upwards")

    def function_at(self, address: int) -> int | None:
        """Return where the function begins that an address lies in; None where no symbol covers it."""
        try:
            name = self._kernel.name_of(address)
        except OopscopeError:
            return None
        return address - name.offset if name is not None else None
