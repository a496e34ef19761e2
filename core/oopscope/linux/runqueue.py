"""Who waits for each CPU: the tasks that stand on its run queue, by scheduling class, and the one that runs.

Follows kernel/sched/{sched.h,core.c,fair.c,rt.c,deadline.c,ext.c}. The fair class keeps its tasks in rq.cfs_tasks
(without SMP they are found by task_struct.on_rq), the real-time class a list for each of 100 priorities, the deadline
class a tree by deadline, sched_ext (6.12, f0e1a0643a59 "sched_ext: Implement BPF extensible scheduler class") a list.
What stands on a CPU's queue names that CPU and has on_rq set; what does not is dropped, and said.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list, for_each_rbtree
from oopscope.linux.sched import CpuQueue, runqueues
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

MAX_RT_PRIO = 100
MAX_DEPTH = 32  # groups within groups, of CONFIG_RT_GROUP_SCHED
ORDER = ("stop", "deadline", "RT", "ext", "fair", "idle")  # the classes, as the scheduler asks them
DELAYED = "delayed"  # 152e11f6df29 "sched/fair: Implement delayed dequeue", 6.12: it sleeps, and still has to pay
SECOND = 1e9


class Queue(NamedTuple):
    """Where struct rq keeps the tasks of each class."""

    cfs_tasks: int | None
    rt: int
    dl: int
    fair_server: int | None
    ext_server: int | None
    runnable: int | None


class Entity(NamedTuple):
    """The members of struct task_struct that the scheduler orders a task by, and where it hangs in each queue."""

    address: int
    pid: int
    comm: bytes
    state: int
    cpu: int | None
    on_rq: int
    prio: int
    sched_class: int
    vruntime: int
    virtual_deadline: int | None
    deadline: int
    sched_delayed: int | None
    last_queued: int | None
    cfs_rq: int | None
    group_node: int
    run_list: int
    rb_node: int
    runnable_node: int | None


class Throttle(NamedTuple):
    """struct cfs_rq: whether its group has used up its share of time; None without CONFIG_CFS_BANDWIDTH."""

    throttle_count: int | None


class Array(NamedTuple):
    """struct rt_prio_array."""

    queue: int


QUEUE = Plan(
    "rq",
    Queue,
    cfs_tasks="&cfs_tasks",
    rt="&rt.active",
    dl="&dl.root",
    fair_server="&fair_server",  # 557a6bfc662c "sched/fair: Add trivial fair server", 6.8
    ext_server="&ext_server",
    runnable="&scx.runnable_list",
)
ENTITY = Plan(
    "task_struct",
    Entity,
    state=("__state", "state"),  # 2f064a59a11f "sched: Change task_struct::state", 5.14
    cpu=("thread_info.cpu", "cpu"),  # bcf9033e5449 "sched: move CPU field back into thread_info", 5.16
    vruntime="se.vruntime",
    virtual_deadline="se.deadline",  # 147f3efaa241 "sched/fair: Implement an EEVDF-like scheduling policy", 6.6
    deadline="dl.deadline",
    sched_delayed="se.sched_delayed",
    last_queued="sched_info.last_queued",
    cfs_rq="se.cfs_rq",
    group_node="&se.group_node",
    run_list="&rt.run_list",
    rb_node="&dl.rb_node",
    runnable_node="&scx.runnable_node",
)
THROTTLE = Plan("cfs_rq", Throttle)
ARRAY = Plan("rt_prio_array", Array, queue="&queue")


class Queued(NamedTuple):
    """A task that runs on a CPU or waits for it."""

    cpu: int
    current: bool
    class_: str
    pid: int
    comm: str
    state: str  # current, waiting, throttled (its group's time is used up), delayed (it sleeps, and is to leave)
    waiting_seconds: float | None
    priority: int
    vruntime: int | None
    deadline: int | None
    task: int


setattr(Queued, "class", property(lambda row: row.class_))  # the column's name, which is a word of Python


class _Cpu:
    """The queue of one CPU as it is walked."""

    def __init__(self, kernel: Kernel, queue: CpuQueue) -> None:
        self.kernel, self.memory, self.queue = kernel, kernel.memory, queue
        self.entity = kernel.bind(ENTITY)
        self.where = kernel.bind(QUEUE).row(kernel.per_cpu("runqueues", queue.cpu))
        self.seen: set[int] = set()

    def lost(self, what: str) -> Callable[[OopscopeError], None]:
        """Return what notes that a part of the queue cannot be followed."""
        return self.kernel.problems.lost("runqueues", f"{what} tasks of CPU {self.queue.cpu}")

    def tasks(self) -> list[Queued]:
        """Return what runs, then what waits, class by class as the scheduler would choose."""
        found = [row for row in self._walk() if row is not None]
        if self.queue.curr and self.queue.curr not in self.seen:
            current = self._row(self.queue.curr, None)
            found += [current] if current else []
        return sorted(found, key=_order)

    def _walk(self) -> Iterator[Queued | None]:
        if self.queue.stop and self.queue.stop != self.queue.curr and self.entity.row(self.queue.stop).on_rq:
            yield self._row(self.queue.stop, "stop")
        for address in self._deadline():
            yield self._row(address, "deadline")
        for address in self._real_time(self.where.rt, 0):
            yield self._row(address, "RT")
        if self.where.runnable is not None:
            node = self.entity.offset("runnable_node")
            for address in for_each_list(self.memory, self.where.runnable, node, self.lost("ext")):
                yield self._row(address, "ext")
        for address in self._fair():
            yield self._row(address, "fair")

    def _fair(self) -> Iterator[int]:
        """Yield the fair class's tasks by their list; where that is not there or cut, by what tasks say themselves."""
        lost: list[OopscopeError] = []
        if self.where.cfs_tasks is not None:
            node = self.entity.offset("group_node")
            yield from for_each_list(self.memory, self.where.cfs_tasks, node, lost.append)
            if not lost:
                return
        for address, task in self.kernel.cached(task_structs).items():
            if address not in self.seen and task.cpu in (self.queue.cpu, None) and address != self.queue.idle:
                found = self._read(address)
                if found is not None and found.on_rq and found.prio >= MAX_RT_PRIO:
                    yield address

    def _deadline(self) -> Iterator[int]:
        """Yield the deadline class's tasks, but for the servers through which it lends time to other classes."""
        node = self.kernel.types.member("sched_dl_entity", "rb_node").offset
        servers = {self.where.fair_server, self.where.ext_server}
        for entity in for_each_rbtree(self.memory, self.where.dl, node, self.lost("deadline")):
            if entity not in servers:
                yield entity + node - self.entity.offset("rb_node")

    def _real_time(self, array: int, depth: int) -> Iterator[int]:
        """Yield the real-time class's tasks, the most urgent first, those of groups (RT_GROUP_SCHED) in their place."""
        queue = array + self.kernel.bind(ARRAY).offset("queue")
        size = self.memory.word_size
        try:
            heads = self.memory.words(queue, 2 * MAX_RT_PRIO)
        except OopscopeError as e:
            self.lost("real-time")(e)
            return
        groups = self.kernel.types.has_member("sched_rt_entity", "my_q")
        node = self.kernel.types.member("sched_rt_entity", "run_list").offset
        for number in range(MAX_RT_PRIO):
            head = queue + 2 * size * number
            if heads[2 * number] == head:
                continue
            for entity in for_each_list(self.memory, head, node, self.lost("real-time")):
                mine = self._group(entity) if groups else 0
                if mine and depth < MAX_DEPTH:
                    yield from self._real_time(mine, depth + 1)
                elif not mine:
                    yield entity + node - self.entity.offset("run_list")

    def _group(self, entity: int) -> int:
        types = self.kernel.types
        mine = self.memory.word(entity + types.member("sched_rt_entity", "my_q").offset)
        return mine + types.member("rt_rq", "active").offset if mine else 0

    def _row(self, address: int, class_: str | None) -> Queued | None:
        """Return a task's row; None, and a problem, where what was found is not on this queue."""
        if address in self.seen:
            return None
        self.seen.add(address)
        task = self._read(address)
        if task is None:
            return None
        current = address == self.queue.curr
        cpu = self.queue.cpu
        if not 0 <= task.pid <= 1 << 22 or (task.cpu is not None and task.cpu != cpu) or not (current or task.on_rq):
            text = f"what stands on the queue of CPU {cpu} is no task that waits for it"
            self.kernel.problems.add("runqueues", text, address)
            return None
        class_ = class_ or self._class_of(task)
        state = self._state(task, current)
        return Queued(
            cpu, current, class_, task.pid, decoded(task.comm), state,
            self._waiting(task) if state in ("waiting", "throttled") else None,
            task.prio, task.vruntime if class_ == "fair" else None,
            task.deadline if class_ == "deadline" else task.virtual_deadline if class_ == "fair" else None, address,
        )  # fmt: skip

    def _read(self, address: int) -> Entity | None:
        try:
            return self.entity.row(address)
        except OopscopeError as e:
            self.kernel.problems.lost("runqueues", f"a task of CPU {self.queue.cpu}")(e)
            return None

    def _class_of(self, task: Entity) -> str:
        """Return the class of a task that stands on no queue: the idle and stop tasks have none."""
        if task.address in (self.queue.idle, self.queue.stop):
            return "idle" if task.address == self.queue.idle else "stop"
        return "deadline" if task.prio < 0 else "RT" if task.prio < MAX_RT_PRIO else "fair"

    def _state(self, task: Entity, current: bool) -> str:
        if current:
            return "current"
        if task.sched_delayed:
            return DELAYED
        try:
            count = self.kernel.bind(THROTTLE).row(task.cfs_rq).throttle_count if task.cfs_rq else 0
        except OopscopeError:
            count = 0
        return "throttled" if count else "waiting"

    def _waiting(self, task: Entity) -> float | None:
        """Return how long a task has waited; None where the kernel does not note when it was queued (SCHED_INFO)."""
        if not task.last_queued or not self.queue.clock:
            return None
        return max(self.queue.clock - task.last_queued, 0) / SECOND


