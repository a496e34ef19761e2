"""CPUs that spin for a queued spinlock, which one, and who may hold it. Follows kernel/locking/qspinlock.c.

A lock's word has in its low byte that it is locked, in the next that one CPU waits first, and above the tail: the CPU,
and which of its nodes, that came last. Each CPU that queues has a node, and that leads to the next's. A lock is
believed where its tail is the last of the queue that the CPU's own node stands in. The CPU that waits first has none,
nor have guests, which do not queue (virt_spin_lock): there only registers and words tell the lock. Nothing records who
holds it: that is sought among the CPUs in kernel code.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import plain
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import task_stack
from oopscope.lazy_re import lazy_re
from oopscope.linux.task import task_structs
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.standing import interrupted_in, stood_in
from oopscope.waits.offsets import lowest, offset, size

SLOW = lazy_re(r"(native_|__pv_)?queued_spin_lock_slowpath|resilient_queued_spin_lock_slowpath")
NODES = 4  # of each CPU: task, softirq, interrupt, NMI
LOCKED, PENDING = 0xFF, 0xFF00
INDEX_SHIFT, CPU_SHIFT = 16, 18
MAX_WORDS = 2048  # of one CPU's frames
NEAR = 4  # frames, from the spinning one on, in which the lock's address must be
GAP = 16 << 10  # bytes between two frames of one stack, at most
MAX_CODE = 16 << 10  # bytes of a function
BEYOND = 512  # bytes of the last frame


class Place(NamedTuple):
    """A CPU and which of its nodes."""

    cpu: int
    node: int


class Spinner(NamedTuple):
    """A CPU that spins for a lock; queued: by its node, else it is the one that waits first."""

    cpu: Cpu
    lock: int
    queued: bool


class Queues:
    """The queues of one kernel's spinlocks, by the nodes of its CPUs."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.nodes = kernel, dict[int, Place]()
        self.depth: dict[int, int] = {}  # nodes that a CPU has in use
        self._next, self._count = offset(kernel, "mcs_spinlock", "next"), offset(kernel, "mcs_spinlock", "count")
        base, each = kernel.find_symbol("qnodes"), size(kernel, "qnode")
        if base is None or each is None or self._next is None or self._count is None:
            return
        for cpu in all_cpus(kernel):
            try:
                first = kernel.per_cpu(base, cpu.cpu)
                depth = kernel.memory.u32(first + self._count)
            except (OopscopeError, IndexError):
                continue
            if 0 < depth <= NODES:
                self.depth[cpu.cpu] = depth
                self.nodes |= {first + each * index: Place(cpu.cpu, index) for index in range(depth)}

    def last(self, cpu: int) -> Place | None:
        """Return the last of the queue in which a CPU's innermost node stands; None for none."""
        node = next((at for at, place in self.nodes.items() if place == (cpu, self.depth.get(cpu, 0) - 1)), None)
        seen = set[int]()
        while node in self.nodes and node not in seen:
            seen.add(node)
            following = self.kernel.memory.word(node + (self._next or 0))
            if not following:
                return self.nodes[node]
            node = following
        return None


def tail(value: int) -> Place | None:
    """Return the CPU and the node that a lock's word names as the last of its queue; None for no queue."""
    return Place((value >> CPU_SHIFT) - 1, value >> INDEX_SHIFT & NODES - 1) if value >> INDEX_SHIFT else None


def spinners(kernel: Kernel) -> Iterator[Spinner]:
    """Yield each CPU that spins for a lock that is known."""
    if not kernel.types.has("qspinlock"):
        return
    if all(cpu.registers and _spins(cpu) is None for cpu in all_cpus(kernel)):
        return
    queues = Queues(kernel)
    for cpu in all_cpus(kernel):
        try:
            at = _spins(cpu)
            if at is None and cpu.cpu not in queues.depth:
                continue
            lock = _lock(kernel, cpu, at, queues)
            if lock is not None:
                yield Spinner(cpu, lock, cpu.cpu in queues.depth)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"the spinlock that CPU {cpu.cpu} waits for")(error)


def _spins(cpu: Cpu) -> int | None:
    """Return which of a CPU's frames spins for a lock; None for none."""
    return next((at for at, frame in enumerate(cpu.frames) if frame.symbol and SLOW.match(plain(frame.symbol))), None)


