"""Every thread: by the task list, by the PID table, by the run queues, joined.

Follows kernel/fork.c, kernel/pid.c, kernel/sched/core.c and fs/proc/array.c (for ps(1)'s letters). A task that only
one of the three still knows is in the table all the same, and the disagreement is a problem noted.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.runqueues import runqueues
from oopscope.kernel.walk import for_each_list, for_each_xarray
from oopscope.structs.plan import Plan
from oopscope.subsystems import Column, Table
from oopscope.subsystems.stacks import sleeping_in, stack_of_task

PF_KTHREAD = 0x00200000
EXIT_DEAD, EXIT_ZOMBIE = 16, 32  # since 3.14
TASK_NOLOAD = 0x400  # since 4.14
MAX_TASKS = 1 << 20


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
    on_cpu: int
    sp: int
    cpu: int | None
    last_arrival: int | None


TASK = Plan(
    "task_struct",
    TaskStruct,
    state=("__state", "state"),  # 2f064a59a11f, 5.14
    sp="thread.sp",
    cpu=("thread_info.cpu", "cpu"),  # bcf9033e5449, 5.16
    last_arrival="sched_info.last_arrival",
)


class Thread(NamedTuple):
    """Where a signal_struct's list of threads hangs, and where each thread hangs in it."""

    address: int
    thread_head: int


class PidTasks(NamedTuple):
    """struct pid: the first task that uses it as a PID."""

    first: int


class Links(NamedTuple):
    """The offsets by which tasks hang in the lists."""

    address: int
    tasks: int
    thread_node: int
    pid_links: int


SIGNAL = Plan("signal_struct", Thread, thread_head="&thread_head")
LINKS = Plan("task_struct", Links, tasks="&tasks", thread_node="&thread_node", pid_links="&pid_links")
PID = Plan("pid", PidTasks, first="&tasks")


class Cred(NamedTuple):
    """struct cred."""

    uid: int


CRED = Plan("cred", Cred, uid="uid.val")


class Mm(NamedTuple):
    """struct mm_struct: its size in pages, and where its resident pages are counted."""

    total_vm: int
    rss_stat: int


MM = Plan("mm_struct", Mm, rss_stat="&rss_stat")


class Task(NamedTuple):
    """One thread, as ps(1) would show it."""

    pid: int
    tgid: int
    ppid: int | None
    comm: str
    state: str
    cpu: int | None
    address: int
    kernel_thread: bool
    rss_bytes: int | None
    vsz_bytes: int | None
    uid: int | None
    since_last_run_seconds: float | None
    wait: str | None


def decode_comm(raw: bytes) -> str:
    """Turn a task's name into text; bytes that are not UTF-8 become escapes."""
    return raw.decode("utf-8", "backslashreplace")


def state_letter(state: int, exit_state: int) -> str:
    """Return ps(1)'s letter for a task's state; `?` for a combination that none stands for."""
    if exit_state & EXIT_ZOMBIE:
        return "Z"
    if exit_state & EXIT_DEAD:
        return "X"
    if state == 0:
        return "R"
    if state & 2 and state & TASK_NOLOAD:
        return "I"
    for bit, letter in ((2, "D"), (1, "S"), (4, "T"), (8, "t"), (0x40, "P"), (0x80, "X"), (0x200, "R"), (0x800, "N")):
        if state & bit:
            return letter
    return "?"


def _leaders(kernel: Kernel) -> Iterator[int]:
    init = kernel.symbol("init_task")
    offset = kernel.bind(LINKS).offset("tasks")
    yield from for_each_list(kernel.memory, init + offset, offset, kernel.problems.lost("tasks", "task list"))


def _by_list(kernel: Kernel, structs: "Structs") -> Iterator[int]:
    """Process leaders, and the threads of each by its signal_struct (3.14 and later)."""
    links, signal = kernel.bind(LINKS), kernel.bind(SIGNAL)
    node = links.offset("thread_node")
    for leader in _leaders(kernel):
        yield leader
        task = structs.get(leader)
        if task and task.signal:
            head = task.signal + signal.offset("thread_head")
            yield from for_each_list(kernel.memory, head, node, kernel.problems.lost("tasks", f"threads of {task.pid}"))


