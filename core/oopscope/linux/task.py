"""Every task_struct: by the task list, the PID table and the run queues, joined; around holes, by all other links.

Follows kernel/fork.c, kernel/pid.c and kernel/sched/core.c. Where pages are missing, whatever still points at a task is
followed from both sides: lists both ways, children, siblings, parents, threads. A task whose struct is not in the
dump, but whose address something else knows, is kept with what is known of it. What was lost is counted.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oopscope.errors import Absent, Implausible, OopscopeError, is_lost
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.walk import for_each_list
from oopscope.linux.sched import last_accounted, runqueues
from oopscope.linux.xarray import entries
from oopscope.structs.plan import Plan

PF_KTHREAD = 0x00200000
MAX_TASKS = 1 << 20
SPARE = 4096  # tasks more than the kernel counted, and addresses that are none, before the lists are not believed
ALIGNED = 16  # task_struct is aligned to a cache line, at the least to this


class TaskStruct(NamedTuple):
    """The members of struct task_struct that the tables need."""

    address: int
    pid: int
    tgid: int
    comm: bytes
    state: int
    exit_state: int
    flags: int
    stack: int
    mm: int
    signal: int
    real_parent: int
    real_cred: int
    on_cpu: int | None  # not in a uniprocessor kernel's: Structs fills it in, and the CPU
    sp: int
    cpu: int | None
    last_arrival: int | None
    files: int | None = None
    vfork_done: int | None = None  # what it completes when it ends
    pi_blocked_on: int | None = None  # its waiter for an rt_mutex
    rss: tuple[int, ...] | None = None  # pages counted by itself, up to 6.1 (SPLIT_RSS_COUNTING)
    jobctl: int | None = None  # what it is to be stopped for


TASK = Plan(
    "task_struct",
    TaskStruct,
    state=("__state", "state"),  # 2f064a59a11f "sched: Change task_struct::state", 5.14
    # x86 and riscv, arm64, s390 and powerpc, arm
    sp=("thread.sp", "thread.cpu_context.sp", "thread.ksp", "thread_info.cpu_context.sp", "thread.reg03"),
    # bcf9033e5449 "sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y", 5.16
    cpu=("thread_info.cpu", "cpu"),
    last_arrival="sched_info.last_arrival",
    rss="rss_stat.count",
)


class LostTask(NamedTuple):
    """A task whose struct is not (wholly) readable: what else tells of it. `fields` holds what could be read."""

    address: int
    pid: int | None
    tgid: int | None
    parent: int | None  # the address of its real parent
    fields: dict[str, Any]


class Census(NamedTuple):
    """All tasks by address: those that were read, and those that only something else knows."""

    tasks: dict[int, TaskStruct]
    lost: dict[int, LostTask]


class Thread(NamedTuple):
    """Where a signal_struct's list of threads hangs."""

    address: int
    thread_head: int


class Links(NamedTuple):
    """The offsets by which tasks hang in the lists."""

    address: int
    tasks: int
    thread_node: int
    pid_links: int
    children: int
    sibling: int
    group_leader: int
    parent: int


SIGNAL = Plan("signal_struct", Thread, thread_head="&thread_head")
LINKS = Plan(
    "task_struct",
    Links,
    tasks="&tasks",
    thread_node="&thread_node",
    pid_links="&pid_links",
    children="&children",
    sibling="&sibling",
    group_leader="&group_leader",
    parent="&parent",
)


class Structs(dict[int, TaskStruct | None]):
    """task_structs by address, each read once; None for one that is unreadable, `why` says so."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._kernel, self._row = kernel, kernel.bind(TASK).row
        self._same: dict[tuple[int, ...] | None, tuple[int, ...] | None] = {}  # counts that many tasks share
        self.why: dict[int, OopscopeError] = {}

    def __missing__(self, address: int) -> TaskStruct | None:
        try:
            self[address] = self._whole(self._row(address))
        except OopscopeError as e:
            self.why[address] = e
            self[address] = None
        return self[address]

    def _whole(self, task: TaskStruct) -> TaskStruct:
        """Say of a uniprocessor kernel's task whether it ran, by the run queue, and on which CPU: the only one."""
        if task.rss and (rss := self._same.setdefault(task.rss, task.rss)) is not task.rss:
            task = task._replace(rss=rss)
        if task.last_arrival is None and task.pid:
            task = task._replace(last_arrival=last_accounted(self._kernel, task.address))
        if task.on_cpu is not None:
            return task
        ran = any(queue.curr == task.address for queue in self._kernel.cached(runqueues))
        return task._replace(on_cpu=int(ran), cpu=0 if task.cpu is None else task.cpu)

    def get(self, address: int, default: object = None) -> TaskStruct | None:
        """Return the task_struct at an address, read now if it was not before."""
        return self[address]


