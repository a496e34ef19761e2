"""Cards: one thing in detail, as typed sections of facts, rows, frames and text; each kind a file with its CARD.

A card knows no report and no screen, which render it alike. Its parts are made one by one, so that the screen can ask
for what is in view. What a part could not read it says in `why`. To add a kind: a file here and a line in CARDS.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column


class Facts(NamedTuple):
    """A section of facts."""

    key: str
    title: str
    facts: tuple[Fact, ...] = ()
    why: str = ""  # why it is not whole, or nothing at all


class Rows(NamedTuple):
    """A section of rows, as a table has them; `count` where there are more than are listed."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Any] = ()
    links: Sequence[Link | None] = ()  # where each row leads; none for no links
    count: int | None = None  # type: ignore[assignment]  # hides the method of tuples
    why: str = ""


class Frames(NamedTuple):
    """A stack, innermost first."""

    key: str
    title: str
    frames: tuple[Frame, ...] = ()
    why: str = ""


class Text(NamedTuple):
    """Lines as they stand in the dump."""

    key: str
    title: str
    lines: tuple[str, ...] = ()
    why: str = ""


Section = Facts | Rows | Frames | Text


class Part(NamedTuple):
    """One section of a kind of card: who makes it of the kernel and the thing; None where it has no such section."""

    key: str
    title: str
    make: Callable[[Kernel, Any], Section | None]


class CardKind(NamedTuple):
    """A kind of card.

    find: what a key means (a PID, an address, a name, as a number or as typed); LookupError or OopscopeError for none.
    name: the thing in a few words.
    """

    key: str
    title: str
    find: Callable[[Kernel, int | str], Any]
    name: Callable[[Any], str]
    parts: tuple[Part, ...]


class Card(NamedTuple):
    """One thing in detail."""

    kind: str
    title: str
    name: str
    sections: tuple[Section, ...]

    @property
    def complete(self) -> bool:
        """Whether every section could be read whole."""
        return not any(section.why for section in self.sections)


# The kind, and where its CARD is. Strings, so that nothing is imported until it is asked for.
CARDS: tuple[tuple[str, str], ...] = (
    ("task", "oopscope.subsystems.cards.task"),
    ("cpu", "oopscope.subsystems.cards.cpu"),
    ("module", "oopscope.subsystems.cards.module"),
    ("lock", "oopscope.subsystems.cards.lock"),
    ("symbol", "oopscope.subsystems.cards.symbol"),
    ("code", "oopscope.subsystems.cards.code"),
    ("struct", "oopscope.subsystems.cards.struct"),
    ("memory", "oopscope.subsystems.cards.memory"),
    ("value", "oopscope.subsystems.cards.value"),
    ("stack", "oopscope.subsystems.cards.stack"),
    ("states", "oopscope.subsystems.cards.states"),
    ("symbols", "oopscope.subsystems.cards.symbols"),
    ("translation", "oopscope.subsystems.cards.translation"),
    ("search", "oopscope.subsystems.cards.search"),
    ("whatis", "oopscope.subsystems.cards.whatis"),
    ("references", "oopscope.subsystems.cards.references"),
)


def card_kind(kind: str) -> CardKind:
    """Import and return a kind of card; KeyError for none."""
    found: CardKind = import_module(dict(CARDS)[kind]).CARD
    return found


def card(kernel: Kernel, kind: str, key: int | str, parts: Iterable[str] = ()) -> Card:
    """Return the card of a thing, whole or only some of its parts; OopscopeError where there is no such thing."""
    found = card_kind(kind)
    thing, wanted = _found(kernel, found, key), set(parts)
    chosen = [part for part in found.parts if not wanted or part.key in wanted]
    made = (_section(kernel, part, thing) for part in chosen)
    return Card(kind, found.title, found.name(thing), tuple(section for section in made if section is not None))


def section(kernel: Kernel, kind: str, part: str, key: int | str) -> Section | None:
    """Return one part of a thing's card."""
    found = card_kind(kind)
    one = next(one for one in found.parts if one.key == part)
    return _section(kernel, one, _found(kernel, found, key))


class NoSuchThing(OopscopeError):
    """There is no such task, CPU, module, lock."""


def _found(kernel: Kernel, kind: CardKind, key: int | str) -> Any:
    return kind.find(kernel, key)


def _section(kernel: Kernel, part: Part, thing: Any) -> Section | None:
    """Make one part; what goes wrong in it is said in its place, and the others are made."""
    try:
        made = part.make(kernel, thing)
    except OopscopeError as error:
        return Facts(part.key, part.title, why=str(error))
    except Exception as error:  # noqa: BLE001 - the boundary of a part: what went wrong is shown, the rest goes on
        return Facts(part.key, part.title, why=f"a fault of oopscope's own: {type(error).__name__}: {error}")
    return None if made is None else made._replace(key=part.key, title=made.title or part.title)
