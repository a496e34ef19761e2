"""What a name or an address that someone typed stands for: an address, a symbol, a function's prototype.

Keys are texts: `schedule`, `schedule+0x1a`, `0xffff…`, or the digits alone where they are many.
"""

from typing import NamedTuple

from oopscope.errors import Implausible, NoSymbol, OopscopeError
from oopscope.inspect.describe import describe
from oopscope.inspect.meaning import Meaning
from oopscope.kernel.kernel import Kernel, Name, per_cpu_offsets
from oopscope.linux.module import in_text, module_list
from oopscope.linux.module_types import module_types

SURELY = 8  # so many digits are an address and no symbol's name
SUFFIXES = (".isra.", ".constprop.", ".part.", ".cold", ".llvm.")  # of what a compiler makes of a function


def address_of(kernel: Kernel, text: str) -> int:
    """Return an address from its digits or a symbol's name, with an offset or not; NoSymbol.

    `runqueues:1` is CPU 1's copy of a per-CPU variable, as crash writes it.
    """
    variable, colon, cpu = text.partition(":")
    if colon:
        if not cpu.isascii() or not cpu.isdigit() or int(cpu[:5]) >= len(kernel.cached(per_cpu_offsets)):
            raise Implausible(f"{cpu[:20]} is no CPU of this machine")
        return kernel.per_cpu(address_of(kernel, variable), int(cpu[:5]))
    name, plus, offset = text.partition("+")
    digits = name.lower().removeprefix("0x")
    are_digits = bool(digits) and not set(digits) - set("0123456789abcdef")
    surely = are_digits and (digits != name.lower() or len(digits) >= SURELY)
    try:
        base = int(digits, 16) if surely else find(kernel, name)
    except NoSymbol:
        if not are_digits:
            raise
        base = int(digits, 16)
    try:
        address = base + (int(offset, 0) if plus else 0)
    except ValueError:
        address = -1
    if not 0 <= address < kernel.memory.top:
        raise Implausible(f"{text[:80]} is no address")
    return address


def find(kernel: Kernel, name: str) -> int:
    """Return a symbol's address, in the kernel or in a module; NoSymbol."""
    found: int | None = kernel.find_symbol(name)
    if found is not None:
        return found
    try:
        tables = [module.symbols for module in kernel.cached(module_list)]
    except OopscopeError:
        tables = []
    for table in tables:
        address: int | None = table.lookup(name) if table is not None else None
        if address is not None:
            return address
    raise NoSymbol(name)


class Found(NamedTuple):
    """What a name or an address stands for."""

    address: int
    name: Name | None  # the symbol at or before it
    meaning: Meaning | None  # what lies there
    prototype: str | None  # of a function


def look_up(kernel: Kernel, text: str) -> Found:
    """Look a name up, or an address; NoSymbol, Implausible."""
    address = address_of(kernel, text)
    name = kernel.name_of(address)
    spelt = prototype(kernel, name.symbol, name.module) if name is not None and in_text(kernel, address) else None
    return Found(address, name, describe(kernel, address), spelt)


def prototype(kernel: Kernel, function: str, module: str | None) -> str | None:
    """Return a function's prototype in C; of one that the compiler changed, what it was changed from."""
    plain = function
    for suffix in SUFFIXES:
        plain = plain.partition(suffix)[0]
    try:
        types = module_types(kernel, module) if module else kernel.types
        spelt: str | None = types.btf.prototype(plain)
    except OopscopeError:
        return None
    changed = plain != function and spelt is not None
    return f"{spelt} (the compiler made {function} of it)" if changed else spelt
