"""The card of what a name stands for: a type where there is one of that name, else a symbol."""

from collections.abc import Callable
from typing import Any, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems.cards import CardKind, Part, Section, struct, symbol


class _Thing(NamedTuple):
    """A thing, and the kind of card that tells of it."""

    kind: CardKind
    thing: Any


def find(kernel: Kernel, key: int | str) -> _Thing:
    """Return what a name stands for; the symbol's error where it stands for neither."""
    try:
        return _Thing(struct.CARD, struct.find(kernel, key))
    except OopscopeError:
        return _Thing(symbol.CARD, symbol.CARD.find(kernel, key))


def _of(kind: CardKind, part: Part) -> Callable[[Kernel, Any], Section | None]:
    return lambda kernel, found: part.make(kernel, found.thing) if found.kind is kind else None


CARD = CardKind(
    "whatis",
    "What it is",
    find,
    lambda found: found.kind.name(found.thing),
    tuple(Part(part.key, part.title, _of(kind, part)) for kind in (struct.CARD, symbol.CARD) for part in kind.parts),
)
