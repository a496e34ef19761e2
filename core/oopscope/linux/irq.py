"""Interrupts: every line with its chip, handlers, counts by CPU and affinity, and the counters of soft interrupts.

Follows kernel/irq/{irqdesc.c,proc.c}, include/linux/{irqdesc.h,irq.h} and kernel/softirq.c. The descriptors hang in a
maple tree (sparse_irqs: 721255b9826b "genirq: Use a maple tree for interrupt descriptor management", 6.5), before that
in a radix tree. A descriptor names its own number: what does not agree with its place is dropped, and said.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import MAX_CPUS, Kernel, cpu_mask
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_maple
from oopscope.linux.xarray import entries
from oopscope.structs.plan import Plan

MAX_ACTIONS = 64  # handlers that share a line
MAX_NAME = 64
SOFT = ("HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU")


class Desc(NamedTuple):
    """The members of struct irq_desc that /proc/interrupts and /proc/irq show."""

    address: int
    irq: int
    hwirq: int
    chip: int
    kstat_irqs: int
    action: int
    depth: int
    irqs_unhandled: int
    name: int
    affinity: int | None
    effective: int | None


class Action(NamedTuple):
    """struct irqaction: one handler of a line."""

    handler: int
    thread_fn: int
    name: int
    next: int
    thread: int


class Chip(NamedTuple):
    """struct irq_chip."""

    name: int


DESC = Plan(
    "irq_desc",
    Desc,
    irq="irq_data.irq",
    hwirq="irq_data.hwirq",
    chip="irq_data.chip",
    affinity="&irq_common_data.affinity",
    effective="&irq_common_data.effective_affinity",
)
ACTION = Plan("irqaction", Action)
CHIP = Plan("irq_chip", Chip)


class Interrupt(NamedTuple):
    """A line of /proc/interrupts; a soft interrupt and a counter of the machine's have no number and no chip."""

    irq: int | None
    name: str
    chip: str | None
    trigger: str | None
    counts: tuple[int, ...] | None  # by CPU, in the order of the possible ones
    total: int | None
    affinity: str | None  # the CPUs that were asked for
    effective: str | None  # those that it is served by
    depth: int | None
    unhandled: int | None
    handlers: tuple[str, ...]
    threads: tuple[int, ...]
    address: int | None
    text: str | None = None  # what a counter of the machine's counts


