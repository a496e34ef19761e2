"""The four kinds of cause that a verdict has, in words."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "software": Text(
        "The machine died of a mistake in code: the kernel's own, or a module's. Most oopses are of this kind.",
        "A wrong pointer, a missing check, a race, an object used after it was freed.",
        "Where it happened and the module, then who called it with what.",
        "overview",
    ),
    "hardware": Text(
        "The machine died of a device, a CPU, memory or a bus that failed, as the hardware or the firmware itself "
        "reported it.",
        "Machine checks, uncorrectable memory errors, fatal errors of PCIe, NMIs that the board raised.",
        "What names the part: the bank, the DIMM, the slot; then the machine's own event log (IPMI).",
        "log",
    ),
    "hang": Text(
        "The machine did not crash by itself: something did not get on, and a watchdog or a limit ended it.",
        "A lock that is never given back, a device that does not answer, code that runs with interrupts off.",
        "The blocked tasks, longest first, and what each waits for.",
        "waits",
    ),
    "manual": Text(
        "The machine was brought down, or dumped, on purpose: by SysRq-c, by an NMI or a dump from outside, by a "
        "cluster that fenced it. The kernel itself had no reason to die.",
        "Somebody, or a program that watches, saw it misbehave before: the reason is older than the crash.",
        "What else was wrong, the oldest first, and the log before the end.",
        "log",
    ),
}
