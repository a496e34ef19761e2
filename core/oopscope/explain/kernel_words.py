"""Words of the kernel's own that stand in logs, stacks and names of functions, for someone new."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "futex": Text(
        "The system call by which programs wait for their own locks: a thread in futex_wait waits for another thread "
        "of a program, not for the kernel.",
        "",
        "A debugger on the program; which thread holds the lock only its own memory tells.",
        "waits",
    ),
    "completion": Text(
        "How one task waits until another says that something is done (wait_for_completion, complete). Nobody is "
        "recorded as the one who will say so.",
        "",
        "The function below the waiting one: what it started, and who should have ended it.",
        "waits",
    ),
    "wait queue": Text(
        "A list of tasks that sleep until something happens; who makes it happen wakes the list. Where no wake-up "
        "comes they sleep for ever.",
    ),
    "tasklet": Text("A small function that a driver lets run in a softirq, soon after an interrupt."),
    "livelock": Text(
        "Tasks or CPUs that run all the time and get nothing done, each undoing or waiting for what the other does."
    ),
    "race": Text(
        "Two pieces of code that use the same data at the same time without a lock that keeps them apart; it fails "
        "only now and then.",
        "",
        "Who else uses the object: other CPUs' stacks at that moment.",
    ),
    "jiffies": Text(
        "The kernel's count of timer ticks; there are CONFIG_HZ in a second (100 to 1000). Timers and timeouts count "
        "in them.",
    ),
    "scheduler": Text(
        "What decides which task runs on a CPU. Each CPU has a run queue of the tasks that are ready; __schedule on a "
        "stack is where a task gave its CPU up.",
        "",
        "Run queues that are long, and who waits longest.",
        "runqueues",
    ),
    "context switch": Text("The change of a CPU from one task to another, in __schedule and __switch_to."),
    "preemption": Text(
        "Taking the CPU from a task that did not give it up. Code that holds a spinlock or serves an interrupt must "
        "not be preempted and must not sleep.",
    ),
    "user space": Text("Where programs run, with their own memory, without the rights of the kernel."),
    "unwinder": Text(
        "What follows a stack from frame to frame: by ORC tables, by frame pointers (each function saves the last "
        "one's), or, in need, by guessing among the stack's words.",
    ),
    "folio": Text("One or more pages that are handled as one; struct folio is the first one's struct page."),
    "THP": Text("Transparent huge pages: memory of programs in pieces of 2 MiB, put together by khugepaged."),
    "huge page": Text("A page of 2 MiB or 1 GiB; those set aside beforehand (hugetlb) can be used for nothing else."),
    "buddy allocator": Text(
        "What gives out whole pages, in blocks of 1, 2, 4 ... (order 0, 1, 2 ...). Where only small blocks are free "
        "memory is fragmented.",
        "",
        "",
        "freelists",
    ),
    "map of all memory": Text(
        "The kernel's own addresses for all of RAM, one after the other (the direct or linear map): most pointers of "
        "the kernel lie in it.",
    ),
    "PSS": Text(
        "Proportional set size: RSS with each shared page divided among those who share it. A dump does not tell it; "
        "RSS counts shared pages in full.",
    ),
    "steal": Text(
        "Time in which a guest's CPU was ready to run and its hypervisor ran something else. Much of it makes "
        "lockups that are no fault of the guest's.",
    ),
    "stopper": Text(
        "A thread of each CPU (migration/0, ...) that goes before all others, to move the task that runs, or to hold "
        "all CPUs still while code is changed (stop_machine). It waits for a CPU that lets nothing else run."
    ),
    "reclaim": Text(
        "Taking memory back: dropping cached pages, writing dirty ones, swapping. kswapd does it ahead of need; who "
        "finds too little does it itself, and is made to wait where that leads nowhere."
    ),
    "compaction": Text(
        "Moving pages so that free memory lies together, for who needs more than single pages. It waits for pages that "
        "others use, and pauses while too many are isolated: taken off their lists to be moved or reclaimed."
    ),
    "eventfd": Text("An open file that is but a counter: programs and the kernel signal each other by it."),
    "RPC": Text(
        "A call to a server on the network, as NFS makes them (sunrpc). By default it is sent again for ever, and its "
        "caller waits until the server answers."
    ),
    "freezer": Text("What stops tasks or a file system for suspend, a snapshot or a cgroup, until it is thawed."),
    "livepatch": Text("Functions of the running kernel replaced by a module; it sets taint K."),
    "kprobe": Text("A breakpoint that a tracer set into the kernel's own code."),
    "ftrace": Text("The kernel's tracer of functions: each function's first bytes may call it."),
    "System.map": Text(
        "The list of the symbols of one build of the kernel, as /boot/System.map-RELEASE. Needed only where the kernel "
        "has no kallsyms of its own (--symbols).",
    ),
    "flattened": Text(
        "A dump written as a stream (makedumpfile -F), such as over ssh; it is read as it is, `makedumpfile -R` would "
        "put it in order.",
    ),
    "split": Text("A dump in several files (makedumpfile --split); all parts are needed, and found beside one."),
    "erased": Text("Filled with X or 0 by `makedumpfile --config`, on purpose, so that secrets do not leave a site."),
    "GFP": Text(
        "Get free pages: the flags that say how memory may be had (gfp_mask). GFP_KERNEL may wait and reclaim, "
        "GFP_ATOMIC may not, as in interrupts; GFP_DMA and GFP_DMA32 want low addresses.",
        "",
        "In the line of the OOM killer: which flags and which order were asked for, then which zone had none.",
        "log",
    ),
    "oom_score_adj": Text(
        "How ready the OOM killer is to kill a process: from -1000 (never) to 1000 (first), set by systemd, containers "
        "and administrators.",
        "",
        "The last numbers of each line of the log's Tasks state.",
        "log",
    ),
    "swap": Text(
        "Space on a disk, or packed in memory (zram), to which the kernel moves pages of programs that were not used "
        "for long. A full one, or one that is read and written all the time, makes a machine crawl.",
        "",
        "The areas and how full they are.",
        "swaps",
    ),
    "red zone": Text(
        "Bytes on both sides of a slab object that hold a known pattern (slub_debug=Z): another one there means that "
        "somebody wrote beyond the object.",
    ),
    "reference count": Text(
        "How many users a thing has (refcount_t, kref): it is freed with the last. One too low is a use after free to "
        "come, one too high a leak.",
        "",
        "The kernel saturates a count that makes no sense and warns: that warning names the place.",
    ),
    "return address": Text(
        "Where a function goes on once the one that it called has ended: these, on the stack, are its frames.",
    ),
    "page frame": Text(
        "A page of physical memory; its number (PFN) is its address divided by the size of a page. Each has a struct "
        "page that says what it is used for.",
    ),
    "culprit": Text(
        "What the verdict holds to blame: a function, with its module and the task or CPU that ran it. It is where the "
        "trouble showed itself, which is not always where it was made.",
        "",
        "How it came to it: who passed the bad value, who held the lock.",
        "overview",
    ),
}
