"""One fact of a thing, and where it leads: what cards are made of. It knows no report and no screen."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from oopscope.kernel.kinds import Kind

# What a link leads to; the key is a PID, a CPU's number, a name, or what an address's digits and a type spell.
LinkKind = Literal["task", "cpu", "module", "lock", "symbol", "code", "struct", "memory"]


class Link(NamedTuple):
    """Where a value leads: to a thing of a kind, by its key."""

    kind: LinkKind
    key: int | str


class Fact(NamedTuple):
    """One fact, as a column and its value: the kind says how it is shown. None: it cannot be read, `why` says why.

    parts: facts that belong to it and are told with it, such as the shares of a sum; then the value may be None too.
    """

    key: str
    title: str
    kind: Kind = "text"
    value: Any = None
    link: Link | None = None
    parts: "tuple[Fact, ...]" = ()
    why: str = ""
    sure: bool = True  # False: a guess


def flat(facts: Iterable[Fact]) -> dict[str, Fact]:
    """Return facts and their parts by key; one that only holds its parts together is left out."""
    found: dict[str, Fact] = {}
    for fact in facts:
        if fact.value is not None or not fact.parts:
            found[fact.key] = fact
        found |= flat(fact.parts)
    return found
