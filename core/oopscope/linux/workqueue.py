"""Workqueues: pools of workers, what each worker does, and the work that waits.

Follows kernel/workqueue.c and kernel/workqueue_internal.h. A pool is found by its number and must have it, a worker's
task must be one, and a work that is queued names the pool_workqueue through which it came.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, Name
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.sched import runqueues
from oopscope.linux.sums import added
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.linux.ticks import seconds_since
from oopscope.linux.xarray import entries
from oopscope.structs.plan import Plan

MAX_WORKQUEUES, MAX_POOLS, MAX_WORKERS, MAX_WORKS = 65_536, 65_536, 1 << 17, 1 << 17
PF_WQ_WORKER = 0x20
SECOND = 1e9
PENDING, PWQ = 1, 4  # of work_struct.data: WORK_STRUCT_PENDING, and that the rest is a pool_workqueue
IDLE = 1 << 2  # WORKER_IDLE
# POOL_BH since 4cb1ef64609f "workqueue: Implement BH workqueues to eventually replace tasklets", 6.9;
# POOL_MANAGER_ACTIVE has the bit too, of pools that have workers
BH = 1 << 0
FLAGS = (
    (1 << 0, "BH"), (1 << 1, "unbound"), (1 << 2, "freezable"), (1 << 3, "mem reclaim"), (1 << 4, "high priority"),
    (1 << 5, "cpu intensive"), (1 << 7, "power efficient"), (1 << 17, "ordered"),
)  # fmt: skip


class WorkqueueStruct(NamedTuple):
    """struct workqueue_struct."""

    address: int
    pwqs: int
    name: bytes
    flags: int
    rescuer: int
    max_active: int | None
    link: int


class Pwq(NamedTuple):
    """struct pool_workqueue: what one workqueue has in one pool."""

    address: int
    pool: int
    wq: int
    nr_active: int
    max_active: int | None
    inactive: int
    link: int


class PoolStruct(NamedTuple):
    """struct worker_pool."""

    address: int
    cpu: int
    node: int
    id: int
    flags: int
    progress: int
    worklist: int
    nr_workers: int
    nr_idle: int
    running: int
    workers: int
    attrs: int


class Attrs(NamedTuple):
    """struct workqueue_attrs."""

    nice: int


class WorkerStruct(NamedTuple):
    """struct worker."""

    address: int
    work: int
    function: int
    pwq: int
    scheduled: int
    task: int
    pool: int
    flags: int
    desc: bytes
    rescue_wq: int
    start: int | None
    link: int


class WorkStruct(NamedTuple):
    """struct work_struct."""

    address: int
    data: int
    func: int
    entry: int


WORKQUEUE = Plan("workqueue_struct", WorkqueueStruct, pwqs="&pwqs", link="&list")
PWQ_PLAN = Plan(
    "pool_workqueue", Pwq,
    # f97a4a1a3f87 "workqueue: Rename "delayed" (delayed by active management) to "inactive"", 5.15, and 5.10.y
    inactive=("&inactive_works", "&delayed_works"),
    link="&pwqs_node",
)  # fmt: skip
POOL = Plan(
    "worker_pool", PoolStruct, progress=("last_progress_ts", "watchdog_ts"), worklist="&worklist",
    running=("nr_running.counter", "nr_running"), workers="&workers",
)  # fmt: skip
ATTRS = Plan("workqueue_attrs", Attrs)
WORKER = Plan(
    "worker", WorkerStruct, work="current_work", function="current_func", pwq="current_pwq", scheduled="&scheduled",
    start="current_start", link="&node",
)  # fmt: skip
WORK = Plan("work_struct", WorkStruct, data="data.counter", entry="&entry")


class Workqueue(NamedTuple):
    """A workqueue, and how much work it has: active and waiting for a turn."""

    name: str
    flags: str
    active: int | None  # None, as of what follows: a part of it is not in the dump
    inactive: int | None
    max_active: int | None
    rescuer: int | None  # its PID
    address: int


class Pool(NamedTuple):
    """A pool of workers."""

    id: int
    cpu: int | None  # None: its workers run anywhere
    nice: int | None
    workers: int
    idle: int
    running: int  # that occupy the CPU: more work is begun only at 0
    pending: int | None
    stalled_seconds: float | None  # since work was last begun, where some waits
    address: int


class Worker(NamedTuple):
    """A worker and what it does."""

    pid: int | None
    comm: str | None
    pool: int | None
    cpu: int | None
    state: str  # idle, busy, rescuer
    workqueue: str | None
    function: str | None
    running_seconds: float | None  # since it began this work, where the kernel keeps that
    asleep_seconds: float | None  # since it last ran, where it is not running
    next: int | None  # works that it has taken and will do after
    work: int | None
    address: int


class Work(NamedTuple):
    """A piece of work that is not done."""

    state: str  # running, next, pending, inactive
    function: str | None
    workqueue: str | None
    pool: int | None
    cpu: int | None
    pid: int | None
    seconds: float | None
    address: int


class _Reader:
    """Workqueues, pools and workers of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.wq, self.pwq, self.pool = kernel.bind(WORKQUEUE), kernel.bind(PWQ_PLAN), kernel.bind(POOL)
        self.worker, self.work = kernel.bind(WORKER), kernel.bind(WORK)
        self.attrs = kernel.bind(ATTRS)
        self.tasks = task_structs(kernel)
        self.clock = {queue.cpu: queue.clock for queue in runqueues(kernel)}
        bits = kernel.types.constant("WORK_STRUCT_PWQ_SHIFT") or kernel.types.constant("WORK_STRUCT_FLAG_BITS") or 8
        self.mask = -1 << bits  # of work_struct.data: the pool_workqueue's address
        self.names: dict[int, str] = {}  # workqueues by address
        self.pwqs: dict[int, Pwq] = {}
        self.pools: dict[int, PoolStruct] = {}
        self.workers: list[WorkerStruct] = []

    def lost(self, what: str) -> Callable[[OopscopeError], None]:
        """Return what notes an error."""
        return self.kernel.problems.lost("works", what)

    def name(self, function: int) -> str | None:
        found = self.kernel.name_of(function) if function else None
        return _called(found) if found else (f"{function:#x}" if function else None)

    def read_pools(self) -> None:
        """Read the pools by their numbers, and the workers of each."""
        lost = self.lost("pools")
        root = self.kernel.symbol("worker_pool_idr") + self.kernel.types.member("idr", "idr_rt").offset
        for number, address in entries(self.kernel, root, lost):
            if len(self.pools) >= MAX_POOLS:
                return
            try:
                pool = self.pool.row(address)
            except OopscopeError as e:
                lost(e)
                continue
            if pool.id != number:
                text = f"what should be pool {number} calls itself {pool.id}"
                self.kernel.problems.add("works", text, address)
                continue
            self.pools[address] = pool
            self._read_workers(pool)

    def _read_workers(self, pool: PoolStruct) -> None:
        lost, count = self.lost(f"the workers of pool {pool.id}"), 0
        for row in self.worker.rows(
            for_each_list(self.memory, pool.workers, self.worker.offset("link"), lost, MAX_WORKERS), lost
        ):
            task = self.tasks.get(row.task)
            if row.pool != pool.address or (task is not None and not task.flags & PF_WQ_WORKER):
                self.kernel.problems.add("works", f"what should be a worker of pool {pool.id} is none", row.address)
                continue
            count += 1
            self.workers.append(row)
        if count != pool.nr_workers:
            text = f"{count} workers were found of pool {pool.id}, of {pool.nr_workers} that it counts"
            self.kernel.problems.add("works", text, pool.address)

    def read_workqueues(self) -> Iterator[Workqueue]:
        """Yield the workqueues; what they have in each pool is kept."""
        lost = self.lost("workqueues")
        walk = for_each_list(
            self.memory, self.kernel.symbol("workqueues"), self.wq.offset("link"), lost, MAX_WORKQUEUES
        )
        for row in self.wq.rows(walk, lost):
            self.names[row.address] = decoded(row.name)
            active, inactive, most, broken = 0, list[int | None](), row.max_active, list[OopscopeError]()
            links = for_each_list(self.memory, row.pwqs, self.pwq.offset("link"), broken.append, MAX_POOLS)
            for pwq in self.pwq.rows(links, broken.append):
                if pwq.wq != row.address:
                    self.kernel.problems.add("works", f"a part of workqueue {row.name!r} is of another", pwq.address)
                    continue
                self.pwqs[pwq.address] = pwq
                active += pwq.nr_active
                inactive.append(self._how_many(pwq.inactive))
                most = pwq.max_active if most is None else most
            for error in broken:
                lost(error)
            done, waiting = (None, None) if broken else (active, added(inactive))
            flags = ", ".join(word for bit, word in FLAGS if row.flags & bit)
            rescuer = self._rescuer(row.rescuer)
            yield Workqueue(self.names[row.address], flags, done, waiting, most, rescuer, row.address)

    def _rescuer(self, address: int) -> int | None:
        """Keep a workqueue's rescuer as a worker; return its PID."""
        if not address:
            return None
        try:
            row = self.worker.row(address)
        except OopscopeError as e:
            self.lost("a rescuer")(e)
            return None
        self.workers.append(row)
        task = self.tasks.get(row.task)
        return task.pid if task else None

    def _how_many(self, head: int, test: Callable[[WorkStruct], bool] = lambda _: True) -> int | None:
        """Count the works of a list; None where a part of it is lost."""
        broken = list[OopscopeError]()
        count = sum(map(test, self._works(head, broken.append)))
        for error in broken:
            self.lost("works")(error)
        return None if broken else count

    def _works(self, head: int, lost: Callable[[OopscopeError], None] | None = None) -> Iterator[WorkStruct]:
        lost = lost or self.lost("works")
        yield from self.work.rows(for_each_list(self.memory, head, self.work.offset("entry"), lost, MAX_WORKS), lost)

    # Rows.

    def pool_row(self, pool: PoolStruct) -> Pool:
        pending = self._how_many(pool.worklist, self._queued)
        nice = self.attrs.row(pool.attrs).nice if pool.attrs else None
        stalled = self._since(pool.progress) if pending else None
        return Pool(
            pool.id, pool.cpu if pool.cpu >= 0 else None, nice, pool.nr_workers, pool.nr_idle, pool.running, pending,
            stalled, pool.address,
        )  # fmt: skip

    def _queued(self, work: WorkStruct) -> bool:
        """Tell whether what hangs in a list of works is one: marked as pending, and with a function."""
        return bool(work.data & PENDING and work.func)

    def _since(self, then: int | None) -> float | None:
        try:
            return max(seconds_since(self.kernel, then), 0) if then else None
        except OopscopeError:
            return None

    def worker_row(self, row: WorkerStruct) -> Worker:
        task, pool = self.tasks.get(row.task), self.pools.get(row.pool)
        state = "rescuer" if row.rescue_wq else "idle" if row.flags & IDLE else "busy"
        pwq = self.pwqs.get(row.pwq)
        busy = bool(row.work)
        return Worker(
            task.pid if task else None,
            decoded(task.comm) if task else None,
            pool.id if pool else None,
            pool.cpu if pool and pool.cpu >= 0 else None,
            state, self.names.get(pwq.wq if pwq else row.rescue_wq), self.name(row.function) if busy else None,
            self._since(row.start) if busy else None, self._asleep(task) if busy else None,
            self._how_many(row.scheduled) if busy else 0, row.work or None, row.address,
        )  # fmt: skip

    def _asleep(self, task: TaskStruct | None) -> float | None:
        if task is None or task.on_cpu or not task.last_arrival or task.cpu not in self.clock:
            return None
        return max(self.clock[task.cpu] - task.last_arrival, 0) / SECOND

    def works(self) -> Iterator[Work]:
        """Yield what is being done, then what waits for a worker, then what waits for its workqueue's turn."""
        for row in self.workers:
            if row.work:
                worker = self.worker_row(row)
                yield Work("running", worker.function, worker.workqueue, worker.pool, worker.cpu, worker.pid,
                           worker.running_seconds, row.work)  # fmt: skip
                for work in self._works(row.scheduled):
                    yield self._work("next", work, row.pool, worker.pid, None)
        for pool in self.pools.values():
            stalled = self._since(pool.progress)
            for work in self._works(pool.worklist):
                if self._queued(work):
                    yield self._work("pending", work, pool.address, None, stalled)
        for pwq in self.pwqs.values():
            for work in self._works(pwq.inactive):
                yield self._work("inactive", work, pwq.pool, None, None)

    def _work(self, state: str, work: WorkStruct, at: int, pid: int | None, seconds: float | None) -> Work:
        pwq = self.pwqs.get(work.data & self.mask & self.memory.top - 1) if work.data & PWQ else None
        pool = self.pools.get(at)
        return Work(
            state, self.name(work.func), self.names.get(pwq.wq) if pwq else None, pool.id if pool else None,
            pool.cpu if pool and pool.cpu >= 0 else None, pid, seconds, work.address,
        )  # fmt: skip


def _called(name: Name) -> str:
    return f"{name.symbol}{f' [{name.module}]' if name.module else ''}"


def _reader(kernel: Kernel) -> tuple[_Reader, list[Workqueue]]:
    reader = _Reader(kernel)
    reader.read_pools()
    return reader, list(reader.read_workqueues())


@once
def workqueues(kernel: Kernel) -> list[Workqueue]:
    """Return the workqueues."""
    return kernel.cached(_reader)[1]


@once
def pools(kernel: Kernel) -> list[Pool]:
    """Return the pools by their numbers."""
    reader = kernel.cached(_reader)[0]
    return [reader.pool_row(pool) for pool in reader.pools.values()]


@once
def workers(kernel: Kernel) -> list[Worker]:
    """Return the workers, those that do something first."""
    reader = kernel.cached(_reader)[0]
    found = [reader.worker_row(row) for row in reader.workers]
    return sorted(found, key=lambda row: (not row.work, row.state != "busy"))


@once
def works(kernel: Kernel) -> list[Work]:
    """Return all work that is not done."""
    return list(kernel.cached(_reader)[0].works())
