"""Whether an address is one that a call returns to: what all machines ask besides the bytes of their calls."""

from collections.abc import Container

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import in_text

FIRST = frozenset({0})  # bytes from a symbol to where its function is entered


def returns_here(
    kernel: Kernel,
    address: int,
    target: int | None,
    indirect: bool,
    callee: str | None,
    entries: Container[int] = FIRST,
) -> bool:
    """Tell whether the call that stands before an address can be what it is to return from.

    target: what a direct call there calls, None for none. indirect: whether an indirect call stands there.
    callee: the function whose frame lies within. What precedes a function's first instruction is the function before:
    a call that never returns may end it, but a pointer to the function is far likelier, unless that call is the
    callee's. entries: how many bytes behind its symbol a function may be entered.
    """
    direct = target is not None and in_text(kernel, target)
    if not direct and not indirect:
        return False
    name = kernel.name_of(address)
    if name is None or name.offset:
        return True
    called = kernel.name_of(target) if direct and target is not None else None
    return called is not None and called.offset in entries and called.symbol == callee


def code_before(kernel: Kernel, address: int, size: int) -> bytes | None:
    """Return so many bytes of code before an address; None where they cannot be read."""
    try:
        return kernel.memory.read(address - size, size)
    except OopscopeError:
        return None


def word_at(kernel: Kernel, address: int) -> int | None:
    """Return an instruction of one word; None where it cannot be read."""
    try:
        return kernel.memory.u32(address)
    except OopscopeError:
        return None
