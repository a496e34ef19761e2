"""Taint flags: what happened to this kernel that its developers would want to know. See tainted-kernels.rst."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "G": Text(
        "Not tainted by a proprietary module: only modules with a GPL-compatible licence were loaded. By itself it "
        "means nothing bad.",
    ),
    "P": Text(
        "A proprietary module was loaded: its source is not open to check.",
        "",
        "Is it in the stack, or loaded shortly before? Its vendor is the one to ask.",
    ),
    "F": Text(
        "A module was loaded by force (modprobe -f), against its version check.",
        "",
        "It may have been built for another kernel: struct members may lie elsewhere.",
    ),
    "S": Text(
        "The processor or its use is outside of its specification: unsupported combination, overridden MSRs, or the "
        "like.",
    ),
    "R": Text("A module was unloaded by force (rmmod -f).", "", "Whatever still pointed into it is a suspect."),
    "M": Text(
        "A machine check happened: the hardware reported an error, now or earlier.",
        "",
        "Search the log for `Hardware Error` or `mce`; hardware before software.",
    ),
    "B": Text(
        "A bad page was found: a page's reference count or flags made no sense.",
        "Memory corruption, by software or by bad RAM.",
        "The `BUG: Bad page state` or `Bad page map` lines in the log: the first of them.",
    ),
    "U": Text("A program in user space set the taint on purpose."),
    "D": Text(
        "The kernel has oopsed or hit a BUG before. After the first, nothing that follows can be trusted.",
        "",
        "Read the first oops in the log, not the last.",
    ),
    "A": Text("An ACPI table was overridden by the user."),
    "W": Text(
        "A WARN() was hit: the kernel noticed something wrong and went on.",
        "",
        "The first `WARNING:` in the log: it may be the beginning of this death.",
    ),
    "C": Text("A staging driver was loaded, whose quality is not up to the kernel's standard."),
    "I": Text("The kernel works around a severe bug of the platform's firmware."),
    "O": Text(
        "A module from outside of the kernel's tree was loaded: of a vendor, or built by DKMS.",
        "",
        "The Modules pane marks it. Is it in the stack?",
    ),
    "E": Text("A module without a valid signature was loaded, on a kernel that supports signatures."),
    "L": Text("A soft lockup happened earlier: a CPU ran kernel code for too long."),
    "K": Text(
        "The kernel was live patched: some functions are not those of its image.",
        "",
        "The code at a patched function's address jumps to the patch module.",
    ),
    "X": Text("An auxiliary taint that distributions define: on SUSE, a module that the vendor supports externally."),
    "T": Text("The kernel was built with randomised structure layouts (randstruct)."),
    "N": Text("A test module of the kernel's own (KUnit and the like) was loaded or run."),
    "J": Text("A program in user space used a mutating debug operation of fwctl on a device's firmware."),
}
