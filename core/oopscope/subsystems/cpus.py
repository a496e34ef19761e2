"""Every CPU: what it ran, its state, registers and backtrace; the one that panicked first."""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel, online_cpus, present_cpus
from oopscope.kernel.registers import registers
from oopscope.kernel.runqueues import runqueues
from oopscope.subsystems import Column, Table
from oopscope.subsystems.stacks import stack_of_cpu
from oopscope.subsystems.tasks import TASK, TaskStruct, decode_comm

INVALID = 0xFFFFFFFF


class Cpu(NamedTuple):
    """One CPU at the end."""

    cpu: int
    online: bool
    state: str | None  # panic, running, idle, user; None where not even its task is known
    pid: int | None
    comm: str | None
    task: int | None
    frames: tuple[Frame, ...]
    registers: dict[str, int] | None


def panic_cpu(kernel: Kernel) -> int | None:
    """Return the CPU that panicked: panic_cpu (1717f2096b54, 4.5), else crashing_cpu; None where neither names one."""
    for name in ("panic_cpu", "crashing_cpu"):
        address = kernel.find_symbol(name)
        try:
            value = kernel.memory.u32(address) if address else INVALID
        except OopscopeError as e:
            kernel.problems.lost("cpus", name)(e)
            continue
        if value in present_cpus(kernel):
            return value
    return None


def current_task(kernel: Kernel, cpu: int) -> TaskStruct | None:
    """Return the task that a CPU ran, by its run queue; None where that is unreadable."""
    curr = next((q.curr for q in kernel.cached(runqueues) if q.cpu == cpu), 0)
    try:
        return kernel.bind(TASK).row(curr) if curr else None
    except OopscopeError as e:
        kernel.problems.lost("cpus", f"CPU {cpu}: its task")(e)
        return None


def _state(cpu: int, panicked: int | None, task: TaskStruct | None, regs: dict[str, int] | None) -> str | None:
    if cpu == panicked:
        return "panic"
    if task is None:
        return None
    if task.pid == 0:
        return "idle"
    return "user" if regs and regs.get("cs", 0) & 3 else "running"


def cpus(kernel: Kernel) -> list[Cpu]:
    """Return the present CPUs, the panicking one first."""
    online, panicked = set(online_cpus(kernel)), panic_cpu(kernel)
    found = []
    for cpu in sorted(present_cpus(kernel), key=lambda c: (c != panicked, c)):
        task, regs = current_task(kernel, cpu), kernel.cached(registers).get(cpu)
        found.append(
            Cpu(
                cpu=cpu,
                online=cpu in online,
                state=_state(cpu, panicked, task, regs),
                pid=task.pid if task else None,
                comm=decode_comm(task.comm) if task else None,
                task=task.address if task else None,
                frames=stack_of_cpu(kernel, cpu, task.stack) if task else (),
                registers=regs,
            )
        )
    return found


def all_cpus(kernel: Kernel) -> list[Cpu]:
    """Return the present CPUs, read once."""
    return kernel.cached(cpus)


TABLE = Table(
    "cpus",
    "CPUs",
    (
        Column("cpu", "CPU", "int"),
        Column("online", "Online", "bool"),
        Column("state", "State", "state"),
        Column("pid", "PID", "int"),
        Column("comm", "Command"),
        Column("task", "Task", "address"),
        Column("frames", "Stack", "frames"),
        Column("registers", "Registers", "registers"),
    ),
    all_cpus,
)
