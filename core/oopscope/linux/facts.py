"""What the machine is and how it was set up: kdump, settings for panics, firmware, CPU, hypervisor, clock.

Follows kernel/{crash_core.c,kexec_core.c,panic.c,watchdog.c,hung_task.c}, drivers/firmware/dmi_scan.c,
arch/x86/kernel/cpu/{common.c,bugs.c,hypervisor.c}. What a kernel has not is left out; what cannot be read is null.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.audit import audit_facts
from oopscope.linux.module_list import all_modules
from oopscope.linux.system import the_system
from oopscope.structs.plan import Plan

MAX_TEXT = 256
MAX_WORDS = 64
MB = 1 << 20
CRASHKERNEL = re.compile(r"(?:^|\s)crashkernel=(\S+)")

# Settings of kernel.* and vm.*: their name, the variable, its bytes, what it means to a crash.
SETTINGS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("kernel.panic", ("panic_timeout",), 4),
    ("kernel.panic_on_oops", ("panic_on_oops",), 4),
    ("kernel.panic_on_warn", ("panic_on_warn",), 4),
    ("kernel.panic_print", ("panic_print",), 8),
    ("kernel.oops_limit", ("oops_limit",), 4),
    ("kernel.warn_limit", ("warn_limit",), 4),
    ("kernel.softlockup_panic", ("softlockup_panic",), 4),
    ("kernel.hardlockup_panic", ("hardlockup_panic",), 4),
    ("kernel.hung_task_panic", ("sysctl_hung_task_panic",), 4),
    ("kernel.hung_task_timeout_secs", ("sysctl_hung_task_timeout_secs",), 8),
    ("kernel.panic_on_rcu_stall", ("sysctl_panic_on_rcu_stall",), 4),
    ("kernel.panic_on_unrecovered_nmi", ("panic_on_unrecovered_nmi",), 4),
    ("kernel.panic_on_io_nmi", ("panic_on_io_nmi",), 4),
    ("kernel.unknown_nmi_panic", ("unknown_nmi_panic",), 4),
    ("kernel.watchdog_thresh", ("watchdog_thresh",), 4),
    ("kernel.sysrq", ("sysrq_enabled",), 4),
    ("kernel.kexec_load_disabled", ("kexec_load_disabled",), 4),
    ("vm.panic_on_oom", ("sysctl_panic_on_oom",), 4),
    ("vm.overcommit_memory", ("sysctl_overcommit_memory",), 4),
    ("vm.swappiness", ("vm_swappiness",), 4),
    ("vm.min_free_kbytes", ("min_free_kbytes",), 4),
)
FIRMWARE = (
    ("system vendor", "DMI_SYS_VENDOR"),
    ("product", "DMI_PRODUCT_NAME"),
    ("product version", "DMI_PRODUCT_VERSION"),
    ("board vendor", "DMI_BOARD_VENDOR"),
    ("board", "DMI_BOARD_NAME"),
    ("chassis vendor", "DMI_CHASSIS_VENDOR"),
    ("BIOS vendor", "DMI_BIOS_VENDOR"),
    ("BIOS version", "DMI_BIOS_VERSION"),
    ("BIOS date", "DMI_BIOS_DATE"),
)
# Bugs of CPUs whose answer the kernel keeps as a number with a table of texts: the bug's name, the number, the texts.
MITIGATIONS = (
    ("spectre_v2", ("spectre_v2_enabled",), "spectre_v2_strings"),
    ("spectre_v1", ("spectre_v1_mitigation",), "spectre_v1_strings"),
    ("spec_store_bypass", ("ssb_mode",), "ssb_strings"),
    ("mds", ("mds_mitigation",), "mds_strings"),
    ("taa", ("taa_mitigation",), "taa_strings"),
    ("mmio_stale_data", ("mmio_mitigation",), "mmio_strings"),
    ("srbds", ("srbds_mitigation",), "srbds_strings"),
    ("retbleed", ("retbleed_mitigation",), "retbleed_strings"),
    ("srso", ("srso_mitigation",), "srso_strings"),
    ("gds", ("gds_mitigation",), "gds_strings"),
    ("rfds", ("rfds_mitigation",), "rfds_strings"),
    ("its", ("its_mitigation",), "its_strings"),
    ("tsa", ("tsa_mitigation",), "tsa_strings"),
)
# What makedumpfile's -d leaves out, by bit, and what that hides.
LEVELS = ((1, "zero"), (2, "cache"), (4, "cache private"), (8, "user"), (16, "free"))
HIDES = {
    "cache": "contents of files",
    "cache private": "contents of files in use by file systems",
    "user": "memory of programs: arguments, environment, stacks",
    "free": "what was freed last",
}


class Resource(NamedTuple):
    """struct resource: a range of addresses, its end included."""

    start: int
    end: int


class CpuInfo(NamedTuple):
    """struct cpuinfo_x86."""

    family: int
    model: int
    stepping: int
    vendor: bytes
    name: bytes
    microcode: int
    capability: tuple[int, ...]


class ClockSource(NamedTuple):
    """struct clocksource."""

    name: int


RESOURCE = Plan("resource", Resource)
CPU_INFO = Plan(
    "cpuinfo_x86", CpuInfo, family="x86", model="x86_model", stepping="x86_stepping", vendor="x86_vendor_id",
    name="x86_model_id", capability="x86_capability",
)  # fmt: skip
CLOCK_SOURCE = Plan("clocksource", ClockSource)


class MachineFact(NamedTuple):
    """A fact; value is None where it cannot be read."""

    topic: str
    name: str
    value: str | None


Facts = Iterator[tuple[str, str | None]]


def _text(kernel: Kernel, address: int) -> str:
    return kernel.memory.text(address, MAX_TEXT).strip() if address else ""


def _kdump(kernel: Kernel) -> Facts:
    """What was reserved for the kernel that writes the dump, as asked and as got, and whether it was loaded."""
    line = the_system(kernel).command_line
    if line is not None:
        yield "crashkernel asked", " ".join(CRASHKERNEL.findall(line)) or "nothing"
    if not kernel.names_data:  # of a dump that is cut, or a kernel without such names: nothing is no answer
        kernel.symbol("crashk_res")
    total = 0
    for symbol in ("crashk_res", "crashk_low_res"):
        at = kernel.find_symbol(symbol)
        row = kernel.bind(RESOURCE).row(at) if at else None
        if row is not None and 0 < row.start < row.end:
            total += row.end - row.start + 1
    yield "crashkernel reserved", f"{total // MB} MiB" if total else "nothing"
    image = kernel.memory.word(kernel.symbol("kexec_crash_image"))
    yield "crash kernel loaded", "yes" if image else "no: the machine would not have written this dump itself"


def _settings(kernel: Kernel) -> Facts:
    for name, symbols, size in SETTINGS:
        at = next((found for symbol in symbols if (found := kernel.find_symbol(symbol))), None)
        if at is None:
            continue
        try:
            raw = int.from_bytes(kernel.memory.read(at, size), kernel.arch.byteorder, signed=True)
        except OopscopeError as e:  # one that is lost costs no other
            kernel.problems.lost("facts", name)(e)
            continue
        if name == "kernel.sysrq" and _always(kernel):
            raw = 1
        yield name, str(raw)


def _always(kernel: Kernel) -> bool:
    """Tell whether SysRq is on whatever kernel.sysrq says (sysrq_always_enabled on the command line)."""
    at = kernel.find_symbol("sysrq_always_enabled")
    return bool(at and kernel.memory.u8(at))


def _firmware(kernel: Kernel) -> Facts:
    table, fields = kernel.symbol("dmi_ident"), kernel.types.enum("dmi_field")
    for name, field in FIRMWARE:
        if field in fields:
            text = _text(kernel, kernel.memory.word(table + fields[field] * kernel.memory.word_size))
            if text:
                yield name, text


def _cpu(kernel: Kernel) -> Facts:
    """The model, its microcode and its bugs, as /proc/cpuinfo of x86 has them, with what was done about each."""
    row = kernel.bind(CPU_INFO).row(kernel.symbol("boot_cpu_data"))
    name = decoded(row.name).strip()
    yield "model", f"{name} (family {row.family}, model {row.model}, stepping {row.stepping})"
    yield "vendor", decoded(row.vendor)
    yield "microcode", f"{row.microcode:#x}"
    bugs = list(_bugs(kernel, row))
    yield "bugs", " ".join(bugs) or "none"
    for bug, variables, texts in MITIGATIONS:
        number = next((at for one in variables if (at := kernel.find_symbol(one))), None)
        table = kernel.find_symbol(texts)
        if number is None or table is None or bug not in bugs:
            continue
        index = kernel.memory.u32(number)
        pointer = kernel.memory.word(table + index * kernel.memory.word_size) if index < MAX_WORDS else 0
        yield f"mitigation of {bug}", _text(kernel, pointer) or f"number {index}"


def _bugs(kernel: Kernel, row: CpuInfo) -> Iterator[str]:
    """Yield the names of the bugs that the CPU has: the words of x86_capability behind those of cpuid."""
    names, leaves = kernel.find_symbol("x86_bug_flags"), kernel.types.enum("cpuid_leafs")
    first = leaves.get("NR_CPUID_WORDS", max(leaves.values(), default=0) + 1)
    for number, word in enumerate(row.capability[first:]):
        for bit in range(32):
            if word >> bit & 1 and names:
                text = _text(kernel, kernel.memory.word(names + (32 * number + bit) * kernel.memory.word_size))
                if text:
                    yield text


def _hypervisor(kernel: Kernel) -> Facts:
    kinds = {number: name for name, number in kernel.types.enum("x86_hypervisor_type").items()}
    kind = kernel.memory.u32(kernel.symbol("x86_hyper_type"))
    word = kinds.get(kind, f"kind {kind}").removeprefix("X86_HYPER_").replace("_", " ").lower()
    yield "hypervisor", "none that the kernel knows" if word == "native" else word


def _clock(kernel: Kernel) -> Facts:
    source = kernel.memory.word(kernel.symbol("curr_clocksource"))
    yield "clocksource", _text(kernel, kernel.bind(CLOCK_SOURCE).row(source).name)


def _unloaded(kernel: Kernel) -> Facts:
    """The module that was unloaded last: text, or (6.1) a struct that begins with it."""
    name = _text(kernel, kernel.symbol("last_unloaded_module"))
    if name:
        yield "last unloaded", name
    foreign = [row.name for row in all_modules(kernel) if row.taint]
    whole = not any(one.section == "modules" for one in kernel.problems)  # else it may be one of those that are lost
    if foreign or whole:
        yield "tainting", (" ".join(foreign) or "none") + ("" if whole else ", rest unknown")


def _left_out(kernel: Kernel) -> Facts:
    """What makedumpfile was told to leave out, and what of the machine is hidden by it."""
    facts = kernel.facts
    if facts.dump_level is None:
        yield "dump level", "not known: written by no makedumpfile, or an ELF file"
        return
    kinds = tuple(name for bit, name in LEVELS if facts.dump_level & bit)
    yield "dump level", f"{facts.dump_level}: without {', '.join(kinds) or 'nothing'}"
    hidden = [HIDES[kind] for kind in kinds if kind in HIDES]
    yield "hides", "; ".join(hidden) or "nothing that a report shows"
    if facts.dump_level != 31:
        yield "smaller", "core_collector makedumpfile -l -d 31 keeps all that a report shows"


TOPICS: tuple[tuple[str, Callable[[Kernel], Facts]], ...] = (
    ("kdump", _kdump),
    ("kdump", _left_out),
    ("settings", _settings),
    ("firmware", _firmware),
    ("CPU", _cpu),
    ("hypervisor", _hypervisor),
    ("clock", _clock),
    ("modules", _unloaded),
    ("audit", audit_facts),
)


@once
def machine_facts(kernel: Kernel) -> list[MachineFact]:
    """Return the facts, topic by topic; a topic that cannot be read ends where it fails, and a problem says so."""
    found = []
    for topic, read in TOPICS:
        try:
            for name, value in read(kernel):
                found.append(MachineFact(topic, name, value))
        except OopscopeError as e:
            if not isinstance(e, Absent) or not kernel.names_data:  # without names it may have it all the same
                kernel.problems.lost("facts", topic)(e)
    return found
