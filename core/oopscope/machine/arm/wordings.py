"""How an ARM kernel words an oops. Follows arch/arm/kernel/{traps,process}.c and arch/arm/mm/{fault,alignment}.c."""

from oopscope.machine.common.wordings import BUG_AT, PLACE, Fault, Told, Wordings

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
    die=r"^Internal error: (?P<what>.*?): (?P<code>[0-9a-f]+) \[#(?P<count>\d+)\].* (?:ARM|THUMB2)\s*$",
    pc=(rf"\bPC is at {PLACE}", r"^\s*pc : \[<(?P<address>[0-9a-f]{8})>\]"),
    caller=(rf"\bLR is at {PLACE}", r"\blr : \[<(?P<address>[0-9a-f]{8})>\]"),
    fault_address=(),
    register=r"(?<!\w)(?P<name>r\d{1,2}|sp|ip|fp|pc|lr|psr)\s*: (?:\[<)?(?P<value>[0-9a-f]{8})\b",
    renamed=(("psr", "cpsr"),),
    told=(
        Told("write", r"\bwhen write\b"),  # 6.3
        Told("read", r"\bwhen read\b"),
        Told("execute", r"\bwhen execute\b"),
        Told("no execute", r"execute from non-executable memory"),
    ),
    in_user=r"\bMode USER_(?:32|26)\b",
    marked_by=("PC is at ", "pc : [<", "Internal error: ", "psr: "),
    mark=(
        r"^Internal error: .*\[#\d+\].* (?:ARM|THUMB2)\s*$|^\s*pc : \[<[0-9a-f]{8}>\]\s+lr : \[<[0-9a-f]{8}>\]"
        r"|\bMode (?:SVC|USER|IRQ|FIQ|UND|ABT)_(?:32|26)\b"
    ),
)
