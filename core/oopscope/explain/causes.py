"""The causes that a verdict names: what each means, how machines come to die of it, and what to look at next."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "null-pointer-dereference": Text(
        "Kernel code used a pointer that was NULL, or a member near the beginning of a struct behind one: the "
        "address is then the member's offset (0x18 is the member 24 bytes in). The first page is mapped nowhere, so "
        "the CPU faults at once, in the very instruction that used it.",
        "A lookup or an allocation failed and nobody checked; a field was not set up yet, or was cleared by a path "
        "that runs at the same time; a callback that is optional was called. A list head that was overwritten with "
        "zeros looks the same.",
        "The frame marked ► and its offset: which pointer does that instruction use? Disassembled, the register that "
        "holds zero names it. Then the caller, which passed it in. In a module with the taint O or OE, its vendor's "
        "code first.",
    ),
    "bad-page-fault": Text(
        "Kernel code used an address that no page table maps, or used it as it may not be used (writing what is "
        "read-only, executing data, touching user memory directly), and it is not near zero.",
        "The pointer is stale (its memory was freed or unmapped, a module unloaded), overwritten, or computed from a "
        "bad index. Addresses in the module or vmalloc area point at something unmapped in the meantime; text or bit "
        "patterns in the address point at memory that was overwritten.",
        "The fault's error code in the log: read or write, present or not, instruction fetch. The registers: which "
        "of them makes the address? Poison such as 6b6b6b6b (freed by SLUB) or dead000000000100 (a removed list "
        "entry) tells what happened before.",
    ),
    "general-protection-fault": Text(
        "The CPU refused an instruction for a reason other than a missing page. In 64-bit kernels that is nearly "
        "always an address that is not canonical: its upper bits are neither all zeros nor all ones, so no page "
        "could map it.",
        "A pointer was overwritten with something that is no pointer: text, a counter, or poison such as "
        "6b6b6b6b6b6b6b6b or dead000000000122. Single flipped bits high in an otherwise good pointer speak for bad "
        "RAM.",
        "The registers: which one holds a value that is no address, and does it look like text, poison or a pointer "
        "with one wrong bit? Newer kernels print the address that was meant.",
    ),
    "kernel-bug": Text(
        "A BUG() or BUG_ON() in the source was reached: the authors' own check that something impossible did not "
        "happen. It is an undefined instruction on purpose, whose file and line the kernel prints.",
        "A caller broke a rule (a wrong reference count, a lock not held, a state that is not legal), or memory was "
        "corrupted earlier and this check is merely the first to notice.",
        "The file and line in the log, read in the source of exactly this kernel; the condition of the BUG_ON says "
        "what was found impossible. Then who called with that.",
    ),
    "invalid-opcode": Text(
        "The CPU met bytes that are no instruction in kernel code, and no BUG() stands there.",
        "A call through a wrong function pointer into data; code that was overwritten or patched wrongly; an "
        "instruction that this CPU (or this virtual machine) lacks; rarely broken hardware.",
        "The Code: line and whether RIP lies in a function at all. Compare the bytes with the kernel image: if they "
        "differ, something wrote to code. If they are the same, which CPU feature do they need?",
    ),
    "divide-error": Text(
        "An integer was divided by zero, or the quotient did not fit its register.",
        "A count, rate or size that can be zero was used as a divisor: statistics before the first sample, a device "
        "that reports zero sectors or zero speed, an average over an empty set.",
        "The divisor in the instruction at RIP and where that value comes from: mostly a field that a device or a "
        "user sets.",
    ),
    "stack-overflow": Text(
        "A kernel stack was used up: it has a fixed size (16 KiB on x86_64) and a guard page below it, where the CPU "
        "faulted.",
        "Recursion without end, or deep layers on top of each other: file systems over network or device-mapper "
        "stacks, reclaim entered from deep within an allocation, large arrays in local variables.",
        "The stack: do the same functions repeat? If it is deep rather than repeating, which frames take most (the "
        "gaps between their addresses)?",
    ),
    "stack-corruption": Text(
        "A function found, on its return, that the canary between its local variables and its return address had "
        "changed: something wrote beyond a local array. The kernel stops before it returns into the unknown.",
        "A copy or a format into a local buffer that is longer than it; a bitmap or array indexed beyond its end; "
        "DMA into a stack.",
        "The function that the message names is the one whose frame was overwritten: look at its local arrays and at "
        "whom it gave their addresses.",
    ),
    "list-corruption": Text(
        "While an entry was added to or taken from a linked list, its neighbours did not point back at it. The "
        "kernel checks this (CONFIG_DEBUG_LIST and list hardening) and stops rather than spread the damage.",
        "An entry was freed while still on a list, added twice, deleted twice, or changed by two CPUs without their "
        "lock; or something else overwrote it.",
        "The pointers in the message: LIST_POISON (dead000000000100, ...122) means deleted before; a pointer into "
        "freed or other objects means freed while linked. Then who else handles this list, and under which lock.",
    ),
    "use-after-free": Text(
        "Memory was used after it had been given back: what lies there is poison, or belongs to someone else by now.",
        "One path frees an object that another still refers to: a missing reference, a timer or work item that was "
        "not cancelled, an RCU reader outside of its section, a module that went away with its callbacks still "
        "registered.",
        "What kind of object it is (slab cache, KASAN's report of who allocated and freed it); then which other path "
        "keeps a pointer, and whether it holds a reference.",
    ),
    "double-free": Text(
        "An object was freed twice: the allocator found it free already, or at the head of its own free list.",
        "Two error paths that both clean up; a reference count dropped once too often; two CPUs that race to tear "
        "the same thing down.",
        "The frame above kfree() or kmem_cache_free(): who believes to own the object? Then the other owner; KASAN "
        "or slab_debug=FU names it on the next run.",
    ),
    "slab-corruption": Text(
        "The slab allocator found its own bookkeeping damaged: a bad free pointer, red zones overwritten, an object "
        "from another cache.",
        "Code that wrote beyond its own object or into a freed one damaged the neighbour. The stack at the crash is "
        "the allocator's victim, seldom the culprit.",
        "Which cache and which address: neighbours in the same slab are the suspects. Boot with slab_debug=FZPU for "
        "that cache, or with KFENCE or KASAN, to catch the write itself.",
    ),
    "refcount-error": Text(
        "A reference count overflowed, went below zero, or was raised from zero: refcount_t saturates and says so, "
        "since the object behind it is freed, or soon will be, while in use.",
        "A get without its put (overflow) or a put too many (underflow), usually in an error path.",
        "The function in the warning's stack and which get it balances.",
    ),
    "scheduling-while-atomic": Text(
        "Code tried to sleep where sleeping is forbidden: with a spinlock held, preemption disabled, or in an "
        "interrupt.",
        "A call that may block (an allocation with GFP_KERNEL, a mutex, copying from user memory, msleep) within a "
        "spinlocked section; or a lock not released on some path, so that the count stays raised.",
        "The preempt count in the message, then upwards in the stack for the last spin_lock or local_irq_disable.",
    ),
    "panic-in-interrupt": Text(
        "The fault happened in an interrupt handler, a softirq or an NMI handler. Such code belongs to no task: "
        "nothing can be killed in its stead, so any oops there is a panic. The task that is named ran by chance.",
        "A driver's handler or timer used data that its teardown had freed already; a softirq (network, block, RCU "
        "callback) met a damaged object.",
        "The frames above the interrupt boundary in the stack, not the task below it. For RCU callbacks and timers: "
        "who queued it?",
    ),
    "init-killed": Text(
        "PID 1 ended. The kernel cannot go on without it, whatever the reason.",
        "The exit code tells: a signal (0x0b SIGSEGV, 0x07 SIGBUS, 0x09 SIGKILL) or an ordinary exit. Typical are a "
        "root file system that no longer gives its pages, a damaged libc or init binary, a container's or rescue "
        "system's script that simply ended, seldom the OOM killer.",
        "The exit code in the panic message (low byte: signal, next byte: status), and the I/O and file-system "
        "errors in the log before it.",
    ),
    "root-not-mounted": Text(
        "At boot the kernel found no root file system, or could not mount it.",
        "root= on the command line names a device that is not there; the initramfs is missing or lacks the driver of "
        "the disk or the file system; the disk answers with errors.",
        "The command line, the list of partitions that the kernel prints before the panic, and whether the disk's "
        "driver was loaded at all.",
    ),
    "panic-called": Text(
        "Some code called panic() by its own decision, with a message that belongs to none of the known causes.",
        "A driver or a kernel subsystem found a state in which going on is worse than stopping; vendor modules do "
        "this for their own reasons.",
        "The message in the source of the function that called panic(): the condition around it says what was wrong.",
    ),
    "kernel-warning": Text(
        "A check that the kernel would survive (WARN_ON) failed, on a machine that is told to stop then: by "
        "panic_on_warn, or after as many warnings as warn_limit allows.",
        "Mostly a driver's or subsystem's bug that another machine would only have logged.",
        "The file and line of the warning, and its caller. Whether panic_on_warn is wanted on this machine.",
    ),
    "double-fault": Text(
        "The CPU met a fault while it was delivering one: it could not even enter the handler.",
        "A stack that ran over or a stack pointer that is none; more rarely a broken page table or descriptor table.",
        "Compare the stack pointer with the bounds of the task's stack; then the instruction itself.",
    ),
    "trap": Text(
        "An exception that kernel code must never raise: an unexpected breakpoint (int3), a stack segment fault, an "
        "alignment check and their kin.",
        "Code that is patched while another CPU runs it (static keys, ftrace, probes), an address that is not "
        "canonical in a stack register, or code that was overwritten.",
        "The bytes at the instruction: are they the kernel's own?",
    ),
    "control-flow-violation": Text(
        "An indirect call or return led to what is no target for it: CFI compares the function's type, IBT wants an "
        "ENDBR instruction, shadow stacks compare return addresses.",
        "A function called through a pointer of another type, a module built without these checks, or a pointer "
        "that was overwritten, by a bug or by an attack.",
        "The target that is named, and who set the pointer.",
    ),
    "out-of-bounds": Text(
        "An access reached beyond the object that it was meant for; a checker saw it when it happened.",
        "A length or an index from outside that nobody compared, an off-by-one, a struct smaller than was thought.",
        "The report's object and its size, who allocated it, and where the length comes from.",
    ),
    "invalid-free": Text(
        "Something was freed that no allocator gave: a pointer into the middle of an object, to a stack or static "
        "memory, or of another cache.",
        "A pointer that was moved before it was freed, one that was overwritten, or kfree() where vfree() belongs.",
        "The pointer's value: what lies there?",
    ),
    "page-corruption": Text(
        "The record that the kernel keeps of a page (flags, counts, mapping) makes no sense.",
        "A page freed twice or while in use, memory overwritten, or a flipped bit.",
        "`page dumped because` says which field; one single wrong bit speaks for the hardware.",
    ),
    "undefined-behaviour": Text(
        "UBSAN saw what C leaves undefined: an index beyond an array, a shift too far, an overflow, a wrong enum.",
        "Data from a device or user that nobody checked, or an array of a flexible size that is declared as fixed.",
        "The file and line that it names.",
    ),
    "uninitialized-memory": Text(
        "KMSAN saw that a value which nobody had set decided something or left the kernel.",
        "A struct that is filled in part, an error path that leaves a variable unset.",
        "`Uninit was created at` in the report: who should have set it?",
    ),
    "data-race": Text(
        "KCSAN saw two accesses to the same memory at the same time, one of them a write, with nothing between them.",
        "A lock that one side does not take, or an access that should be marked (READ_ONCE, WRITE_ONCE).",
        "Both stacks in the report.",
    ),
    "assertion-failed": Text(
        "A module or file system checked one of its own rules, found it broken and stopped the machine: LBUG of "
        "Lustre, VERIFY of OpenZFS, ASSERT of XFS.",
        "A bug of that module, or damage on disk that it did not expect.",
        "The assertion's text, in the module's own bug tracker.",
    ),
    "audit-failure": Text(
        "The audit system could not keep a record, and its failure mode says to panic then (auditctl -f 2).",
        "auditd was stopped or fell behind, its disk is full, or its backlog limit is too small.",
        "auditctl -s, and auditd's own log. The panic itself is a setting.",
    ),
    "filesystem-error": Text(
        "A file system found itself damaged, and is mounted to panic then (errors=panic or its kin).",
        "A disk or path that failed before, a bug of the file system, memory that was overwritten.",
        "What the log says of the disk before the file system's first error; then a check of the file system.",
    ),
    "io-stall": Text(
        "A task was blocked for too long (state D), and what it waits for ends in a disk that has been given requests "
        "and has not answered them.",
        "A controller, a path or a storage server that stopped; a host that throttles or froze its guest's disk; "
        "firmware of a drive; a driver that lost an interrupt.",
        "The requests in flight in I/O, the oldest first; what the log says of that disk before the first blocked "
        "task (timeouts, resets, links); Waits, where all who stand behind the disk are drawn.",
    ),
    "storage-error": Text(
        "A pool, array or verified device failed, and is set to stop the machine then.",
        "Disks, cables, controllers; of dm-verity also somebody who changed the data.",
        "The first I/O error in the log, and the device that it names.",
    ),
    "workqueue-lockup": Text(
        "A pool of workers made no progress for too long: an item in it does not end, and the others wait behind it.",
        "An item that loops or waits for a lock, on a queue whose workers serve one CPU alone.",
        "What the pool's workers run, and for how long.",
    ),
    "machine-check-timeout": Text(
        "A machine check was broadcast to all CPUs, and some did not come. No bank told of an error.",
        "Those CPUs hung with interrupts off or slept too deep; firmware or a kernel's bug more often than hardware.",
        "Which CPUs are named; whether another release of kernel or firmware behaves the same.",
    ),
    "serror": Text(
        "The hardware reported an error (of a bus, a device or memory) apart from any instruction: what the CPU ran "
        "then need not have caused it.",
        "An access to a device that is off or absent, a bus that timed out, memory that failed.",
        "The device that the code used last; RAS records of the platform.",
    ),
    "soft-lockup": Text(
        "A CPU ran kernel code for more than about 20 seconds (twice watchdog_thresh) without letting any other task "
        "run. Interrupts still came. softlockup_panic turned the report into a panic.",
        "A loop that does not end or does not call cond_resched(); a spinlock held by someone who does not release "
        "it; a virtual machine whose host did not run it (then all CPUs and the clock jump).",
        "The stack of the CPU that was stuck: is it spinning on a lock (then find who holds it, on the other CPUs), "
        "or looping by itself? Many CPUs at once speak for one lock or for the host.",
    ),
    "hard-lockup": Text(
        "A CPU did not even take its timer interrupt for about ten seconds (watchdog_thresh); an NMI found it so. It "
        "ran with interrupts off all the time.",
        "A spinlock taken with interrupts disabled that its holder never releases (or takes twice on one CPU); "
        "firmware in system management mode; a loop in an interrupt handler.",
        "The stack on the NMI's stack of that CPU, below the NMI boundary. If it spins, look for the lock's holder "
        "on the other CPUs: often one that waits for the first.",
    ),
    "hung-task": Text(
        "A task was in uninterruptible sleep (state D) for longer than hung_task_timeout_secs, and hung_task_panic "
        "is set. Nothing ran wild: something that the task waits for did not come.",
        "A disk, network file system or device that does not answer; a lock whose holder itself waits; a frozen file "
        "system; memory reclaim that makes no progress.",
        "The blocked tasks, longest first (D in Tasks): the one that waits for a device or holds the others' lock is "
        "the one to understand. The Locks pane tells who holds what. I/O errors in the log before the first of them.",
    ),
    "deadlock": Text(
        "Tasks wait for locks in a circle: each holds what the next one wants, so none of them can ever go on.",
        "Two paths take the same locks in different orders; a callback takes a lock that its caller holds; a task "
        "takes a lock twice.",
        "Each task's stack shows where it waits; further down the same stack is where it took what the other wants. "
        "The Locks pane shows the circle.",
    ),
    "rcu-stall": Text(
        "A CPU or a task did not pass through a quiescent state for too long (21 to 60 seconds), so that RCU could "
        "not finish a grace period and free memory; panic_on_rcu_stall is set.",
        "A CPU that loops with interrupts or preemption off, a reader that never leaves its section, an RCU kthread "
        "that got no time to run, a host that does not run its guest.",
        "Which CPUs or tasks the stall names, and their stacks: what did they do instead? For `kthread starved`: "
        "what kept the CPU of that kthread busy.",
    ),
    "out-of-memory": Text(
        "Memory ran out and the kernel panicked instead of (or after) killing processes: panic_on_oom is set, or no "
        "process was left that could be killed.",
        "A process or all together use more than there is; a leak in the kernel (slabs that cannot be reclaimed, "
        "vmalloc, a driver's pages); a limit of one zone or NUMA node; no swap.",
        "The Memory pane: does the user side (anon, shmem) or the kernel side (SUnreclaim, page tables, vmalloc, "
        "`not counted`) hold it? Then the largest tasks or the largest slab caches. The log's OOM report shows the "
        "zone that ran out.",
    ),
    "sysrq-crash": Text(
        "Someone made the machine crash on purpose: SysRq-c, or echo c > /proc/sysrq-trigger. It is a means to get a "
        "dump of a machine that hangs, or a test of kdump.",
        "An operator or a script, a watchdog of a cluster or of monitoring, a console.",
        "The task that wrote it (its stack and parents), and above all why: blocked tasks, load and the log's last "
        "minutes before.",
    ),
    "machine-check": Text(
        "The CPU reported a hardware error that it could not correct (a machine check exception): cache, memory "
        "controller, bus or core.",
        "Failing RAM or CPU, overheating, power; in rare cases firmware or an access to a device that does not answer.",
        "The bank, status and address that the log decodes; the same DIMM or socket in earlier, corrected errors; "
        "the BMC's event log. Replace what is named twice.",
    ),
    "nmi-memory-error": Text(
        "The chipset raised an NMI for a memory parity or system error (SERR), which older machines and some bridges "
        "use to report uncorrectable errors.",
        "Failing RAM, a PCI device or bridge that signals an error.",
        "The BMC's event log and the EDAC or PCI lines before the NMI.",
    ),
    "nmi-io-check": Text(
        "The chipset raised an NMI for an I/O channel check (IOCK), and panic_on_io_nmi is set: a device or bus "
        "signalled an error that cannot be handled.",
        "A failing expansion card or bus; the button or command of a management controller on some machines.",
        "The BMC's event log; which card was touched last.",
    ),
    "unknown-nmi": Text(
        "An NMI came that no handler claimed, and unknown_nmi_panic or the like is set. It names no cause by itself.",
        "The NMI button or `ipmitool chassis power diag` (the usual way to get a dump of a hung server), `virsh "
        "inject-nmi`, or hardware that reports an error only so.",
        "Who pressed it, and what the machine did before: treat it as a hang. Blocked tasks, CPUs and the log.",
    ),
    "edac-uncorrectable": Text(
        "The memory controller's driver (EDAC) counted an error that ECC could not correct, and edac_mc_panic_on_ue "
        "is set.",
        "A DIMM, its socket or its channel fails; rarely a cosmic ray.",
        "The row, channel and DIMM label in the log, and corrected errors (CE) of the same one before.",
    ),
    "pcie-fatal": Text(
        "A PCI Express device or link reported a fatal error (AER), and the firmware or the kernel decided to stop.",
        "A failing card, riser, cable or slot; a device that was removed or lost its power; firmware of the device.",
        "The device's address (segment:bus:device.function) and the error's kind in the log, with corrected errors "
        "of the same link before.",
    ),
    "ghes-fatal": Text(
        "The firmware reported a fatal hardware error by the ACPI tables for it (APEI/GHES), and the kernel stopped "
        "as it was told to.",
        "Memory, CPU, PCIe or chipset: the error's section says which.",
        "The hardware error lines before the panic, decoded section by section; the BMC's event log.",
    ),
    "watchdog-timer": Text(
        "A watchdog fired: nobody had reset it in time, and its pre-timeout stopped the machine to get a dump.",
        "The process that feeds it got no time to run, was blocked on I/O, or died; the machine as a whole hung.",
        "Treat it as a hang: is the feeding process alive, and what is it blocked in? What held the CPUs?",
    ),
    "cluster-fencing": Text(
        "Cluster software stopped this node on purpose, lest it write to shared data while the others believe it gone.",
        "The node lost its heartbeat: network trouble, storage that did not answer, or a node too busy to run the "
        "cluster's threads in time.",
        "The cluster's log on the surviving nodes for the reason, and this node's log for the link, storage or "
        "lockups before that time.",
    ),
    "firmware-bug": Text(
        "The kernel stopped because of what the firmware (BIOS, UEFI, ACPI tables) told it.",
        "Tables that contradict themselves, interrupts routed nowhere, memory maps that overlap.",
        "Newer firmware, and the kernel parameters that the message itself may name.",
    ),
    "external-dump": Text(
        "The dump was taken from outside (a hypervisor, QEMU, a live image, /proc/kcore): the machine did not panic. "
        "Nothing in it need be wrong.",
        "`virsh dump`, a snapshot, a forensic memory image, or reading a running machine.",
        "Why the dump was wanted: if the machine hung, the blocked tasks and the CPUs' stacks; an earlier oops in "
        "the log that it survived.",
    ),
    "unknown": Text(
        "No rule recognised this death. The panic message, if there is one, is the kernel's own last word on it.",
        "A message that is new or that a vendor's kernel words differently; a log or stack that the dump lacks.",
        "The panic message, the log from the first error on, and the stack of the CPU that panicked; what could not "
        "be read is under Problems.",
    ),
}