class _Walk:
    """One gathering of all tasks."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.lowest = kernel.machine.kernel_from(kernel)  # address that can be the kernel's
        self.structs = Structs(kernel)
        self.known: dict[int, TaskStruct] = {}
        self.lost: dict[int, dict[str, Any]] = {}
        self.holes: list[str] = []  # what the lists themselves lack
        self.live = kernel.facts.live  # tasks come and go between two looks
        counted = nr_threads(kernel)
        self.most = MAX_TASKS if counted is None else min(MAX_TASKS, 2 * counted + SPARE)
        self.refused = 0  # addresses that led to no task

    def hole(self, what: str) -> Callable[[OopscopeError], None]:
        """Return what is called where a list cannot be followed: a missing page is a hole, else a problem."""

        def lost(error: OopscopeError) -> None:
            if is_lost(error):
                self.holes.append(what)
            else:
                self.kernel.problems.lost("tasks", what)(error)

        return lost

    def join(self, source: str, walk: Iterator[int]) -> None:
        """Add what one walk finds; a task unknown to the walks before it is said to be, unless it is an idle task."""
        try:
            for address in walk:
                if self.take(address, source) and source != "task list":
                    task = self.known[address]
                    if task.pid and not task.exit_state and not self.holes and not self.lost and not self.live:
                        self.kernel.problems.add("tasks", f"task {task.pid} is known only to the {source}", address)
        except Absent:
            if source == "task list":
                raise
        except OopscopeError as e:
            self.hole(source)(e)

    def take(self, address: int, source: str) -> bool:
        """Keep the task at an address; True if it was not known and is one."""
        if address in self.known or address in self.lost:
            return False
        if len(self.known) + len(self.lost) >= self.most or self.refused >= SPARE:
            raise Implausible(
                f"more than {len(self.known)} tasks, or too much that is none: followed no further", address
            )
        task = self.structs[address]
        if task is None:
            error = self.structs.why[address]
            if is_lost(error) and address % ALIGNED == 0:
                self.lost[address] = {}
            else:
                self.refused += 1
                self.kernel.problems.lost("tasks", source)(error)
            return False
        if not plausible(task, self.lowest):
            self.refused += 1
            self.kernel.problems.add("tasks", f"{source}: what should be a task is none", address)
            return False
        self.known[address] = task
        return True

    def by_list(self) -> Iterator[int]:
        """Yield process leaders, and the threads of each by its signal_struct (3.14 and later)."""
        links, signal = self.kernel.bind(LINKS), self.kernel.bind(SIGNAL)
        tasks, node = links.offset("tasks"), links.offset("thread_node")
        head = self.kernel.symbol("init_task") + tasks
        signals = set[int]()  # a process has one of its own
        head_of_threads = signal.offset("thread_head")
        for leader in for_each_list(self.memory, head, tasks, self.hole("task list")):
            yield leader
            task = self.structs.get(leader)
            if task and task.signal and task.signal not in signals:
                signals.add(task.signal)
                threads = task.signal + head_of_threads
                if not self._is_alone(threads, leader + node):
                    yield from for_each_list(self.memory, threads, node, self.hole(f"threads of {task.pid}"))

    def _is_alone(self, head: int, node: int) -> bool:
        """Tell whether a list has one node, linked both ways, as that of threads has in most processes."""
        try:
            return self.memory.pair(head) == (node, node) and self.memory.pair(node) == (head, head)
        except OopscopeError:
            return False

    def by_pid_table(self) -> Iterator[int]:
        """Yield by init_pid_ns's idr: struct pid, then the task that uses it as its PID.

        The idr came with 95846ecf9dac "pid: replace pid bitmap implementation with IDR API", 4.15.

        What the table tells is kept for a task that cannot be read: its PID, and whether it leads a process.
        """
        memory, types = self.memory, self.kernel.types
        tasks, link = types.member("pid", "tasks"), self.kernel.bind(LINKS).offset("pid_links")
        leads = tasks.count >= 4  # PIDTYPE_TGID is the second of four, 6883f81aac6f "pid: Implement PIDTYPE_TGID", 4.19
        root = self.kernel.symbol("init_pid_ns") + types.member("pid_namespace", "idr.idr_rt").offset
        for number, pid in entries(self.kernel, root, self.hole("PID table")):
            try:
                first, second = memory.words(pid + tasks.offset, 2)
            except OopscopeError as e:
                self.hole("PID table")(e)
                continue
            if first and first - link not in self.known:
                yield first - link
                if first - link in self.lost:
                    self.lost[first - link].update(pid=number, tgid=number if leads and second else None)

    def by_run_queue(self) -> Iterator[int]:
        """Yield what each CPU ran, and its idle and stop tasks."""
        if self.kernel.find_symbol("runqueues") is None:
            self.kernel.problems.add("tasks", "nothing names the run queues: idle tasks are not among the tasks")
        for queue in self.kernel.cached(runqueues):
            yield from (task for task in (queue.curr, queue.idle, queue.stop) if task)
            if queue.idle in self.lost:
                self.lost[queue.idle].update(pid=0, tgid=0)

    def around(self) -> None:
        """Follow every link of every task that is known, until none leads to another."""
        neighbours = _Neighbours(self)
        todo = [*self.known, *self.lost]
        while todo:
            for address in neighbours.of(todo.pop()):
                if address not in self.known and address not in self.lost:
                    try:
                        self.take(address, "a link of another task")
                    except Implausible as e:
                        self.hole("links of tasks")(e)
                        return
                    if address in self.known or address in self.lost:
                        todo.append(address)


class _Neighbours:
    """The tasks that one task's own links name; each link is read by itself, for part of a struct may be missing."""

    def __init__(self, walk: _Walk) -> None:
        self._walk, self._memory = walk, walk.memory
        links = walk.kernel.bind(LINKS)
        self._at = {name: links.offset(name) for name in Links._fields if name != "address"}
        self._head = walk.kernel.bind(SIGNAL).offset("thread_head")
        members = walk.kernel.types.member
        self._signal = members("task_struct", "signal").offset
        self._real_parent = members("task_struct", "real_parent").offset
        self._init = walk.kernel.symbol("init_task")

    def _words(self, address: int, count: int = 1) -> tuple[int, ...]:
        try:
            return self._memory.words(address, count)
        except OopscopeError:
            return ()

    def of(self, address: int) -> Iterator[int]:
        """Yield the addresses of tasks that a task's links name."""
        at = self._at
        parent, leader = (self._one(address + offset) for offset in (self._real_parent, at["group_leader"]))
        yield from (task for task in (parent, leader, self._one(address + at["parent"])) if task)
        head = self._one(address + self._signal) + self._head
        for node in self._words(address + at["thread_node"], 2):
            if node != head:
                yield from self._task(node, "thread_node")
        if leader not in (address, 0):
            return  # a thread's other links are copies of its leader's, long stale
        for node in self._words(address + at["tasks"], 2):
            yield from self._task(node, "tasks")
        for node in self._words(address + at["children"], 2):
            if node != address + at["children"]:
                yield from self._child(self._task(node, "sibling"), address)
        for node in self._words(address + at["sibling"], 2):
            if parent and node not in (parent + at["children"], address + at["sibling"]):
                yield from self._child(self._task(node, "sibling"), parent)

    def _one(self, address: int) -> int:
        found = self._words(address)
        return found[0] if found else 0

    def _task(self, node: int, link: str) -> Iterator[int]:
        """The task in which a list's node lies; nothing for the poison of a list that was left."""
        if node >= self._walk.lowest and not node % 8:
            yield node - self._at[link]

    def _child(self, found: Iterator[int], parent: int) -> Iterator[int]:
        for child in found:
            yield child
            if child in self._walk.lost:
                self._walk.lost[child]["parent"] = parent


