"""An assertion of a file system's or module's own failed, and says so before it panics: LBUG, VERIFY, ASSERT.

Follows the words of Lustre (libcfs), OpenZFS (spl), XFS, btrfs, JBD2, DRBD and OCFS2.
"""

import re

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_dying
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"(?:LustreError|LNetError): .*?\((?P<file>[\w.-]+):(?P<line>\d+):(?P<function>\w+)\(\)\) "
    r"ASSERTION\( ?(?P<assertion>.*?) ?\) failed.*|"
    r"(?:SPLError: \S+ |\w+: )?(?P<verify>(?:VERIFY|ASSERT)\w*\(.*?\) .*)|"
    r"(?:XFS(?: \([^)]*\))?: )?[Aa]ssertion failed: (?P<plain>.*?)(?:, (?:in |file: ?)(?P<at>\S+?)[:,].*)?|"
    r"Assertion failure in (?P<inside>\w+)\(\) at (?P<jbd>\S+): ?\"?(?P<quoted>.*?)\"?|"
    r"(?:block )?drbd\w*.*ASSERT\( ?(?P<drbd>.*?) ?\).*|"
    r"(?:kernel )?BUG at .*ASSERT.*"
)
PLACE = lazy_re(r"(?:PANIC at |SPLError: \d+:\d+:\()(?P<file>[\w.-]+):(?P<line>\d+):(?P<function>\w+)\(\)")
FAILS = lazy_re(
    r"lbug_with_loc|libcfs_\w+|spl_panic\w*|spl_debug_\w+|spl_dumpstack|assfail|asswarn|btrfs_assertfail|assertfail|vdbg\w*|"
    r"__VERIFY\w*|\w+_assert(ion)?_fail\w*"
)
MESSAGES = lazy_re(r"LBUG|.*(?:VERIFY|ASSERT)|SPL PANIC|zfs: |.*[Aa]ssertion")


def check(death: Death) -> Verdict | None:
    """Fire where panic() or a BUG follows the assertion's own words, and one of its functions or words brought it."""
    failing = next((f for f in death.sure if f.symbol and FAILS.fullmatch(f.symbol.split(".")[0])), None)
    said = _said(death)
    if said is None and failing is not None and death.panic is not None:
        return _unsaid(death)
    if (
        said is None
        or (death.cause is None)
        or not (failing or death.cause.kind == "assertion" or MESSAGES.match(death.panic_message or "") or death.oops)
    ):
        return None
    if failing is None and death.oops is not None and not death.in_oops(r"^kernel BUG at "):
        return None
    line, match = said
    text = next((match[g] for g in ("assertion", "verify", "plain", "quoted", "drbd") if match[g]), None)
    culprit = _culprit(death, match)
    words = f": {text.strip()}" if text else ""
    return death.verdict(
        "software",
        "assertion-failed",
        "Assertion failed",
        f"An assertion of {culprit or death.where} failed{words}; run by {death.who}.",
        "certain" if failing else "likely",
        [death.from_log(line)],
        ("Search the module's own bug tracker for the assertion's text.", "Read the source at the assertion."),
        culprit=culprit,
    )


def _unsaid(death: Death) -> Verdict:
    """Return the verdict where the assertion's own words are lost."""
    assert death.panic is not None
    return death.verdict(
        "software",
        "assertion-failed",
        "Assertion failed",
        f"An assertion of {_beyond(death) or death.where} failed; its own words are lost; run by {death.who}.",
        "likely",
        [death.from_log(death.lines[death.panic.row])],
        ("What the assertion said stood before the panic: look for it in another copy of the log.",),
        culprit=_beyond(death),
    )


def _beyond(death: Death) -> Frame | None:
    return first_not((f for f in death.sure if not FAILS.fullmatch((f.symbol or "").split(".")[0])), is_dying)


def _said(death: Death) -> tuple[Line, "re.Match[str]"] | None:
    return death.lately(SAID)


def _culprit(death: Death, match: "re.Match[str]") -> Frame | None:
    """Return the function that asserted: the one that is named, else the first beyond what reports it."""
    place = death.lately(PLACE)
    name = match["function"] or match["inside"] or (place[1]["function"] if place else None)
    named = next((f for f in death.frames if f.symbol == name), None) if name else None
    if named is not None:
        return named
    return _beyond(death) or (Frame(0, name, None, None, "task", True) if name else None)
