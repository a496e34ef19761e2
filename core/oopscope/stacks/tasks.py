"""Every thread as ps(1) shows it. Follows fs/proc/array.c (for ps(1)'s letters); linux/task.py finds the threads."""

from collections.abc import Callable
from typing import Any, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.mm import MM, pages_of
from oopscope.linux.sched import runqueues
from oopscope.linux.task import PF_KTHREAD, LostTask, TaskStruct, lost_tasks, task_structs
from oopscope.linux.task_state import called, decode_comm, state_letter
from oopscope.stacks.of_task import beyond_scheduler, running_on, sleeping_in, stack_of_lost, stack_of_task
from oopscope.structs.plan import Plan

KTHREADD = 2


class Cred(NamedTuple):
    """struct cred."""

    uid: int


CRED = Plan("cred", Cred, uid="uid.val")


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


def _sizes(kernel: Kernel, mm: int, pid: int | None) -> tuple[int | None, int | None]:
    """Return (resident, virtual) bytes of a process; (None, None) where its mm is unreadable, 0 for a kernel thread."""
    if not mm:
        return 0, 0
    page, known = kernel.memory.page_size, kernel.cached(_known_sizes)
    try:
        if mm not in known:
            known[mm] = pages_of(kernel, mm).resident * page, kernel.bind(MM).row(mm).total_vm * page
        return known[mm]
    except OopscopeError as e:
        kernel.problems.lost("tasks", f"memory of {pid}")(e)
        return None, None


def _known_sizes(_kernel: Kernel) -> dict[int, tuple[int, int]]:
    return {}  # by mm: threads share it


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


@once
def all_tasks(kernel: Kernel) -> list[Task]:
    """Return every thread, by process and PID; those whose PID is not known last."""
    clock = _clock(kernel)
    found = [_task(kernel, task, clock) for task in kernel.cached(task_structs).values()]
    lost = [_lost(kernel, task, clock) for task in kernel.cached(lost_tasks).values()]
    unknown = 1 << 32  # after all that are known
    return sorted([*found, *lost], key=lambda t: (t.tgid or t.pid or (0 if t.pid == 0 else unknown), t.pid or 0))


def one_task(kernel: Kernel, number: int) -> Task | None:
    """Return the thread of a PID or of a struct task_struct's address, with nothing read of the others' stacks.

    None where there is none, and of 0, which all idle tasks have.
    """
    structs = kernel.cached(task_structs)
    found = structs.get(number) or next((task for task in structs.values() if task.pid == number), None)
    return _task(kernel, found, _clock(kernel)) if found is not None and number else None


def _clock(kernel: Kernel) -> int:
    """Return the scheduler's clock at the end, in nanoseconds; 0 where no run queue can be read."""
    try:
        return max((q.clock for q in kernel.cached(runqueues)), default=0)
    except OopscopeError as e:
        kernel.problems.lost("cpus", "run queues")(e)
        return 0


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
        wait=None if task.on_cpu or task.exit_state else _wait(kernel, task),
    )


def _wait(kernel: Kernel, task: TaskStruct) -> str | None:
    """Return the function that a task sleeps in; where all stacks are wanted, from the whole of its own."""
    if not kernel.cached(kept_stacks).wanted or task.address in kernel.cached(running_on):
        return sleeping_in(kernel, task.address, task.stack, task.sp)
    return beyond_scheduler(kernel, stack(kernel, task.address))


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
        wait=sleeping_in(kernel, task.address, stack or 0, sp or 0) if sleeps else None,
    )


def stack(kernel: Kernel, address: int) -> tuple[Frame, ...]:
    """Return the stack of the task at an address: from its CPU's registers while it ran, else from where it slept."""
    kept = kernel.cached(kept_stacks)
    if not kept.wanted:
        return _stack(kernel, address)
    if address not in kept.found:
        kept.found[address] = _stack(kernel, address)
    return kept.found[address]


class Kept:
    """The stacks that were unwound, by task, kept where all are wanted.

    So each is walked once, while its pages are at hand: for where a task sleeps, and for its frames.
    """

    def __init__(self) -> None:
        self.wanted, self.found = False, dict[int, tuple[Frame, ...]]()


def kept_stacks(_kernel: Kernel) -> Kept:
    """Return a kernel's kept stacks."""
    return Kept()


def _stack(kernel: Kernel, address: int) -> tuple[Frame, ...]:
    task = kernel.cached(task_structs).get(address)
    if task is not None and not task.stack:  # a zombie has given it back
        return ()
    if task is not None:
        return stack_of_task(kernel, task.address, task.stack, task.sp, bool(task.on_cpu))
    lost = kernel.cached(lost_tasks).get(address)
    return stack_of_lost(kernel, address, lost.fields.get("stack"), lost.fields.get("sp")) if lost else ()