def plausible(task: TaskStruct, lowest: int) -> bool:
    """Tell whether what was read can be a task; a zombie has given its stack back.

    lowest: the lowest address that can be the kernel's.
    """
    stack = task.stack >= lowest or (task.stack == 0 and task.exit_state != 0)
    return 0 <= task.pid <= 1 << 22 and 0 <= task.tgid <= 1 << 22 and stack


def census(kernel: Kernel) -> Census:
    """Return every task: list first, then what only the PID table or a run queue knows, then what other links lead to.

    The last only where pages are missing, or the kernel counted more.
    """
    walk = _Walk(kernel)
    walk.join("task list", walk.by_list())
    walk.join("PID table", walk.by_pid_table())
    walk.join("run queues", walk.by_run_queue())
    counted = nr_threads(kernel)
    if walk.holes or walk.lost or (counted is not None and counted > _threads(walk)):
        walk.around()
        _say_what_is_lost(walk, counted)
    known = dict(sorted(walk.known.items(), key=lambda item: (item[1].tgid, item[1].pid, item[0])))
    return Census(known, {address: _lost(kernel, address, hints) for address, hints in walk.lost.items()})


def _threads(walk: _Walk) -> int:
    return sum(1 for t in walk.known.values() if t.pid) + sum(1 for t in walk.lost.values() if t.get("pid") != 0)


