"""How a line of the log reads: it names the cause, or is one that every oops prints."""

from typing import Literal

from oopscope.klog.detail import stands
from oopscope.klog.machines import ASIDE, either
from oopscope.lazy_re import lazy_re

Tone = Literal["cause", "rest", ""]
ERROR = 3  # the level
CAUSE = lazy_re(
    r"\s{0,64}(?:BUG:|kernel BUG at|Kernel panic|Unable to handle|Internal error|general protection fault|Oops|"
    r"watchdog: BUG|INFO: task .* blocked|.*(?:soft|hard) LOCKUP|Out of memory)"
)
REST = lazy_re(  # but for what tells how the memory was used
    r"\s{0,64}(?:Modules linked in|Hardware name|Code: |Call Trace|</?(?:TASK|IRQ|NMI|SOFTIRQ)|P4D |PUD |"
    rf"---\[ end|-+\[ cut here|\? |Kernel Offset|Rebooting in|(?!#PF: ){either(ASIDE)})"
)


def tone(text: str, level: int, in_oops: bool) -> Tone:
    """Return how a line reads: `cause` where it says what went wrong, `rest` where every oops has such a line."""
    if (in_oops or level <= ERROR) and (CAUSE.match(text) or stands(text)):
        return "cause"
    return "rest" if in_oops and REST.match(text) else ""
