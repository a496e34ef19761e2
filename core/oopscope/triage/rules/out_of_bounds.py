"""An access beyond an object: KASAN's or KFENCE's words, hardened usercopy, a fortified string function, an skb.

Follows mm/kasan/report.c, mm/kfence/report.c, mm/usercopy.c, lib/string_helpers.c and net/core/skbuff.c.
"""

from oopscope.lazy_re import lazy_re
from oopscope.triage.checkers import found
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.freed import life, told

OF = lazy_re(r".*out-of-bounds|memory corruption")
SAID = lazy_re(
    r"^usercopy: Kernel memory (?:exposure|overwrite) attempt|^(?:\w+: )?detected buffer overflow in |"
    r"^(?:\w+: )?detected .{0,40}(?:buffer overflow|field-spanning)|^skbuff: skb_(?:over|under)_panic"
)


def check(death: Death) -> Verdict | None:
    """Fire on a checker's report, or on the complaint that a BUG ends."""
    seen = found(death)
    said = death.in_cause(SAID) if death.oops is not None else None
    if seen is not None and OF.fullmatch(seen.what):
        line, culprit, words = seen.line, seen.culprit, seen.what
    elif said is not None:
        line, culprit, words = said[0], death.culprit, said[0].text.split(":")[0]
    else:
        return None
    return death.verdict(
        "software",
        "out-of-bounds",
        "Access out of bounds",
        f"{culprit or death.where} reached beyond an object ({words}), {death.by}.",
        "certain",
        [death.from_log(line), *told(death, life(seen.report if seen else None))],
        ("Compare the object's size, as the report tells it, with the access.", "Where does the length come from?"),
        culprit=culprit,
    )
