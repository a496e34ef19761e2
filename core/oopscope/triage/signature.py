"""A verdict's signature: the same for the same bug on another machine, by dump or by log, whole or cut.

Made of names only: the cause, and the function to blame with its module. Addresses, offsets and what a compiler appends
to names change from build to build; which callers stand around the function depends on what is left of the stack, and
on who takes it. Deaths of unknown cause are never one bug: they have none.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import plain

Basis = Literal["stack", "log", "both"]
# Of these the code that ran is chance: whoever was running then.
PLACELESS = frozenset({
    "machine-check", "machine-check-timeout", "nmi-io-check", "nmi-memory-error", "edac-uncorrectable", "pcie-fatal",
    "ghes-fatal", "init-killed", "root-not-mounted", "audit-failure",
})  # fmt: skip


def signature(cause: str, culprit: Frame | None) -> str | None:
    """Return `cause:function:hash`, the hash over cause, module and function; None for an unknown cause."""
    if cause == "unknown":
        return None
    named = culprit is not None and culprit.symbol is not None and cause not in PLACELESS
    name = plain(culprit.symbol) if culprit and culprit.symbol and named else ""
    words = [cause, (culprit.module or "") if culprit and named else "", name]
    digest = sha256("\n".join(words).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return f"{cause}:{name}:{digest}"


def basis(culprit: Frame | None, stack: Sequence[Frame], log: Sequence[Frame]) -> Basis:
    """Return where the function to blame was found: on a stack of the dump, in the log's words, or in both."""
    name = plain(culprit.symbol) if culprit and culprit.symbol else None
    in_stack = any(f.symbol and plain(f.symbol) == name for f in stack)
    in_log = any(f.symbol and plain(f.symbol) == name for f in log)
    if in_stack and in_log:
        return "both"
    return "stack" if in_stack or (stack and not in_log) else "log"


__all__ = ["basis", "plain", "signature"]
