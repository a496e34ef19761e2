"""Any struct at any address: its members, and what its pointers point at.

Keys are texts: `task_struct`, `task_struct.se`, `task_struct@0xffff…`, `rq@ADDRESS OR SYMBOL`. Files of the kernel may
each have a struct of one name: `irq_info#2` is the second of them, and who asks without a number gets the largest.
"""

from typing import NamedTuple

from oopscope.errors import NoType, OopscopeError
from oopscope.inspect.describe import describe, slab_object
from oopscope.inspect.look_up import address_of
from oopscope.inspect.meaning import Meaning
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module_types import module_types, modules_with_types
from oopscope.structs.view import Item, View, view

MAX_POINTERS = 1000  # of one struct that are described
MAX_LIKE = 40  # names that are offered
MAX_TRIED = 200


class Row(NamedTuple):
    """A member, and what its pointer points at."""

    item: Item
    meaning: Meaning | None


class Definition(NamedTuple):
    """One of several structs of one name: the key that asks for it, its size in bytes, whether it is the one shown."""

    key: str
    size: int
    shown: bool


class StructFound(NamedTuple):
    """A struct's members; `meaning` is what lies at its address."""

    name: str
    address: int | None
    size: int
    rows: tuple[Row, ...]
    meaning: Meaning | None
    like: tuple[str, ...] = ()  # there is no such type: those whose names are like it
    definitions: tuple[Definition, ...] = ()  # all of this name, where there are several


def struct(kernel: Kernel, key: str) -> StructFound:
    """Return a struct by its type's name, or what is inside one, with values where an address is given."""
    name, _, place = key.partition("@")
    address = address_of(kernel, place) if place else None
    if "." in name and (alone := _alone(kernel, name, address)) is not None and alone.rows[0].item.member.kind == "ptr":
        return alone  # as crash has it: the pointer, and not what it leads to
    try:
        found = _view(kernel, name, address)
    except NoType:
        if (alone := _alone(kernel, name, address)) is not None:
            return alone
        if not (like := names_like(kernel, name.partition(".")[0].split(" ")[-1])):
            raise
        return StructFound(name, address, 0, (), None, like)
    rows = _rows(kernel, _within(kernel, found))
    there = describe(kernel, found.address) if found.address is not None else None
    several = _definitions(kernel, name, found)
    return StructFound(found.name, found.address, found.size, rows, there, (), several)


def _alone(kernel: Kernel, name: str, address: int | None) -> StructFound | None:
    """Return a member that is no struct, `rq.clock`, alone, with its offset in the struct around it; None for none."""
    outer, _, member = name.rpartition(".")
    try:
        found = _view(kernel, outer, address) if outer else None
    except OopscopeError:
        return None
    items = [item for item in _within(kernel, found) if item.member.name == member] if found is not None else []
    if found is None or not items:
        return None
    at = found.address + items[0].member.offset if found.address is not None else None
    there = describe(kernel, at) if at is not None else None
    return StructFound(name, at, items[0].member.size, _rows(kernel, items), there)


def _rows(kernel: Kernel, items: list[Item]) -> tuple[Row, ...]:
    """Return members with what their pointers point at."""
    left, rows = MAX_POINTERS, []
    for item in items:
        pointer = item.member.kind == "ptr" and item.number and left > 0
        left -= bool(pointer)
        rows.append(Row(item, describe(kernel, item.number) if pointer and item.number else None))
    return tuple(rows)


def _definitions(kernel: Kernel, name: str, found: View) -> tuple[Definition, ...]:
    """Return every definition of a struct's name; none where it has one, or for what lies inside a struct."""
    plain = _bare(name).partition("#")[0]
    if "." in plain:
        return ()
    try:
        layouts = kernel.types.layouts(plain)
    except OopscopeError:
        return ()
    if len(layouts) < 2:
        return ()
    shown = found.layout.type
    return tuple(Definition(f"{plain}#{n}", one.size, one.type == shown) for n, one in enumerate(layouts, 1))


def _bare(name: str) -> str:
    for keyword in ("struct ", "union "):
        name = name.removeprefix(keyword)
    return name.strip()


def _within(kernel: Kernel, found: View) -> list[Item]:
    """Return the members; those behind the end of the slab object at the address are another's bytes, and not shown."""
    items = list(found.items())
    lies_in = slab_object(kernel, found.address) if found.address is not None else None
    if lies_in is None or found.address is None:
        return items
    room = lies_in.base + lies_in.size - found.address
    why = f"behind the end of this {lies_in.cache} object"
    return [i if i.member.offset < room else i._replace(number=None, text=None, target=None, why=why) for i in items]


def names_like(kernel: Kernel, word: str) -> tuple[str, ...]:
    """Return the structs whose names hold a word, those that begin with it first, the shorter before the longer."""
    word = word.lower()
    if len(word) < 2:
        return ()
    near = sorted(
        (one for one in kernel.types.btf.names() if word in one.lower()), key=lambda one: _distance(one, word)
    )
    return tuple(one for one in near[:MAX_TRIED] if _is_struct(kernel, one))[:MAX_LIKE]


def _distance(name: str, word: str) -> tuple[bool, int, str]:
    return not name.lower().startswith(word), len(name), name


def _is_struct(kernel: Kernel, name: str) -> bool:
    try:
        return kernel.types.layout(name).size > 0
    except OopscopeError:
        return False


def _view(kernel: Kernel, name: str, address: int | None) -> View:
    """Return a view by the kernel's own types, else by those of the first module that has the name."""
    name, _, number = _bare(name).partition("#")
    if number:
        layouts = kernel.types.layouts(name)
        if not number.isdecimal() or not 0 < int(number[:4]) <= len(layouts):
            raise NoType(f"{name}#{number[:8]}")
        return View(kernel.memory, kernel.types.btf, layouts[int(number) - 1], name, address)
    try:
        return kernel.view(name, address)
    except NoType:
        for module in modules_with_types(kernel):
            try:
                return view(module_types(kernel, module), kernel.memory, name, address)
            except OopscopeError:
                continue
        raise
