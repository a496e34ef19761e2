"""The states of a task, as ps(1) and the kernel's task_state_array write them."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "R": Text(
        "Runnable: on a CPU, or waiting in a run queue for one. Whether it ran is in the CPUs pane.",
        "",
        "Many such tasks for few CPUs mean load; one that is on a CPU at the crash is among the CPUs.",
    ),
    "S": Text(
        "Interruptible sleep: it waits for something and a signal would wake it. The normal state of a server that "
        "has nothing to do.",
        "",
        "`Waits in` tells for what.",
    ),
    "D": Text(
        "Uninterruptible sleep: it waits for a disk, a lock or another thing of the kernel's, and no signal reaches "
        "it; it cannot be killed until that comes. It counts into the load average.",
        "Normal for milliseconds. For minutes it means that a device, a server (NFS) or a lock's holder does not "
        "answer.",
        "Its stack: the first function that is not scheduling or locking names what it waits for. Several with the "
        "same stack wait for one thing; the Locks pane tells whose it is.",
    ),
    "I": Text(
        "An idle kernel thread (TASK_IDLE): uninterruptible like D, but waiting for work, so that it neither counts "
        "as load nor as hung.",
    ),
    "T": Text("Stopped by a signal (SIGSTOP, SIGTSTP: Ctrl-Z) until SIGCONT."),
    "t": Text("Stopped by a debugger or strace (ptrace)."),
    "Z": Text(
        "Zombie: it has ended and waits for its parent to take its exit status. It holds no memory, only its PID.",
        "A parent that does not wait for its children, or is itself blocked.",
        "The parent (PPID).",
    ),
    "X": Text("Dead: ended and about to vanish; to be seen only in the moment of its end."),
    "P": Text(
        "Parked: a kernel thread that was told to stay out of the way (kthread_park), such as a per-CPU thread of a "
        "CPU that is offline.",
    ),
    "N": Text("New: being forked, not yet on any run queue."),
}
