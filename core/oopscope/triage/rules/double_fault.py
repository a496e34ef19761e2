"""A fault in the midst of delivering another: mostly a stack pointer that is no stack. arch/x86/kernel/traps.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"^(?:traps: )?PANIC: double fault|^(?:Oops: )?double fault: |^Kernel panic - not syncing: double fault"


def check(death: Death) -> Verdict | None:
    """Fire on the trap's own words, where no guard page tells of an overflow."""
    said = death.in_oops(SAID) or death.said(SAID)
    if said is None and death.on_stack("df_debug") and (death.panic_message or "").startswith("Machine halted"):
        said = death.said(r"[Kk]ernel panic")
    if said is None or _was_another(death):
        return None
    return death.verdict(
        "software",
        "double-fault",
        "Double fault",
        f"The processor could not deliver a fault in {death.where}, {death.by}.",
        "certain",
        [death.from_log(said[0])],
        (
            "Is the stack pointer within the task's stack? If not: an overflow, or a stack that was overwritten.",
            "Else look at what the instruction did: a corrupted page table, descriptor table or per-CPU base.",
        ),
    )


def _was_another(death: Death) -> bool:
    """Tell whether the oops had died of another fault before: then the double fault is another CPU's, or came after."""
    die = death.oops.die if death.oops is not None else None
    return die is not None and "double" not in die["name"].lower()
