"""Any struct at any address: its members, and what its pointers point at.

Keys are texts: `task_struct`, `task_struct.se`, `task_struct@0xffff…`, `rq@ADDRESS OR SYMBOL`.
"""

from typing import NamedTuple

from oopscope.errors import NoType, OopscopeError
from oopscope.kernel.describe import describe
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.meaning import Meaning
from oopscope.kernel.module_types import module_types, modules_with_types
from oopscope.structs.view import Item, View, view
from oopscope.subsystems.look_up import address_of

MAX_POINTERS = 1000  # of one struct that are described


class Row(NamedTuple):
    """A member, and what its pointer points at."""

    item: Item
    meaning: Meaning | None


class StructFound(NamedTuple):
    """A struct's members; `meaning` is what lies at its address."""

    name: str
    address: int | None
    size: int
    rows: tuple[Row, ...]
    meaning: Meaning | None


def struct(kernel: Kernel, key: str) -> StructFound:
    """Return a struct by its type's name, or what is inside one, with values where an address is given."""
    name, _, place = key.partition("@")
    address = address_of(kernel, place) if place else None
    view = _view(kernel, name, address)
    items, left = view.items(), MAX_POINTERS
    rows = []
    for item in items:
        pointer = item.member.kind == "ptr" and item.number and left > 0
        left -= bool(pointer)
        rows.append(Row(item, describe(kernel, item.number) if pointer and item.number else None))
    there = describe(kernel, view.address) if view.address is not None else None
    return StructFound(view.name, view.address, view.size, tuple(rows), there)


def _view(kernel: Kernel, name: str, address: int | None) -> View:
    """Return a view by the kernel's own types, else by those of the first module that has the name."""
    for keyword in ("struct ", "union "):
        name = name.removeprefix(keyword)
    try:
        return kernel.view(name, address)
    except NoType:
        for module in modules_with_types(kernel):
            try:
                return view(module_types(kernel, module), kernel.memory, name, address)
            except OopscopeError:
                continue
        raise
