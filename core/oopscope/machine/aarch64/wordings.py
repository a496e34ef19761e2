"""How an arm64 kernel words an oops. Follows arch/arm64/kernel/{traps,process,entry-common}.c, mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, PLACE, Fault, Told, Wordings

_AT = r"at virtual address (?P<address>[0-9a-f]{8,16})"

WORDINGS = Wordings(
    machine="aarch64",
    faults=(
        Fault("null", rf"Unable to handle kernel NULL pointer dereference {_AT}"),
        Fault("user", rf"Unable to handle kernel access to user memory outside uaccess routines {_AT}"),
        Fault("execute", rf"Unable to handle kernel execut\w+ (?:from|of) [\w -]+ {_AT}"),
        Fault("page", rf"Unable to handle kernel [\w -]+ {_AT}"),  # paging request, write to read-only memory ...
        Fault("stack", r"Insufficient stack space to handle exception|kernel stack overflow"),
        Fault("memory error", r"SError Interrupt on CPU\d+, code 0x(?P<code>[0-9a-f]+)|synchronous external abort"),
        Fault("bug", BUG_AT),
        Fault("cfi", r"CFI failure at |Oops - (?:CFI|BTI|FPAC|GCS)\b"),
        Fault("opcode", r"Oops - Undefined instruction|undefined instruction: pc="),
        Fault("alignment", r"SP/PC alignment exception"),
        Fault("breakpoint", r"Unexpected kernel (?:BRK|single-step) exception"),
        Fault("protection", r"Unhandled (?:64|32)-bit el[01]\w* \w+ exception|Oops - bad mode|Bad mode in "),
    ),
    die=r"^Internal error: (?P<what>.*?): (?P<code>[0-9a-f]+) \[#(?P<count>\d+)\]",
    pc=(
        rf"^\s*pc : {PLACE}",
        rf"\bPC is at {PLACE}",  # up to 4.15
        r"^\s*pc : (?:\[<)?(?P<address>(?:0x)?[0-9a-f]{1,16})\b",
    ),
    caller=(
        rf"^\s*lr : {PLACE}",
        rf"\bLR is at {PLACE}",
        r"^\s*lr : (?P<address>(?:0x)?[0-9a-f]{1,16})\b",
    ),
    fault_address=(r"\bFAR = 0x(?P<address>[0-9a-f]{1,16})",),
    register=r"(?<![\w+])(?P<name>x\d{1,2}|sp|pstate|pc|lr|ESR)\s?[:=] ?(?:\[<|0x)?(?P<value>[0-9a-f]{8,16})\b(?!\+)",
    renamed=(("lr", "x30"),),
    told=(
        Told("write", r"^\s*CM = \d, WnR = 1"),
        Told("read", r"^\s*CM = \d, WnR = 0"),
        Told("execute", r"^\s*EC = 0x2[01]: IABT"),
        Told("not mapped", r"\bFSC = 0x0[0-7]:|level \d (?:translation|address size) fault"),
        Told("forbidden", r"\bFSC = 0x0[c-f]:|level \d permission fault"),
        Told("read only", r"write to read-only memory"),
        Told("no execute", r"execute from non-executable memory"),
        Told("user page", r"outside uaccess routines|execution of user memory"),
    ),
    marked_by=("pstate: ", "x29:", "pc : ", "Internal error: ", "Mem abort info:", "SError Interrupt on CPU"),
    mark=(
        r"\bpstate: [0-9a-f]{8}|^\s*x29: ?[0-9a-f]{16}|^\s*pc : [^\[]|^Internal error: .*: [0-9a-f]+ \[#\d+\]"
        r"|^Mem abort info:|SError Interrupt on CPU"
    ),
)
