"""What the screen shows of one symbol, register set, struct, or stretch of code or memory: core's findings together.

It runs on the reading thread. Keys are texts, as places carry them: `schedule`, `0xffff…`, `0xffff…@STACK POINTER`,
`task_struct@0xffff…`, `task_struct.se`. What is wrong with one is raised, and stands in the pane.
"""

import re
from itertools import groupby
from typing import Any, NamedTuple

from oopscope.errors import Implausible, NoSymbol, NoType, OopscopeError
from oopscope.kernel.describe import describe
from oopscope.kernel.disassemble import Code, code_line, disassemble
from oopscope.kernel.meaning import Meaning
from oopscope.kernel.modules import in_text, module_list
from oopscope.kernel.operands import Context, Deed, context_of, deed, register_meaning, running_on
from oopscope.kernel.registers import registers as all_registers
from oopscope.structs.view import Item, View

CHUNK = 64  # words that are read and described at once
AROUND = 128  # pages that can be scrolled to on either side
MAX_POINTERS = 1000  # of one struct that are described
SUFFIXES = (".isra.", ".constprop.", ".part.", ".cold", ".llvm.")


def address_of(kernel: Any, text: str) -> int:
    """Return an address from its digits or a symbol's name, with an offset or not; NoSymbol."""
    name, plus, offset = text.partition("+")
    if name[:2].lower() == "0x" or (len(name) >= 8 and not set(name.lower()) - set("0123456789abcdef")):
        base = int(name, 16)
    else:
        base = find(kernel, name)
    address = base + (int(offset, 0) if plus else 0)
    if not 0 <= address < kernel.memory.top:
        raise Implausible(f"{text[:80]} is no address")
    return address


def find(kernel: Any, name: str) -> int:
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


def symbol(kernel: Any, text: str) -> list[tuple[str, str]]:
    """Look a name up, or an address; return (heading, text)."""
    try:
        address = address_of(kernel, text)
    except (OopscopeError, ValueError) as error:
        return [("Symbol", text), ("Not found", str(error))]
    name = kernel.name_of(address)
    lines = [("Symbol", str(name).removesuffix("+0x0") if name else text), ("Address", f"{address:#x}")]
    meaning = describe(kernel, address)
    if meaning is not None and (name is None or meaning.kind not in ("code", "data")):
        lines.append(("Points at", str(meaning)))
    elif meaning is not None and meaning.kind == "data":
        lines += [("Kind", "data")]
    if name is not None and in_text(kernel, address):
        spelt = prototype(kernel, name.symbol, name.module)
        lines += [("Prototype", spelt)] if spelt else []
    return lines


def prototype(kernel: Any, function: str, module: str | None) -> str | None:
    """Return a function's prototype in C; of one that the compiler changed, what it was changed from."""
    from oopscope.kernel.module_types import module_types

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


# Registers.


class Register(NamedTuple):
    """A register, and what it points at."""

    name: str
    value: int
    meaning: Meaning | None


def registers(kernel: Any, cpu: int) -> tuple[Register, ...]:
    """Return a CPU's registers with what they point at, those that are addresses or numbers of size."""
    found = kernel.cached(all_registers).get(cpu, {})
    task = running_on(kernel, cpu)
    return tuple(Register(name, value, _register(kernel, name, value, task)) for name, value in found.items())


# The flags of x86 that tell something, by bit: Intel SDM volume 1, 3.4.3.
FLAGS = {0: "CF", 2: "PF", 4: "AF", 6: "ZF", 7: "SF", 8: "TF", 9: "IF", 10: "DF", 11: "OF", 17: "VM", 18: "AC"}
SELECTORS = ("cs", "ss", "ds", "es", "fs", "gs")


def _register(kernel: Any, name: str, value: int, task: Any) -> Meaning | None:
    """Return what a register means: flags by name, a system call's number, nothing for selectors."""
    if name in SELECTORS:
        return None
    if name in ("eflags", "rflags"):
        words = " ".join(flag for bit, flag in FLAGS.items() if value >> bit & 1)
        return Meaning("nothing", words + (", interrupts on" if value >> 9 & 1 else ", interrupts off"))
    if name.startswith("orig_") and (value == kernel.memory.top - 1 or value < 1 << 12):
        return Meaning("nothing", f"system call {value}" if value < 1 << 12 else "no system call")
    return register_meaning(kernel, value, task)


