"""An indirect call or jump to what is no target of its kind: CFI, ENDBR, shadow stacks, branch target identification.

Follows kernel/cfi.c, arch/x86/kernel/{cet,cfi}.c and arch/arm64/kernel/traps.c.
"""

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_dying, plain
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

ENTRIES = ("asm_exc_control_protection", "exc_control_protection")
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
        return _by_its_entry(death)
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


def _by_its_entry(death: Death) -> Verdict | None:
    """Return the verdict where the check's words are lost, and its exception's entry stands right behind the oops."""
    entry = death.frames[1].symbol if len(death.frames) > 2 and death.oops is not None else None
    if entry is None or plain(entry) not in ENTRIES or not is_dying(death.frames[0].symbol):
        return None
    culprit = first_not(death.sure, is_dying)
    return death.verdict(
        "software",
        "control-flow-violation",
        "Control-flow violation",
        f"{culprit or 'Code'} made a call or return that control-flow checks forbid, {death.by}.",
        "likely",
        [death.from_log(death.lines[death.oops.row])] if death.oops else [],
        ("What was called from where stood before the oops: look for it in another copy of the log.",),
        culprit=culprit,
    )
