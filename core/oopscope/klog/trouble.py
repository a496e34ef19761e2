"""Where the log tells of trouble: how the messages begin that a kernel prints when it is about to die."""

from collections.abc import Sequence
from typing import Any

CUT = "------------[ cut here ]"
# What the kernel prints first when it is about to die; follows the messages of its own sources.
BEGINNINGS = (
    "BUG: ", "Oops: ", "Oops[", "kernel BUG at", "Unable to handle kernel", "Internal error: ",
    "general protection fault", "divide error", "invalid opcode", "stack segment", "double fault", "traps: PANIC",
    "Kernel panic - not syncing", "watchdog: BUG: soft lockup", "Watchdog detected hard LOCKUP",
    "NMI watchdog: Watchdog detected", "NMI watchdog: BUG: soft lockup",
    "watchdog: Watchdog detected hard LOCKUP", "rcu: INFO: rcu_", "sysrq: Trigger a crash",
    "sysrq: SysRq : Trigger a crash", "SysRq : Trigger a crash", "mce: [Hardware Error]", "Fatal hardware error!",
    "Out of memory: ", "list_add corruption", "list_del corruption", "refcount_t: ", "Insufficient stack space",
)  # fmt: skip


def first_trouble(rows: Sequence[Any], start: int = 0) -> int | None:
    """Return the first row whose text begins as the end of a kernel does, or tells of a blocked task."""
    return next((at for at in range(start, len(rows)) if trouble_in(rows[at].text or "")), None)


def trouble_in(text: str) -> bool:
    """Return whether a line of the log begins as the end of a kernel does, or tells of a blocked task."""
    return text.startswith(BEGINNINGS) or (text.startswith("INFO: task ") and " blocked for more than " in text)
