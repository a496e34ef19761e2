"""Commands about the machine: CPUs, log, modules, mounts, devices, time, network; the system itself."""

from oopscope.commands.command import (
    Act,
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
    numbers_of,
)

PID = Argument("PID", "task")

IPC_KINDS = {"-m": "shared memory", "-M": "shared memory", "-s": "semaphores", "-q": "messages"}


def _cpu(line: Line) -> Request:
    number = as_number(line.first)
    return CardOf("cpu", number) if number is not None else TableOf("cpus")


def _runq(line: Line) -> Request:
    """The run queues, or those of some CPUs; with `-m` by how long what they hold has waited."""
    listed = numbers_of(line.options.get("-c", ""))
    if "-c" in line.options and listed is None:
        return Say("runq -c wants CPUs by number: runq -c 0,1")
    where = f"cpu={listed}" if listed is not None else ""
    return TableOf("runqueues", None, where, "-waiting_seconds" if "-m" in line.options else "")


def _timer(line: Line) -> Request:
    listed = numbers_of(line.options.get("-C", ""))
    if "-C" in line.options and listed is None:
        return Say("timer -C wants CPUs by number: timer -C 0,1")
    return TableOf("timers", None, f"cpu={listed}" if listed is not None else "")


def _log(line: Line) -> Request:
    """The log; `-T` with the wall clock's times, which is the screen's to show."""
    return Act("log", "utc") if "-T" in line.options and not line.names else TableOf("log", line.key)


def _irq(line: Line) -> Request:
    """Interrupts: all with their counts by CPU; `-a` where each may go; of a number that one."""
    columns = {"-a": ("irq", "name", "affinity", "effective"), "-s": ("irq", "total", "counts", "name")}
    chosen = next((columns[name] for name in columns if name in line.options), ())
    listed = ",".join(str(as_number(name)) for name in line.names)
    if "None" in listed:
        return Say("irq wants interrupts by number: irq 1 9")
    return TableOf("interrupts", None, f"irq={listed}" if listed else "", "", chosen)


def _dev(line: Line) -> Request:
    if "-p" in line.options:
        return TableOf("pci")
    if line.options.keys() & {"-d", "-D"}:
        return TableOf("disks")
    return Say("dev: character and block devices are no table; dev -d has the disks with what is in flight, dev -p PCI")


def _net(line: Line) -> Request:
    if "-a" in line.options:
        return TableOf("neighbours")
    if line.options.keys() & {"-s", "-S"}:
        if line.names:
            return CardOf("task", line.key, ("task", "files"))
        return TableOf("sockets")
    return TableOf("interfaces")


def _ipcs(line: Line) -> Request:
    """IPC objects: all, of one kind, or of an ID."""
    number = as_number(line.first)
    kind = next((kind for option, kind in IPC_KINDS.items() if option in line.options), "")
    words = [f'kind:"{kind}"' if kind else "", f"id={number}" if number is not None else ""]
    return TableOf("ipc", None, " ".join(word for word in words if word))


def _bpf(line: Line) -> Request:
    """Programs, or with `-m` maps, of BPF; of an ID that one."""
    number = as_number(line.first)
    maps = line.options.keys() & {"-m", "-M"}
    return TableOf("bpfmaps" if maps else "bpf", None, f"id={number}" if number is not None else "")


def _mod(line: Line) -> Request:
    if "-t" in line.options:
        return TableOf("modules", None, "taint~.")
    return CardOf("module", line.first) if line.names else TableOf("modules")


def _sys(line: Line) -> Request:
    if "-i" in line.options:
        return TableOf("facts", None, "name~system|board|bios")
    if line.first == "config":
        return Say("sys config: the kernel's configuration is not read; /boot/config-RELEASE of that machine has it")
    if line.names:
        return Say(f"sys {line.first[:20]}: sys knows the word config alone; sys -t, sys -i, mach -m tell the rest")
    return TableOf("system", None, "name:taint") if "-t" in line.options else TableOf("system")


def _mach(line: Line) -> Request:
    """The machine; `-m` its map of physical memory."""
    return TableOf("log", None, "text~e820|efi:.mem") if "-m" in line.options else TableOf("system")


def _mount(line: Line) -> Request:
    """Mounts: all; those of a place, of a device, or whose row holds a word."""
    word = line.first
    if word.startswith("/"):
        return TableOf("mounts", None, f"({_quoted('target', word)} || {_quoted('source', word)})")
    return TableOf("mounts", None, f'"{word}"' if word else "")


def _quoted(column: str, word: str) -> str:
    return f'{column} == "{word.replace(chr(34), "")}"'


