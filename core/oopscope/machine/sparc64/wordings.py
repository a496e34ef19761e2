"""How a 64-bit SPARC kernel words an oops. Follows arch/sparc/kernel/{traps,process}_64.c and mm/fault_64.c."""

from oopscope.machine.common.wordings import BUG_AT, SYMBOL, Fault, First, Pc, Wordings

WORDINGS = Wordings(
    machine="sparc64",
    faults=(
        Fault("null", r"Unable to handle kernel NULL pointer dereference"),
        Fault(
            "page", r"Unable to handle kernel paging request(?: in \w+)? at virtual address (?P<address>[0-9a-f]{8,16})"
        ),
        Fault("bug", BUG_AT),
    ),
    fault_address=(),
    firsts=(First("Unable to handle kernel"),),
    dies=(),
    died=(),
    pcs=(Pc(("TPC:",), rf"TPC: <(?:{SYMBOL}|(?:0x)?(?P<bare>[0-9a-f]{{8,16}}))"),),
    links=(r"I7: <",),
    registers=r"(?!)",
    aside=(r"TSTATE: |TPC: |TNPC: |RPC: <", r"[gloi]\d: ", r"[LI]\d: <", r"tsk->\{mm,active_mm\}"),
    marked_by=("TSTATE: ", "TPC: "),
    mark=r"^TSTATE: [0-9a-f]{16} TPC: |^TPC: <",
)
