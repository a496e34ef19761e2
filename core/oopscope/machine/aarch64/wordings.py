"""How an arm64 kernel words an oops. Follows arch/arm64/kernel/{traps,process,entry-common}.c, mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, Fault, First, Wordings, is_at, placed

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
    fault_address=(r"\bFAR = 0x(?P<address>[0-9a-f]{1,16})",),
    firsts=(
        First("Unable to handle kernel"),
        First("Insufficient stack space to handle exception"),
        First("kernel stack overflow"),
        First("Bad mode in "),
        First("Unhandled fault: "),
        First("Unhandled ", r"(?:64|32)-bit el1"),
    ),
    dies=("Internal error: ",),
    died=(r"Internal error: [^:\[]*",),
    pcs=(is_at("PC"), placed("pc")),
    links=(r"lr : ", r"LR is at "),
    registers=r"x\d\d?|sp|lr",
    aside=(
        r"PC is at |LR is at ",
        r"pstate: |pc : |lr : |sp : ",
        r"x\d+ ?:",
        r"Internal ",
        r"Exception",
        r"Mem abort info|Data abort info|ESR = |EC = |SET = |FnV = |EA = |S1PTW|FSC = |ISV = |CM = |GCS",
        r"\[[0-9a-f]{16}\] (?:pgd|user)",
        r"user pgtable|swapper pgtable",
        r"pgd = |\*pgd",
    ),
    in_user=(r"pc : 0000[0-9a-f]{12}\b(?! \()",),
    headless=(First("PC is at "), First("pc :", r" [\w.]+\+0x")),
    fatal=(r"[Kk]ernel stack overflow",),
    bugs=("d4210000",),  # brk #0x800
    marked_by=("pstate: ", "x29:", "pc : ", "Internal error: ", "Mem abort info:", "SError Interrupt on CPU"),
    mark=(
        r"\bpstate: [0-9a-f]{8}|^\s*x29: ?[0-9a-f]{16}|^\s*pc : [^\[]|^Internal error: .*: [0-9a-f]+ \[#\d+\]"
        r"|^Mem abort info:|SError Interrupt on CPU"
    ),
)
