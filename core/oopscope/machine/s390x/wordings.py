"""How an s390 kernel words an oops. Follows arch/s390/kernel/{dumpstack,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, PLACE, Fault, Row, Wordings

_GPRS = tuple(f"r{n}" for n in range(16))

WORDINGS = Wordings(
    machine="s390x",
    faults=(
        Fault("page", r"Unable to handle kernel (?:pointer dereference|paging request)|^addressing exception: "),
        Fault("bug", BUG_AT),
        Fault("opcode", r"^(?:illegal operation|privileged operation|operation exception): [0-9a-f]{4} "),
        Fault("divide", r"^(?:fix(?:ed )?point divide|decimal divide|HFP divide) exception"),
        Fault("protection", r"^(?:specification|data|execute|transaction|special op\w*) exception: "),
        Fault("stack", r"Kernel stack overflow"),
        Fault("memory error", r"Unrecoverable machine check|machine check interruption"),
    ),
    die=r"^(?P<what>.*?): (?P<code>[0-9a-f]{4})(?: ilc:\d)? \[#(?P<count>\d+)\]",
    pc=(
        rf"\b(?:Krnl|User) PSW : [0-9a-f]{{16}} (?P<address>[0-9a-f]{{16}}) \({PLACE}",
        r"\b(?:Krnl|User) PSW : [0-9a-f]{16} (?P<address>[0-9a-f]{16})",
    ),
    caller=(),
    fault_address=(r"Failing address: (?P<address>[0-9a-f]{16})",),
    register=r"\b(?P<name>TEID): (?P<value>[0-9a-f]{16})",
    rows=(
        Row(r"^\s*Krnl GPRS: (?P<values>[0-9a-f]{16}(?: [0-9a-f]{16}){3})", _GPRS),
        Row(r"^\s{8,}(?P<values>[0-9a-f]{16}(?: [0-9a-f]{16}){3})\s*$", _GPRS),
    ),
    code=r"^\s*Krnl Code: (?P<bytes>.*)",
    in_user=r"\bUser PSW :",
    marked_by=("Krnl PSW :", "Krnl GPRS:", " ilc:"),
    mark=r"\bKrnl PSW :|\bKrnl GPRS:|\[#\d+\].* ilc:\d|: [0-9a-f]{4} ilc:\d \[#",
)
