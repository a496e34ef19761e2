"""The counters that a machine's kernel keeps of interrupts without a descriptor: per-CPU members of irq_stat.

Follows arch/x86/kernel/irq.c and arch/powerpc/kernel/irq.c (arch_show_interrupts). x86 kernels that count in an array
(irq_cpustat_t.counts) have a table of their own with the names.
"""

from collections.abc import Iterator, Sequence

from oopscope.kernel.kernel import Kernel, cpu_mask
from oopscope.kernel.machine import Counter

MAX_COUNTERS, MAX_NAME = 64, 64

# symbol, text, member of irq_cpustat_t; as /proc/interrupts prints them
X86 = (
    ("NMI", "Non-maskable interrupts", "__nmi_count"),
    ("LOC", "Local timer interrupts", "apic_timer_irqs"),
    ("SPU", "Spurious interrupts", "irq_spurious_count"),
    ("PMI", "Performance monitoring interrupts", "apic_perf_irqs"),
    ("IWI", "IRQ work interrupts", "apic_irq_work_irqs"),
    ("RTR", "APIC ICR read retries", "icr_read_retry_count"),
    ("PLT", "Platform interrupts", "x86_platform_ipis"),
    ("RES", "Rescheduling interrupts", "irq_resched_count"),
    ("CAL", "Function call interrupts", "irq_call_count"),
    ("TLB", "TLB shootdowns", "irq_tlb_count"),
    ("TRM", "Thermal event interrupts", "irq_thermal_count"),
    ("THR", "Threshold APIC interrupts", "irq_threshold_count"),
    ("DFR", "Deferred Error APIC interrupts", "irq_deferred_error_count"),
    ("HYP", "Hypervisor callback interrupts", "irq_hv_callback_count"),
    ("HRE", "Hyper-V reenlightenment interrupts", "irq_hv_reenlightenment_count"),
    ("HVS", "Hyper-V stimer0 interrupts", "hyperv_stimer0_count"),
    ("PIN", "Posted-interrupt notification event", "kvm_posted_intr_ipis"),
    ("NPI", "Nested posted-interrupt event", "kvm_posted_intr_nested_ipis"),
    ("PIW", "Posted-interrupt wakeup event", "kvm_posted_intr_wakeup_ipis"),
)
# The same in variables of their own.
X86_ALONE = (
    ("MCE", "Machine check exceptions", "mce_exception_count"),
    ("MCP", "Machine check polls", "mce_poll_count"),
)
POWERPC = (
    ("LOC", "Local timer interrupts for timer event device", "timer_irqs_event"),
    ("BCT", "Broadcast timer interrupts for timer event device", "broadcast_irqs_event"),
    ("LOC others", "Local timer interrupts for others", "timer_irqs_others"),  # called LOC as well
    ("SPU", "Spurious interrupts", "spurious_irqs"),
    ("PMI", "Performance monitoring interrupts", "pmu_irqs"),
    ("MCE", "Machine check exceptions", "mce_exceptions"),
    ("NMI", "System Reset interrupts", "sreset_irqs"),
    ("WDG", "Watchdog soft-NMI interrupts", "soft_nmi_irqs"),
    ("DBL", "Doorbell interrupts", "doorbell_irqs"),
)


def x86(kernel: Kernel) -> Iterator[Counter]:
    """Yield the counters of an x86 kernel; Absent where it has none."""
    if kernel.types.has_member("irq_cpustat_t", "counts"):
        yield from _in_array(kernel)
        return
    yield from _members(kernel, X86)
    for symbol, text, name in X86_ALONE:
        address = kernel.find_symbol(name)
        if address is not None:
            yield Counter(symbol, text, tuple(kernel.memory.u32(kernel.per_cpu(address, cpu)) for cpu in _cpus(kernel)))


def powerpc(kernel: Kernel) -> Iterator[Counter]:
    """Yield the counters of a PowerPC kernel; Absent where it has none."""
    yield from _members(kernel, POWERPC)


def _members(kernel: Kernel, table: Sequence[tuple[str, str, str]]) -> Iterator[Counter]:
    stat, types = kernel.symbol("irq_stat"), kernel.types
    for symbol, text, name in table:
        if types.has_member("irq_cpustat_t", name):
            at = types.member("irq_cpustat_t", name).offset
            counts = (kernel.memory.u32(kernel.per_cpu(stat, cpu) + at) for cpu in _cpus(kernel))
            yield Counter(symbol, text, tuple(counts))


def _in_array(kernel: Kernel) -> Iterator[Counter]:
    """Yield those of irq_cpustat_t.counts, named by irq_stat_info (struct irq_stat_info[], by the same index)."""
    stat, info, types, memory = kernel.symbol("irq_stat"), kernel.symbol("irq_stat_info"), kernel.types, kernel.memory
    counts, size = types.member("irq_cpustat_t", "counts"), types.sizeof("irq_stat_info")
    symbol, text = (types.member("irq_stat_info", name).offset for name in ("symbol", "text"))
    number = min(counts.count, MAX_COUNTERS)
    raw = [memory.read(kernel.per_cpu(stat, cpu) + counts.offset, 4 * number) for cpu in _cpus(kernel)]
    for n in range(number):
        name, means = (memory.word(info + n * size + at) for at in (symbol, text))
        if name and means:
            values = tuple(int.from_bytes(one[4 * n : 4 * n + 4], kernel.arch.byteorder) for one in raw)
            yield Counter(_text(kernel, name), _text(kernel, means), values)


def _text(kernel: Kernel, address: int) -> str:
    return kernel.memory.text(address, MAX_NAME).strip()


def _cpus(kernel: Kernel) -> list[int]:
    return cpu_mask(kernel, "__cpu_possible_mask", "cpu_possible_mask")
