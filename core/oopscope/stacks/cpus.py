"""Every CPU: what it ran, its state, registers and backtrace; the one that panicked first."""

from typing import NamedTuple

from oopscope.errors import NoTypes, OopscopeError, ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import ONLINE_MASKS, Kernel, online_cpus, present_cpus
from oopscope.kernel.once import once
from oopscope.lazy_re import lazy_re
from oopscope.linux.printk import log
from oopscope.linux.sched import runqueues
from oopscope.linux.task import TASK, LostTask, TaskStruct, lost_tasks
from oopscope.linux.task_state import called, decode_comm
from oopscope.stacks.of_task import stack_of_cpu
from oopscope.stacks.registers import registers

INVALID = 0xFFFFFFFF
# Panics that come of no oops: one that the log has before them is not theirs.
OF_NO_OOPS = ("Kernel panic - not syncing: sysrq", "Kernel panic - not syncing: hung_task")
WHO = lazy_re(r"CPU: (\d{1,5}) (?:UID: \d{1,10} )?PID: (\d{1,10}) Comm: (.{1,16}?) (?:Not tainted|Tainted: |Kdump: )")


class Cpu(NamedTuple):
    """One CPU at the end."""

    cpu: int
    online: bool | None  # None where the kernel's mask is not named: the registers' notes do not tell
    state: str | None  # panic, running, idle, user; None where not even its task is known
    pid: int | None
    comm: str | None
    task: int | None
    frames: tuple[Frame, ...]
    registers: dict[str, int] | None

    @property
    def who(self) -> str:
        """The task that it ran, in words."""
        return called(self.pid, self.comm)


def panic_cpu(kernel: Kernel) -> int | None:
    """Return the CPU that panicked: panic_cpu (1717f2096b54, 4.5), else crashing_cpu, else by the log; None.

    crashing_cpu began as 0 before 58c5661f2144 "panic, x86: Allow CPUs to save registers even if looping in NMI
    context" (4.5): a 0 that stands alone is believed where the log has an oops or a panic of CPU 0.
    """
    cpus, read, names = present_cpus(kernel), False, ("panic_cpu", "crashing_cpu")
    begins_as_0 = kernel.find_symbol(names[0]) is None
    for name in names:
        address = kernel.find_symbol(name)
        if address is None:
            continue
        try:
            value = kernel.memory.u32(address)
        except OopscopeError as e:
            kernel.problems.lost("cpus", name)(e)
            continue
        if value == 0 and begins_as_0:
            last = next(iter(kernel.cached(said)), None)
            return 0 if last and last.cpu == 0 else _panic_cpu_by_log(kernel, cpus)
        if value in cpus:
            return value
        read = True
    return None if read else _panic_cpu_by_log(kernel, cpus)


class Said(NamedTuple):
    """What the log's last oops or panic says of who ran where."""

    cpu: int
    pid: int
    comm: str


def said(kernel: Kernel) -> list[Said]:
    """Return who the oopses and panics of the log say ran where, the last first: "CPU: 1 PID: 238 Comm: insmod"."""
    try:
        records = log(kernel)
    except OopscopeError:
        return []
    found = (WHO.match(r.text) for r in reversed(records) if not r.facility)  # the kernel's own records
    return [Said(int(m[1]), int(m[2]), m[3]) for m in found if m]


def _panic_cpu_by_log(kernel: Kernel, cpus: list[int]) -> int | None:
    """The CPU of the log's last oops, if the log tells of a panic; for where no variable can be read.

    Where it names none (a panic without an oops, on a kernel that prints no stack), it is the one left online, for the
    panic stopped the others.
    """
    try:
        records = [r for r in log(kernel) if not r.facility]
    except OopscopeError:
        return None
    at = next((i for i, r in enumerate(records) if r.text.startswith("Kernel panic - ")), None)
    panicked = at is not None
    last = next(iter(kernel.cached(said)), None)
    if at is not None and records[at].text.startswith(OF_NO_OOPS):
        last = last if any(WHO.match(r.text) for r in records[at:]) else None
    if panicked and last is None:
        online = online_cpus(kernel)
        return online[0] if len(online) == 1 and online[0] in cpus else None
    return last.cpu if panicked and last and last.cpu in cpus else None


def current_task(kernel: Kernel, cpu: int) -> TaskStruct | LostTask | None:
    """Return the task that a CPU ran, by its run queue; a LostTask where its struct is not in the dump."""
    curr = next((q.curr for q in kernel.cached(runqueues) if q.cpu == cpu), 0)
    try:
        if not curr:
            return _task_without_types(kernel, cpu, 0) if kernel.find_symbol("runqueues") is None else None
        return kernel.bind(TASK).row(curr)
    except NoTypes:
        return _task_without_types(kernel, cpu, curr)
    except ReadError as e:
        kernel.problems.lost("cpus", f"CPU {cpu}: its task")(e)
        return kernel.cached(lost_tasks).get(curr)


def _task_without_types(kernel: Kernel, cpu: int, curr: int) -> LostTask:
    """Who ran is known from the log alone, and only where an oops or a panic named this CPU."""
    kernel.problems.add("cpus", "who ran where is known from the log alone")
    who = next((s for s in kernel.cached(said) if s.cpu == cpu), None) if cpu == panic_cpu(kernel) else None
    fields = {"comm": who.comm.encode("utf-8", "replace")} if who else {}
    return LostTask(curr, who.pid if who else None, None, None, fields)


def _state(kernel: Kernel, cpu: int, panicked: int | None, pid: int | None, regs: dict[str, int] | None) -> str | None:
    if cpu == panicked:
        return "panic"
    if pid == 0:
        return "idle"
    if regs and kernel.machine.in_user(regs):
        return "user"
    return "running" if pid is not None else None


@once
def all_cpus(kernel: Kernel) -> list[Cpu]:
    """Return the present CPUs, the panicking one first."""
    online, panicked = set(online_cpus(kernel)), panic_cpu(kernel)
    order = sorted(present_cpus(kernel), key=lambda c: (c != panicked, c))
    named = any(kernel.find_symbol(name) is not None for name in ONLINE_MASKS)
    return [_cpu(kernel, cpu, cpu in online if named else None, panicked) for cpu in order]


def _cpu(kernel: Kernel, cpu: int, online: bool | None, panicked: int | None) -> Cpu:
    task, regs = current_task(kernel, cpu), kernel.cached(registers).get(cpu)
    if isinstance(task, LostTask):
        comm, base = task.fields.get("comm"), task.fields.get("stack")
    else:
        comm, base = (task.comm, task.stack) if task else (None, None)
    return Cpu(
        cpu=cpu,
        online=online,
        state=_state(kernel, cpu, panicked, task.pid if task else None, regs),
        pid=task.pid if task else None,
        comm=decode_comm(comm) if comm is not None else None,
        task=task.address or None if task else None,
        frames=stack_of_cpu(kernel, cpu, base),
        registers=regs,
    )
