"""How an x86_64 kernel words an oops. Follows arch/x86/kernel/{dumpstack,process_64,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, DYING, PLACE, Fault, Told, Wordings, names

_BRACKETS = r"(?:\[<(?P<address>[0-9a-f]+)>\] *){0,2}"  # up to 4.10
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
    Fault("protection", r"stack segment: "),
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
X86_DYING = names(
    r"""
    die_addr __die_body page_fault_oops kernelmode_fixup_or_oops do_user_addr_fault do_kern_addr_fault exc_\w+
    asm_exc_\w+ do_trap do_error_trap handle_bug do_\w+_fault native_machine_\w+ asm_\w+ page_fault
    general_protection divide_error invalid_op double_fault
    """
)
ENTRY = names(
    r"""
    asm_(?:sysvec|common_interrupt|spurious|exc_nmi)\w*
    (?:apic_timer|reschedule|call_function\w*|common|ret_from|irq_work|hv_\w+|xen_\w+)_(?:interrupt|intr) nmi
    end_repeat_nmi first_nmi exc_nmi_noist
    """
)

WORDINGS = Wordings(
    machine="x86_64",
    faults=FAULTS,
    die=r"^(?:Oops: )?(?P<what>.*?): ?(?P<code>[0-9a-f]{4}) \[#(?P<count>\d+)\]",
    pc=(
        rf"\bRIP: (?P<cs>[0-9a-f]{{4}}):{_BRACKETS}{PLACE}",
        r"\bRIP: (?P<cs>[0-9a-f]{4}):(?:\[<)?(?P<address>(?:0x)?[0-9a-f]{1,16})\b",
        rf"^\s*R?IP(?: |: ) ?{_BRACKETS}{PLACE}",  # up to 4.10; above and below the rest
    ),
    caller=(),
    fault_address=(r"\bCR2: (?P<address>[0-9a-f]{16})",),
    register=(
        r"\b(?P<name>(?!RIP)R[A-Z0-9]{2}|ORIG_RAX|EFLAGS|CR[0234]|CS|DS|ES|SS): +"
        r"(?:[0-9a-f]{4}:)?(?P<value>[0-9a-f]{4,16})\b"
    ),
    renamed=(("r08", "r8"), ("r09", "r9")),
    told=TOLD,
    in_user=r"\bRIP: 00[23]3:",
    mark=r"\bRIP: [0-9a-f]{4}:|\bRAX: [0-9a-f]{16} RBX: ",
    dying=(*DYING, *X86_DYING),
    entry=ENTRY,
)
