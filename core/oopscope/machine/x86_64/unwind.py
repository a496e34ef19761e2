"""Unwinding an x86_64 kernel stack: ORC where the kernel has it, else frame pointers, else a scan.

Follows arch/x86/kernel/{unwind_orc,unwind_frame}.c. The walk ends at the user boundary (one `user` frame), at the
kernel's own first function (ORC's end of stack), or where nothing more can be known, with the reason. What frame
pointers alone do not tell, entry_frames.py does.
"""

import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from oopscope.errors import Absent, ReadError
from oopscope.kernel.frame import Frame, FrameKind
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text, orc_for
from oopscope.machine.common.walk import GUARD, MAX_FRAMES, EndError, StopError, Walker
from oopscope.machine.common.x86_code import call_target, follows_call
from oopscope.machine.common.x86_entries import boundary
from oopscope.machine.x86_64.entry_frames import PT_REGS, EntryFrames, has_frame_pointers, pushes
from oopscope.machine.x86_64.stacks import cpu_stacks
from oopscope.symbols.orc import OrcEntry

WORD = struct.Struct("<Q")
RBP = 5
MAX_SCANNED = 8192  # bytes of stack scanned where nothing better serves
IRET = ("rip", "cs", "eflags", "rsp", "ss")
_ENTRIES = ("regs", "regs_partial")  # kinds of ORC entries: what was interrupted follows
_ORC_REGISTERS = {"ax": "rax", "dx": "rdx", "di": "rdi", "r10": "r10", "r13": "r13", "bp": "rbp", "sp": "rsp"}


