"""How a RISC-V kernel words an oops. Follows arch/riscv/kernel/{traps,process}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, PLACE, Fault, Told, Wordings

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
    die=r"^(?P<what>\S.*?) ?\[#(?P<count>\d+)\]\s*$",
    pc=(rf"^\s*epc : {PLACE}", r"^\s*s?epc ?: (?P<address>[0-9a-f]{8,16})\b"),
    caller=(rf"^\s*ra : {PLACE}", r"\bra ?: (?P<address>[0-9a-f]{8,16})\b"),
    fault_address=(r"\bbadaddr: (?P<address>[0-9a-f]{8,16})\b",),
    register=(
        r"(?<!\w)(?P<name>epc|ra|sp|gp|tp|[ast]\d{1,2}|status|badaddr|cause|orig_a0)\s*: "
        r"(?P<value>[0-9a-f]{8,16})\b"
    ),
    renamed=(("epc", "pc"),),
    told=(
        Told("execute", r"\bcause: 0*c\b"),
        Told("read", r"\bcause: 0*d\b"),
        Told("write", r"\bcause: 0*f\b"),
        Told("user page", r"without uaccess routines"),
    ),
    marked_by=("epc : ", "badaddr: "),
    mark=r"^\s*epc : |\bbadaddr: [0-9a-f]{8,16} cause: ",
)
