"""How an i386 kernel words an oops. Follows arch/x86/kernel/{dumpstack,process_32,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import Wordings
from oopscope.machine.common.x86_wordings import ASIDE, DIED, DIES, FATAL, FAULTS, FIRSTS, PCS, REGISTERS

WORDINGS = Wordings(
    machine="i386",
    faults=FAULTS,
    fault_address=(r"\bCR2: (?P<address>[0-9a-f]{8})\b",),
    firsts=FIRSTS,
    dies=DIES,
    died=DIED,
    pcs=PCS,
    links=(),
    registers=REGISTERS,
    aside=ASIDE,
    in_user=(r"EIP: 0073:",),
    fatal=FATAL,
    bugs=("0f0b",),  # ud2
    marked_by=("EIP: ", "EIP is at ", "EAX: "),
    mark=r"\bEIP: |\bEIP is at |\bEAX: [0-9a-f]{8} EBX: ",
)
