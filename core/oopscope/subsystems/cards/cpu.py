"""The card of a CPU: what it ran, its stack, its registers with what they point at."""

from typing import NamedTuple

from oopscope.inspect.code import registers
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Frames, NoSuchThing, Part, Rows
from oopscope.subsystems.cards.meaning import link_of, words_of


class RegisterRow(NamedTuple):
    """A register, its value, and what that points at."""

    name: str
    value: int
    meaning: str | None
    sure: bool | None


REGISTERS = (
    Column("name", "Register"), Column("value", "Value", "address"), Column("meaning", "Points at"),
    Column("sure", "Sure", "bool"),
)  # fmt: skip


def find(kernel: Kernel, key: int | str) -> Cpu:
    """Return a CPU by its number."""
    text = str(key)
    found = next((cpu for cpu in all_cpus(kernel) if str(cpu.cpu) == text), None)
    if found is None:
        raise NoSuchThing(f"no CPU {text[:20]}: there are {', '.join(str(c.cpu) for c in all_cpus(kernel)[:16])}")
    return found


def _cpu(kernel: Kernel, cpu: Cpu) -> Facts:
    task = Link("struct", f"task_struct@{cpu.task:#x}") if cpu.task else None
    return Facts(
        "",
        "",
        (
            Fact("cpu", "CPU", "int", cpu.cpu),
            Fact("online", "Online", "bool", cpu.online),
            Fact("state", "State", "state", cpu.state),
            Fact("pid", "PID", "int", cpu.pid, Link("task", cpu.pid) if cpu.pid else None),
            Fact("comm", "Command", "text", cpu.comm),
            Fact("task", "task_struct", "address", cpu.task, task),
        ),
    )


def _stack(kernel: Kernel, cpu: Cpu) -> Frames:
    return Frames("", "", cpu.frames, "" if cpu.frames else "no frames: nothing was saved of it")


def _registers(kernel: Kernel, cpu: Cpu) -> Rows:
    found = registers(kernel, cpu.cpu)
    rows = [RegisterRow(r.name, r.value, words_of(r.meaning), r.meaning.sure if r.meaning else None) for r in found]
    links = tuple(link_of(r.value, r.meaning) for r in found)
    return Rows("", "", REGISTERS, rows, links, why="" if rows else "the dump has no registers of it")


CARD = CardKind(
    "cpu",
    "CPU",
    find,
    lambda cpu: f"CPU {cpu.cpu}",
    (Part("cpu", "CPU", _cpu), Part("stack", "Stack", _stack), Part("registers", "Registers", _registers)),
)
