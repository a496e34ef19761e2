"""Taint flags: the letters of /proc/sys/kernel/tainted and of an oops, and what each says. kernel/panic.c."""

from typing import NamedTuple


class Flag(NamedTuple):
    """One bit of the mask."""

    letter: str
    meaning: str
    of_module: bool


FLAGS: tuple[Flag, ...] = (
    Flag("P", "a proprietary module was loaded", True),
    Flag("F", "a module was force-loaded", False),
    Flag("S", "the kernel runs on an out-of-specification system", False),
    Flag("R", "a module was force-unloaded", False),
    Flag("M", "a machine check exception was reported", False),
    Flag("B", "a bad page was found", False),
    Flag("U", "user space asked for the taint", False),
    Flag("D", "the kernel died before: an oops or a BUG", False),
    Flag("A", "the ACPI tables were overridden", False),
    Flag("W", "the kernel warned before", False),
    Flag("C", "a staging driver was loaded", True),
    Flag("I", "a firmware bug was worked around", False),
    Flag("O", "an out-of-tree module was loaded", True),
    Flag("E", "an unsigned module was loaded", True),
    Flag("L", "a soft lockup occurred", False),
    Flag("K", "the kernel was live patched", True),
    Flag("X", "the distribution tainted it", True),
    Flag("T", "the kernel was built with structure randomisation", True),
    Flag("N", "an in-kernel test has run", True),
    Flag("J", "user space used a mutating debug operation of fwctl", False),
)


def taint_letters(mask: int, module: bool = False) -> str:
    """Return the letters of the bits that are set; of a whole kernel G stands in for an absent P, as in an oops."""
    letters = "".join(flag.letter for bit, flag in enumerate(FLAGS) if mask >> bit & 1)
    return letters if module or mask & 1 or not mask else "G" + letters


def taint_reasons(mask: int) -> list[str]:
    """Return what each bit that is set says, in words."""
    return [f"{flag.letter}: {flag.meaning}" for bit, flag in enumerate(FLAGS) if mask >> bit & 1]
