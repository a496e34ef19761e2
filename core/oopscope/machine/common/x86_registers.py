"""What registers of x86 that are no addresses mean."""

from oopscope.kernel.kernel import Kernel, per_cpu_offsets

# The flags that tell something, by bit: Intel SDM volume 1, 3.4.3.
FLAGS = {0: "CF", 2: "PF", 4: "AF", 6: "ZF", 7: "SF", 8: "TF", 9: "IF", 10: "DF", 11: "OF", 17: "VM", 18: "AC"}
SELECTORS = ("cs", "ss", "ds", "es", "fs", "gs")


def about_register(kernel: Kernel, name: str, value: int) -> str | None:
    """Say flags by name, a system call's number, whose per-CPU area; nothing of selectors; None of other registers."""
    if name in SELECTORS:
        return ""
    if name in ("eflags", "rflags"):
        words = " ".join(flag for bit, flag in FLAGS.items() if value >> bit & 1)
        return words + (", interrupts on" if value >> 9 & 1 else ", interrupts off")
    if name.startswith("orig_") and (value == kernel.memory.top - 1 or value < 1 << 12):
        return f"system call {value}" if value < 1 << 12 else "no system call"
    if name == "gs_base" and value and value in (offsets := kernel.cached(per_cpu_offsets)):
        return f"the per-CPU area of CPU {offsets.index(value)}"
    return None
