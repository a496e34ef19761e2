"""An indirect call or jump to what is no target of its kind: CFI, ENDBR, shadow stacks, branch target identification.

Follows kernel/cfi.c, arch/x86/kernel/{cet,cfi}.c and arch/arm64/kernel/traps.c.
"""

from oopscope.kernel.frame import Frame
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"^(?:traps: )?(?:Missing ENDBR|CFI failure|control protection|(?:Oops: )?control protection|"
    r"Unexpected .*control protection|"
    r"Internal error: Oops - (?:CFI|BTI|FPAC|GCS))|^Kernel panic - not syncing: CFI failure|^Oops: .*shadow stack"
)
PLACES = lazy_re(
    r"(?:Missing ENDBR: |CFI failure at |"
    r"CFI failure \(target: )(?P<name>[A-Za-z_][\w.]*)(?:\+0x(?P<at>[0-9a-f]+)/0x[0-9a-f]+)?"
    r"(?: \[(?P<module>[\w-]+)[^\]]*\])?(?:.*?\(target: (?P<target>[^;)]+))?"
)


def check(death: Death) -> Verdict | None:
    """Fire on the check's own words."""
    said = death.in_oops(SAID) or death.said(SAID)
    if said is None:
        return None
    found = PLACES.search(said[0].text)
    named = Frame(0, found["name"], int(found["at"] or "0", 16), found["module"], "task", True) if found else None
    culprit = named or death.culprit
    missing = "ENDBR" in said[0].text
    if missing:
        story = f"{culprit} was called or jumped to, but it is no target for that (no ENDBR)"
    elif found and found["target"]:
        story = f"{culprit} called {found['target'].strip()} through a pointer of another type"
    else:
        story = f"{culprit or death.where} made a call or return that control-flow checks forbid"
    return death.verdict(
        "software",
        "control-flow-violation",
        "Control-flow violation",
        f"{story}, {death.by}.",
        "certain",
        [death.from_log(said[0])],
        (
            "Does the function's type match that of the pointer? A module built without CFI or IBT fails so.",
            "If not: the pointer was overwritten, or somebody tries to exploit the kernel.",
        ),
        culprit=culprit,
    )
