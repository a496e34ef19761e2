"""How an i386 kernel words an oops. Follows arch/x86/kernel/{dumpstack,process_32,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, DYING, PLACE, Fault, Told, Wordings, names

_BRACKETS = r"(?:\[<(?P<address>[0-9a-f]+)>\] *){0,2}"  # up to 4.10

WORDINGS = Wordings(
    machine="i386",
    faults=(
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
        Fault("protection", r"general protection fault|stack segment: |segment not present: "),
        Fault("divide", r"divide error: "),
        Fault("stack", r"BUG: (?:\w+ )?stack guard page was hit|kernel stack overflow|double fault"),
        Fault("bug", BUG_AT),
        Fault("opcode", r"invalid opcode: "),
        Fault("breakpoint", r"int3: "),
        Fault("alignment", r"alignment check: "),
    ),
    die=r"^(?:Oops: )?(?P<what>.*?): ?(?P<code>[0-9a-f]{4}) \[#(?P<count>\d+)\]",
    pc=(
        rf"\bEIP: (?:[0-9a-f]{{4}}:)?{_BRACKETS}{PLACE}",
        rf"\bEIP is at {PLACE}",
        rf"^\s*IP: {_BRACKETS}{PLACE}",
        r"\bEIP: (?:[0-9a-f]{4}:)?(?:\[<)?(?P<address>(?:0x)?[0-9a-f]{1,8})\b",
    ),
    caller=(),
    fault_address=(r"\bCR2: (?P<address>[0-9a-f]{8})\b",),
    register=(
        r"\b(?P<name>E(?!IP)[A-Z]{2}|EFLAGS|CR[0234]|CS|DS|ES|FS|GS|SS): +(?:[0-9a-f]{4}:)?(?P<value>[0-9a-f]{4,8})\b"
    ),
    told=(
        Told("execute", r"#PF: supervisor instruction fetch"),
        Told("write", r"#PF: supervisor write access"),
        Told("read", r"#PF: supervisor read access"),
        Told("not mapped", r"#PF: error_code\(0x[0-9a-f]+\) - not-present page"),
        Told("forbidden", r"#PF: error_code\(0x[0-9a-f]+\) - permissions violation"),
        Told("no execute", r"kernel tried to execute NX-protected page"),
        Told("user page", r"unable to execute userspace code|kernel tried to execute user page|SMAP|SMEP"),
    ),
    in_user=r"\bEIP: (?:0023|0073):",
    mark=r"\bEIP: |\bEIP is at |\bEAX: [0-9a-f]{8} EBX: ",
    dying=(
        *DYING,
        *names(
            r"""
        die_addr __die_body page_fault_oops kernelmode_fixup_or_oops do_user_addr_fault exc_\w+ asm_exc_\w+ do_trap
        do_error_trap handle_bug handle_exception do_\w+_fault native_machine_\w+ error_code common_exception
        page_fault double_fault
        """
        ),
    ),
    entry=names(
        r"""
        asm_(?:sysvec|common_interrupt|spurious|exc_nmi)\w* (?:apic_timer|common|reschedule)_interrupt nmi
        """
    ),
)
