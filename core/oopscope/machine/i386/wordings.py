"""How an i386 kernel words an oops. Follows arch/x86/kernel/{dumpstack,process_32,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import PLACE, Wordings
from oopscope.machine.common.x86_wordings import BRACKETS, FAULTS, TOLD

WORDINGS = Wordings(
    machine="i386",
    faults=FAULTS,
    die=r"^(?:Oops: )?(?P<what>.*?): ?(?P<code>[0-9a-f]{4}) \[#(?P<count>\d+)\]",
    pc=(
        rf"\bEIP: (?:[0-9a-f]{{4}}:)?{BRACKETS}{PLACE}",
        rf"\bEIP is at {PLACE}",
        rf"^\s*IP: {BRACKETS}{PLACE}",
        r"\bEIP: (?:[0-9a-f]{4}:)?(?:\[<)?(?P<address>(?:0x)?[0-9a-f]{1,8})\b",
    ),
    caller=(),
    fault_address=(r"\bCR2: (?P<address>[0-9a-f]{8})\b",),
    register=(
        r"\b(?P<name>E(?!IP)[A-Z]{2}|EFLAGS|CR[0234]|CS|DS|ES|FS|GS|SS): +(?:[0-9a-f]{4}:)?(?P<value>[0-9a-f]{4,8})\b"
    ),
    told=TOLD,
    in_user=r"\bEIP: (?:0023|0073):",
    marked_by=("EIP: ", "EIP is at ", "EAX: "),
    mark=r"\bEIP: |\bEIP is at |\bEAX: [0-9a-f]{8} EBX: ",
)
