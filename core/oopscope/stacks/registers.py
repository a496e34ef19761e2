"""Each CPU's registers at the end: from the kernel's own crash notes, else from the notes that came with the dump.

Follows kernel/crash_core.c: per-CPU `crash_notes` is authoritative, for the container's merged notes leave out CPUs
that never answered, so that the n-th note need not be CPU n's: where there are more or fewer than CPUs, the stack that
a note points into tells whose it is, else the PID in it, else the per-CPU area that the emulator saw. A dump taken by
QEMU has one note a CPU, in order, and they are later than the crash notes: they tell where each CPU was when the dump
was taken.
"""

from collections.abc import Callable
from contextlib import suppress

from oopscope.arch import ByteOrder
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, online_cpus, per_cpu_offsets, present_cpus
from oopscope.kernel.stack import Stack, task_stack
from oopscope.linux.module import in_text
from oopscope.linux.sched import runqueues
from oopscope.linux.task import TASK
from oopscope.notes import CpuState, Note, read_notes
from oopscope.sources.file import BytesSource

NT_PRSTATUS = 1
NOTE_ROOM = 1024
Registers = dict[str, int]


def registers(kernel: Kernel) -> dict[int, Registers]:
    """Return the registers of each CPU that has any, by CPU."""
    notes = [n for n in kernel.dump.notes() if n.name in ("CORE", "QEMU")]
    status = [n for n in notes if n.name == "CORE" and n.type == NT_PRSTATUS]
    from_outside = any(n.name == "QEMU" for n in notes)
    present = present_cpus(kernel)
    kept = kernel.find_symbol("crash_notes") is not None or not status  # s390 keeps none: its notes are the dump's
    saved = _crash_notes(kernel, present) if kept and not from_outside else {}
    if saved or not status:
        return saved or _from_hypervisor(kernel, present)
    cpus = present if len(status) == len(present) else online_cpus(kernel)
    if len(cpus) != len(status):
        return _by_stacks(kernel, status, present)
    order = _order(kernel, status)
    decoded = {cpu: _decode(kernel, note, order) for cpu, note in zip(cpus, status, strict=True)}
    return {cpu: regs for cpu, regs in decoded.items() if regs}


def _by_stacks(kernel: Kernel, status: list[Note], cpus: list[int]) -> dict[int, Registers]:
    """Give notes that are not one a CPU to the CPUs that they can be of; one that fits none or several is nobody's."""
    ran = {cpu: _ran(kernel, cpu) for cpu in cpus}
    order, claims = _order(kernel, status), dict[int, list[Registers]]()
    areas, states = _areas(kernel), kernel.dump.cpus()
    bases = [state.per_cpu_base or 0 for state in states] if len(states) == len(status) else [0] * len(status)
    for note, base in zip(status, bases, strict=True):
        regs = _decode(kernel, note, order)
        owner = _owner(kernel, note, regs, ran) if regs else None
        owner = areas.get(base) if regs and owner is None and base else owner
        if regs and owner is not None and regs not in claims.setdefault(owner, []):
            claims[owner].append(regs)
    found = {cpu: own[0] for cpu, own in sorted(claims.items()) if len(own) == 1}
    text = "which is whose is not known"
    if found:
        text = f"{len(found)} of them by the stacks that they point into, the tasks that ran or the per-CPU areas"
    kernel.problems.add("cpus", f"{len(status)} CPU notes for {len(cpus)} CPUs: {text}")
    return found


def _ran(kernel: Kernel, cpu: int) -> tuple[int | None, list[Stack]]:
    """Return the PID of what a CPU ran, and the stacks that it was on or could be."""
    stacks = list(kernel.cached(kernel.machine.stacks_by_cpu).get(cpu, []))
    current = next((queue.curr for queue in kernel.cached(runqueues) if queue.cpu == cpu), 0)
    try:
        task = kernel.bind(TASK).row(current) if current else None
    except OopscopeError as e:
        kernel.problems.lost("cpus", f"CPU {cpu}: its task")(e)
        task = None
    return (None, stacks) if task is None else (task.pid, [task_stack(kernel, task.stack), *stacks])