def _lock(kernel: Kernel, cpu: Cpu, at: int | None, queues: Queues) -> int | None:
    """Return the one lock among a CPU's registers, else its words, that it can wait for."""
    last = queues.last(cpu.cpu)
    if last is None and (at is None or cpu.cpu in queues.depth):
        return None
    tiers = list(_tiers(kernel, cpu, at, last is not None))
    task = kernel.cached(task_structs).get(cpu.task or 0)
    own = task_stack(kernel, task.stack) if task is not None and task.stack else ()
    for alone in (False, True) if last is None else (False,):
        for candidates in tiers:
            found = {word for word in candidates if word not in own and _matches(kernel, word, last, queues, alone)}
            if found:
                return found.pop() if len(found) == 1 else None
    return None


def _tiers(kernel: Kernel, cpu: Cpu, at: int | None, queued: bool) -> Iterator[set[int]]:
    """Yield the words among which a lock is looked for, the likeliest first."""
    if at is not None:
        sp = cpu.frames[at].sp
        # what was interrupted has its registers right below
        yield _between(kernel, sp - BEYOND, sp) if at and sp else set((cpu.registers or {}).values())
        yield words(kernel, cpu, cpu.frames[at : at + NEAR])
    if queued:
        yield words(kernel, cpu, cpu.frames)


def _matches(kernel: Kernel, word: int, last: Place | None, queues: Queues, alone: bool) -> bool:
    """Tell whether a lock stands at an address that a CPU can wait for: it ends the queue that the CPU stands in.

    Without a node it waits first; alone: it takes no part in queues, as guests of a hypervisor (virt_spin_lock).
    """
    try:
        value = kernel.memory.u32(word) if word >= lowest(kernel) and not word % 4 else 0
    except OopscopeError:
        return False
    named = tail(value)
    if alone:
        return value == 1
    if last is not None:
        return named == last and bool(value & (LOCKED | PENDING))
    return value & PENDING == 0x100 and value & LOCKED in (1, 3) and (named is None or named in queues.nodes.values())


def words(kernel: Kernel, cpu: Cpu, frames: tuple[Frame, ...]) -> set[int]:
    """Return what stands in a CPU's registers and some of its frames; of one without registers its task's stack."""
    found = set((cpu.registers or {}).values())
    task = kernel.cached(task_structs).get(cpu.task or 0)
    own = task_stack(kernel, task.stack) if task is not None and task.stack else None
    places = [frame.sp for frame in frames if frame.sp]
    for low, high in pairwise(places):
        if 0 < high - low <= GAP:
            found |= _between(kernel, low, high)
    if own is not None and not cpu.registers:
        found |= _between(kernel, own.start, own.end)
    elif own is not None and places and places[-1] in own:  # beyond the last frame
        found |= _between(kernel, places[-1], min(places[-1] + BEYOND, own.end))
    return found


def _between(kernel: Kernel, low: int, high: int) -> set[int]:
    step = kernel.memory.word_size
    low += -low % step
    count = min((high - low) // step, MAX_WORDS)
    try:
        return set(kernel.memory.words(low, count)) if count > 0 else set()
    except OopscopeError:
        return set()


def suspects(kernel: Kernel, waiting: set[int]) -> list[Cpu]:
    """Return the CPUs in kernel code that do not wait for a lock themselves."""
    return [cpu for cpu in all_cpus(kernel) if cpu.cpu not in waiting and _in_kernel(cpu)]


def names(kernel: Kernel, cpu: Cpu, lock: int) -> str:
    """Return what of a CPU names a lock: its registers or its stack, or the code by which it came; nothing for none."""
    if lock in words(kernel, cpu, cpu.frames):
        return "its registers or its stack name the lock"
    for frame in cpu.frames:
        if frame.symbol and frame.reliable and _code_names(kernel, frame, lock):
            return f"the code of {frame.symbol} names the lock"
    return ""


def _code_names(kernel: Kernel, frame: Frame, lock: int) -> bool:
    """Tell whether a function has a lock's address in the code before the place where it stands."""
    try:
        code = kernel.memory.read(frame.address - (frame.offset or 0), min(frame.offset or 0, MAX_CODE))
    except OopscopeError:
        return False
    return (lock & 0xFFFFFFFF).to_bytes(4, kernel.arch.byteorder) in code


def _in_kernel(cpu: Cpu) -> bool:
    """Tell whether a CPU was in kernel code that may hold a lock: neither in a program nor idle, an interrupt apart.

    Who panics takes the others offline.
    """
    if cpu.state in ("user", None) or stood_in(cpu.frames) is None:
        return False
    return cpu.state != "idle" or in_interrupt(cpu)


def in_interrupt(cpu: Cpu) -> bool:
    """Tell whether what a CPU did is no task's own work: its innermost frame that nothing stopped is an interrupt's."""
    inside = interrupted_in(cpu.frames)
    frame = inside or next((one for one in cpu.frames if one.symbol), None)
    return frame is not None and frame.kind in ("irq", "softirq")
