"""How an ARM kernel words an oops. Follows arch/arm/kernel/{traps,process}.c and arch/arm/mm/{fault,alignment}.c."""

from oopscope.machine.common.wordings import BUG_AT, Fault, First, Wordings, is_at, placed

_AT = r"at virtual address (?P<address>[0-9a-f]{8})\b"

WORDINGS = Wordings(
    machine="arm",
    faults=(
        Fault("null", rf"Unable to handle kernel NULL pointer dereference {_AT}"),
        Fault("execute", rf"Unable to handle kernel execut\w+ [\w -]+ {_AT}"),
        Fault("page", rf"Unable to handle kernel [\w -]+ {_AT}"),
        Fault("stack", r"Insufficient stack space to handle exception|kernel stack overflow"),
        Fault("bug", BUG_AT),
        Fault("opcode", r"Oops - undefined instruction"),
        Fault("alignment", r"Unhandled fault: alignment exception \(0x[0-9a-f]+\) at (?P<address>0x[0-9a-f]{8})"),
        Fault("memory error", r"Unhandled fault: (?:\w+ )*external abort|Unhandled (?:prefetch )?abort"),
        Fault("protection", r"Oops - bad (?:mode|syscall)|Bad mode in "),
    ),
    fault_address=(),
    firsts=(
        First("Unable to handle kernel"),
        First("Insufficient stack space to handle exception"),
        First("kernel stack overflow"),
        First("Bad mode in "),
        First("Unhandled fault: "),
    ),
    dies=("Internal error: ",),
    died=(r"Internal error: [^:\[]*",),
    pcs=(is_at("PC"), placed("pc")),
    links=(r"LR is at ",),
    registers=r"r\d\d?|sp|ip|fp|lr",
    aside=(
        r"PC is at |LR is at ",
        r"Exception",
        r"Control: |Flags: ",
        r"pc : |lr : |sp : ",
        r"r\d\d? ?: [0-9a-f]{8}\b",
        r"pgd = |\*pgd",
        r"Process ",
        r"Stack:",
        r"Internal ",
    ),
    headless=(First("PC is at "),),
    fatal=(r"[Kk]ernel stack overflow",),
    bugs=("e7f001f2",),  # BUG_INSTR_VALUE
    marked_by=("PC is at ", "pc : [<", "Internal error: ", "psr: "),
    mark=(
        r"^Internal error: .*\[#\d+\].* (?:ARM|THUMB2)\s*$|^\s*pc : \[<[0-9a-f]{8}>\]\s+lr : \[<[0-9a-f]{8}>\]"
        r"|\bMode (?:SVC|USER|IRQ|FIQ|UND|ABT)_(?:32|26)\b"
    ),
)