def threads(kernel: Kernel) -> int | None:
    """Return how many threads there are by the kernel's own count, the CPUs' idle tasks included."""
    counted, queues = nr_threads(kernel), kernel.cached(runqueues)
    if counted is None:
        return None
    unread = max(0, len(present_cpus(kernel)) - len(queues))  # of which each has an idle task as well
    return counted + len({q.idle for q in queues if q.idle}) + unread


def nr_threads(kernel: Kernel) -> int | None:
    """Return how many threads the kernel counted (the idle ones are not among them); None where that is unreadable."""
    address = kernel.find_symbol("nr_threads")
    try:
        counted = kernel.memory.u32(address) if address else None
    except OopscopeError:
        return None
    return counted if counted is not None and counted <= MAX_TASKS else None


def _say_what_is_lost(walk: _Walk, counted: int | None) -> None:
    problems = walk.kernel.problems
    if walk.lost:
        whys = " or ".join(sorted({str(walk.structs.why[a]).partition(" is ")[2] for a in walk.lost}))
        text = f"{len(walk.lost)} task_structs are not, or not wholly, readable; a page is {whys}"
        problems.add("tasks", text, next(iter(walk.lost)))
    if walk.holes:
        some = ", ".join(dict.fromkeys(walk.holes[:4])) + (" and more" if len(set(walk.holes)) > 4 else "")
        problems.add("tasks", f"{some}: pages are missing, and other links were followed around them")
    found = _threads(walk)
    if counted is not None and counted > found and not walk.live:
        problems.add("tasks", f"{found} threads were found of {counted} that the kernel counted: the others are lost")


def _lost(kernel: Kernel, address: int, hints: dict[str, Any]) -> LostTask:
    fields = kernel.bind(TASK).partly(address)
    pid, tgid = fields.get("pid", hints.get("pid")), fields.get("tgid", hints.get("tgid"))
    return LostTask(address, pid, tgid, fields.get("real_parent", hints.get("parent")), fields)


def task_structs(kernel: Kernel) -> dict[int, TaskStruct]:
    """Return every task's struct by its address, of those that are readable."""
    return kernel.cached(census).tasks


def has_every_task(kernel: Kernel) -> bool:
    """Tell whether no task is lost, by the kernel's own count too: what is gathered from tasks is whole only then."""
    found, counted = kernel.cached(census), nr_threads(kernel)
    return not found.lost and counted is not None and counted <= sum(1 for task in found.tasks.values() if task.pid)


def lost_tasks(kernel: Kernel) -> dict[int, LostTask]:
    """Return the tasks whose struct is not readable, by address."""
    return kernel.cached(census).lost


def all_tasks_known(kernel: Kernel) -> bool:
    """Tell whether every task was found: only then is what no task has had by none, and who is no task has ended."""
    return not kernel.cached(lost_tasks) and not any(p.section == "tasks" for p in kernel.problems)
