"""What a CPU did at the end."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "panic": Text(
        "The CPU that called panic() or took the fatal fault; it then stopped the others and wrote the dump or "
        "started the kdump kernel.",
        "",
        "Its stack is the first to read.",
    ),
    "running": Text(
        "It ran kernel code for a task when it was stopped, mostly by an NMI from the panicking CPU.",
        "",
        "The frames below the NMI boundary. Of CPUs that spin on a lock, one of the others may hold it.",
    ),
    "idle": Text("It had nothing to do: its idle task (PID 0, swapper) slept in the CPU's idle state."),
    "user": Text(
        "It ran a program's own code in user mode; the kernel's part of the stack is only how it was stopped.",
    ),
}