class Unwinder(Walker):
    """Unwinds one stack of one kernel."""

    def __init__(self, kernel: Kernel, stacks: Iterable[Stack]) -> None:
        self._kernel, self._memory = kernel, kernel.memory
        self._own, self._others = tuple(stacks), kernel.cached(cpu_stacks)
        self._described, self._named, self._plain = kernel.cached(_met)

    @cached_property
    def _entries(self) -> EntryFrames:
        return EntryFrames(self._kernel, self._stack_of)

    def is_entry(self, symbol: str) -> bool:
        """Tell whether something comes in through a function, by its name."""
        return symbol.startswith("asm_")

    def each_frame(self, state: State) -> Iterator[Frame]:
        """Yield the frames as they are found."""
        seen: set[tuple[int, int]] = set()
        for _ in range(MAX_FRAMES):
            state = yield from self._calls(state, seen)
            if (state.pc, state.sp) in seen:
                raise StopError("the stack loops")
            if len(seen) >= MAX_FRAMES:
                break
            seen.add((state.pc, state.sp))
            stack = self._stack_of(state.sp)
            entry = self._entry(state)
            if entry is None and not state.signal and not self._is_text(state.pc):
                raise StopError(f"{state.pc:#x} is not a return address")
            saved = self._entries.registers(state) if entry is None else None
            yield self._frame(state, stack, saved is not None or (entry is not None and entry.type in _ENTRIES))
            if entry is not None and entry.end:
                return
            if stack is None:
                yield from self._stray(state)
                return
            following = _restored(saved, state.reliable) if saved else self._step(state, entry, stack)
            if following is None:
                yield from self._scan(state.sp, stack)
                return
            if following.registers.get("cs", 0) & 3:
                yield Frame(following.pc, None, None, None, "user", True, following.sp)
                return
            self._check_progress(state, following)
            state = following
        raise StopError(f"more than {MAX_FRAMES} frames")

    def _calls(self, state: State, seen: set[tuple[int, int]]) -> Generator[Frame, None, State]:
        """Go on from caller to caller on one stack, while calls are met whose step is known; return where that ends.

        It does what the steps of `each_frame` do, without looking anything up: most stacks are nothing but such calls.
        """
        if state.signal or state.pc not in self._plain:
            return state
        stack, plain = self._stack_of(state.sp), self._plain
        pc, sp, fp, reliable = state.pc, state.sp, state.fp, state.reliable
        if stack is None or not stack.start <= sp < stack.end:
            return state
        (_, end, kind), word = stack, self._word_above(sp, stack)
        known = plain.get(pc)
        while known is not None and len(seen) < MAX_FRAMES:
            by_fp, size, saved, depth, symbol, offset, module = known
            cfa = (fp if by_fp else sp) + size
            if not sp + depth <= cfa <= end or (pc, sp) in seen:
                break
            seen.add((pc, sp))
            yield Frame(pc, symbol, offset, module, kind, reliable, sp)
            pc, sp = word(cfa - 8), cfa
            if saved is not None:
                fp = word(cfa + saved)
            known = plain.get(pc)
        return State(pc, sp, fp, False, reliable=reliable)

    def _word_above(self, sp: int, stack: Stack) -> Callable[[int], int]:
        """Return what reads the words from sp to the end of its stack; the last page is looked up once for all."""
        memory = self._memory
        if stack.end - sp > memory.page_size - sp % memory.page_size:
            return memory.word
        try:
            page, at = memory.view(sp, stack.end - sp)
        except ReadError:  # of which the first word that is read will tell
            return memory.word
        unpack, before = WORD.unpack_from, at - sp
        return lambda address: unpack(page, before + address)[0]

    def _note(self, state: State, entry: OrcEntry) -> None:
        """Remember the step of a plain call: the caller's frame is at a distance from the stack or frame pointer."""
        saved = {"undefined": None, "prev_sp": entry.bp_offset}.get(entry.bp_reg, 0)
        if entry.type == "call" and entry.sp_reg in ("sp", "bp") and not entry.end and (saved is None or saved < 0):
            depth = max(WORD.size, -(saved or 0))
            named = self._named[state.pc, False]
            self._plain[state.pc] = _Call(entry.sp_reg == "bp", entry.sp_offset, saved, depth, *named)

    def _entry(self, state: State) -> OrcEntry | None:
        where = state.pc, state.signal
        if where not in self._described:
            orc = orc_for(self._kernel, state.pc)
            self._described[where] = orc.lookup(state.pc if state.signal else state.pc - 1) if orc else None
        return self._described[where]

    def _is_text(self, address: int) -> bool:
        return in_text(self._kernel, address)

    def _stack_of(self, sp: int) -> Stack | None:
        """The stack that sp points into, or a little below: an overflowing stack faults in its guard page."""
        for stack in self._own:  # nearly always
            if stack.start <= sp <= stack.end:
                return stack
        inside = next((s for s in self._others if s.start <= sp <= s.end), None)
        return inside or next((s for s in (*self._own, *self._others) if s.start - GUARD <= sp < s.start), None)

    def _check_progress(self, old: State, new: State) -> None:
        before, after = self._stack_of(old.sp), self._stack_of(new.sp)
        if after is None:
            raise StopError(f"the stack pointer {new.sp:#x} is on no stack that is known")
        if before is after and new.sp <= old.sp:
            raise StopError("the stack does not go on upwards")

    def _frame(self, state: State, stack: Stack | None, enters: bool) -> Frame:
        where = state.pc, state.signal
        known = self._named.get(where)
        if known is None:
            lookup = state.pc if state.signal else state.pc - 1
            name = self._kernel.name_of(lookup)
            offset = state.pc - (lookup - name.offset) if name else None
            known = self._named[where] = name.symbol if name else None, offset, name.module if name else None
        kind: FrameKind = boundary(known[0]) if known[0] and enters else stack.kind if stack else "task"
        return Frame(state.pc, *known, kind, state.reliable, state.sp)

    def _step(self, state: State, entry: OrcEntry | None, stack: Stack) -> State | None:
        """Return the caller's state; None where only a scan is left."""
        if entry is not None and entry.type == "undefined":
            return self._undescribed_step(state, stack)
        if entry is not None:
            if not state.signal:
                self._note(state, entry)
            return self._orc_step(state, entry)
        if state.signal and not self._is_text(state.pc):  # a call through a wild pointer: only the call was pushed
            ip = self._memory.word(state.sp)
            return State(ip, state.sp + 8, state.fp, False, reliable=state.reliable)
        return self._frame_pointer_step(state)

    def _orc_step(self, state: State, entry: OrcEntry) -> State:
        cfa = self._cfa(state, entry)
        if entry.type == "call":
            new = State(self._memory.word(cfa - 8), cfa, state.fp, False, reliable=state.reliable)
        elif entry.type == "regs":
            regs = dict(zip(PT_REGS, self._memory.words(cfa, len(PT_REGS)), strict=True))
            new = _restored(regs, state.reliable)
        elif entry.type == "regs_partial":
            regs = dict(zip(IRET, self._memory.words(cfa, len(IRET)), strict=True))
            new = State(regs["rip"], regs["rsp"], state.fp, True, regs, state.reliable)
        else:
            raise StopError("the kernel's tables do not describe the caller")
        if entry.bp_reg == "prev_sp":
            return new._replace(fp=self._memory.word(cfa + entry.bp_offset))
        if entry.bp_reg == "bp":
            return new._replace(fp=self._memory.word(state.fp + entry.bp_offset))
        return new

    def _undescribed_step(self, state: State, stack: Stack) -> State | None:
        """Leave a function that objtool was told to skip, as __crash_kexec is (STACK_FRAME_NON_STANDARD).

        Its return address is the first word on the stack that follows a call of this very function. If its prologue
        saves rbp, that lies below.
        """
        name = self._kernel.name_of(state.pc)
        if name is None:
            return None
        function, start = state.pc - name.offset, state.sp & -8
        words = self._memory.words(start, min(stack.end - start, MAX_SCANNED) // 8)
        for i, word in enumerate(words):
            if self._is_text(word) and call_target(self._kernel, word) == function:
                cfa = start + 8 * i + 8
                pushed = pushes(self._kernel, function)
                saved = RBP in pushed and cfa - 16 - 8 * pushed.index(RBP) >= state.sp
                bp = self._memory.word(cfa - 16 - 8 * pushed.index(RBP)) if saved else state.fp
                return State(word, cfa, bp, False, reliable=state.reliable)
        return None

    def _cfa(self, state: State, entry: OrcEntry) -> int:
        """The canonical frame address: where the stack pointer was before the call."""
        reg, offset = entry.sp_reg, entry.sp_offset
        if reg == "sp":
            return state.sp + offset
        if reg == "bp":
            return state.fp + offset
        if reg == "sp_indirect":
            if entry.indirect_offset_inside:  # before 5.12 (87ccc826bf1c "x86/unwind/orc: Change REG_SP_INDIRECT")
                return self._memory.word(state.sp + offset)
            return self._memory.word(state.sp) + offset
        if reg == "bp_indirect":
            return self._memory.word(state.fp + offset)
        name = _ORC_REGISTERS.get(reg)
        if name is None or name not in state.registers:
            raise StopError(f"register {reg} is needed to go on, and is not known")
        return state.registers[name] + offset

    def _frame_pointer_step(self, state: State) -> State | None:
        """Follow rbp: a saved rbp and a return address, or (tagged with 1) the pt_regs of an entry."""
        bp = state.fp
        kept = self._kernel.cached(has_frame_pointers)
        reliable = state.reliable and kept
        if kept and (bare := self._entries.without_frame(state)) is not None:
            return bare
        if bp == 0 and kept:  # so the boot code begins
            raise EndError
        if bp & 1:  # ENCODE_FRAME_POINTER: an entry's pt_regs
            return self._encoded_step(bp, reliable)
        stack = self._stack_of(bp)
        if stack is None or bp % 8 or (bp < state.sp - 8 and stack is self._stack_of(state.sp)):
            return None  # who was called onto another stack has its caller's frame there, wherever that lies
        saved, ip = self._memory.words(bp, 2)
        if not self._is_text(ip):
            return None
        return State(ip, bp + 16, saved, False, reliable=reliable)

    def _encoded_step(self, bp: int, reliable: bool) -> State | None:
        at = bp & ~1
        if at % 8 or self._stack_of(at) is None:
            return None
        regs = dict(zip(PT_REGS, self._memory.words(at, len(PT_REGS)), strict=True))
        if not regs["rip"]:  # of a kernel thread: it never came from user space
            raise EndError
        return _restored(regs, reliable)

    def _stray(self, state: State) -> Iterator[Frame]:
        """The stack pointer is on no known stack: nothing can be read with any trust."""
        self.problem = f"the stack pointer {state.sp:#x} is on no stack that is known"
        yield from ()

    def _scan(self, sp: int, stack: Stack) -> Iterator[Frame]:
        """Take every word that is a return address (it follows a call instruction) for a frame, unreliable."""
        self.problem = "the rest was found by scanning the stack's words"
        start = sp & -8
        words = self._memory.words(start, min(stack.end - start, MAX_SCANNED) // 8)
        inner: str | None = None
        for i, word in enumerate(words):
            if self._is_text(word) and follows_call(self._kernel, word, inner):
                name = self._kernel.name_of(word - 1)
                if name:
                    inner = name.symbol
                    yield Frame(word, name.symbol, name.offset + 1, name.module, stack.kind, False, start + 8 * i)


class _Call(NamedTuple):
    """The step from a call to its caller, and the call's name."""

    by_fp: bool  # the caller's frame is at a distance from rbp, not from rsp
    size: int  # that distance
    saved: int | None  # where rbp was saved, from the caller's frame, below it
    depth: int  # how much of the stack the step needs below the caller's frame
    symbol: str | None
    offset: int | None
    module: str | None


class _Met(NamedTuple):
    """What was met so far, by a state's pc and whether it was interrupted there: the same calls are on many stacks."""

    described: dict[tuple[int, bool], OrcEntry | None]  # what the kernel's tables say
    named: dict[tuple[int, bool], tuple[str | None, int | None, str | None]]  # symbol, offset and module
    plain: dict[int, _Call]  # the steps of plain calls, by the return address


def _met(_kernel: Kernel) -> _Met:
    return _Met({}, {}, {})


def _restored(regs: dict[str, int], reliable: bool) -> State:
    """Return the state of what an entry interrupted."""
    return State(regs["rip"], regs["rsp"], regs["rbp"], True, regs, reliable)


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["rip"], registers["rsp"], registers["rbp"], True, dict(registers))


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by the privilege in the code selector whether a CPU ran a program."""
    return bool(registers.get("cs", 0) & 3)


def from_sleep(kernel: Kernel, _task: int, sp: int) -> State:
    """Return the state of a task that is not running, from thread.sp: a struct inactive_task_frame lies there (4.9)."""
    bp_at, ret_at = kernel.cached(_inactive_frame)
    if ret_at == bp_at + WORD.size:
        bp, ip = kernel.memory.pair(sp + bp_at)
    else:
        bp, ip = kernel.memory.word(sp + bp_at), kernel.memory.word(sp + ret_at)
    return State(ip, sp + ret_at + 8, bp, ip in kernel.cached(_first_returns))


def _first_returns(kernel: Kernel) -> tuple[int | None, ...]:
    """Where a task that never ran returns to."""
    return kernel.find_symbol("ret_from_fork"), kernel.find_symbol("ret_from_fork_asm")


def _inactive_frame(kernel: Kernel) -> tuple[int, int]:
    """Where rbp and the return address lie in a struct inactive_task_frame."""
    try:
        bp = kernel.types.member("inactive_task_frame", "bp").offset
        return bp, kernel.types.member("inactive_task_frame", "ret_addr").offset
    except Absent:
        return 40, 48