# Code.


class CodeFound(NamedTuple):
    """A function's code, and of a frame with registers what its instruction did."""

    address: int
    sp: int  # of the frame, 0 for none
    code: Code | None
    why: str  # why there is no code
    meaning: Meaning | None  # of an address that is no code
    prototype: str | None
    deed: Deed | None
    context: Context | None


def code(kernel: Any, key: str) -> CodeFound:
    """Return the code about an address or of a function; of a frame (`ADDRESS@SP`) with its registers."""
    where, _, stack = key.partition("@")
    address, sp = address_of(kernel, where), int(stack, 16) if stack else 0
    context = context_of(kernel, address, sp) if sp else None
    within = address if context or not sp else address - 1  # what never returns may be called last
    name = kernel.name_of(within)
    try:
        found = disassemble(kernel, within)._replace(address=address, line=code_line(kernel, address))
    except OopscopeError as error:
        return CodeFound(address, sp, None, str(error), describe(kernel, address), None, None, context)
    spelt = prototype(kernel, name.symbol, name.module) if name and in_text(kernel, within) else None
    done = deed(kernel, address, context) if context else None
    return CodeFound(address, sp, found, "", None, spelt, done, context)


# Structs.


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


def struct(kernel: Any, key: str) -> StructFound:
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


def _view(kernel: Any, name: str, address: int | None) -> View:
    """Return a view by the kernel's own types, else by those of the first module that has the name."""
    from oopscope.kernel.module_types import module_types, modules_with_types
    from oopscope.structs.view import view

    for keyword in ("struct ", "union "):
        name = name.removeprefix(keyword)
    try:
        found: View = kernel.view(name, address)
    except NoType:
        for module in modules_with_types(kernel):
            try:
                return view(module_types(kernel, module), kernel.memory, name, address)
            except OopscopeError:
                continue
        raise
    return found


# Memory.


class Piece(NamedTuple):
    """A stretch of pages that are all there, or all missing for one reason."""

    start: int
    end: int
    why: str


class Word(NamedTuple):
    """A word of memory and what it may mean; value None where it cannot be read."""

    address: int
    value: int | None
    meaning: Meaning | None


class Stretches(NamedTuple):
    """The memory about an address."""

    address: int
    word_size: int
    pieces: tuple[Piece, ...]


def memory(kernel: Any, key: str) -> Stretches:
    """Return which pages about an address can be read."""
    address = address_of(kernel, key)
    size = kernel.memory.page_size
    first = max(0, address // size - AROUND)
    pages = range(first, min(address // size + AROUND, kernel.memory.top // size))
    stretches = groupby(pages, key=lambda number: _why(kernel, number))
    found = []
    for why, numbers in stretches:
        listed = list(numbers)
        found.append(Piece(listed[0] * size, (listed[-1] + 1) * size, why))
    return Stretches(address, kernel.memory.word_size, tuple(found))


def _why(kernel: Any, number: int) -> str:
    try:
        kernel.memory.page(number)
    except OopscopeError as error:
        return _short(error)
    return ""


def _short(error: OopscopeError) -> str:
    """Return why a page is not there, without the address, so that neighbours are alike."""
    from oopscope.errors import MissingPage, ReadError

    if isinstance(error, MissingPage):
        return f"not in the dump ({error.reason})"
    return re.sub("0x[0-9a-f]+", "…", error.why if isinstance(error, ReadError) else str(error))


def words(kernel: Any, start: int) -> tuple[Word, ...]:
    """Return CHUNK words from an address, each with what it may mean."""
    size = kernel.memory.word_size
    task = _task_of(kernel, start)
    found = []
    for at in range(start, min(start + CHUNK * size, kernel.memory.top), size):
        try:
            value = kernel.memory.word(at)
        except OopscopeError:
            found.append(Word(at, None, None))
            continue
        found.append(Word(at, value, describe(kernel, value, task)))
    return tuple(found)


def _task_of(kernel: Any, address: int) -> Any:
    """Return the task whose stack an address lies in: its words may be its user addresses."""
    from oopscope.kernel.address_space import stack_map

    owned = kernel.cached(stack_map).at(address)
    return owned.task if owned is not None else None
