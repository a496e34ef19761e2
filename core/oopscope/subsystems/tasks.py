"""Every thread as ps(1) shows it. Follows fs/proc/array.c (for ps(1)'s letters); kernel/tasks.py finds the threads."""

from collections.abc import Callable
from typing import Any, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.runqueues import runqueues
from oopscope.kernel.tasks import LostTask, TaskStruct, lost_tasks, task_structs
from oopscope.structs.plan import Plan
from oopscope.subsystems import Column, Table
from oopscope.subsystems.stacks import sleeping_in, stack_of_lost, stack_of_task

PF_KTHREAD = 0x00200000
EXIT_DEAD, EXIT_ZOMBIE = 16, 32  # since 3.14
TASK_NOLOAD = 0x400  # since 4.14
KTHREADD = 2


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
    """One thread, as ps(1) would show it; None is what its struct would tell, were it in the dump."""

    pid: int | None
    tgid: int | None
    ppid: int | None
    comm: str | None
    state: str | None
    cpu: int | None
    address: int
    kernel_thread: bool | None
    rss_bytes: int | None
    vsz_bytes: int | None
    uid: int | None
    since_last_run_seconds: float | None
    wait: str | None

    @property
    def who(self) -> str:
        """The task in words."""
        return called(self.pid, self.comm)


def called(pid: int | None, comm: str | None) -> str:
    """Return what to call a task in a sentence, of which name or PID may be missing."""
    if pid is None:
        return comm or "an unknown task"
    return f"{comm} (PID {pid})" if comm is not None else f"PID {pid}"


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


class Pages(NamedTuple):
    """What mm_struct.rss_stat counts, in pages; in its order."""

    file: int
    anonymous: int
    swap: int
    shared: int

    @property
    def resident(self) -> int:
        """All but swap."""
        return self.file + self.anonymous + self.shared


def pages_of(kernel: Kernel, mm: int) -> Pages:
    """Return the counted pages of an mm; ReadError."""
    types, memory = kernel.types, kernel.memory
    at = mm + kernel.bind(MM).offset("rss_stat")
    member = types.member("mm_struct", "rss_stat")
    if member.kind != "array":
        return Pages(*(max(_signed(word), 0) for word in memory.words(at, 4)))
    count = types.member("percpu_counter", "count").offset  # struct percpu_counter[], f1a7941243c1, 6.2
    counters = types.member("percpu_counter", "counters").offset
    found = []
    for base in range(at, at + 4 * member.element_size, member.element_size):
        total, each = _signed(memory.word(base + count)), memory.word(base + counters)
        if each:
            total += sum(memory.s32(each + offset & memory.top - 1) for offset in kernel.cached(per_cpu_offsets))
        found.append(max(total, 0))
    return Pages(*found)


def _signed(word: int) -> int:
    return word - (word >> 63 << 64)


def _sizes(kernel: Kernel, mm: int, pid: int | None) -> tuple[int | None, int | None]:
    """Return (resident, virtual) bytes of a process; (None, None) where its mm is unreadable, 0 for a kernel thread."""
    if not mm:
        return 0, 0
    page = kernel.memory.page_size
    try:
        return pages_of(kernel, mm).resident * page, kernel.bind(MM).row(mm).total_vm * page
    except OopscopeError as e:
        kernel.problems.lost("tasks", f"memory of {pid}")(e)
        return None, None


def _uid(kernel: Kernel, real_cred: int | None) -> int | None:
    try:
        return kernel.bind(CRED).row(real_cred).uid if real_cred else None
    except OopscopeError:
        return None


def _tgid(kernel: Kernel, address: int | None) -> int | None:
    """The process that the task at an address belongs to; None where that is not known."""
    if address is None:
        return None
    found = kernel.cached(task_structs).get(address) or kernel.cached(lost_tasks).get(address)
    return found.tgid if found else None


def tasks(kernel: Kernel) -> list[Task]:
    """Return every thread, by process and PID; those whose PID is not known last."""
    clock = max((q.clock for q in kernel.cached(runqueues)), default=0)
    found = [_task(kernel, task, clock) for task in kernel.cached(task_structs).values()]
    lost = [_lost(kernel, task, clock) for task in kernel.cached(lost_tasks).values()]
    unknown = 1 << 32  # after all that are known
    return sorted([*found, *lost], key=lambda t: (t.tgid or t.pid or (0 if t.pid == 0 else unknown), t.pid or 0))


def _since(clock: int, on_cpu: int | None, last_arrival: int | None) -> float | None:
    if last_arrival is None or on_cpu is None or not clock:
        return None
    since = 0.0 if on_cpu else max(clock - last_arrival, 0) / 1e9 if last_arrival else None
    return round(since, 6) if since is not None else None


def _task(kernel: Kernel, task: TaskStruct, clock: int) -> Task:
    rss, vsz = _sizes(kernel, task.mm, task.pid)
    return Task(
        pid=task.pid,
        tgid=task.tgid,
        ppid=_tgid(kernel, task.real_parent),
        comm=decode_comm(task.comm),
        state=state_letter(task.state, task.exit_state),
        cpu=task.cpu,
        address=task.address,
        kernel_thread=bool(task.flags & PF_KTHREAD),
        rss_bytes=rss,
        vsz_bytes=vsz,
        uid=_uid(kernel, task.real_cred),
        since_last_run_seconds=_since(clock, task.on_cpu, task.last_arrival),
        wait=None if task.on_cpu or task.exit_state else sleeping_in(kernel, task.stack, task.sp),
    )


def _lost(kernel: Kernel, task: LostTask, clock: int) -> Task:
    """Make a row of what is known of a task whose struct is not all there; the rest is None."""
    read: Callable[..., Any] = task.fields.get
    state, exit_state, mm, flags = read("state"), read("exit_state"), read("mm"), read("flags")
    rss, vsz = (None, None) if mm is None else _sizes(kernel, mm, task.pid)
    ppid = _tgid(kernel, task.parent)
    comm, stack, sp = read("comm"), read("stack"), read("sp")
    sleeps = None if read("on_cpu", 1) or exit_state else stack and sp
    return Task(
        pid=task.pid,
        tgid=task.tgid,
        ppid=ppid,
        comm=decode_comm(comm) if comm is not None else None,
        state=None if state is None or exit_state is None else state_letter(state, exit_state),
        cpu=read("cpu"),
        address=task.address,
        kernel_thread=bool(flags & PF_KTHREAD) if flags is not None else True if ppid == KTHREADD else None,
        rss_bytes=rss,
        vsz_bytes=vsz,
        uid=_uid(kernel, read("real_cred")),
        since_last_run_seconds=_since(clock, read("on_cpu"), read("last_arrival")),
        wait=sleeping_in(kernel, stack or 0, sp or 0) if sleeps else None,
    )


def stack(kernel: Kernel, address: int) -> tuple[Frame, ...]:
    """Return the stack of the task at an address: from its CPU's registers while it ran, else from where it slept."""
    task = kernel.cached(task_structs).get(address)
    if task is not None and not task.stack:  # a zombie has given it back
        return ()
    if task is not None:
        return stack_of_task(kernel, task.address, task.stack, task.sp, bool(task.on_cpu))
    lost = kernel.cached(lost_tasks).get(address)
    return stack_of_lost(kernel, address, lost.fields.get("stack"), lost.fields.get("sp")) if lost else ()


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
