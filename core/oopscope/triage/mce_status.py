"""What the status of a machine check's bank means, in words: the bits and codes that all x86 processors share.

Follows the Intel SDM, volume 3, "Machine-Check Architecture" (IA32_MCi_STATUS, MCA error codes); AMD uses the same.
"""

from oopscope.lazy_re import lazy_re

# The line of a bank, as the kernel prints it; the older one first says which exception it was.
BANK = lazy_re(
    r"(?:mce: )?\[Hardware Error\]: CPU (?P<cpu>\d+): Machine Check.*Bank (?P<bank>\d+): (?P<status>[0-9a-f]+)|"
    r"CPU (?P<cpu2>\d+): Machine Check Exception: +(?:\d+ Bank (?P<bank2>\d+): )?(?P<status2>[0-9a-f]+)"
)
UC, PCC, ADDRV, OVER = 61, 57, 58, 62
SIMPLE = {
    0x0001: "an unclassified error",
    0x0002: "a parity error in the microcode",
    0x0003: "an external error",
    0x0004: "processors that disagree",
    0x0005: "a parity error within the processor",
    0x0400: "an internal timer that ran out",
    0x0E0B: "an I/O error",
}
# Of compound codes: which bits count, what they are, what that is. Bit 12 only says how reports are filtered.
COMPOUND = (
    (0xEFFC, 0x000C, "an error of the caches"),
    (0xEFF0, 0x0010, "an error of the TLB"),
    (0xEF80, 0x0080, "an error of the memory controller"),
    (0xEF00, 0x0100, "an error of a cache"),
    (0xEF80, 0x0280, "an error of memory that is used as a cache"),
    (0xE800, 0x0800, "an error of the bus or the interconnect"),
    (0xFC00, 0x0400, "an error within the processor"),
)


def decoded(status: int) -> str:
    """Return a status in words: what failed, and what the processor could not do about it; nothing for no code."""
    code = status & 0xFFFF
    what = SIMPLE.get(code) or next((words for mask, value, words in COMPOUND if code & mask == value), "")
    more = [
        *(["uncorrected"] if status >> UC & 1 else ["corrected"]),
        *(["the processor's state is lost"] if status >> PCC & 1 else []),
        *(["others were overwritten by it"] if status >> OVER & 1 else []),
    ]
    return ", ".join([what, *more]) if what else ""
