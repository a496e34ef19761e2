"""The glossary's words of crash analysis, for someone new: a panic, what a dump holds, what kernels are made of."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "panic": Text(
        "The kernel found that it cannot go on and stopped the whole machine on purpose: panic() prints its reason, "
        "stops the other CPUs and starts the crash kernel, or reboots.",
        "Called by the kernel's own checks, after an oops where panic_on_oops is set, by a watchdog, by hand "
        "(SysRq-c).",
        "The panic message in the Overview, then the first trouble in the log before it.",
        "overview",
    ),
    "oops": Text(
        "The report that the kernel prints when its own code did something that the CPU refused, such as using a NULL "
        "pointer: the address, the registers, the stack. The task that did it is killed; the machine may go on.",
        "",
        "The first oops counts: those that follow may come of it. In the log, o goes to it.",
        "log",
    ),
    "hang": Text(
        "The machine, or a part of it, does not get on: nothing crashed, but somebody waits for what does not come. "
        "A CPU may be spinning (a lockup) or tasks may sleep in state D (hung tasks).",
        "",
        "The blocked tasks, longest first, and what each waits for.",
        "waits",
    ),
    "four causes": Text(
        "Machines die of four kinds of thing: of software (the kernel's or a driver's own mistake), of hardware "
        "(memory, CPU, PCIe), of a hang (nobody gets on), or by hand (an administrator, a cluster, a watchdog).",
        "",
        "The verdict's category says which.",
        "overview",
    ),
    "kdump": Text(
        "The way in which Linux saves its own memory when it dies: a second, small kernel waits in reserved memory; a "
        "panic boots it by kexec, and it copies the dead kernel's memory to /var/crash.",
        "",
        "`oopscope doctor` tells whether it would work on this machine.",
        "system",
    ),
    "kexec": Text(
        "Starting another kernel without firmware in between. kdump loads the crash kernel with it beforehand, so that "
        "a dead kernel only has to jump.",
    ),
    "crash kernel": Text(
        "The small kernel that writes the dump. It lives in memory that crashkernel= reserved, which the dead kernel "
        "never touched, so it can be trusted.",
    ),
    "crashkernel=": Text(
        "The boot option that reserves memory for the crash kernel, such as crashkernel=256M. Without it nothing can "
        "be saved; with too little the crash kernel runs out of memory and no dump is written.",
        "",
        "`oopscope doctor` says how much is reserved and whether that is usual for such a machine.",
    ),
    "vmcore": Text(
        "The file that holds a dead kernel's memory: its tasks, stacks, log and tables, as they were. Mostly in "
        "/var/crash/TIME/vmcore, beside it vmcore-dmesg.txt with the log alone.",
        "",
        "`oopscope PATH` opens it; nothing else is needed.",
    ),
    "vmcore-dmesg.txt": Text(
        "The kernel log that kdump saves beside a dump, and before it: where the dump failed it is all there is. "
        "oopscope opens it like a dump and gives a verdict from it.",
    ),
    "/var/crash": Text(
        "Where kdump puts dumps, one folder for each crash. To verify it: is there a vmcore, is it complete, does its "
        "time fit, is there room for the next one.",
        "",
        "`oopscope` without a path lists it, each dump with its cause; `oopscope doctor` looks at the room.",
    ),
    "VMCOREINFO": Text(
        "A note in each dump in which the kernel tells where its first tables are: the one thing from which all the "
        "rest is found.",
    ),
    "makedumpfile": Text(
        "The program that kdump uses to write the dump: it leaves out pages by the dump level and compresses the rest.",
        "",
        "Coverage shows what of memory is there.",
        "coverage",
    ),
    "dump level": Text(
        "A number of makedumpfile's (-d 31) that says which pages are left out. It is a sum: 1 zero pages, 2 page "
        "cache, 4 page cache in private use, 8 memory of programs, 16 free pages. 31 leaves out all of these and is "
        "usual.",
        "",
        "What was left out shows as `excluded`; the verdict needs none of it.",
        "coverage",
    ),
    "BTF": Text(
        "BPF Type Format: the kernel's own description of its structs, in its memory (CONFIG_DEBUG_INFO_BTF). With it "
        "oopscope knows every struct without debug symbols.",
    ),
    "DWARF": Text("The format of debug symbols. oopscope reads types from it where --vmlinux gives such a file."),
    "debuginfo": Text(
        "Packages with a kernel's debug symbols, hundreds of MB, which other tools need and which must fit the kernel "
        "to the byte. oopscope works without.",
    ),
    "vmlinux": Text("The kernel's uncompressed image, with or without debug symbols. Not needed; --vmlinux takes one."),
    "kallsyms": Text("The table of the kernel's own symbols, kept in its memory: it gives addresses their names."),
    "ORC": Text(
        "The kernel's own tables for walking a stack exactly, without frame pointers. Frames found by them are "
        "reliable; others carry a `?`.",
    ),
    "KASLR": Text(
        "Kernel address space layout randomisation: at each boot the kernel lies elsewhere. Addresses of two boots "
        "cannot be compared; names can.",
    ),
    "frame": Text(
        "One line of a stack: a function that was called and has not returned. The innermost stands first; below it "
        "is who called it.",
        "",
        "Enter on a frame shows its code.",
        "cpus",
    ),
    "stack": Text(
        "The chain of calls that a task or a CPU was in. It answers `what did it do just then`, and by its callers "
        "`how did it come to that`.",
        "",
        "Read from the frame marked ► downwards.",
        "cpus",
    ),
    "offset": Text(
        "How many bytes into a function or a struct something lies: lab_read+0x5 is five bytes into lab_read; a fault "
        "at address 0x28 is a member 40 bytes into a struct behind a NULL pointer.",
    ),
    "register": Text(
        "A CPU's own few variables. RIP is where it was, RSP its stack, RDI and RSI the first two arguments of a call, "
        "RAX what a call gave back, CR2 the address that could not be reached.",
        "",
        "In the CPUs pane each says what it points at.",
        "cpus",
    ),
    "symbol": Text("A name of a function or a variable, standing for its address.", "", "`:sym NAME` looks one up."),
    "module": Text(
        "Code that was loaded into the kernel after boot, mostly a driver. Its frames carry its name in brackets.",
        "",
        "Those that taint the kernel are marked.",
        "modules",
    ),
    "task": Text(
        "What the kernel schedules: a thread of a program, or of the kernel itself. It has a PID, a state, a stack.",
        "",
        "",
        "tasks",
    ),
    "kernel thread": Text("A task of the kernel's own (kworker, ksoftirqd, kswapd): it has no program and no memory."),
    "PID": Text("The number of a thread. A process's first thread has the process's number (TGID)."),
    "TGID": Text("The number of a process: all its threads share it. Tools call it the PID of the process."),
    "run queue": Text("Who is ready to run on a CPU and waits for it.", "", "Long waits mean load.", "runqueues"),
    "load average": Text(
        "How many tasks were running, ready, or blocked in state D, averaged over 1, 5 and 15 minutes. A high load "
        "with idle CPUs means tasks that wait for a device or a lock.",
    ),
    "interrupt": Text(
        "A device's call to a CPU, which leaves what it did and runs the driver's handler.", "", "", "interrupts"
    ),
    "softirq": Text("Work that an interrupt left for right afterwards: network packets, timers, RCU callbacks."),
    "NMI": Text(
        "Non-maskable interrupt: one that a CPU cannot refuse. Watchdogs and panic() use it to stop a CPU that no "
        "longer listens; a button or IPMI can send one.",
    ),
    "IPI": Text("Inter-processor interrupt: one CPU calls another, such as to flush its TLB."),
    "workqueue": Text(
        "A queue of functions for kernel threads (kworker) to run. A kworker's stack shows whose work it does.",
        "",
        "task PID says which function.",
        "tasks",
    ),
    "RCU": Text(
        "Read-copy-update: readers take no lock, and who frees something waits until all who might read it are done (a "
        "grace period). A CPU that does not give itself up stalls everybody who frees.",
        "",
        "An RCU stall names the CPU or the task that holds it up.",
    ),
    "FUSE": Text(
        "Filesystem in userspace: a file system whose work a program does. Who uses it waits for that program to "
        "answer, and hangs with it.",
        "",
        "Waits names the request and the connection that it waits for.",
        "waits",
    ),
    "spinlock": Text(
        "A lock for which a CPU waits by spinning. Held long, or never given back, it freezes each CPU that wants it: "
        "a soft or hard lockup.",
    ),
    "mutex": Text(
        "A lock for which tasks wait asleep, in state D. Its owner is recorded, so that Waits can name it.",
        "",
        "",
        "waits",
    ),
    "semaphore": Text("A counter for which tasks wait asleep; an rw_semaphore lets in many readers or one writer."),
    "deadlock": Text(
        "A circle: each holds what the next one waits for, so none can ever go on.",
        "",
        "The circle, in Waits.",
        "waits",
    ),
    "lockup": Text(
        "A CPU that does not get on: soft (no task switch for over twenty seconds), hard (not even interrupts).",
        "",
        "What the CPU spins in: its stack.",
        "cpus",
    ),
    "hung task": Text(
        "A task in state D for longer than the limit (120 s by default): the kernel logs it, or panics where "
        "hung_task_panic is set.",
        "",
        "What it waits for, and who holds that.",
        "waits",
    ),
    "watchdog": Text("A timer that acts when nobody resets it: the kernel's own for lockups, a board's for the whole."),
    "OOM": Text(
        "Out of memory: the kernel found no page and kills a task to get some; where that helps no longer, it panics.",
        "",
        "Who has the memory: the largest share, then tasks by RSS or slabs by size.",
        "memory",
    ),
    "page": Text("The unit of memory, 4 KiB on most machines. Each has a struct page that says who uses it."),
    "page table": Text("What maps virtual addresses to physical pages. An address without an entry faults."),
    "TLB": Text("A CPU's own copy of page table entries."),
    "page cache": Text(
        "File contents kept in memory. It can be dropped, so much of it is no shortage.", "", "", "memory"
    ),
    "slab": Text(
        "The kernel's allocator for small objects, one cache for each kind (dentry, kmalloc-64). One cache that grew "
        "without end is a leak.",
        "",
        "Slabs, by size.",
        "slabs",
    ),
    "kmalloc": Text("How kernel code asks for memory by size; the caches are called kmalloc-SIZE."),
    "vmalloc": Text("Kernel memory that is contiguous only virtually: modules, large tables, stacks of tasks."),
    "zone": Text(
        "A part of memory by what can reach it (DMA, DMA32, Normal); each has its own watermarks.", "", "", "zones"
    ),
    "NUMA": Text("Memory in nodes, each near to some CPUs: one node may be full while another is empty."),
    "RSS": Text("Resident set size: pages of a process that are in RAM.", "", "Tasks, sorted by it.", "tasks"),
    "per-CPU": Text("A variable of which each CPU has its own copy; runqueues:1 is CPU 1's."),
    "poison": Text(
        "A pattern that the kernel writes where nothing may be read: 6b6b6b6b in freed memory, dead000000000100 in a "
        "removed list entry. In a register it says: somebody used what was already gone.",
    ),
    "use after free": Text("Code used memory that it, or somebody else, had given back."),
    "KASAN": Text(
        "A checker that watches each access to memory (CONFIG_KASAN). Its report is the best witness there is."
    ),
    "KFENCE": Text("A checker that watches a few objects at a time, cheap enough for production."),
    "UBSAN": Text("A checker for what C leaves undefined: shifts too far, indexes out of bounds."),
    "KCSAN": Text("A checker for data races: two CPUs at one variable without order."),
    "KMSAN": Text("A checker for memory that is used before it was written."),
    "lockdep": Text("A checker of the order in which locks are taken (CONFIG_PROVE_LOCKING)."),
    "printk": Text(
        "How the kernel writes to its log. Each record has a level, a time, and perhaps who wrote it.", "", "", "log"
    ),
    "dmesg": Text("The kernel's log, or the command that shows it.", "", "", "log"),
    "SysRq": Text(
        "Keys for emergencies: Alt-SysRq-c (or `echo c > /proc/sysrq-trigger`) crashes on purpose, to get a dump or "
        "to test kdump; w lists blocked tasks, t all of them.",
    ),
    "panic_on_oops": Text("A setting: whether an oops ends the machine (1) or only the task (0).", "", "", "system"),
    "system call": Text("How a program asks the kernel for something: read, write, open."),
    "user mode": Text("A CPU running a program's own code; kernel mode is the kernel's. Only the latter can oops."),
    "exception": Text("The CPU's refusal to do an instruction: a page fault, a division by zero, an invalid opcode."),
    "machine check": Text("The CPU reports that hardware failed: memory, cache, bus.", "", "Hardware before software."),
    "MCE": Text("Machine check exception: how x86 CPUs report broken hardware."),
    "EDAC": Text("Error detection and correction: the drivers that report memory errors and name the DIMM."),
    "AER": Text("Advanced error reporting: errors of PCI Express devices and links."),
    "PCI": Text("The bus of devices; PCIe is its present form. An address such as 0000:03:00.0 names one."),
    "ACPI": Text("Tables and code by which firmware describes the machine to the kernel."),
    "BIOS": Text("The machine's firmware. Its version is in the log: `sys -i`."),
    "DMI": Text("Where firmware tells maker, model and version: `sys -i`."),
    "EFI": Text("The present form of firmware (UEFI)."),
    "IPMI": Text("A small computer on the board (BMC) that can reset the machine or send it an NMI."),
    "DMA": Text("A device writing to memory by itself. A broken one overwrites anything, and no stack names it."),
    "IOMMU": Text("What keeps devices to the memory that they may use."),
    "block layer": Text(
        "Between file systems and disks: requests, queues, merging.", "", "What is in flight.", "requests"
    ),
    "request": Text(
        "A read or write on its way to a disk. An old one means a device that does not answer.", "", "", "requests"
    ),
    "inode": Text("A file as the file system knows it; a dentry is a name of one."),
    "dentry": Text("A name in a folder, kept in memory. Many are normal: they can be dropped."),
    "mount": Text("A file system's place in the tree of folders.", "", "", "mounts"),
    "file descriptor": Text("A program's number for a file, pipe or socket that it has open.", "", "files PID"),
    "socket": Text("One end of a connection.", "", "", "sockets"),
    "NFS": Text("A network file system: when its server is gone, tasks wait in state D."),
    "cgroup": Text("Control group: tasks that share limits of memory and CPU; containers are made of them."),
    "namespace": Text("A task's own view of PIDs, mounts or network; containers are made of them."),
    "credential": Text("Who a task is: user, group, capabilities."),
    "signal": Text("A note to a task: SIGKILL ends it, but not in state D."),
    "taint": Text(
        "Letters that tell what happened to a kernel, such as O for a module from outside.", "", "Modules.", "modules"
    ),
    "verdict": Text("oopscope's answer: cause, sentence, how sure, and the evidence for it.", "", "", "overview"),
    "evidence": Text("What of the dump says so: each line leads to the place where it stands.", "", "", "overview"),
    "signature": Text("A name for a bug, the same on another machine: cause, function and a number of the stack."),
    "finding": Text("Something else that was wrong before the end; it need not be the cause."),
    "distill": Text("Writing a small dump with only the pages that the report needs: a few MB to send or to keep."),
    "coverage": Text("How much of memory the dump holds, by kind.", "", "", "coverage"),
    "LIVE": Text("Read from this machine while it runs: what was read at one moment may not fit what was at another."),
    "ELF": Text("A container of dumps (/proc/vmcore copied) and of programs."),
    "HTML": Text("A report as one page for a browser: `oopscope report --format html`."),
    "JSON": Text("Data for scripts: --format json; its schema by `oopscope schema`."),
    "CSV": Text("Rows for a spreadsheet: --format csv."),
    "TOML": Text("The form of settings, known bugs and lessons."),
    "QEMU": Text("A hypervisor; its dump-guest-memory writes a dump of a guest from outside."),
    "VM": Text("Virtual machine: a guest of a hypervisor, which can dump it from outside."),
    "CPU": Text("A processor, as the kernel counts them: a thread of a core.", "", "", "cpus"),
    "RAM": Text("The machine's memory.", "", "", "memory"),
    "UTC": Text("Universal time: times in reports are in it."),
    "SSH": Text("The way to a host from afar; the screen works through it."),
    "API": Text("oopscope in Python: `import oopscope`."),
    "BUG": Text("A check of the kernel's authors that failed: BUG() stops there, WARN() goes on."),
    "WARN": Text("A check that failed without ending anything: a warning in the log, and taint W."),
    "GPF": Text("General protection fault: mostly an address that can be none."),
    "CFI": Text("Control-flow integrity: a check that calls go only where they may."),
    "MSR": Text("A CPU's own settings register."),
    "IRQ": Text("A line by which a device interrupts; it has a number.", "", "", "interrupts"),
    "SMP": Text("A kernel for several CPUs."),
    "KVM": Text("The kernel's own hypervisor."),
    "DKMS": Text("A way to build modules from outside anew for each kernel."),
    "GPL": Text("The kernel's licence; modules under another set taint P."),
    "BPF": Text("Small programs that the kernel runs for users, checked before."),
    "ECC": Text("Memory that corrects single wrong bits and reports them."),
    "DIMM": Text("A bar of memory."),
    "SSD": Text("A disk without moving parts."),
    "SCSI": Text("The language of many disks; its errors are in the log."),
    "NVM": Text("NVMe: the language of fast disks on PCIe."),
    "TCP": Text("The protocol of most connections."),
    "UDP": Text("A protocol without connections."),
    "MTU": Text("The largest packet of an interface."),
    "ARP": Text("How an IP address is turned into a hardware address."),
    "FIFO": Text("First in, first out; also a policy for real-time tasks (SCHED_FIFO)."),
    "NUL": Text("The byte zero, which ends a text."),
    "NULL": Text("A pointer to nothing: address zero."),
    "SLUB": Text("The present slab allocator.", "", "", "slabs"),
    "PPID": Text("The number of a process's parent."),
    "UID": Text("The number of a user; 0 is root."),
    "IP": Text("The protocol of the internet; in an old oops also the instruction pointer, RIP."),
    "ISA": Text("An old bus of devices."),
    "PF": Text("Page fault; in an oops, #PF lines tell whether it read, wrote or executed."),
    "DF": Text("Double fault: the CPU faulted while it reported a fault, mostly since the stack ran over."),
    "IF": Text("The flag by which a CPU takes interrupts."),
    "AC": Text("The flag by which kernel code is allowed user memory for a moment."),
    "PTI": Text("Page table isolation: programs see next to nothing of the kernel's addresses."),
    "PCID": Text("A number that keeps TLB entries of different address spaces apart."),
    "IBT": Text("Indirect branch tracking: calls through pointers may only land on an ENDBR instruction."),
    "ENDBR": Text("The instruction on which an indirect call may land."),
    "ASSERT": Text("A check of a file system's or module's own that failed."),
    "VERIFY": Text("A check of ZFS's own that failed."),
    "LBUG": Text("A check of Lustre's own that failed."),
    "BQL": Text("Byte queue limits: how much a network card may have in its queue."),
    "CE": Text("Corrected error: hardware noticed a wrong bit and mended it."),
    "RAS": Text("Reliability, availability, serviceability: how hardware reports its errors."),
    "SERR": Text("A system error of PCI, reported by an NMI."),
    "IOCK": Text("An I/O check: a device reported an error by an NMI."),
    "POWER": Text("IBM's processors; kernels for them are ppc64le."),
    "IBM": Text("A maker of machines: POWER and Z."),
    "ZFS": Text("A file system from outside the kernel's tree; it taints P and O."),
    "SUSE": Text("A maker of Linux distributions."),
    "GPU": Text("A graphics card."),
    "SIGBUS": Text("The signal for memory that is mapped but broken or beyond a file's end."),
    "SIGSEGV": Text("The signal for an address that a program may not use."),
    "SIGSTOP": Text("The signal that stops a task until SIGCONT."),
    "SIGTSTP": Text("The signal of Ctrl-Z."),
    "SIGKILL": Text("The signal that ends a task at once, but for one in state D."),
}
