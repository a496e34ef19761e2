"""The card of several symbols: those whose names hold a word, those of a module, the neighbours of one.

Keys: `q:WORD`, `m:MODULE`, `p:NAME` (the one before), `n:NAME` (the one after), `l:` (all).
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.look_up import address_of
from oopscope.kernel.fact import Link
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import module_list
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, NoSuchThing, Part, Rows

MOST = 200_000


class Named(NamedTuple):
    """A symbol."""

    address: int
    kind: str | None  # the letter that nm(1) has for it
    name: str
    module: str | None


class _Thing(NamedTuple):
    text: str
    found: list[Named]
    total: int


def _kernels(kernel: Kernel) -> Iterator[Named]:
    for one in kernel.symbols.symbols():
        yield Named(one.address, one.type, one.name, None)


def _modules(kernel: Kernel) -> Iterator[Named]:
    try:
        modules = kernel.cached(module_list)
    except OopscopeError:
        return
    for module in modules:
        try:
            for one in module.symbols.symbols() if module.symbols is not None else ():
                yield Named(one.address, one.type, one.name, module.name)
        except OopscopeError as error:
            kernel.problems.lost("symbols", f"of {module.name}")(error)


def _every(kernel: Kernel) -> Iterator[Named]:
    yield from _kernels(kernel)
    yield from _modules(kernel)


def find(kernel: Kernel, key: int | str) -> _Thing:
    """Return the symbols that a key asks for; NoSuchThing for none."""
    way, _, word = str(key).partition(":")
    if way in ("p", "n"):
        found = _neighbour(kernel, word, 1 if way == "n" else -1)
    elif way == "m":
        found = [one for one in _modules(kernel) if word in ("", one.module)]
    else:
        found = [one for one in _every(kernel) if word.lower() in one.name.lower()]
    if not found:
        raise NoSuchThing(f"no symbol {'of' if way == 'm' else 'like'} {word[:60]}")
    return _Thing(word or "all", sorted(found, key=lambda one: one.address)[:MOST], len(found))


def _neighbour(kernel: Kernel, word: str, step: int) -> list[Named]:
    """Return the symbol that a name or an address is in, and the one before or after it."""
    at = address_of(kernel, word)
    every = sorted(_every(kernel), key=lambda one: one.address)
    here = bisect_left(every, at + 1, key=lambda one: one.address) - 1
    there = next((n for n in _from(here, step, len(every)) if every[n].address != every[here].address), here)
    return [every[n] for n in sorted({here, there}) if n >= 0]


def _from(start: int, step: int, end: int) -> range:
    return range(start, end if step > 0 else -1, step)


def _rows(kernel: Kernel, thing: _Thing) -> Rows:
    columns = (
        Column("address", "Address", "address"), Column("kind", "Kind"), Column("name", "Symbol", "symbol"),
        Column("module", "Module"),
    )  # fmt: skip
    return Rows("", "", columns, thing.found, [Link("symbol", one.name) for one in thing.found], thing.total)


CARD = CardKind("symbols", "Symbols", find, lambda thing: thing.text, (Part("symbols", "Symbols", _rows),))
