"""How a PowerPC kernel words an oops. Follows arch/powerpc/kernel/{traps,process}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, SYMBOL, Fault, First, Pc, Row, Wordings

_ADDRESS = r"(?:0x)?(?P<address>[0-9a-f]{8,16})"

WORDINGS = Wordings(
    machine="powerpc",
    faults=(
        Fault("null", rf"Kernel NULL pointer dereference(?: on \w+)? at {_ADDRESS}"),  # 5.3
        Fault("execute", r"Unable to handle kernel instruction fetch|kernel tried to exec\w* [\w-]+ page"),
        Fault("user", rf"Kernel attempted to \w+ user page \({_ADDRESS}\)"),  # 5.1
        Fault("page", rf"Unable to handle (?:unknown |unrecoverable )?kernel [\w ]+ (?:at|address) {_ADDRESS}"),
        Fault("page", r"Unable to handle (?:kernel paging request|unknown paging fault)"),
        Fault("stack", r"Kernel stack overflow in process|Bad kernel stack pointer"),
        Fault("bug", BUG_AT),
        Fault("bug", r"Oops: Exception in kernel mode, sig: 5 "),  # a trap instruction, which BUG() is
        Fault("opcode", r"Oops: Exception in kernel mode, sig: 4 "),
        Fault("memory error", r"Oops: Machine check|Machine check in kernel mode"),
        Fault("protection", r"Oops: (?:Unrecoverable|Unexpected) "),
    ),
    fault_address=(
        rf"tried to exec\w* [\w-]+ page \({_ADDRESS}\)",
        r"\b(?:DAR|DEAR): (?P<address>[0-9a-f]{8,16})\b",
        r"for data at address 0x(?P<address>[0-9a-f]+)",
    ),
    firsts=(
        First("BUG: Unable to handle"),
        First("BUG: Kernel NULL pointer dereference"),  # 5.1
        First("Unable to handle kernel"),
        First("Kernel attempted to "),
        First("kernel tried to execute"),
        First("Kernel stack overflow"),
    ),
    dies=("Kernel stack overflow",),
    died=(r"Oops: [\w -]+(?=, sig: )", r"Bad page fault", r"Machine check", r"Kernel stack overflow"),
    pcs=(Pc(("NIP",), rf"NIP \[(?P<address>[0-9a-f]+)\] (?:{SYMBOL}|0x(?P<bare>[0-9a-f]+))"),),
    links=(r"LR \[(?P<address>[0-9a-f]+)\] ",),
    registers=r"(?!)",
    aside=(
        r"Instruction dump",
        r"NIP|LR |LR:|MSR:|XER|CTR|CFAR|GPR|DAR|REGS: |TRAP|IRQMASK",
        r"Faulting ",
        r"BE |LE ",
    ),
    rows=(Row(r"GPR(?P<first>\d\d): (?P<values>[0-9A-Fa-f ]+)", "gpr"),),
    headless=(First("NIP ", r"\["),),
    fatal=(r"Unrecoverable ",),
    marked_by=("NIP", "GPR00: ", ", sig: ", "Faulting instruction address: "),
    mark=r"^\s*NIP(?: \[|: )|\bGPR00: |, sig: \d+ \[#\d+\]|Faulting instruction address: ",
)
