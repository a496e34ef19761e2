"""How an x86_64 kernel words an oops. Follows arch/x86/kernel/{dumpstack,process_64,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import First, Wordings
from oopscope.machine.common.x86_wordings import ASIDE, DIED, DIES, FATAL, FAULTS, FIRSTS, PCS, REGISTERS

WORDINGS = Wordings(
    machine="x86_64",
    faults=FAULTS,
    fault_address=(r"\bCR2: (?P<address>[0-9a-f]{16})",),
    firsts=FIRSTS,
    dies=DIES,
    died=DIED,
    pcs=PCS,
    links=(),
    registers=REGISTERS,
    aside=ASIDE,
    in_user=(r"RIP: 0033:",),
    headless=(First("RIP: 0010:"),),
    fatal=FATAL,
    bugs=("0f0b",),  # ud2
    marked_by=("RIP: ", "RAX: "),
    mark=r"\bRIP: [0-9a-f]{4}:|\bRAX: [0-9a-f]{16} RBX: ",
)
