"""The object of a slab and those before and behind it: who wrote beyond an end is likely one of their users.

Follows mm/slub.c and mm/slab.c: the objects of a slab lie side by side, `kmem_cache.size` bytes apart.
"""

from typing import NamedTuple

from oopscope.inspect.describe import slab_object
from oopscope.inspect.words import words
from oopscope.kernel.kernel import Kernel
from oopscope.linux.page import SlabObject

TELLING = ("code", "data", "task", "ascii")  # meanings of a word that speak of whose an object is
MOST = 3  # of them that are told


class Neighbour(NamedTuple):
    """An object; `state` None where the lists of free objects could not be read."""

    place: str  # before, it, behind
    base: int
    state: str | None
    holds: str | None  # what its words point at, as guesses; None for nothing that tells


def neighbours(kernel: Kernel, address: int) -> list[Neighbour]:
    """Return the object that an address lies in and its neighbours in the slab; none for what is in no object."""
    found = slab_object(kernel, address)
    if found is None:
        return []
    places = ("before", found.base - found.stride), ("it", found.base), ("behind", found.base + found.stride)
    rows = []
    for place, at in places:
        one = slab_object(kernel, at)
        if one is not None and one.cache == found.cache:
            rows.append(Neighbour(place, one.base, _state(one), _holds(kernel, one)))
    return rows


def _state(one: SlabObject) -> str | None:
    return None if one.free is None else "free" if one.free else "in use"


def _holds(kernel: Kernel, one: SlabObject) -> str | None:
    """Return what the object's first words tell of its user."""
    told: list[str] = []
    for word in words(kernel, one.base):
        if word.address >= one.base + one.size or len(told) == MOST:
            break
        meaning = word.meaning
        if meaning is not None and meaning.kind in TELLING and str(meaning) not in told:
            told.append(str(meaning))
    return ", ".join(told) or None
