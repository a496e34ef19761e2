"""Facts of the machine and its kernel."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "nodename": Text("The host's name (uname -n) in the first namespace."),
    "release": Text("The kernel's version (uname -r): which source and which distribution's build."),
    "version": Text("The build: number, options (SMP, PREEMPT...), and the builder's date."),
    "machine": Text("The processor's architecture."),
    "crash_time": Text("The wall clock when the machine died, as the kernel kept it."),
    "boot_time": Text("The wall clock when it booted."),
    "uptime_seconds": Text(
        "How long it ran. A death within minutes of the boot points at the boot or a new setup; one after months at "
        "leaks and wraps.",
    ),
    "load_average": Text(
        "Tasks that ran, wanted to run or were blocked (R and D), averaged over 1, 5 and 15 minutes. A load far "
        "above the number of CPUs with idle CPUs means blocked tasks.",
    ),
    "cpus_online": Text("CPUs in use at the end."),
    "cpus_present": Text("CPUs that the machine has."),
    "memory_bytes": Text("RAM that the kernel managed (MemTotal)."),
    "task_count": Text("Threads that the kernel counted."),
    "tainted": Text("The taint flags as one number; `taint` has them as letters."),
    "taint": Text("What happened to this kernel that developers would want to know: a letter each."),
    "command_line": Text("What the boot loader told the kernel."),
    "kaslr_offset": Text(
        "How far the kernel's text was moved at boot, at random: to be subtracted to find an address in an image or "
        "in System.map.",
    ),
    "page_table_levels": Text("4 or 5: how many levels of page tables translate an address."),
    "boot_ns": Text("When it booted, in nanoseconds since 1970."),
    "log_epoch_ns": Text(
        "When the log's clock was 0, in nanoseconds since 1970: a record's time of day is this and its time."
    ),
}
