"""The card of who points at an object: each word of memory that leads into it, and what the word lies in."""

from oopscope.inspect.look_up import address_of
from oopscope.inspect.references import Reference, References, references
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows
from oopscope.subsystems.cards.meaning import link_of


def find(kernel: Kernel, key: int | str) -> References:
    """Look for words that lead into what an address, or a symbol, stands for."""
    return references(kernel, key if isinstance(key, int) else address_of(kernel, key))


def _summary(kernel: Kernel, found: References) -> Facts:
    target = found.target
    facts = [
        Fact("target", "Of", "text", target.what),
        Fact("start", "Begins at", "address", target.start, Link("memory", f"{target.start:#x}")),
        Fact("size", "Size", "bytes", target.end - target.start),
        Fact("found", "Found", "int", len(found.rows)),
        Fact("stale", "Likely left over", "int", sum(1 for row in found.rows if row.stale)),
        Fact("searched_bytes", "Searched", "bytes", found.looked),
    ]
    if target.end - target.start == 1:
        facts.pop(2)
    return Facts("", "", tuple(facts), found.why)


def _link(row: Reference) -> Link | None:
    if row.address is None:
        return None
    return link_of(row.address, row.meaning) or Link("memory", f"{row.address:#x}")


def _rows(kernel: Kernel, found: References) -> Rows:
    columns = (
        Column("address", "Address", "address"),
        Column("past", "To", "int"),
        Column("where", "In"),
        Column("stale", "Left over"),
        Column("physical", "Physical", "address"),
        Column("value", "Word", "address"),
    )
    return Rows("", "", columns, found.rows, [_link(row) for row in found.rows])


CARD = CardKind(
    "references",
    "Who points at",
    find,
    lambda found: found.target.what or f"{found.target.start:#x}",
    (Part("references", "Who points at it", _summary), Part("places", "Places", _rows)),
)
