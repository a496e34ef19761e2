"""The signs of stacks and tables, and the boundaries that a stack crosses."""

from oopscope.explain import Text
from oopscope.kernel.kinds import ABSENT

TEXTS: dict[str, Text] = {
    "►": Text("In a stack: the frame in which it happened, according to the verdict. Elsewhere the selected row."),
    "?": Text(
        "A guess: this return address was found by looking through the words of the stack, not by unwinding. It may "
        "be a leftover of an earlier call that nobody removed.",
        "The unwinder's tables do not cover the code, a frame is damaged, or the dump lacks registers.",
        "Believe the frames without the sign; between two of them a guess is likely true if each calls the next.",
    ),
    ABSENT: Text(
        "Absent: this kernel has no such thing, or the dump does not hold it. Never a zero: a zero is written as 0.",
    ),
    "!": Text("It could not be read; why stands beside it. All such are under Problems."),
    "▌": Text(
        "In the log: from here on it tells of the end. The line where it begins comes from the verdict's evidence.",
    ),
    "irq": Text(
        "Above this line the CPU ran an interrupt handler, on the interrupt stack; below is what it interrupted, "
        "which need not have anything to do with it.",
    ),
    "softirq": Text(
        "Above this line a softirq ran (network, block, timers, RCU callbacks), after an interrupt or in ksoftirqd.",
    ),
    "nmi": Text(
        "Above this line is the NMI's own work, mostly stopping this CPU for the dump; below is what it really did.",
    ),
    "exception": Text(
        "Above this line is the kernel's handling of an exception (a page fault, a trap); the frame right below is "
        "the one that caused it.",
    ),
    "syscall": Text("Below this line the program entered the kernel by a system call."),
    "user": Text("Where the program was in its own code; its names are not in the dump."),
    "task": Text("From here on the stack of the task itself."),
}
