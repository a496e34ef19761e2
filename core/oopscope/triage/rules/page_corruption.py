"""A page's own record makes no sense: flags, count or mapping were overwritten. Follows mm/page_alloc.c (bad_page)."""

from oopscope.kernel.functions import first_not, is_allocator, is_dying, is_helper
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.faults import AT_ONCE_NS, memory_fault
from oopscope.triage.finding import Verdict

SAID = lazy_re(r"BUG: Bad (?:page (?:state|map|cache)|rss-counter)")


def check(death: Death) -> Verdict | None:
    """Fire where the report was fatal, or its task faulted right after it; one that was survived is a finding."""
    report = death.complaint or _before_the_fault(death)
    if report is None or report.kind != "bad-page" or not SAID.match(report.title):
        return None
    why = report.find(r"^page dumped because: (?P<why>.*)")
    evidence = [death.from_log(death.lines[report.row])]
    if why:
        evidence.append(death.from_log(death.lines[why[0]]))
    if death.oops is not None:
        evidence.append(death.from_log(death.lines[death.oops.row]))
    culprit = first_not(death.sure, is_dying, is_helper, is_allocator)
    words = f" ({why[1]['why'].strip()})" if why else ""
    return death.verdict(
        "software",
        "page-corruption",
        "A page's record was overwritten",
        f"{_what(report)} makes no sense{words}; noticed in {culprit or death.where}.",
        "likely",
        evidence,
        (
            "Who noticed is innocent: who freed or mapped the page wrongly did so before.",
            "A single bit: test the memory.",
        ),
        culprit=culprit,
    )


def _before_the_fault(death: Death) -> Report | None:
    """Return the report of bad page tables that a task met right before it faulted on them; None without one."""
    if death.oops is None or memory_fault(death) is None:
        return None
    report = death.before("bad-page", within=AT_ONCE_NS)
    same = report is not None and report.pid is not None and report.pid == death.oops.pid
    return report if same and report is not None and report.title.startswith("BUG: Bad page map") else None


def _what(report: Report) -> str:
    if report.title.startswith("BUG: Bad page map"):
        return f"An entry of the page tables of {report.comm or 'a task'}"
    return "The page allocator found a page whose record"
