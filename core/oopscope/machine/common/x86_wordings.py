"""How a kernel of x86 words an oops, in 32 and 64 bits alike.

Follows arch/x86/kernel/{dumpstack,traps}.c and arch/x86/mm/fault.c.
"""

from oopscope.machine.common.wordings import BUG_AT, Fault, Told

BRACKETS = r"(?:\[<(?P<address>[0-9a-f]+)>\] *){0,2}"  # up to 4.10
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
TOLD = (
    Told("execute", r"#PF: supervisor instruction fetch"),
    Told("write", r"#PF: supervisor write access"),
    Told("read", r"#PF: supervisor read access"),
    Told("not mapped", r"#PF: error_code\(0x[0-9a-f]+\) - not-present page"),
    Told("forbidden", r"#PF: error_code\(0x[0-9a-f]+\) - permissions violation"),
    Told("no execute", r"kernel tried to execute NX-protected page"),
    Told("user page", r"unable to execute userspace code|kernel tried to execute user page|SMAP|SMEP"),
)
