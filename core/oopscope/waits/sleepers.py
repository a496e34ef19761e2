"""Tasks that sleep, and what stands on their stacks: words, the functions they sleep in, their wait queue entries.

Follows include/linux/{wait,swait}.h. A wait queue entry names its task (private) and the function that wakes it, and
hangs in a ring with the queue's head: it is believed only on the own stack of the task that it names, linked both ways.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.stack import Stack, task_stack
from oopscope.lazy_re import lazy_re
from oopscope.linux.sched import runqueues
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.linux.task_state import TASK_NOLOAD, decode_comm
from oopscope.stacks.tasks import stack
from oopscope.waits.offsets import lowest, offset, offsets

MAX_STACK = 64 << 10
MAX_RING = 1 << 16
SLEEPS = 0x9003  # TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE, TASK_RTLOCK_WAIT (5.15), TASK_FROZEN (6.1)
BLOCKED = 0x1002


class Entry(NamedTuple):
    """A wait queue entry on its task's stack: where its ring's node is, and what wakes it."""

    node: int
    function: str


@lru_cache(4096)
def within(functions: tuple[str, ...], names: str | tuple[str, ...]) -> bool:
    """Tell whether one of a stack's functions has a name that begins so; most stacks are those of many tasks."""
    return any(function.startswith(names) for function in functions)


class Sleeper:
    """One task that is not on a CPU and waits; what its stack tells is read when it is asked for."""

    def __init__(self, kernel: Kernel, task: TaskStruct, clock: int, seen: "Seen") -> None:
        self.kernel, self.task, self._clock, self._seen = kernel, task, clock, seen
        self.address, self.pid = task.address, task.pid
        self.places = seen.places  # the addresses of the words on its stack that name it
        self.word, self.may_link = seen.word, seen.may_link  # a word, mostly of its stack; whether two can be links

    @property
    def comm(self) -> str:
        """Its name."""
        return decode_comm(self.task.comm)

    @property
    def blocked(self) -> bool:
        """Whether signals do not wake it (D), or only those that kill."""
        return bool(self.task.state & BLOCKED) and not self.task.state & TASK_NOLOAD

    @cached_property
    def since(self) -> float | None:
        """For how many seconds it has slept."""
        ran = self.task.last_arrival
        return round(max(self._clock - ran, 0) / 1e9, 6) if ran and self._clock else None

    @property
    def stack(self) -> Stack:
        """Its stack."""
        return task_stack(self.kernel, self.task.stack)

    @property
    def words(self) -> tuple[int, ...]:
        """The words of its stack, from where it was switched out; none where they cannot be read."""
        return words_of(self.kernel, self.task)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that it sleeps in, innermost first."""
        return functions_of(self.kernel, self.address)

    def linked(self, node: int) -> bool:
        """Tell whether a node on its stack is linked with its neighbours both ways; what cannot be is not followed."""
        return self.may_link(node) and is_linked(self.kernel, node)

    @cached_property
    def completion(self) -> int | None:
        """What may be the struct completion that it waits for by the links on its stack alone."""
        return _completion(self)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The wait queue entries that are its own."""
        shape = self.kernel.cached(_entry_shape)
        if shape is None:
            return ()
        found = []
        for place in self.places:
            base = place - shape.private
            if not self.may_link(base + shape.entry):
                continue
            name = wakes(self.kernel, self.word(base + shape.func))
            if name and is_linked(self.kernel, base + shape.entry):
                found.append(Entry(base + shape.entry, name))
        return tuple(found)


