"""How a RISC-V kernel words an oops. Follows arch/riscv/kernel/{traps,process}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, Fault, First, Wordings, placed

_AT = r"at virtual address (?P<address>[0-9a-f]{8,16})"

WORDINGS = Wordings(
    machine="riscv64",
    faults=(
        Fault("null", rf"Unable to handle kernel NULL pointer dereference {_AT}"),
        Fault("user", rf"Unable to handle kernel access to user memory without uaccess routines {_AT}"),
        Fault("page", rf"Unable to handle kernel [\w ]+ {_AT}"),
        Fault("stack", r"Insufficient stack space to handle exception|Kernel stack overflow|kernel stack overflow"),
        Fault("bug", BUG_AT),
        Fault("cfi", r"CFI failure at |Oops - (?:cfi|CFI)"),
        Fault("opcode", r"Oops - illegal instruction"),
        Fault("alignment", r"Oops - \w+ address misaligned"),
        Fault("protection", r"Oops - (?:load|store(?: \(or AMO\))?|instruction) access fault"),
        Fault("breakpoint", r"Oops - (?:breakpoint|ebreak)"),
    ),
    fault_address=(r"\bbadaddr: (?P<address>[0-9a-f]{8,16})\b",),
    firsts=(
        First("Unable to handle kernel"),
        First("Insufficient stack space to handle exception"),
        First("kernel stack overflow"),
        First("Kernel stack overflow"),
    ),
    dies=("Kernel BUG [",),
    died=(r"Kernel BUG",),
    pcs=(placed("epc"),),
    links=(r"ra : ",),
    registers=r"gp|tp|t\d|s\d\d?|a\d|ra|sp|epc|badaddr|cause|status",
    aside=(r"epc", r"ra :|gp :|tp :|[ast]\d+ ?:", r"status", r"badaddr"),
    in_user=(r"epc : 0000[0-9a-f]{12}\b(?! \()",),
    headless=(First("epc ", r" {0,2}: [0-9a-f]{8}"),),
    fatal=(r"[Kk]ernel stack overflow",),
    marked_by=("epc : ", "badaddr: "),
    mark=r"^\s*epc : |\bbadaddr: [0-9a-f]{8,16} cause: ",
)
