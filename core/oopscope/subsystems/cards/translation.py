"""The card of an address's translation: virtual, physical, its page, whether the dump holds it (vtop, ptov, btop).

Keys say which way: `v:ADDRESS OR NAME`, `p:PHYSICAL`, `f:PAGE FRAME`.
"""

from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.inspect.address_space import address_space
from oopscope.inspect.describe import describe
from oopscope.inspect.look_up import address_of
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems.cards import CardKind, Facts, Part
from oopscope.subsystems.cards.meaning import fact_of

LARGEST = 1 << 56  # a physical address has no more bits


class Translated(NamedTuple):
    """An address both ways; None where it has none, or where that is not known (`why`)."""

    text: str
    virtual: int | None
    physical: int | None
    why: str


def find(kernel: Kernel, key: int | str) -> Translated:
    """Return where an address lies: of a virtual one the physical, of a physical one that in the map of all memory."""
    way, _, text = (f"v:{key:#x}" if isinstance(key, int) else key).partition(":")
    if way == "v":
        virtual = address_of(kernel, text)
        try:
            return Translated(text, virtual, kernel.memory.translate(virtual), "")
        except OopscopeError as error:
            return Translated(text, virtual, None, str(error))
    try:
        number = int(text.lower().removeprefix("0x"), 16)
    except ValueError:
        raise Implausible(f"{text[:40]} is no physical address") from None
    physical = number * kernel.memory.page_size if way == "f" else number
    if not 0 <= physical < LARGEST:
        raise Implausible(f"{text[:40]} is no physical address")
    base = kernel.machine.direct_base(kernel)
    if base is None:
        space = address_space(kernel)
        base = space.direct.start - space.first_frame * kernel.memory.page_size if space is not None else None
    if base is None:
        return Translated(text, None, physical, "where all memory is mapped is not known")
    return Translated(text, (base + physical) % kernel.memory.top, physical, "")


def _translation(kernel: Kernel, thing: Translated) -> Facts:
    facts = []
    if thing.virtual is not None:
        facts.append(Fact("virtual", "Virtual", "address", thing.virtual, Link("memory", f"{thing.virtual:#x}")))
    if thing.physical is not None:
        frame = thing.physical // kernel.memory.page_size
        facts += [
            Fact("physical", "Physical", "address", thing.physical),
            Fact("frame", "Page frame", "int", frame),
            Fact("frame_hex", "in hexadecimal", "address", frame),
            *_page(kernel, frame),
            Fact("saved", "In the dump", "text", _saved(kernel, thing.physical)),
        ]
    if thing.virtual is not None:
        facts.append(fact_of("meaning", "Lies in", thing.virtual, describe(kernel, thing.virtual)))
    return Facts("", "", tuple(facts), thing.why)


def _page(kernel: Kernel, frame: int) -> list[Fact]:
    """Return where the struct page of a frame is; nothing on a machine whose array is not known."""
    space = address_space(kernel)
    if space is None or not space.page_struct or not space.vmemmap:
        return []
    at = space.vmemmap.start + (frame - space.first_frame) * space.page_struct
    return [Fact("page", "struct page", "address", at, Link("struct", f"page@{at:#x}"))] if at in space.vmemmap else []


def _saved(kernel: Kernel, physical: int) -> str:
    try:
        kernel.memory.physical.read(physical, 1)
    except OopscopeError as error:
        return f"no: {error}"
    return "yes"


CARD = CardKind(
    "translation",
    "Translation",
    find,
    lambda thing: thing.text,
    (Part("translation", "Translation", _translation),),
)
