"""The processor met an instruction that it does not know. Follows arch/*/kernel/traps.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.wording import fault_of

SAID = r"^(?:Oops: )?invalid opcode: |^Internal error: Oops - [Uu]ndefined instruction|^illegal operation: "


def check(death: Death) -> Verdict | None:
    """Fire on the oops's own line, when no BUG line came with it."""
    said = death.in_oops(SAID) or fault_of(death, "opcode")
    if said is None or death.in_oops(r"^[Kk]ernel BUG at |^UBSAN: |^CFI failure|^monitor event"):
        return None
    return death.verdict(
        "software",
        "invalid-opcode",
        "Invalid instruction",
        f"The processor met an invalid instruction in {death.where}, {death.by}.",
        "possible" if death.only_log and death.oops and death.oops.row <= 1 else "likely",  # BUG's words may be cut off
        [death.from_log(said[0])],
        ("Compare the bytes at the instruction with the kernel's image: code may have been overwritten.",),
    )