def _order(row: Queued) -> tuple[bool, int, int, int]:
    """The one that runs first; then by class, and within it as the class would choose."""
    rank = ORDER.index(row.class_)
    if row.class_ == "deadline":
        return not row.current, rank, row.deadline or 0, row.pid
    if row.class_ == "fair":
        return not row.current, rank, row.vruntime or 0, row.pid
    return not row.current, rank, row.priority, 0


@once
def queued(kernel: Kernel) -> list[Queued]:
    """Return what runs on each CPU and what waits for it, CPU by CPU; NoSymbol or NoMember where no queue is known."""
    kernel.symbol("runqueues")  # without it all that is known is what ran: no queue, which is not an empty one
    kernel.bind(QUEUE)
    found: list[Queued] = []
    for queue in kernel.cached(runqueues):
        try:
            rows = _Cpu(kernel, queue).tasks()
        except OopscopeError as e:
            kernel.problems.lost("runqueues", f"CPU {queue.cpu}")(e)
            continue
        counted = queue.nr_running + (queue.curr == queue.idle)
        if len(rows) < counted:
            text = f"{len(rows)} tasks were found on the queue of CPU {queue.cpu} of {counted} that the kernel counted"
            kernel.problems.add("runqueues", text)
        found += rows
    if (lost := len(present_cpus(kernel)) - len(kernel.cached(runqueues))) > 0:
        kernel.problems.add("runqueues", f"the queues of {lost} CPUs could not be read")
    return found


def counted(kernel: Kernel) -> int | None:
    """Return how many tasks the kernel counts on its queues (rq.nr_running), and the idle ones that run besides.

    None where a CPU's queue could not be read.
    """
    queues = kernel.cached(runqueues)
    if len(queues) < len(present_cpus(kernel)):
        return None
    return sum(queue.nr_running + (queue.curr == queue.idle) for queue in queues)
