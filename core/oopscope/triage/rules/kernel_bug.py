"""A BUG() or BUG_ON() in the code itself. Follows lib/bug.c and arch/*/kernel/traps.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on `kernel BUG at` as the first word of the fatal oops, or where it names no file on BUG's own name."""
    said = death.in_oops(r"^[Kk]ernel BUG at (.+?)!?$") or death.in_oops(
        r"^(?:Kernel BUG|Kernel bug detected|.*Oops - BUG)"
    )
    if said is None:
        return None
    place = f" (BUG at {said[1][1]})" if said[1].re.groups and said[1][1] else ""
    return death.verdict(
        "software",
        "kernel-bug",
        "BUG: a condition that must not occur",
        f"{death.where} met a condition that must not occur{place}, {death.by}.",
        "certain",
        [death.from_log(said[0])],
        (f"Read the source at {said[1][1] if place else death.where}: the condition there was true.",),
    )
