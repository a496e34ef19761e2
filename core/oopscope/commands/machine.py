"""Commands about the machine: CPUs, log, modules, mounts, devices, time, network; the system itself."""

from oopscope.commands.command import (
    Argument,
    CardOf,
    Command,
    Line,
    Option,
    Request,
    Say,
    TableOf,
    as_number,
    missing,
    table,
)
from oopscope.subsystems import TABLES

KNOWN = {key for key, _ in TABLES}


def _cpu(line: Line) -> Request:
    number = as_number(line.first)
    return CardOf("cpu", number) if number is not None else TableOf("cpus")


def _runq(line: Line) -> Request:
    """The run queues, where they are a table; else what each CPU ran."""
    number = as_number(line.options.get("-c", ""))
    return CardOf("cpu", number) if number is not None else TableOf("runqueues" if "runqueues" in KNOWN else "cpus")


def _mod(line: Line) -> Request:
    if "-t" in line.options:
        return TableOf("modules", None, "taint~.")
    return CardOf("module", line.first) if line.names else TableOf("modules")


def _sys(line: Line) -> Request:
    if line.first == "config":
        return Say("sys config: the kernel's configuration is not read; /boot/config-RELEASE of that machine has it")
    return TableOf("system", None, "name:taint") if "-t" in line.options else TableOf("system")


def _mount(line: Line) -> Request:
    return TableOf("mounts", None, f'"{line.first}"' if line.names else "")


COMMANDS: tuple[Command, ...] = (
    Command(
        ("sys", "home", "verdict", "mach"),
        "what happened, and on which machine",
        _sys,
        (),
        (
            Option("-t", "what tainted the kernel"),
            Option("-c", missing="system calls: sym __x64_sys_NAME"),
            Option("-i", missing="DMI's strings are in the log: log, then search DMI:"),
            Option("-m", missing="the memory map is in the log: search e820 or efi:"),
        ),
        (("", "release, times, load, taint"), ("--format json", "the same for a script")),
    ),
    Command(
        ("cpu",), "what each CPU did, or one of them in detail", _cpu, (Argument("N", "cpu"),), (), (("0", "of CPU 0"),)
    ),
    Command(
        ("runq",),
        "what each CPU ran",
        _runq,
        (),
        (
            Option("-c", "of one CPU", "N"),
            Option("-m", missing="how long each task has run: ps -m tells when they last ran"),
            Option("-t", missing="the clock of a run queue: struct rq.clock runqueues:0"),
            Option("-g", missing="task groups: the control group of a task is in task PID"),
            Option("-T", missing="how far the CPUs' clocks are apart: struct rq.clock runqueues:N"),
            Option("-d", missing="runq, and the tasks by state: ps --where state:R"),
        ),
    ),
    Command(
        ("log", "dmesg"),
        "the kernel's log",
        table("log"),
        (Argument("RECORD"),),
        (
            Option("-T", missing="the wall clock: t in the Log pane, oopscope log PATH --time utc"),
            Option("-m", missing="levels: f level<4 in the Log pane, oopscope log PATH --level 3"),
            Option("-t", missing="without times: w writes the log's text, oopscope log PATH --format json has `text`"),
            Option("-c", missing="the caller of each record is shown where the kernel kept it"),
            Option("-d", missing="a record's dictionary: oopscope log PATH --format json"),
            Option("-a", missing="audit's records are in the log: f audit"),
            Option("-s", missing="what NMIs could not print is not read from their own buffers"),
        ),
    ),
    Command(
        ("mod", "lsmod", "module"),
        "modules, or one of them in detail",
        _mod,
        (Argument("NAME", "module"),),
        (
            Option("-t", "those that taint"),
            Option("-s", missing="symbols need no loading: the kernel's own are there at once"),
            Option("-S", missing="symbols need no loading: the kernel's own are there at once"),
            Option("-d", missing="symbols need no loading: the kernel's own are there at once"),
        ),
        (("", "every module"), ("-t", "those that taint the kernel")),
    ),
    Command(
        ("mount",),
        "mounted file systems",
        _mount,
        (Argument("PATH"),),
        (
            Option("-f", missing="dentries and inodes of a file system: struct super_block ADDRESS"),
            Option("-i", missing="inodes of a file system: struct super_block ADDRESS"),
            Option("-n", missing="another namespace's mounts: its tasks are said to have their own in task PID"),
        ),
        (("", "as /proc/mounts has them"),),
    ),
    Command(
        ("locks", "lock"),
        "who waits for which sleeping lock, or one of them in detail",
        lambda line: CardOf("lock", line.first) if line.names else TableOf("locks"),
        (Argument("ADDRESS | NAME", "symbol"),),
        (),
        (("", "who waits for whom"),),
    ),
    Command(
        ("swap",),
        "swap, as far as /proc/meminfo counts it",
        lambda line: TableOf("meminfo", None, "swap"),
        (),
        (),
        (("", "total, free, cached"),),
    ),
    missing("net", nearest="a task's sockets: files PID; of every process: foreach user files"),
    missing("dev", nearest="what a device file is: files PID; a driver's words: log, then search its name"),
    missing("irq", nearest="what interrupted a CPU: cpu N; a descriptor: struct irq_desc ADDRESS"),
    missing("timer", nearest="which tasks sleep on a timer: ps --where wait:nanosleep; sym do_nanosleep"),
    missing("ipcs", nearest="mappings of shared memory: vm PID"),
    missing("bpf", nearest="programs and maps as structs: struct bpf_prog ADDRESS"),
    missing("sbitmapq", nearest="a bitmap queue as a struct: struct sbitmap_queue ADDRESS"),
    missing("pte", nearest="where an address lies: vtop ADDRESS"),
    missing("btop", nearest="an address as page number: vtop ADDRESS"),
    missing("ptob", nearest="a page's address: ptov PFN * page size"),
    missing("extend", nearest="extensions are crash's own; oopscope shows --list names the tables"),
    missing("gdb", nearest="types and members: struct TYPE; symbols: sym NAME"),
    missing("wr", nearest="nothing is ever written to a dump; rd ADDRESS reads"),
    missing("alias", nearest="keys and columns: settings"),
    missing("repeat", nearest="a live machine's tables are read anew on the screen"),
    missing("ascii", nearest="rd ADDRESS shows words as characters too"),
)