class _Lines:
    """The descriptors of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.cpus = cpu_mask(kernel, "__cpu_possible_mask", "cpu_possible_mask")
        self.lost: list[OopscopeError] = []  # parts of the tree of descriptors
        self.desc, self.action, self.chip = kernel.bind(DESC), kernel.bind(ACTION), kernel.bind(CHIP)

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield each number with the address of its descriptor."""
        kernel, types = self.kernel, self.kernel.types
        lost = self.lost.append
        tree = kernel.find_symbol("sparse_irqs")
        if tree is not None:
            root = self.memory.word(tree + types.member("maple_tree", "ma_root").offset)
            yield from for_each_maple(self.memory, root, lost)
            return
        yield from entries(kernel, kernel.symbol("irq_desc_tree"), lost)

    def row(self, number: int, address: int) -> Interrupt | None:
        """Return a line that is in use, or was; None for one that only waits to be."""
        desc = self.desc.row(address)
        if desc.irq != number:
            text = f"what should be interrupt {number} calls itself {desc.irq}"
            self.kernel.problems.add("interrupts", text, address)
            return None
        actions = list(self._actions(desc.action))
        counts = self._counts(desc.kstat_irqs)
        if not actions and not any(counts or ()):
            return None
        names = [self._text(action.name) or "?" for action in actions]
        called = [action.thread_fn or action.handler for action in actions]  # a thread's is the driver's own
        handlers = [str(self.kernel.name_of(function) or f"{function:#x}") for function in called]
        return Interrupt(
            number, ", ".join(names), self._chip(desc.chip), self._text(desc.name), counts,
            sum(counts) if counts is not None else None,
            self._cpus(desc.affinity, "affinity"), self._cpus(desc.effective, "effective_affinity"),
            desc.depth, desc.irqs_unhandled, tuple(name.partition("+")[0] for name in handlers),
            tuple(pid for pid in (self._pid(action.thread) for action in actions) if pid), address,
        )  # fmt: skip

    def _actions(self, action: int) -> Iterator[Action]:
        seen: set[int] = set()
        while action and action not in seen and len(seen) < MAX_ACTIONS:
            seen.add(action)
            found = self.action.row(action)
            yield found
            action = found.next

    def _counts(self, base: int) -> tuple[int, ...] | None:
        """Return the counts by CPU: unsigned int, or the first member of struct irqstat.

        86d2a2f51fba "genirq: Convert kstat_irqs to a struct", 6.10.
        """
        if not base:
            return None
        try:
            return tuple(self.memory.u32(self.kernel.per_cpu(base, cpu)) for cpu in self.cpus)
        except OopscopeError as e:
            self.kernel.problems.lost("interrupts", "counts")(e)
            return None

    def _chip(self, address: int) -> str | None:
        return self._text(self.chip.row(address).name) if address else None

    def _text(self, address: int) -> str | None:
        return self.memory.text(address, MAX_NAME) if address else None

    def _pid(self, task: int) -> int:
        return self.memory.u32(task + self.kernel.types.member("task_struct", "pid").offset) if task else 0

    def _cpus(self, address: int | None, member: str) -> str | None:
        """Return a mask's CPUs as the kernel prints them; a cpumask_var_t is a pointer with CPUMASK_OFFSTACK."""
        if address is None:
            return None
        if self.kernel.types.member("irq_common_data", member).kind == "ptr":
            address = self.memory.word(address)
        size = self.memory.word_size
        count = min(max(self.cpus, default=0) + 1, MAX_CPUS)
        words = self.memory.words(address, -(-count // (8 * size))) if address else ()
        return ranges([cpu for cpu in range(count) if words and words[cpu // (8 * size)] >> cpu % (8 * size) & 1])


def ranges(numbers: list[int]) -> str:
    """Return ascending numbers as the kernel prints a mask: 0-3,7."""
    out: list[list[int]] = []
    for number in numbers:
        if out and number == out[-1][-1] + 1:
            out[-1] = [out[-1][0], number]
        else:
            out.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in out)


def machine_counters(kernel: Kernel) -> Iterator[Interrupt]:
    """Yield what the machine counts of interrupts without a descriptor: NMIs, its own timers, IPIs."""
    for one in kernel.machine.irq_counters(kernel):
        total = sum(one.counts)
        yield Interrupt(
            None, one.symbol, None, None, one.counts, total, None, None, None, None, (), (), None, one.text
        )  # fmt: skip


def soft_interrupts(kernel: Kernel) -> Iterator[Interrupt]:
    """Yield the soft interrupts with how often each CPU ran them (kstat.softirqs)."""
    kstat, at = kernel.symbol("kstat"), kernel.types.member("kernel_stat", "softirqs")
    cpus = cpu_mask(kernel, "__cpu_possible_mask", "cpu_possible_mask")
    raw = [kernel.memory.read(kernel.per_cpu(kstat, cpu) + at.offset, 4 * at.count) for cpu in cpus]
    for name in SOFT:
        number = kernel.types.constant(f"{name}_SOFTIRQ")
        if number is not None and 0 <= number < at.count:
            counts = tuple(int.from_bytes(one[4 * number : 4 * number + 4], kernel.arch.byteorder) for one in raw)
            name = f"{name} (soft)"
            yield Interrupt(None, name, None, None, counts, sum(counts), None, None, None, None, (), (), None)


@once
def interrupts(kernel: Kernel) -> list[Interrupt]:
    """Return the lines of /proc/interrupts, those of devices first; then the soft interrupts."""
    found: list[Interrupt] = []
    lines = _Lines(kernel)
    for number, address in lines.places():
        try:
            row = lines.row(number, address)
        except OopscopeError as e:
            kernel.problems.lost("interrupts", f"interrupt {number}")(e)
            continue
        if row is not None:
            found.append(row)
    if lines.lost and not found:
        raise lines.lost[0]
    for error in lines.lost:
        kernel.problems.lost("interrupts", "the descriptors")(error)
    for read, what in ((machine_counters, "the machine's counters"), (soft_interrupts, "soft interrupts")):
        try:
            found += read(kernel)
        except Absent:
            pass
        except OopscopeError as e:
            kernel.problems.lost("interrupts", what)(e)
    return found
