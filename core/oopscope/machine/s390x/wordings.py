"""How an s390 kernel words an oops. Follows arch/s390/kernel/{dumpstack,traps}.c and mm/fault.c."""

from oopscope.machine.common.wordings import BUG_AT, SYMBOL, Fault, First, Pc, Row, Wordings

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
    fault_address=(r"Failing address: (?P<address>[0-9a-f]{16})",),
    firsts=(First("Unable to handle kernel"), First("Kernel stack overflow")),
    dies=(
        "illegal operation",
        "addressing exception",
        "protection exception",
        "overflow",
        "specification exception",
        "fixpoint divide",
        "privileged operation",
        "monitor ",
        "operation exception",
        "execute exception",
        "data exception",
        "translation ",
        "page translation",
        "segment translation",
        "region ",
        "vector ",
    ),
    died=(r"[a-z]+(?: [a-z]+){0,3} (?:exception|event|operation)", r"illegal operation"),
    pcs=(
        Pc(
            ("Krnl PSW",),
            rf"Krnl PSW : [0-9a-f]{{8,16}} (?P<address>[0-9a-f]{{8,16}}) \((?:{SYMBOL}|0x(?P<bare>[0-9a-f]+))\)",
        ),
    ),
    links=(),
    registers=r"(?!)",
    aside=(
        r"Krnl |R:\d",
        r"Fault in |AS:|Failing address",
        r"Last Breaking",
        r"[ >][0-9a-f]{8,16}: ",
        r"\s{8,}(?:[>#][0-9a-f]{8,16}: |[0-9a-f]{16}(?: [0-9a-f]{16}){3}\s*$)",
    ),
    rows=(Row(r"\s*(?P<head>Krnl GPRS:)?\s{1,12}(?P<values>[0-9a-f]{16}(?: [0-9a-f]{16}){3})\s*$", "r"),),
    in_user=(r"User PSW",),
    headless=(First("Krnl PSW : "),),
    fatal=(r"corrupted kernel stack",),
    marked_by=("Krnl PSW :", "Krnl GPRS:", " ilc:"),
    mark=r"\bKrnl PSW :|\bKrnl GPRS:|\[#\d+\].* ilc:\d|: [0-9a-f]{4} ilc:\d \[#",
)