def _owner(kernel: Kernel, note: Note, regs: Registers, ran: dict[int, tuple[int | None, list[Stack]]]) -> int | None:
    """Return the one CPU on whose stacks a note's stack pointer lies, else the one that ran the note's task."""
    sp, arch = regs[kernel.arch.sp], kernel.arch
    owners = [cpu for cpu, (_pid, stacks) in ran.items() if any(sp in stack for stack in stacks)]
    if not owners:  # it ran a program, or its stack is lost; the idle tasks of all CPUs have the PID 0
        raw = note.desc[arch.prstatus.pid : arch.prstatus.pid + 4]
        pid = int.from_bytes(raw, arch.byteorder)
        owners = [cpu for cpu, (own, _stacks) in ran.items() if pid and own == pid]
    return owners[0] if len(owners) == 1 else None


def _areas(kernel: Kernel) -> dict[int, int]:
    """Return the CPU of each per-CPU area by its address; nothing where that is not known."""
    try:
        return {base: cpu for cpu, base in enumerate(kernel.cached(per_cpu_offsets))}
    except OopscopeError:
        return {}


def _from_hypervisor(kernel: Kernel, present: list[int]) -> dict[int, Registers]:
    """Return what a hypervisor's own files tell of its CPUs, each the kernel's CPU that has its per-CPU area."""
    states, areas = kernel.dump.cpus(), _areas(kernel)
    found = {}
    for n, state in enumerate(states):
        in_order = present[n] if len(states) == len(present) else None
        cpu = areas.get(state.per_cpu_base or 0, in_order)
        if cpu is not None and state.general:
            found[cpu] = _named(state)
    return found


def _named(state: CpuState) -> Registers:
    """Return a CPU's registers by the names that a crash note has for them."""
    named = {name: value for name, value in state.general.items() if name != "rflags"}
    if "rflags" in state.general:
        named["eflags"] = state.general["rflags"]
    for name in ("cs", "ss", "ds", "es", "fs", "gs"):
        if name in state.segments:
            named[name] = state.segments[name].selector
    for name in ("fs", "gs"):
        if name in state.segments:
            named[f"{name}_base"] = state.segments[name].base
    return named


def _order(kernel: Kernel, notes: list[Note]) -> ByteOrder:
    """Return the byte order of notes: the other one where that alone makes a program counter one of the kernel's.

    QEMU writes those of a little-endian PowerPC kernel big-endian, and a file made of such a dump keeps them.
    """
    arch, top = kernel.arch, kernel.machine.kernel_from(kernel) >> _low(kernel)
    orders: tuple[ByteOrder, ...] = ("little", "big")
    tests: tuple[Callable[[int], bool], ...] = (
        lambda pc: in_text(kernel, pc),
        lambda pc: pc >> _low(kernel) == top,  # of a dump that is cut it is not known where the text is
    )
    for test in tests:
        for order in sorted(orders, key=lambda order: order != arch.byteorder):
            for note in notes:
                found = arch.registers(note.desc, order)
                with suppress(OopscopeError):
                    if found and test(kernel.machine.start_of_cpu(found).pc):
                        return order
    return arch.byteorder


def _low(kernel: Kernel) -> int:
    """Return how far an address is shifted so that the highest of its 16 bits are left."""
    return 8 * kernel.memory.word_size - 16


def _decode(kernel: Kernel, note: Note, order: ByteOrder | None = None) -> Registers | None:
    regs = kernel.arch.registers(note.desc, order)
    return dict(kernel.machine.note_registers(kernel, regs)) if regs and any(regs.values()) else None


def _crash_notes(kernel: Kernel, cpus: list[int]) -> dict[int, Registers]:
    """Read each CPU's own note buffer; a CPU that was not stopped has an empty one."""
    found = {}
    try:
        base = kernel.memory.word(kernel.symbol("crash_notes"))
    except OopscopeError as e:
        kernel.problems.lost("cpus", "crash notes")(e)
        return {}
    for cpu in cpus:
        try:
            raw = kernel.memory.read(kernel.per_cpu(base, cpu), NOTE_ROOM)
        except (OopscopeError, IndexError):
            continue
        note = next(read_notes(BytesSource(raw), 0, len(raw), kernel.endian), None)
        if note and note.name == "CORE" and note.type == NT_PRSTATUS:
            regs = _decode(kernel, note)
            if regs:
                found[cpu] = regs
    return found
