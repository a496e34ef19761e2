"""Timers that are set: those of the wheel (jiffies) and of high resolution (ns), what they call and for whom.

Follows kernel/time/{timer.c,hrtimer.c,tick-sched.c}. A base of the wheel must be of its CPU and near the tick; a timer
of high resolution must name the clock in whose tree it hangs.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain, for_each_rbtree
from oopscope.linux.task import task_structs
from oopscope.linux.ticks import jiffies, monotonic, seconds_since
from oopscope.structs.plan import Plan

SECOND = 1e9
# of a CPU's wheel: local, global and deferrable since 83a665dc99a7 "timers: Keep the pinned timers separate from the
# others", 6.9
MAX_BASES = 3
MAX_TIMERS = 200_000
NEAR = 1 << 30  # ticks
FLAGS = ((0x00080000, "deferrable"), (0x00100000, "pinned"), (0x00200000, "irqsafe"))


class Base(NamedTuple):
    """struct timer_base."""

    clk: int
    cpu: int
    vectors: int


class TimerList(NamedTuple):
    """struct timer_list."""

    address: int
    expires: int
    function: int
    flags: int


class ClockBase(NamedTuple):
    """struct hrtimer_clock_base: one clock of a CPU."""

    address: int
    number: int
    root: int
    offset: int


class HrTimer(NamedTuple):
    """struct hrtimer."""

    address: int
    expires: int
    soft: int
    function: int
    base: int


BASE = Plan("timer_base", Base, vectors="&vectors")
TIMER = Plan("timer_list", TimerList)
CLOCK_BASE = Plan("hrtimer_clock_base", ClockBase, number="index", root="&active.rb_root.rb_root")
HRTIMER = Plan("hrtimer", HrTimer, expires="node.expires", soft="_softexpires")


class Timer(NamedTuple):
    """A timer that is set."""

    kind: str  # timer, or the clock of one of high resolution: monotonic, realtime, boottime, tai
    cpu: int
    due_seconds: float | None  # less than 0: overdue
    function: str
    owner: str | None
    pid: int | None
    flags: str
    expires: int  # in jiffies, or ns of its clock
    address: int


class _Timers:
    """The timers of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.base, self.timer = kernel.bind(BASE), kernel.bind(TIMER)
        self.clock, self.hrtimer = kernel.bind(CLOCK_BASE), kernel.bind(HRTIMER)
        self.tasks = task_structs(kernel)
        self.now = jiffies(kernel)
        self.top = 1 << 8 * kernel.memory.word_size
        self.owners = {
            "delayed_work_timer_fn": self._work,
            "process_timeout": self._process,
            "hrtimer_wakeup": self._sleeper,
            "dl_task_timer": self._deadline,
        }

    def wheel(self, cpu: int) -> Iterator[Timer]:
        """Yield the timers of a CPU's wheels."""
        first, heads = self.kernel.per_cpu("timer_bases", cpu), self.types.member("timer_base", "vectors")
        lost = self.kernel.problems.lost("timers", f"the wheel of CPU {cpu}")
        word = self.memory.word_size
        for number in range(MAX_BASES):
            base = self.base.row(first + number * self.base.size)
            apart = (base.clk - self.now) % self.top
            if base.cpu != cpu or NEAR < apart < self.top - NEAR:
                return  # there are fewer
            used = self.memory.words(base.vectors, heads.count)
            for at in (base.vectors + n * word for n, head in enumerate(used) if head):
                for row in self.timer.rows(for_each_chain(self.memory, at, 0, 0, lost), lost):
                    yield self._timer(cpu, row)

    def _timer(self, cpu: int, row: TimerList) -> Timer:
        function = self._name(row.function)
        owner, pid = self._owner(function, row.address)
        flags = ", ".join(word for bit, word in FLAGS if row.flags & bit)
        return Timer("timer", cpu, -seconds_since(self.kernel, row.expires), function, owner, pid, flags, row.expires,
                     row.address)  # fmt: skip

    def high_resolution(self, cpu: int) -> Iterator[Timer]:
        """Yield the timers of a CPU's clocks."""
        clocks = self.types.member("hrtimer_cpu_base", "clock_base")
        first = self.kernel.per_cpu("hrtimer_bases", cpu) + clocks.offset
        names = {number: name for name, number in self.types.enum("hrtimer_base_type").items()}
        lost, now = self.kernel.problems.lost("timers", f"the clocks of CPU {cpu}"), monotonic(self.kernel)
        for number in range(clocks.count):
            base = self.clock.row(first + number * clocks.element_size)
            if base.number != number:
                raise Absent(f"the clocks of CPU {cpu} are not in their order")
            kind = names.get(number, f"clock {number}").removeprefix("HRTIMER_BASE_").lower().replace("_", " ")
            walk = for_each_rbtree(self.memory, base.root, 0, lost)
            for row in self.hrtimer.rows(walk, lost):
                if row.base != base.address:
                    self.kernel.problems.add("timers", f"a timer of CPU {cpu} is of another clock", row.address)
                    continue
                offset = base.offset - (base.offset >> 63 << 64) if base.offset >> 63 else base.offset
                due = (row.expires - offset - now) / SECOND if now is not None else None
                function = self._name(row.function)
                owner, pid = self._owner(function, row.address)
                flags = "soft" if kind.endswith(" soft") else ""
                yield Timer(kind.removesuffix(" soft"), cpu, due, function, owner, pid, flags, row.expires, row.address)

    def _name(self, function: int) -> str:
        name = self.kernel.name_of(function) if function else None
        return (f"{name.symbol} [{name.module}]" if name.module else name.symbol) if name else f"{function:#x}"

    def _owner(self, function: str, address: int) -> tuple[str | None, int | None]:
        """Return whose a timer is, of those whose place says it: a work, or a task with its PID."""
        find = self.owners.get(function)
        try:
            return find(address) if find else (None, None)
        except OopscopeError:
            return None, None

    def _work(self, address: int) -> tuple[str | None, int | None]:
        work = address - self.types.member("delayed_work", "timer").offset
        return self._name(self.memory.word(work + self.types.member("delayed_work", "work.func").offset)), None

    def _task(self, address: int) -> tuple[str | None, int | None]:
        task = self.tasks.get(address)
        return (decoded(task.comm), task.pid) if task else (None, None)

    def _process(self, address: int) -> tuple[str | None, int | None]:
        timer = address - self.types.member("process_timer", "timer").offset
        return self._task(self.memory.word(timer + self.types.member("process_timer", "task").offset))

    def _sleeper(self, address: int) -> tuple[str | None, int | None]:
        return self._task(self.memory.word(address + self.types.member("hrtimer_sleeper", "task").offset))

    def _deadline(self, address: int) -> tuple[str | None, int | None]:
        return self._task(address - self.types.member("task_struct", "dl.dl_timer").offset)


@once
def timers(kernel: Kernel) -> list[Timer]:
    """Return the timers that are set, the first to go off first; a CPU that panic() stopped is online no more."""
    reader, found = _Timers(kernel), list[Timer]()
    for cpu in present_cpus(kernel):
        for walk in (reader.wheel, reader.high_resolution):
            try:
                for timer in walk(cpu):
                    if len(found) >= MAX_TIMERS:
                        break
                    found.append(timer)
            except OopscopeError as e:
                kernel.problems.lost("timers", f"CPU {cpu}")(e)
    return sorted(found, key=lambda row: (row.due_seconds is None, row.due_seconds or 0))
