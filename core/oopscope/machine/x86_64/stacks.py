"""Where an x86_64 CPU's stacks for interrupts, NMIs and exceptions are.

Follows arch/x86/include/asm/{page_64_types,cpu_entry_area,processor}.h. A stack that this kernel does not have, or
whose pointer cannot be read, is left out: an unwinder that meets its addresses stops there and says so.
"""

from contextlib import suppress

from oopscope.errors import Absent, NoTypes, OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.stack import Stack, thread_size

IRQ_STACK_SIZE = 16 << 10  # at the least; as large as a task's where KASAN doubles both
TOP_WORDS = 16  # of an interrupt stack, among which the way back to the stack that was left stands
IST_ENTRIES = 7  # struct orig_ist.ist
IST_SIZES = (4096, 8192, 16384)  # the first is EXCEPTION_STKSZ; the debug exception's is twice that; KASAN doubles them


def _irq_stack(kernel: Kernel, cpu: int) -> list[Stack]:
    """hardirq_stack_ptr: its own per-CPU variable (5.2 .. 6.1, 6.15 on), or in pcpu_hot between (6.2 .. 6.14).

    It was irq_stack_ptr before 758a2e312228 "x86/irq/64: Rename irq_stack_ptr to hardirq_stack_ptr" (5.2).
    """
    hot = kernel.find_symbol("pcpu_hot")
    if hot is not None:
        at = kernel.per_cpu(hot, cpu) + kernel.types.member("pcpu_hot", "hardirq_stack_ptr").offset
    else:
        at = kernel.per_cpu(kernel.symbol("hardirq_stack_ptr", "irq_stack_ptr"), cpu)
    top = kernel.memory.word(at)
    if not top:
        return []
    # 951c2a51ae75 "x86/irq/64: Adjust the per CPU irq stack pointer by 8", 5.12, keeps the top word for the way back;
    # up to 4.x the top 64 bytes were kept
    end = -(-top // 4096) * 4096
    return [Stack(end - max(IRQ_STACK_SIZE, kernel.cached(thread_size)), end, "irq")]


def _exception_stacks(kernel: Kernel, cpu: int) -> list[Stack]:
    """The IST stacks of the CPU's entry area, by the member names of struct cea_exception_stacks (5.2)."""
    if kernel.find_symbol("cea_exception_stacks") is None and kernel.find_symbol("orig_ist") is not None:
        return _orig_ist(kernel, cpu)
    base = kernel.memory.word(kernel.per_cpu("cea_exception_stacks", cpu))
    found = []
    for name in ("DF_stack", "NMI_stack", "DB_stack", "DB1_stack", "DB2_stack", "MCE_stack", "VC_stack", "VC2_stack"):
        try:
            member = kernel.types.member("cea_exception_stacks", name)
        except Absent:
            continue
        if base and member.size:
            kind: FrameKind = "nmi" if name == "NMI_stack" else "exception"
            found.append(Stack(base + member.offset, base + member.offset + member.size, kind))
    return found


def _orig_ist(kernel: Kernel, cpu: int) -> list[Stack]:
    """Read the tops of the IST stacks (struct orig_ist, before 5.2), which lie one below the other.

    They are of: double fault, NMI, debug, machine check; before 6f442be2fb22 "x86_64, traps: Stop using IST for #SS"
    (3.18) a stack fault had the first.
    """
    tops = [top for top in kernel.memory.words(kernel.per_cpu("orig_ist", cpu), IST_ENTRIES) if top]
    nmi, found = len(tops) - 3, []
    for i, top in enumerate(tops):
        size = top - max((other for other in tops if other < top), default=0)
        size = size if size in IST_SIZES else IST_SIZES[0]
        kind: FrameKind = "nmi" if i == nmi else "exception"
        found.append(Stack(top - size, top, kind))
    return found


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the interrupt and exception stacks that can be found, by CPU."""
    found: dict[int, list[Stack]] = {}
    for cpu in present_cpus(kernel):
        own = found.setdefault(cpu, [])
        for what, read in (("interrupt stack", _irq_stack), ("exception stacks", _exception_stacks)):
            try:
                own += read(kernel, cpu)
            except NoTypes:  # the sections that need types say so
                continue
            except OopscopeError as e:
                kernel.problems.lost("cpus", f"CPU {cpu}: {what}")(e)
    return found


def live_stacks(kernel: Kernel, cpu: int) -> list[Stack]:
    """Return the stacks beside its task's that a CPU was on, by the kernel's own marks: of its NMI, then its IRQ."""
    marks = (("nmi", _exception_stacks, _in_nmi), ("irq", _irq_stack, _on_irq_stack))
    found: list[Stack] = []
    for kind, read, marked in marks:
        with suppress(OopscopeError):
            if marked(kernel, cpu):
                found += [stack for stack in read(kernel, cpu) if stack.kind == kind]
    return found


def left_stack(kernel: Kernel, stack: Stack) -> int | None:
    """Return an address on the stack that was left for an interrupt stack; None where none is noted at its top.

    The entry, or call_on_irqstack(), pushes the old stack pointer or that of pt_regs first.
    """
    try:
        words = kernel.memory.words(stack.end - 8 * TOP_WORDS, TOP_WORDS)
    except OopscopeError:
        return None
    lowest = kernel.machine.kernel_from(kernel)
    noted = (word for word in reversed(words) if word >= lowest and word % 8 == 0 and word not in stack)
    return next((word for word in noted if _is_data(kernel, word)), None)


def _is_data(kernel: Kernel, address: int) -> bool:
    """Tell whether an address can be one on a stack: it is readable, and not of the kernel's image."""
    stext = kernel.info.symbol("_stext") or kernel.memory.top
    try:
        kernel.memory.word(address)
    except OopscopeError:
        return False
    return address < stext


def _in_nmi(kernel: Kernel, cpu: int) -> bool:
    return kernel.memory.u32(kernel.per_cpu("nmi_state", cpu)) in (1, 2)  # executing, and another one latched


def _on_irq_stack(kernel: Kernel, cpu: int) -> bool:
    hot = kernel.find_symbol("pcpu_hot")
    if hot is not None and kernel.types.has_member("pcpu_hot", "hardirq_stack_inuse"):
        at = kernel.per_cpu(hot, cpu) + kernel.types.member("pcpu_hot", "hardirq_stack_inuse").offset
    elif kernel.find_symbol("hardirq_stack_inuse") is not None:  # 5.12
        at = kernel.per_cpu("hardirq_stack_inuse", cpu)
    else:
        return kernel.memory.s32(kernel.per_cpu("irq_count", cpu)) >= 0  # -1 when it is on none
    return kernel.memory.u8(at) == 1


def cpu_stacks(kernel: Kernel) -> list[Stack]:
    """Return every CPU's interrupt and exception stacks that can be found."""
    return [stack for stacks in kernel.cached(stacks_by_cpu).values() for stack in stacks]
