"""How a PowerPC kernel words an oops. Follows arch/powerpc/kernel/{traps,process}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, PLACE, Fault, Row, Told, Wordings

_GPRS = tuple(f"gpr{n}" for n in range(32))
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
        Fault("opcode", r"Oops: Exception in kernel mode, sig: 4 "),
        Fault("memory error", r"Oops: Machine check|Machine check in kernel mode"),
        Fault("protection", r"Oops: (?:Unrecoverable|Unexpected) "),
    ),
    die=r"^(?P<what>.*), sig: (?P<code>\d+) \[#(?P<count>\d+)\]",
    pc=(rf"^\s*NIP \[(?P<address>[0-9a-f]{{8,16}})\] {PLACE}", r"^\s*NIP(?: \[|: +)(?P<address>[0-9a-f]{8,16})\b"),
    caller=(rf"^\s*LR \[(?P<address>[0-9a-f]{{8,16}})\] {PLACE}", r"^\s*LR \[(?P<address>[0-9a-f]{8,16})\]"),
    fault_address=(
        rf"tried to exec\w* [\w-]+ page \({_ADDRESS}\)",
        r"\b(?:DAR|DEAR): (?P<address>[0-9a-f]{8,16})\b",
        r"for data at address 0x(?P<address>[0-9a-f]+)",
    ),
    register=(r"\b(?P<name>NIP|LR|CTR|MSR|CR|XER|CFAR|DAR|DSISR|IRQMASK|TRAP|REGS): +(?P<value>[0-9a-f]{1,16})\b"),
    rows=(Row(r"\bGPR(?P<first>\d{2}): (?P<values>[0-9a-f]{8,16}(?: [0-9a-f]{8,16})*)", _GPRS),),
    renamed=(("lr", "link"), ("cr", "ccr")),
    told=(
        Told("read", r"dereference on read|attempted to read user page"),
        Told("write", r"dereference on write|attempted to write user page"),
        Told("execute", r"kernel instruction fetch|attempted to execute"),
        Told("no execute", r"exec-protected page"),
        Told("user page", r"(?:attempted to \w+|tried to exec(?:ute)?) user page"),
    ),
    code=r"^\s*(?:Instruction dump|Code):(?P<bytes>.*)",
    in_user=r"(?!)",
    marked_by=("NIP", "GPR00: ", ", sig: ", "Faulting instruction address: "),
    mark=r"^\s*NIP(?: \[|: )|\bGPR00: |, sig: \d+ \[#\d+\]|Faulting instruction address: ",
)
