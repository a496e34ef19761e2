"""How an x86_64 kernel words an oops. Follows arch/x86/kernel/{dumpstack,process_64,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import PLACE, Wordings
from oopscope.machine.common.x86_wordings import BRACKETS, FAULTS, TOLD

WORDINGS = Wordings(
    machine="x86_64",
    faults=FAULTS,
    die=r"^(?:Oops: )?(?P<what>.*?): ?(?P<code>[0-9a-f]{4}) \[#(?P<count>\d+)\]",
    pc=(
        rf"\bRIP: (?P<cs>[0-9a-f]{{4}}):{BRACKETS}{PLACE}",
        r"\bRIP: (?P<cs>[0-9a-f]{4}):(?:\[<)?(?P<address>(?:0x)?[0-9a-f]{1,16})\b",
        rf"^\s*R?IP(?: |: ) ?{BRACKETS}{PLACE}",  # up to 4.10; above and below the rest
    ),
    caller=(),
    fault_address=(r"\bCR2: (?P<address>[0-9a-f]{16})",),
    register=(
        r"\b(?P<name>(?!RIP)R[A-Z0-9]{2}|ORIG_RAX|EFLAGS|CR[0234]|CS|DS|ES|SS): +"
        r"(?:[0-9a-f]{4}:)?(?P<value>[0-9a-f]{4,16})\b"
    ),
    renamed=(("r08", "r8"), ("r09", "r9")),
    told=TOLD,
    in_user=r"\bRIP: 00[23]3:",
    marked_by=("RIP: ", "RAX: "),
    mark=r"\bRIP: [0-9a-f]{4}:|\bRAX: [0-9a-f]{16} RBX: ",
)
