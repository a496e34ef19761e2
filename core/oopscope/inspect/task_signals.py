"""The signals of one task: what it does about each, which it blocks, which wait for it and who sent them.

Follows include/linux/signal_types.h, kernel/signal.c and include/uapi/asm-generic/siginfo.h. A signal's number is those
of x86, arm64 and most others. One task at a time, and in no report.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.task_facts import SIGNALS
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan

SIGRTMIN, MAX_QUEUED = 32, 1000
SIG_DFL, SIG_IGN = 0, 1
BLOCKED = "blocked"
FLAGS = (
    (0x1, "SA_NOCLDSTOP"), (0x2, "SA_NOCLDWAIT"), (0x4, "SA_SIGINFO"), (0x08000000, "SA_ONSTACK"),
    (0x10000000, "SA_RESTART"), (0x40000000, "SA_NODEFER"), (0x80000000, "SA_RESETHAND"),
)  # fmt: skip
WAITS = {(False, False): "", (True, False): "pending for the thread", (False, True): "pending for the process",
         (True, True): "pending for both"}  # fmt: skip
CODES = {0: "by kill", 0x80: "by the kernel", -1: "by sigqueue", -2: "by a timer", -3: "by a message queue",
         -6: "by tkill"}  # fmt: skip


class Owner(NamedTuple):
    """struct task_struct: its signals."""

    signal: int
    sighand: int
    blocked: int
    own: int  # what waits for this thread alone
    own_list: int


class Shared(NamedTuple):
    """struct signal_struct: what waits for any thread of the process."""

    pending: int
    list: int


class Action(NamedTuple):
    """struct k_sigaction."""

    handler: int
    flags: int


class Queued(NamedTuple):
    """struct sigqueue; the sender is where the kernel's own siginfo has it."""

    signo: int
    code: int
    pid: int


OWNER = Plan("task_struct", Owner, blocked="blocked.sig", own="pending.signal.sig", own_list="&pending.list")
SHARED = Plan("signal_struct", Shared, pending="shared_pending.signal.sig", list="&shared_pending.list")
ACTION = Plan("k_sigaction", Action, handler="sa.sa_handler", flags="sa.sa_flags")
QUEUED = Plan("sigqueue", Queued, signo="info.si_signo", code="info.si_code", pid="info._sifields._kill._pid")


class SignalRow(NamedTuple):
    """A signal of a task that is handled, ignored, blocked or pending; what is as it begins is left out."""

    number: int
    name: str
    action: str  # default, ignored, handled
    handler: int | None
    flags: str
    blocked: str  # blocked, or nothing
    pending: str  # for the thread, for the process, for both
    sender: str


def signals_of(kernel: Kernel, task: int) -> list[SignalRow]:
    """Return the signals of a task about which there is something to say; ReadError."""
    row = kernel.bind(OWNER).row(task)
    blocked, own = mask_of(row.blocked), mask_of(row.own)
    shared = kernel.bind(SHARED).row(row.signal) if row.signal else Shared(0, 0)
    process = mask_of(shared.pending)
    lists = [head for head in (row.own_list, shared.list) if head]
    senders = dict(_senders(kernel, lists)) if own | process else {}
    actions = _actions(kernel, row.sighand)
    found = []
    for number in range(1, 65):
        bit = 1 << number - 1
        action = actions[number - 1] if number <= len(actions) else Action(0, 0)
        waits = WAITS[bool(own & bit), bool(process & bit)]
        if action.handler == SIG_DFL and not blocked & bit and not waits:
            continue
        does = {SIG_DFL: "default", SIG_IGN: "ignored"}.get(action.handler, "handled")
        handler = action.handler if does == "handled" else None
        words = " ".join(word for mask, word in FLAGS if action.flags & mask) if handler else ""
        sender = senders.get(number, "")
        found.append(
            SignalRow(number, name_of(number), does, handler, words, BLOCKED if blocked & bit else "", waits, sender)
        )
    return found


def name_of(number: int) -> str:
    """Return a signal's name, those of real time as the kernel counts them: from 32."""
    if 0 < number <= len(SIGNALS):
        return "SIG" + SIGNALS[number - 1]
    return f"real-time {number - SIGRTMIN}"


def mask_of(raw: object) -> int:
    """Return a sigset_t, an array of longs or of one, as a number."""
    if isinstance(raw, tuple):
        return sum(int(part) << 64 // len(raw) * at for at, part in enumerate(raw)) if raw else 0
    return int(raw) if isinstance(raw, int) else 0


def _actions(kernel: Kernel, sighand: int) -> list[Action]:
    if not sighand:  # it has exited
        return []
    member = kernel.types.member("sighand_struct", "action")
    return kernel.bind(ACTION).array(sighand + member.offset, min(member.count, 64))


def _senders(kernel: Kernel, heads: list[int]) -> Iterator[tuple[int, str]]:
    """Yield (signal, who sent it); several of a real-time signal may wait, of which the last is told."""
    bound = kernel.bind(QUEUED)
    counts: dict[int, int] = {}
    for head in heads:
        try:
            for address in for_each_list(kernel.memory, head, 0, None, MAX_QUEUED):
                row = bound.row(address)
                counts[row.signo] = counts.get(row.signo, 0) + 1
                by = CODES.get(row.code, f"code {row.code}")
                who = f"{by}, PID {row.pid}" if row.code in (0, -1, -6) and row.pid > 0 else by
                yield row.signo, who + (f", {counts[row.signo]} times" if counts[row.signo] > 1 else "")
        except OopscopeError:
            continue
