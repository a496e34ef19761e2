"""The columns of the tables, as `table.column`; one that means the same everywhere stands by its own name."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "pid": Text(
        "The thread's ID in the first PID namespace. A process's first thread has the process's PID; 0 are the CPUs' "
        "idle tasks.",
    ),
    "comm": Text(
        "The thread's name, at most 15 characters: the program's, unless it was renamed (prctl, kernel threads).",
    ),
    "cpu": Text("The CPU's number."),
    "address": Text("Where it lies in the kernel's memory."),
    "system.name": Text("What is told."),
    "system.value": Text("Its value."),
    "cpus.online": Text("Whether the CPU was in use."),
    "cpus.state": Text("What it did at the end: panic, running (kernel code), idle, user."),
    "cpus.task": Text("The task_struct of the task that ran on it."),
    "cpus.frames": Text("Its stack, innermost first; boundaries between stacks (NMI, interrupt, exception) are named."),
    "cpus.registers": Text("Its registers: as the dump's notes hold them, or as the exception saved them."),
    "tasks.tgid": Text("The thread group: the PID of the process to which the thread belongs."),
    "tasks.ppid": Text("The parent process's PID. 2 (kthreadd) is the parent of kernel threads."),
    "tasks.state": Text(
        "R running or runnable, S sleeping, D blocked, I idle kernel thread, Z zombie, T stopped, t traced, P parked.",
        "",
        "e on a task explains its state.",
    ),
    "tasks.cpu": Text("The CPU on which it ran last, or runs."),
    "tasks.address": Text("Its task_struct."),
    "tasks.kernel_thread": Text("A thread of the kernel itself: it has no memory of its own."),
    "tasks.rss_bytes": Text(
        "Resident memory: pages of the process that are in RAM, shared ones counted in full. The threads of one "
        "process share it.",
    ),
    "tasks.vsz_bytes": Text(
        "Virtual size: all that is mapped, whether it is in RAM or not. Large numbers mean little.",
    ),
    "tasks.uid": Text("The user that it ran as (real UID, first user namespace)."),
    "tasks.since_last_run_seconds": Text(
        "How long before the crash it was last on a CPU. For a blocked task that is how long it has waited.",
    ),
    "tasks.wait": Text(
        "The first function of its stack that is neither scheduling nor plain waiting: what it waits in.",
    ),
    "locks.lock": Text("The lock's address."),
    "locks.kind": Text("mutex: one holder. rw_semaphore: many readers or one writer. semaphore: a count."),
    "locks.name": Text("The symbol or object that the lock is part of, where it is known."),
    "locks.pid": Text("The task that waits for it."),
    "locks.comm": Text("The name of the task that waits."),
    "locks.owner_pid": Text(
        "The task that holds it, as the lock's owner field says. A semaphore has none; of an rw_semaphore held by "
        "readers it is only the last that came.",
    ),
    "locks.owner_comm": Text("The name of the holder."),
    "locks.readers": Text("Held by readers: the owner is a hint, there may be others."),
    "meminfo.name": Text("A line of /proc/meminfo.", "", "e on a line explains it."),
    "meminfo.bytes": Text("Its size, as /proc/meminfo would have shown it."),
    "zones.node": Text("The NUMA node: memory near one group of CPUs."),
    "zones.name": Text("The kind of memory: DMA (below 16 MiB), DMA32 (below 4 GiB), Normal, Movable."),
    "zones.free": Text("Free pages."),
    "zones.min": Text("The watermark below which allocations must reclaim themselves."),
    "zones.low": Text("The watermark below which kswapd works."),
    "zones.high": Text("The watermark at which kswapd rests."),
    "zones.spanned": Text("From its first page to its last, holes included."),
    "zones.present": Text("Its RAM."),
    "zones.managed": Text("What the page allocator has to give of it."),
    "slabs.name": Text(
        "The cache: a kind of object, or kmalloc-N for sizes. Caches that are alike are merged unless slab_nomerge "
        "is set, so that one name may stand for several.",
    ),
    "slabs.object_size": Text("Bytes of one object."),
    "slabs.active": Text("Objects in use. The CPUs' own lists make it inexact."),
    "slabs.total": Text(
        "Objects that the cache's slabs have room for. Far more than active: fragmented, or a peak in the past.",
    ),
    "slabs.bytes": Text("Memory of all its slabs, used or not."),
    "modules.name": Text("The module's name."),
    "modules.size_bytes": Text("Its code and data."),
    "modules.address": Text("Where its code begins."),
    "modules.refcount": Text("How often it is in use, by other modules and by open devices and mounts."),
    "modules.used_by": Text("Modules that use its symbols."),
    "modules.state": Text(
        "live; coming: its init function runs, or failed to end; going: being unloaded. A death while coming or "
        "going points at that module.",
    ),
    "modules.taint": Text(
        "How it taints the kernel: P proprietary, O from outside of the tree, E unsigned, F forced, C staging.",
    ),
    "mounts.source": Text("The device, server or pseudo file system."),
    "mounts.target": Text("Where it is mounted, in the first mount namespace."),
    "mounts.fstype": Text("The file system's kind."),
    "mounts.options": Text(
        "Mount options that the kernel keeps for every file system. `ro` on what should be writable may be the file "
        "system's answer to errors.",
    ),
    "log.ns": Text(
        "Time since boot by the log's own clock, which may run apart from others by some milliseconds, and stands in "
        "suspend.",
    ),
    "log.level": Text("How grave: 0 emergency to 7 debug."),
    "log.facility": Text("Who wrote it: 0 the kernel, others programs through /dev/kmsg."),
    "log.caller": Text(
        "Who printed it: T with a PID, or C with a CPU in an interrupt; only where the kernel records it "
        "(CONFIG_PRINTK_CALLER).",
    ),
    "log.text": Text("The message."),
    "coverage.what": Text("A range of physical memory, or a kind of page."),
    "coverage.start": Text("The first physical address."),
    "coverage.end": Text("The address after its last."),
    "coverage.size": Text("How much RAM there is."),
    "coverage.saved": Text("How much of that the dump holds."),
    "coverage.lacking": Text("How much it does not hold. What makedumpfile leaves out on purpose (-d) is no damage."),
    "coverage.note": Text("Why it lacks something, where that is known."),
    "problems.section": Text("The table in whose reading it was met."),
    "problems.message": Text(
        "What could not be read, and why: left out on purpose, beyond the file's end, damaged, or never saved.",
    ),
    "problems.address": Text("The address that was wanted."),
    "dumps.name": Text("The file, as it stands below the folder that was asked for."),
    "dumps.bytes": Text("The size of all its files."),
    "dumps.nodename": Text("The machine that crashed."),
    "dumps.release": Text("Its kernel."),
    "dumps.panic": Text("What panic() was called with, in the kernel's own words."),
    "dumps.format": Text("The container: kdump, ELF, and so on."),
    "dumps.when": Text("When the machine crashed, UTC, from the dump; else the file's time."),
    "dumps.state": Text("complete; incomplete (cut, or its writer said so); written to (still growing); unreadable."),
    "dumps.cause": Text("The verdict's title, once it is known."),
}
