"""How a MIPS kernel words an oops. Follows arch/mips/kernel/{traps,unaligned}.c and arch/mips/mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, SYMBOL, Fault, First, Pc, Wordings

WORDINGS = Wordings(
    machine="mips",
    faults=(
        Fault("page", r"Unable to handle kernel paging request at virtual address (?P<address>[0-9a-f]{8,16})"),
        Fault("bug", rf"{BUG_AT}|^Kernel bug detected"),
        Fault("opcode", r"^Reserved instruction"),
        Fault("breakpoint", r"^Break instruction in kernel code"),
        Fault("alignment", r"^Unhandled kernel unaligned access"),
    ),
    fault_address=(r"^BadVA {0,3}: (?P<address>[0-9a-f]{8,16})",),
    firsts=(First("CPU ", r"\d+ [Uu]nable to handle kernel"),),
    dies=("Kernel bug detected", "Break instruction in ", "Reserved instr", "Unhandled kernel unaligned"),
    died=(
        r"Kernel bug detected",
        r"Break instruction in kernel code",
        r"Reserved instruction[\w ]*",
        r"Unhandled kernel unaligned access",
    ),
    pcs=(Pc(("epc",), rf"epc {{1,4}}: (?P<address>[0-9a-f]{{8,16}}) (?:{SYMBOL}|0x(?P<bare>[0-9a-f]+))"),),
    links=(r"ra {1,4}: [0-9a-f]{8,16} ",),
    registers=r"epc|ra|cause|status",
    aside=(r"epc", r"ra +:", r"\$ ?\d+ +:", r"Status|Cause|BadVA|PrId|Hi +:|Lo +:", r"Process ", r"Stack ?:"),
    headless=(First("epc ", r" {0,2}: [0-9a-f]{8}"),),
    marked_by=("$ 0 ", "BadVA", "PrId"),
    mark=r"^\$ 0 {3}: [0-9a-f]{8}|^BadVA {0,3}: [0-9a-f]{8}|^PrId {1,4}: [0-9a-f]{8}",
)
