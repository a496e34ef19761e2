"""How a kernel of x86 words an oops, in 32 and 64 bits alike.

Follows arch/x86/kernel/{dumpstack,traps}.c and arch/x86/mm/fault.c.
"""

from oopscope.machine.common.wordings import BUG_AT, SYMBOL, Fault, First, Pc, is_at

FAULTS = (
    Fault(
        "null",
        r"(?:BUG: kernel NULL pointer dereference, address: "  # 5.1
        r"|unable to handle kernel NULL pointer(?: dereference)?(?: at )?(?:virtual address )?)"
        r"(?P<address>[0-9a-f]{8,16})?",
    ),
    Fault("execute", r"kernel tried to execute (?:NX-protected|user) page"),
    Fault(
        "page",
        r"BUG: unable to handle (?:page fault for address|kernel paging request)"
        r"(?:: | at )?(?:virtual address )?(?:0x)?(?P<address>[0-9a-f]+)",
    ),
    Fault(
        "protection",
        r"general protection fault(?:, (?:probably|maybe) for (?:non-canonical )?address (?P<address>0x[0-9a-f]+))?",
    ),
    Fault("divide", r"divide error: "),
    Fault("stack", r"BUG: (?:\w+ )?stack guard page was hit|kernel stack overflow"),
    Fault("stack", r"(?:PANIC: )?double fault"),
    Fault("protection", r"stack segment: |segment not present: "),
    Fault("cfi", r"^CFI failure at |^Missing ENDBR: |control protection fault|#CP\b|traps: Missing ENDBR"),
    Fault("bug", BUG_AT),
    Fault("opcode", r"invalid opcode: "),
    Fault("breakpoint", r"int3: "),
    Fault("alignment", r"alignment check: "),
)
FIRSTS = (
    First("BUG: kernel NULL pointer dereference, address"),  # 5.1
    First("BUG: unable to handle"),
    First("unable to handle kernel"),
    First("Unable to handle kernel"),  # up to 2.6.23
    First("kernel tried to execute"),
    First("general protection fault"),
    First("segment-related general protection fault"),
    First("PANIC: double fault"),
    First("traps: PANIC: double fault"),
    First("BUG: ", r"(?:\w+ )?stack guard page was hit"),
    First("traps: Missing ENDBR"),
    First("Missing ENDBR"),
    First("traps: control protection"),
    First("CR2: ", r"[0-9a-f]{8,16}\s*$"),  # said again, alone, at the end of a page fault's oops
)
DIES = (
    "divide", "invalid opcode", "int3", "debug:", "stack segment", "segment not present", "invalid TSS", "overflow",
    "alignment check", "double fault", "bounds", "coprocessor", "SIMD exception", "simd exception", "fpu exception",
    "control protection", "NMI: 0", "stack guard page", "spurious interrupt", "iret exception",
)  # fmt: skip
DIED = (
    r"(?:Oops: )?(?:segment-related )?general protection fault\b[^:\[]*",
    r"(?:Oops: )?(?:maybe for address|divide[ _]error|invalid opcode|int3|debug|stack segment|segment not present|"
    r"invalid TSS|alignment check|double fault|bounds|overflow|coprocessor segment overrun|SIMD exception|"
    r"simd exception|control protection|stack guard page|kernel stack overflow|spurious interrupt bug|iret exception|"
    r"#?[A-Z]{2,3}|fpu exception|VMM Communication Exception|unexpected shadow stack|NMI)[^\[:]*",
)
PCS = (
    Pc(
        ("RIP", "EIP"),
        r"(?:RIP|EIP): (?P<cs>[0-9a-f]{4}):(?:\[<(?P<address>[0-9a-f]+)>\]\s*)?(?:\[<[0-9a-f]+>\]\s*)?"
        rf"(?:{SYMBOL}|0x(?P<bare>[0-9a-f]+)|(?P<nil>\s*\(null\)))?",
    ),
    is_at("EIP"),
    Pc(  # up to 4.10, above and below the rest
        ("RIP", "EIP", "IP"),
        rf"(?:RIP|EIP|IP):? *(?:\[<(?P<address>[0-9a-f]+)>\]|<(?P<address2>[0-9a-f]+)>)? *(?:{SYMBOL}|"
        r"(?:0x)?(?P<bare>[0-9a-f]{8,16})|(?P<nil>\(null\)))",
    ),
)
REGISTERS = r"[RE](?:[A-D]X|[SD]I|[SBI]P)|R\d\d?|[CD]R\d|E?FLAGS|ORIG_RAX|PKRU|[cC]r\d|[re]?(?:ax|bx|cx|dx|si|di|sp|bp)"
ASIDE = (
    r"RIP", r"EIP", r"IP: ", r"RSP|RAX|RBX", r"R\d\d?:", r"[RE][A-DSI][XPI]:", r"FS: |CS: |DS: ", r"CR2: ", r"DR\d: ",
    r"PKRU: ", r"PGD ", r"\*pdpt|\*pde", r"#PF: ",
)  # fmt: skip
FATAL = (r"Machine halted", r"double fault", r"[Kk]ernel stack overflow")
