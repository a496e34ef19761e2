"""The processor met an instruction that it does not know, and no BUG() put it there."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on `invalid opcode` as the fatal oops, when no BUG line came with it."""
    said = death.in_oops(r"invalid opcode: ")
    if said is None or death.in_oops(r"kernel BUG at "):
        return None
    return death.verdict(
        "software",
        "invalid-opcode",
        "Invalid instruction",
        f"The processor met an invalid instruction in {death.where}, run by {death.who}.",
        "likely",
        [death.from_log(said[0])],
        ("Compare the bytes at the instruction with the kernel's image: code may have been overwritten.",),
    )