def _by_pid_table(kernel: Kernel) -> Iterator[int]:
    """init_pid_ns's idr (4.15, 95846ecf9dac): struct pid, then the first task in its list of PIDTYPE_PID."""
    memory, types = kernel.memory, kernel.types
    root = kernel.symbol("init_pid_ns") + types.member("pid_namespace", "idr.idr_rt").offset
    name = "xarray" if types.has_member("xarray", "xa_head") else "radix_tree_root"
    head = memory.word(root + types.member(name, "xa_head" if name == "xarray" else "rnode").offset)
    node = "xa_node" if name == "xarray" else "radix_tree_node"
    slots, shift = types.member(node, "slots").offset, types.member(node, "shift").offset
    first, link = kernel.bind(PID).offset("first"), kernel.bind(LINKS).offset("pid_links")
    lost = kernel.problems.lost("tasks", "PID table")
    for _pid, entry in for_each_xarray(memory, head, slots, shift, lost):
        try:
            found = memory.word(entry + first)
        except OopscopeError as e:
            lost(e)
            continue
        if found:
            yield found - link


def _by_run_queue(kernel: Kernel) -> Iterator[int]:
    for queue in kernel.cached(runqueues):
        yield from (task for task in (queue.curr, queue.idle, queue.stop) if task)


class Structs(dict[int, TaskStruct | None]):
    """task_structs by address, each read once; None for one that is unreadable."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._row = kernel.bind(TASK).row
        self._lost = kernel.problems.lost("tasks", "a task")

    def __missing__(self, address: int) -> TaskStruct | None:
        try:
            self[address] = self._row(address)
        except OopscopeError as e:
            self._lost(e)
            self[address] = None
        return self[address]

    def get(self, address: int, default: object = None) -> TaskStruct | None:
        """Return the task_struct at an address, read now if it was not before."""
        return self[address]


def task_structs(kernel: Kernel) -> dict[int, TaskStruct]:
    """Return every task's struct by its address: list first, then what only the PID table or a run queue knows."""
    structs = Structs(kernel)
    known: dict[int, TaskStruct] = {}
    _join(kernel, "task list", _by_list(kernel, structs), structs, known)
    _join(kernel, "PID table", _by_pid_table(kernel), structs, known)
    _join(kernel, "run queues", _by_run_queue(kernel), structs, known)
    return dict(sorted(known.items(), key=lambda item: (item[1].tgid, item[1].pid, item[0])))


def _join(kernel: Kernel, source: str, walk: Iterator[int], structs: Structs, known: dict[int, TaskStruct]) -> None:
    """Add what one walk finds; a task unknown to the walks before it is said to be, unless it is an idle task."""
    try:
        for address in walk:
            task = structs[address]
            if task is None or address in known or len(known) >= MAX_TASKS:
                continue
            if not _plausible(task):
                kernel.problems.add("tasks", f"{source}: what should be a task is none", address)
                continue
            known[address] = task
            if source != "task list" and task.pid and not task.exit_state:
                kernel.problems.add("tasks", f"task {task.pid} is known only to the {source}", address)
    except OopscopeError as e:
        kernel.problems.lost("tasks", source)(e)


def _plausible(task: TaskStruct) -> bool:
    return 0 <= task.pid <= 1 << 22 and 0 <= task.tgid <= 1 << 22 and task.stack >> 63 == 1


