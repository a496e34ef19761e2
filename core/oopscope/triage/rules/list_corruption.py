"""A linked list's pointers were not what a list has: found by CONFIG_DEBUG_LIST, or by what the registers point at.

Follows lib/list_debug.c: its checks complain, or fault on the wild pointer that they follow. Without them, a list
node is found in memory whose one link is the wild pointer and whose other link still points back.
"""

from collections.abc import Sequence

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_dying
from oopscope.klog.report import Report
from oopscope.triage.death import Death, Line
from oopscope.triage.faults import AT_ONCE_NS, executed, fault_address, fault_registers, memory_fault
from oopscope.triage.finding import Evidence, Source, Verdict

CHECKS = (
    *("__list_del_entry_valid", "__list_add_valid", "__list_del_entry_valid_or_report", "__list_add_valid_or_report"),
    *("__list_del_entry", "__list_add"),
)
STEPS = (
    "Find who else writes to the list, without its lock or after its end.",
    "Look at the object that holds the node.",
)
SAID = r"(list_add|list_del|hlist_\w+) corruption"


def check(death: Death) -> Verdict | None:
    """Fire on the checks' message before a fatal oops, a fault within them, or a broken node in the registers."""
    evidence: list[Evidence] = []
    fault = memory_fault(death)
    warned = _warned(death) if fault is not None else None
    if fault is not None and warned is not None:
        return _of_warning(death, *warned, fault[0])
    said = death.in_cause(SAID)
    if said is not None:
        evidence.append(death.from_log(said[0]))
    frame = death.fault_frame
    in_check = frame is not None and frame.symbol is not None and frame.symbol.split(".")[0] in CHECKS
    node = _broken_node(death)
    if node is not None:
        evidence.append(node)
    if frame is not None and in_check:
        evidence.append(death.from_frame(frame, "{frame} faulted while it checked a list node's links"))
    if not evidence or (death.oops is None and said is None):
        return None
    if fault is not None and said is None:
        evidence.insert(0, death.from_log(fault[0]))
    outer = _caller(death) if in_check or said else None
    sure = said is not None or (in_check and node is not None)
    return death.verdict(
        "software",
        "list-corruption",
        "Linked list corruption",
        f"A list's pointers were overwritten; it was noticed in {outer or death.where}, run by {death.who}.",
        "certain" if sure else "likely",
        evidence,
        STEPS,
        culprit=outer,
    )


def _warned(death: Death) -> tuple[Report, int] | None:
    """Return the first warning of the checks just before the same task faulted, and its row that says so.

    The task went on with the broken list.
    """
    oops = death.oops
    if oops is None or oops.ns is None or oops.pid is None:
        return None
    for report in death.log.reports[: oops.number]:
        if (report.boot, report.pid) != (oops.boot, oops.pid) or report.kind not in ("warning", "complaint"):
            continue
        soon = report.end_ns is not None and 0 <= oops.ns - report.end_ns <= AT_ONCE_NS
        found = report.find(SAID) if soon else None
        if found is not None:
            return report, found[0]
    return None


def _of_warning(death: Death, report: Report, row: int, fault: Line) -> Verdict:
    outer = _caller(death, report.frames)
    return death.verdict(
        "software",
        "list-corruption",
        "Linked list corruption",
        f"A list's pointers were wrong in {outer or death.where}; just after it, {death.who} used a bad pointer in "
        f"{death.where}.",
        "likely",
        [death.from_log(death.lines[row]), death.from_log(fault)],
        STEPS,
        culprit=outer,
    )


def _caller(death: Death, frames: Sequence[Frame] | None = None) -> Frame | None:
    """The first frame behind the checking functions, and behind a lock's own code."""
    seen = False
    behind = list[Frame]()
    for frame in death.frames if frames is None else frames:
        plain = (frame.symbol or "").split(".")[0]
        if plain in CHECKS:
            seen = True
        elif seen and frame.kind != "exception" and not is_dying(frame.symbol):
            behind.append(frame)
    return death.beyond_locks(behind) or next(iter(behind), None)


def _broken_node(death: Death) -> Evidence | None:
    """Look in the registers of the fault for a list node with a wild link whose other neighbour points back at it."""
    address, registers = fault_address(death), fault_registers(death)
    if address is None or not registers or executed(death):  # a function that is called is no node's link
        return None
    memory = death.kernel.memory
    for name, value in registers.items():
        try:
            following, previous = memory.words(value, 2)
            wild = following in (address, address - 8) and memory.word(previous) == value
            back = previous in (address, address - 8) and memory.word(following + 8) == value
        except OopscopeError:
            continue
        if wild or back:
            link = "next" if wild else "prev"
            bad = following if wild else previous
            text = (
                f"register {name} points at a list node whose {link} is {bad:#x}, while its other neighbour points back"
            )
            return Evidence(text, Source("register", name, value))
    return None
