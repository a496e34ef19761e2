"""A page's own record makes no sense: flags, count or mapping were overwritten. Follows mm/page_alloc.c (bad_page)."""

from oopscope.kernel.functions import first_not, is_allocator, is_dying, is_helper
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(r"BUG: Bad (?:page (?:state|map|cache)|rss-counter)")


def check(death: Death) -> Verdict | None:
    """Fire where the report itself was fatal; one that was survived is a finding."""
    report = death.complaint
    if report is None or report.kind != "bad-page" or not SAID.match(report.title):
        return None
    why = report.find(r"^page dumped because: (?P<why>.*)")
    evidence = [death.from_log(death.lines[report.row])]
    if why:
        evidence.append(death.from_log(death.lines[why[0]]))
    culprit = first_not(death.sure, is_dying, is_helper, is_allocator)
    words = f" ({why[1]['why'].strip()})" if why else ""
    return death.verdict(
        "software",
        "page-corruption",
        "A page's record was overwritten",
        f"The page allocator found a page whose record makes no sense{words}; noticed in {culprit or death.where}.",
        "likely",
        evidence,
        (
            "Who noticed is innocent: who freed or mapped the page wrongly did so before.",
            "A single bit: test the memory.",
        ),
        culprit=culprit,
    )
