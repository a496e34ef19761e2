"""Which member of a struct lies at an offset: its path, through embedded structs, unions and arrays."""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.symbols.btf import COMPOUND, Btf, Field
from oopscope.symbols.btf_table import ARRAY, PTR

MAX_DEPTH = 8


class Found(NamedTuple):
    """A member by its path, with its type and size in bytes."""

    path: str
    type: int
    size: int


def struct_behind(btf: Btf, number: int) -> int | None:
    """Return the struct or union that a pointer type points at; None where it points at something else."""
    number = btf.strip(number)
    if btf.kind(number) != PTR:
        return None
    target = btf.strip(btf.target(number))
    return target if btf.kind(target) in COMPOUND else None


def member_at(btf: Btf, number: int, offset: int, size: int = 0) -> Found | None:
    """Return the member of a struct or union that begins at an offset in bytes, the innermost of the size if one is.

    size: of the access, 0 for any. None where no member begins there.
    """
    try:
        return _search(btf, number, offset, size, MAX_DEPTH)
    except OopscopeError:
        return None


def _search(btf: Btf, number: int, offset: int, size: int, depth: int) -> Found | None:
    if offset < 0 or offset >= btf.size(number) or not depth:
        return None
    best: Found | None = None
    for field in btf.fields(number):
        at = field.bit_offset // 8
        if field.bit_size or not at <= offset < at + btf.size(field.type):
            continue
        found = _within(btf, field, offset - at, size, depth)
        if found is not None and (best is None or (found.size == size and best.size != size)):
            best = found
    return best


def _within(btf: Btf, field: Field, past: int, size: int, depth: int) -> Found | None:
    """Return what begins `past` bytes into a member."""
    inner, path = btf.strip(field.type), field.name
    if btf.kind(inner) == ARRAY:
        element, _ = btf.array(inner)
        each = btf.size(element)
        if not each:
            return None
        path, past, inner = f"{path}[{past // each}]", past % each, btf.strip(element)
    if btf.kind(inner) in COMPOUND:
        deeper = _search(btf, inner, past, size, depth - 1)
        if deeper is not None:
            return Found(f"{path}.{deeper.path}", deeper.type, deeper.size)
    return Found(path, inner, btf.size(inner)) if not past else None