class Seen:
    """What was seen of a sleeper's stack, from where it was switched out; nothing of one that cannot be read.

    places: the addresses of the words that name the task.
    """

    __slots__ = ("_data", "_last", "_lowest", "_memory", "_odd", "_start", "_tasks", "places")

    def __init__(self, kernel: Kernel, task: TaskStruct) -> None:
        try:
            data = stack_bytes(kernel, task)
        except ReadError:
            data = b""
        memory, size, found = kernel.memory, kernel.memory.word_size, []
        self._memory, self._tasks = memory, kernel.cached(task_structs)
        self._start, self._last = task.sp, task.sp + len(data) - 2 * size  # where two words can stand
        self._lowest, self._odd = lowest(kernel), size - 1
        own = task.address.to_bytes(size, "little" if kernel.endian == "<" else "big")
        at = data.find(own)
        while at >= 0:
            if not at % size:
                found.append(task.sp + at)
            at = data.find(own, at + 1)
        self.places = tuple(found)
        self._data = data if memory.keep(task.sp, data) else None

    def word(self, address: int) -> int:
        """Return a word, mostly of the stack; ReadError."""
        at = address - self._start
        if self._data is not None and 0 <= at <= self._last - self._start:
            found: int = self._memory.pair_in(self._data, at)[0]
            return found
        return self._memory.word(address)

    def may_link(self, node: int) -> bool:
        """Tell whether two words can be the links of a list: spares following most that cannot.

        No list begins where a task_struct does.
        """
        if not self._start <= node <= self._last:
            return False
        data, memory = self._data, self._memory
        following, before = memory.pair(node) if data is None else memory.pair_in(data, node - self._start)
        lowest, tasks = self._lowest, self._tasks
        if following < lowest or before < lowest or (following | before) & self._odd:
            return False
        return following not in tasks and before not in tasks


@once
def stacks_seen(kernel: Kernel) -> dict[int, Seen]:
    """Return what is seen of the stacks of all tasks that sleep, each read once, by the task's address."""
    tasks = kernel.cached(task_structs).values()
    return {task.address: Seen(kernel, task) for task in tasks if _sleeps(task)}


def let_stacks_go(kernel: Kernel) -> None:
    """Forget what stands on the stacks of all that sleep: it is much, and read anew for who asks later."""
    for read in (stacks_seen, sleepers):
        kernel.forget(read)
    kernel.memory.let_go()


def _sleeps(task: TaskStruct) -> bool:
    return bool(task.state & SLEEPS and not task.on_cpu and not task.exit_state)


class EntryShape(NamedTuple):
    """The offsets in struct wait_queue_entry."""

    private: int
    func: int
    entry: int


def _entry_shape(kernel: Kernel) -> EntryShape | None:
    member = kernel.types.member
    try:
        return EntryShape(*(member("wait_queue_entry", name).offset for name in ("private", "func", "entry")))
    except Absent:
        return None


def wakes(kernel: Kernel, function: int) -> str | None:
    """Return the name of a function that begins at an address and wakes who waits; None for anything else."""
    known = kernel.cached(_wakers)
    if function not in known:
        name = kernel.name_of(function) if function >= lowest(kernel) else None
        wakes = name is not None and not name.offset and _WAKES.search(name.symbol)
        found = known[function] = name.symbol if name is not None and wakes else None
        return found
    return known[function]


def _wakers(_kernel: Kernel) -> dict[int, str | None]:
    return {}  # what may wake, by the word that stands where its address would


_WAKES = lazy_re(r"wake|child_wait_callback")


def is_linked(kernel: Kernel, node: int, headless: bool = False) -> bool:
    """Tell whether a struct list_head in a list is linked with its neighbours both ways.

    headless: the list is a ring without a head, in which one alone is linked with itself. Of a list with a head such a
    node is in no list.
    """
    try:
        following, before = kernel.memory.pair(node)
        if (following == node and not headless) or kernel.memory.word(before) != node:
            return False
        return kernel.memory.word(following + kernel.memory.word_size) == node
    except ReadError:
        return False


def stack_bytes(kernel: Kernel, task: TaskStruct) -> bytes:
    """Return a sleeping task's stack, from where it was switched out; ReadError for a page of it."""
    whole = task_stack(kernel, task.stack)
    if task.sp not in whole or task.sp % kernel.memory.word_size:
        return b""
    return kernel.memory.read(task.sp, min(whole.end - task.sp, MAX_STACK))


