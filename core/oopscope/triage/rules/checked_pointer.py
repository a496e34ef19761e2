"""A pointer that is none: what KASAN checked before it was used, and said. Follows mm/kasan/report.c.

`null-ptr-deref`, `wild-memory-access` and `user-memory-access` are the checker's guesses by the address alone;
`invalid-access` is that of kernels that tag their memory, where neither a freed object nor a neighbour was found.
"""

from oopscope.triage.checkers import ACCESS, found
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

NULL, WILD, TAGGED = "null-ptr-deref", ("wild-memory-access", "user-memory-access"), "invalid-access"
NEXT = "Look at where the pointer was loaded from: never set, overwritten or freed?"


def check(death: Death) -> Verdict | None:
    """Fire on the checker's report, where it was fatal and no fault of the processor's tells more."""
    seen = found(death) if death.oops is None else None
    if seen is None or seen.what not in (NULL, *WILD, TAGGED):
        return None
    access = seen.report.find(ACCESS)
    address = f" at {int(access[1]['address'], 16):#x}" if access else ""
    place = seen.culprit or death.where
    evidence = [death.from_log(seen.line)]
    if access:
        evidence.append(death.from_log(death.lines[access[0]]))
    if seen.what == NULL:
        cause, title, words = "null-pointer-dereference", "NULL pointer dereference", f"used a NULL pointer{address}"
    elif seen.what == TAGGED:
        freed = seen.report.find(r"^\s*[Ff]reed by task") is not None
        cause = "use-after-free" if freed else "out-of-bounds"
        title, words = "Access to another object's memory", f"used memory{address} with a pointer that is not its own"
    else:
        kind = "a program's address" if seen.what == WILD[1] else "no address of the kernel's"
        cause, title, words = "bad-page-fault", "Bad pointer", f"used the wild pointer{address}, which is {kind}"
    return death.verdict(
        "software",
        cause,
        title,
        f"{place} {words}, {death.by}.",
        "certain" if seen.what == NULL else "likely",
        evidence,
        (NEXT,),
        culprit=seen.culprit,
    )
