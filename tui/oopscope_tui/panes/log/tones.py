"""How a line of the log is drawn: red for what names the cause, dim for what every oops prints."""

from typing import Literal

from oopscope.lazy_re import lazy_re

Tone = Literal["cause", "rest", ""]
CAUSE = lazy_re(
    r"\s*(?:BUG:|kernel BUG at|Kernel panic|Unable to handle|Internal error|general protection fault|Oops|"
    r"RIP: (?!0033)|pc : |NIP |epc : |watchdog: BUG|INFO: task .* blocked|.*(?:soft|hard) LOCKUP|Out of memory)"
)
REST = lazy_re(
    r"\s*(?:Modules linked in|Hardware name|Code: |Call Trace|</?(?:TASK|IRQ|NMI|SOFTIRQ)|PGD |P4D |PUD |"
    r"---\[ end|-+\[ cut here|(?:RSP|RAX|RBX|RCX|RDX|RSI|RDI|RBP|R\d\d|FS|CS|CR\d|DR\d|PKRU|EFLAGS|GS|ORIG_RAX)\b.*:|"
    r"\? |Kernel Offset|Rebooting in|x\d+ *: |sp : |lr : |pstate: )"
)


def tone(text: str, level: int, in_oops: bool) -> Tone:
    """Return how a line reads: `cause` where it says what went wrong, `rest` where every oops has such a line."""
    if in_oops and REST.match(text):
        return "rest"
    if (in_oops or level <= 3) and CAUSE.match(text):
        return "cause"
    return ""
