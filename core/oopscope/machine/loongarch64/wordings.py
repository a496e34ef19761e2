"""How a LoongArch kernel words an oops. Follows arch/loongarch/kernel/traps.c and arch/loongarch/mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, SYMBOL, Fault, First, Pc, Row, Wordings

_AT = r"Unable to handle kernel paging request at virtual address"
_DIES = (
    *("Reserved instruction in kernel code", "Break instruction in kernel code", "Bounds check error in kernel code"),
    *("Kernel ale access", "Kernel ade access", "FP exception in kernel code", "do_fpu invoked from kernel context!"),
    "do_reserved exception",
)

WORDINGS = Wordings(
    machine="loongarch64",
    faults=(
        Fault("null", rf"{_AT} (?P<address>0{{13}}[0-9a-f]{{3}})\b"),
        Fault("page", rf"{_AT} (?P<address>[0-9a-f]{{16}})"),
        Fault("bug", rf"{BUG_AT}|^Oops - BUG\["),
        Fault("opcode", r"^Reserved instruction in kernel code|^do_fpu invoked from kernel context"),
        Fault("alignment", r"^Kernel ale access"),
        Fault("protection", r"^Kernel ade access|^Bounds check error in kernel code"),
        Fault("breakpoint", r"^Break instruction in kernel code"),
    ),
    fault_address=(r"^\s*(?:BADV|BadVA ?): (?P<address>[0-9a-f]{16})",),
    firsts=(First("CPU ", r"-?\d+ [Uu]nable to handle kernel"),),
    dies=_DIES,
    died=_DIES,
    pcs=(
        Pc(("ERA:", "era "), rf"(?:ERA|era {{1,4}}): (?P<address>[0-9a-f]{{16}}) (?:{SYMBOL}|0x(?P<bare>[0-9a-f]+))"),
    ),
    links=(r"ra {0,4}: [0-9a-f]{16} ",),
    registers=r"CRMD|PRMD|EUEN|ECFG|ESTAT|BADV",
    aside=(
        *(
            r"(?:pc|[ast]\d) [0-9a-f]{16} ",
            r"ra {0,4}:",
            r"ERA:|era {1,4}:",
            r"\$ ?\d+ +:",
            r"ExcCode :|BadVA",
            r"CSR ",
        ),
        *(r"(?:CRMD|PRMD|EUEN|ECFG|ESTAT|BADV|PRID): ", r"PrId", r"Stack ?:"),
    ),
    rows=(  # names and values by turns (6.2); s9 is fp
        Row(r" *(?P<values>(?:(?:pc|ra|tp|sp|u0|[ast]\d) [0-9a-f]{16}(?: |$)){4})$", ""),
    ),
    in_user=(r"(?:ERA|era {1,4}): 0000[0-9a-f]{12}$",),
    headless=(First("ERA:", r" [0-9a-f]{16}"),),
    marked_by=(", era == ", "ERA: ", "ESTAT: ", "era   : "),
    mark=r", era == [0-9a-f]{16}, ra == |^\s*ERA: [0-9a-f]{16}|^\s*ESTAT: [0-9a-f]{8}|^\s*era   : [0-9a-f]{16}",
)