def stack_words(kernel: Kernel, task: TaskStruct) -> tuple[int, ...]:
    """Return the words of a sleeping task's stack, from where it was switched out; ReadError for a page of it."""
    data = stack_bytes(kernel, task)
    return kernel.memory.words_in(data, len(data) // kernel.memory.word_size)


def words_of(kernel: Kernel, task: TaskStruct) -> tuple[int, ...]:
    """Return the words of a sleeping task's stack; none where they cannot be read."""
    try:
        return stack_words(kernel, task)
    except ReadError:
        return ()


class _Functions:
    """The functions of the stacks that were unwound so far, by task; what many tasks have alike is kept once."""

    def __init__(self) -> None:
        self.of = dict[int, tuple[str, ...]]()
        self.same = dict[tuple[str, ...], tuple[str, ...]]()


def _functions(_kernel: Kernel) -> _Functions:
    return _Functions()


def functions_of(kernel: Kernel, address: int) -> tuple[str, ...]:
    """Return the functions of a task's stack up to user space, innermost first; it is unwound once."""
    known = kernel.cached(_functions)
    found = known.of.get(address)
    if found is None:
        found = tuple(frame.symbol for frame in stack(kernel, address) if frame.symbol and frame.kind != "user")
        found = known.of[address] = known.same.setdefault(found, found)
    return found


@once
def sleepers(kernel: Kernel) -> list[Sleeper]:
    """Return every task that sleeps or is blocked, by PID."""
    try:
        clock = max((queue.clock for queue in kernel.cached(runqueues)), default=0)
    except OopscopeError:
        clock = 0
    seen = stacks_seen(kernel)
    found = [
        Sleeper(kernel, task, clock, seen[task.address])
        for task in kernel.cached(task_structs).values()
        if _sleeps(task) and task.stack
    ]
    return sorted(found, key=lambda one: one.pid)


def ring(kernel: Kernel, node: int) -> Iterator[int]:
    """Yield the other nodes of a ring, until it closes or cannot be read."""
    seen, at = {node}, node
    try:
        at = kernel.memory.word(node)
        while at not in seen and len(seen) < MAX_RING:
            seen.add(at)
            yield at
            at = kernel.memory.word(at)
    except ReadError:
        return


def heads_of(one: Sleeper) -> Iterator[int]:
    """Yield the list head of each wait queue in which an entry of a task's own hangs, where that can be told."""
    for entry in one.entries:
        head = head_of(one.kernel, entry.node)
        if head is not None:
            yield head


def head_of(kernel: Kernel, node: int) -> int | None:
    """Return the wait queue's list head in whose ring an entry hangs: the one node before which no entry stands."""
    shape = kernel.cached(_entry_shape)
    if shape is None:
        return None
    back = shape.entry - shape.func
    known = kernel.cached(_heads)
    if node not in known:
        nodes = list(ring(kernel, node))
        heads = [one for one in nodes if _function_at(kernel, one - back) is None]
        head = heads[0] if len(heads) == 1 else None
        for one in [node, *nodes]:
            known[one] = head
    return known[node]


def _heads(kernel: Kernel) -> dict[int, int | None]:
    return {}


def _function_at(kernel: Kernel, place: int) -> str | None:
    """Return the function that a word names; any of the kernel's or a module's text at its beginning."""
    try:
        word = kernel.memory.word(place)
    except ReadError:
        return None
    if word < lowest(kernel):
        return None
    name = kernel.name_of(word)
    return name.symbol if name is not None and not name.offset else None


def completion_of(sleeper: Sleeper) -> int | None:
    """Return the struct completion that a task waits for: its own waiter on its stack leads to it, linked both ways.

    A completion's waiters are a simple wait queue since a5c6234e1028 "completion: Use simple wait queues", 5.7.
    """
    found = sleeper.completion
    asleep = found is not None and within(sleeper.functions, _COMPLETES)
    return found if asleep else None


def _completion(sleeper: Sleeper) -> int | None:
    """Return what may be a completion by the links on a stack alone, which spares most tasks' unwinding."""
    kernel = sleeper.kernel
    simple = offset(kernel, "completion", "wait.task_list")
    if simple is None:
        head = next((head_of(kernel, entry.node) for entry in sleeper.entries), None)
        within = offset(kernel, "completion", "wait.head", "wait.task_list")
        return head - within if head is not None and within is not None else None
    shape = offsets(kernel, "swait_queue", "task", "task_list")
    ahead = shape[1] - shape[0] if shape is not None else 0
    for place in sleeper.places if ahead else ():
        if sleeper.linked(place + ahead):
            heads = [node for node in ring(kernel, place + ahead) if not _is_waiter(kernel, node - ahead)]
            if len(heads) == 1:
                return heads[0] - simple
    return None


_COMPLETES = ("wait_for_completion", "wait_for_common", "__wait_for_common", "do_wait_for_common")


def _is_waiter(kernel: Kernel, place: int) -> bool:
    """Tell whether a word names the task on whose stack it stands."""
    try:
        task = kernel.cached(task_structs).get(kernel.memory.word(place))
    except ReadError:
        return False
    return task is not None and bool(task.stack) and place in task_stack(kernel, task.stack)