def _rss(kernel: Kernel, mm: int) -> int:
    """Pages resident in an mm: file, anonymous and shared memory (not swap)."""
    types, memory = kernel.types, kernel.memory
    at = mm + kernel.bind(MM).offset("rss_stat")
    member = types.member("mm_struct", "rss_stat")
    if member.kind == "array":  # struct percpu_counter[], f1a7941243c1, 6.2
        count = types.member("percpu_counter", "count").offset
        counters = types.member("percpu_counter", "counters").offset
        total = 0
        for i in (0, 1, 3):
            base = at + i * member.element_size
            each = memory.word(base + counters)
            total += _signed(memory.word(base + count))
            total += (
                sum(memory.s32(each + offset & memory.top - 1) for offset in kernel.cached(per_cpu_offsets))
                if each
                else 0
            )
        return max(total, 0)
    return max(sum(_signed(w) for i, w in enumerate(memory.words(at, 4)) if i != 2), 0)


def _signed(word: int) -> int:
    return word - (word >> 63 << 64)


def _sizes(kernel: Kernel, task: TaskStruct) -> tuple[int | None, int | None]:
    """Return (resident, virtual) bytes of a process; (None, None) where its mm is unreadable, 0 for a kernel thread."""
    if not task.mm:
        return 0, 0
    page = kernel.memory.page_size
    try:
        return _rss(kernel, task.mm) * page, kernel.bind(MM).row(task.mm).total_vm * page
    except OopscopeError as e:
        kernel.problems.lost("tasks", f"memory of {task.pid}")(e)
        return None, None


def _uid(kernel: Kernel, task: TaskStruct) -> int | None:
    try:
        return kernel.bind(CRED).row(task.real_cred).uid
    except OopscopeError:
        return None


def _ppid(task: TaskStruct, structs: dict[int, TaskStruct]) -> int | None:
    parent = structs.get(task.real_parent)
    return parent.tgid if parent else None


def tasks(kernel: Kernel) -> list[Task]:
    """Return every thread, by process and PID."""
    structs = kernel.cached(task_structs)
    clock = max((q.clock for q in kernel.cached(runqueues)), default=0)
    return [_task(kernel, task, structs, clock) for task in structs.values()]


def _task(kernel: Kernel, task: TaskStruct, structs: dict[int, TaskStruct], clock: int) -> Task:
    rss, vsz = _sizes(kernel, task)
    since = None
    if task.last_arrival is not None and clock:
        since = 0.0 if task.on_cpu else max(clock - task.last_arrival, 0) / 1e9 if task.last_arrival else None
    return Task(
        pid=task.pid,
        tgid=task.tgid,
        ppid=_ppid(task, structs),
        comm=decode_comm(task.comm),
        state=state_letter(task.state, task.exit_state),
        cpu=task.cpu,
        address=task.address,
        kernel_thread=bool(task.flags & PF_KTHREAD),
        rss_bytes=rss,
        vsz_bytes=vsz,
        uid=_uid(kernel, task),
        since_last_run_seconds=round(since, 6) if since is not None else None,
        wait=None if task.on_cpu or task.exit_state else sleeping_in(kernel, task.stack, task.sp),
    )


def stack(kernel: Kernel, address: int) -> tuple[Frame, ...]:
    """Return the stack of the task at an address: from its CPU's registers while it ran, else from where it slept."""
    task = kernel.cached(task_structs).get(address)
    if task is None:
        return ()
    return stack_of_task(kernel, task.address, task.stack, task.sp, bool(task.on_cpu))


def all_tasks(kernel: Kernel) -> list[Task]:
    """Return every thread, read once."""
    return kernel.cached(tasks)


TABLE = Table(
    "tasks",
    "Tasks",
    (
        Column("pid", "PID", "int"),
        Column("tgid", "TGID", "int"),
        Column("ppid", "PPID", "int"),
        Column("comm", "Command"),
        Column("state", "State", "state"),
        Column("cpu", "CPU", "int"),
        Column("address", "Task", "address"),
        Column("kernel_thread", "Kernel", "bool"),
        Column("rss_bytes", "RSS", "bytes"),
        Column("vsz_bytes", "Virtual", "bytes"),
        Column("uid", "UID", "int"),
        Column("since_last_run_seconds", "Last ran", "seconds"),
        Column("wait", "Waits in", "symbol"),
    ),
    all_tasks,
)