COMMANDS: tuple[Command, ...] = (
    Command(
        ("sys", "home"),
        "the machine and its kernel: release, times, load",
        _sys,
        (Argument("config"),),
        (
            Option("-t", "what tainted the kernel"),
            Option("-i", "the machine's maker, model and firmware"),
            Option("-c", missing="system calls: sym -q __x64_sys_", value="NAME"),
            Option("-panic", missing="nothing is ever written to a machine"),
        ),
        (("", "release, times, load, taint"), ("--format json", "the same for a script")),
    ),
    Command(("verdict",), "why the machine died, with the evidence", lambda _line: TableOf("system"), on="screen"),
    Command(
        ("mach",),
        "the machine; -m its map of physical memory",
        _mach,
        (),
        (
            Option("-m", "the map of physical memory, as the log has it"),
            Option("-c", missing="what a processor is: p per_cpu(cpu_info, 0).x86_model_id and its other members"),
            Option("-o", missing="a machine's own numbers are in the facts of sys"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
        ),
        (("", "release, CPUs, memory, load"), ("-m", "what the firmware said of memory")),
    ),
    Command(
        ("cpu",), "what each CPU did, or one of them in detail", _cpu, (Argument("N", "cpu"),), (), (("0", "of CPU 0"),)
    ),
    Command(
        ("runq",),
        "the run queues: what each CPU ran, and who waited for it",
        _runq,
        (),
        (
            Option("-c", "of some CPUs", "0,1"),
            Option("-m", "those who wait longest first"),
            Option("-t", missing="the clock of a run queue: struct rq.clock runqueues:0"),
            Option("-g", missing="task groups: the control group of a task is in task PID"),
            Option("-T", missing="how far the CPUs' clocks are apart: struct rq.clock runqueues:N"),
            Option("-d", missing="runq, and the tasks by state: ps --where state:R"),
        ),
        (("", "every CPU's"), ("-c 0", "of CPU 0")),
    ),
    Command(
        ("log", "dmesg"),
        "the kernel's log",
        _log,
        (Argument("RECORD"),),
        (
            Option("-T", "times as the wall clock had them"),
            Option("-m", "with levels, as always on the screen"),
            Option("-t", "without times"),
            Option("-c", "with who logged it, as always where the kernel kept that"),
            Option("-d", missing="a record's dictionary: oopscope log PATH --format json"),
            Option(
                "-a", missing="audit's records are in the log: on the screen f audit, at the shell log --grep audit"
            ),
            Option("-R", missing="one way to show times at a time: log -T as the wall clock, log -t without"),
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
            Option("-s", missing="symbols need no loading: the kernel's own are there at once", value="NAME"),
            Option("-r", missing="symbols need no loading: the kernel's own are there at once"),
            Option("-g", missing="symbols need no loading: the kernel's own are there at once"),
            Option("-o", missing="symbols need no loading: the kernel's own are there at once"),
            Option("-S", missing="symbols need no loading: the kernel's own are there at once"),
            Option("-d", missing="symbols need no loading: the kernel's own are there at once", value="NAME"),
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
            Option(
                "-n",
                missing="another namespace's mounts: its tasks are said to have their own in task PID",
                value="PID",
            ),
            Option("-x", missing="addresses are not in the table of mounts: list super_block.s_list -H super_blocks"),
        ),
        (("", "as /proc/mounts has them"),),
    ),
    Command(
        ("locks", "lock"),
        "who waits for which sleeping lock, or one of them in detail",
        lambda line: CardOf("lock", line.first) if line.names else TableOf("locks"),
        (Argument("ADDRESS | NAME", "symbol"),),
        (),
        (("", "who waits for which lock"),),
    ),
    Command(
        ("waits", "deadlocks"),
        "who waits for whom, and for what: locks, disks, work, processes",
        lambda line: TableOf("waits", line.key),
        (Argument("PID", "task"),),
        (),
        (("", "every wait"), ("--where kind:request", "who waits for a disk's requests")),
    ),
    Command(
        ("timeline",),
        "what happened when, on one axis",
        lambda line: TableOf("timeline"),
        (),
        (),
        (("", "the oldest first"), ("--where 'before_seconds<20'", "the last 20 seconds")),
    ),
    Command(
        ("stacks",),
        "every task's stack, identical ones once",
        lambda line: TableOf("stacks"),
        (),
        (),
        (("", "the most frequent first"), ("--where modules:zfs", "with a frame of a module")),
    ),
    Command(
        ("swap",),
        "swap areas",
        lambda line: TableOf("swaps"),
        (),
        (),
        (("", "each area, and how much of it is used"),),
    ),
    Command(
        ("irq",),
        "interrupts: how many of each, on which CPUs, whose",
        _irq,
        (Argument("N", "number"),),
        (
            Option("-s", "counts by CPU first"),
            Option("-a", "where each may go"),
            Option("-b", missing="what soft interrupts wait: bt -a shows what each CPU did"),
            Option("-d", missing="vectors of the processor: the interrupts' chips are in irq"),
            Option("-u", "all that are in use, as always"),
            Option("-c", missing="of one CPU: irq -s has a count for each, in the CPUs' order", value="0,1"),
        ),
        (("", "as /proc/interrupts"), ("-a", "which CPUs may serve them")),
    ),
    Command(
        ("dev",),
        "disks (-d), PCI (-p)",
        _dev,
        (),
        (
            Option("-d", "disks, with requests in flight"),
            Option("-p", "PCI devices"),
            Option("-D", "the same"),
            Option("-i", missing="I/O ports: the log of the boot names them"),
            Option("-v", missing="who a device file belongs to: files PID", value="DEV"),
            Option("-V", missing="who a device file belongs to: files PID", value="DEV"),
        ),
        (("-d", "disks, and what is in flight to them"),),
    ),
    Command(
        ("net",),
        "network interfaces; -s sockets, of all or of a task",
        _net,
        (PID,),
        (
            Option("-s", "sockets; of a task where one is named"),
            Option("-S", "the same"),
            Option("-a", "neighbours: the ARP table, and IPv6's"),
            Option("-n", missing="another namespace's: task PID tells which tasks have their own", value="PID"),
            Option("-N", missing="an address as text: python3 -c 'import ipaddress'", value="ADDRESS"),
            Option("-R", missing="who a socket belongs to: net -s names the task of each", value="SOCKET"),
            Option("-x", missing="hexadecimal: struct sock ADDRESS"),
            Option("-d", missing="decimal, as always"),
        ),
        (("-s 1", "sockets and files of PID 1"), ("-a", "the ARP table")),
    ),
    Command(
        ("timer",),
        "timers that were pending",
        _timer,
        (),
        (Option("-r", "high-resolution ones too, as always"), Option("-C", "of some CPUs", "0,1")),
        (("", "those that are due first"), ("-C 0", "of CPU 0")),
    ),
    Command(
        ("ipcs",),
        "shared memory, semaphores and message queues",
        _ipcs,
        (Argument("ID", "number"),),
        (
            Option("-m", "shared memory"),
            Option("-M", "shared memory, with more of each, as always"),
            Option("-s", "semaphores"),
            Option("-q", "message queues"),
            Option("-n", missing="of every namespace, as always; its number is a column"),
        ),
        (("", "of every namespace"), ("-m", "shared memory alone")),
    ),
    Command(
        ("bpf",),
        "BPF programs; -m maps",
        _bpf,
        (Argument("ID", "number"),),
        (
            Option("-p", "programs"),
            Option("-m", "maps"),
            Option("-P", "all programs, as always"),
            Option("-M", "all maps"),
            Option("-j", missing="the code of a program: dis bpf_prog_TAG_NAME, as bpf names it"),
            Option("-t", missing="the code of a program as BPF has it: struct bpf_prog ADDRESS"),
            Option("-T", missing="the code of a program as BPF has it: struct bpf_prog ADDRESS"),
            Option("-s", missing="a program or a map as a struct: struct bpf_prog ADDRESS"),
        ),
        (("", "programs"), ("-m", "maps")),
    ),
    Command(
        ("route",),
        "routes: where packets are sent",
        lambda line: TableOf("routes"),
        (),
        (),
        (("", "of every namespace"),),
    ),
    missing("sbitmapq", nearest="a bitmap queue as a struct: struct sbitmap_queue ADDRESS"),
    missing("pte", nearest="what a virtual address maps to: vtop ADDRESS"),
    missing("extend", nearest="extensions are crash's own; oopscope show --list names the tables"),
    missing("gdb", "g", nearest="types and members: struct TYPE; symbols: sym NAME"),
    missing("wr", nearest="nothing is ever written to a dump; rd ADDRESS reads"),
    missing("alias", nearest="keys and columns: settings"),
    missing("hex", "dec", "sf", "sn", nearest="numbers come decimal and hexadecimal, and long answers scroll"),
    missing("rustfilt", nearest="names of Rust are shown as the kernel has them: sym -q WORD"),
    missing("h", "history", nearest="Up in the : line brings what was typed last"),
    missing("repeat", nearest="a live machine's tables are read anew on the screen"),
    missing("ascii", nearest="rd ADDRESS shows words as characters too; rd -a ADDRESS a text"),
)
