"""BTF: what the kernel's own types are: aliases, sizes, members, enumerators, and their spelling in C.

Follows Documentation/bpf/btf.rst. Knows nothing of memory but a pointer's size; which bytes a member takes is said in
structs/layout.py. Whatever the tables say, every chain, nesting and count has an end: Implausible.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Implausible, NoType
from oopscope.symbols.blob import MAX_SIZE, Blob, Read
from oopscope.symbols.btf_table import (
    ARRAY,
    CONST,
    DATASEC,
    ENUM,
    ENUM64,
    FLOAT,
    FUNC,
    FUNC_PROTO,
    FWD,
    INT,
    PTR,
    RESTRICT,
    STRUCT,
    TYPE_TAG,
    TYPEDEF,
    UNION,
    VAR,
    VOLATILE,
    BtfTable,
)
from oopscope.symbols.search import IMAGE, occurrences_of, read_lenient

COMPOUND = frozenset((STRUCT, UNION))
ENUMS = frozenset((ENUM, ENUM64))
ALIASES = frozenset((TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG))
SIZED = frozenset((INT, STRUCT, UNION, ENUM, FLOAT, DATASEC, ENUM64))

MAX_CHAIN = 64
MAX_MEMBERS = 1 << 16  # raw ones met while flattening a struct
MAX_BYTES = 1 << 40
MAX_SPELT = 100  # types in the spelling of one
MAX_NAME = 4096
MIN_SIZE = 256 << 10  # a kernel's types are some megabytes

_KEYWORDS = {STRUCT: "struct ", UNION: "union ", ENUM: "enum ", ENUM64: "enum ", FWD: "struct "}
_SPELT = {  # as gcc calls them in its debug information, and as people write them
    "long int": "long",
    "short int": "short",
    "long long int": "long long",
    "long unsigned int": "unsigned long",
    "short unsigned int": "unsigned short",
    "long long unsigned int": "unsigned long long",
}
_QUALIFIERS = {VOLATILE: "volatile ", CONST: "const ", RESTRICT: "restrict "}


def find_btf(read: Read, stext: int, data: int | None = None) -> tuple[int, int] | None:
    """Look for the BTF in the image from _stext on, where no symbol says where it is; (start, stop), None for none.

    A header of version 1 with strings right behind the types; of several the largest. data: the address of a variable,
    before which it stands, for what is only read is linked before what is written.
    """
    little, big = b"\x9f\xeb\x01\x00", b"\xeb\x9f\x01\x00"
    found: dict[bytes, list[tuple[int, int]]] = {little: [], big: []}
    end = data if data is not None and stext < data < stext + IMAGE else stext + IMAGE
    for at, magic in occurrences_of(read, (little, big), stext, end):
        raw = read_lenient(read, at, 24) or bytes(24)
        size, types, types_size, strings, strings_size = struct.unpack_from(
            f"{'<' if magic == little else '>'}5I", raw, 4
        )
        total = size + strings + strings_size
        if 24 <= size <= 64 and types == 0 and strings == types_size and MIN_SIZE <= total <= MAX_SIZE:
            found[magic].append((at, at + total))
    return max(found[little] or found[big], key=lambda place: place[1] - place[0], default=None)


class Field(NamedTuple):
    """A member as BTF has it: bits from the struct's start; bit_size is 0 for what is no bit-field."""

    name: str
    type: int
    bit_offset: int
    bit_size: int


class Variable(NamedTuple):
    """A variable of a section, usually a per-CPU one: its type, its offset in the section and its size in bytes."""

    name: str
    type: int
    offset: int
    size: int


class Integer(NamedTuple):
    """How an INT is encoded; `bits` differs from 8 * size only for bit-fields of old compilers (before 4.20)."""

    size: int
    bits: int
    offset: int
    signed: bool
    char: bool
    bool: bool


class Btf(BtfTable):
    """The types of a kernel, or (with a base) of a module.

    `index` is what `export_index` gave for the same types: with it, single types cost single pages. `word` is the size
    of a pointer in bytes.
    """

    def __init__(
        self, data: bytes | Blob, base: "Btf | None" = None, word: int = 8, index: bytes | None = None
    ) -> None:
        super().__init__(data, base, index)
        self.word = word
        self._fields: dict[int, tuple[Field, ...]] = {}
        self._signed: bool | None = None

    @classmethod
    def at(cls, read: Read, start: int, stop: int, base: "Btf | None" = None, word: int = 8) -> "Btf":
        """Open the BTF in memory from start to stop (__start_BTF, __stop_BTF)."""
        return cls(Blob(read, start, stop - start), base, word)

    def get(self, name: str, *kinds: int) -> int:
        """Return the type of a name, the largest (then the first) of several; NoType.

        Some twenty names in a kernel have several types: a driver's own small `node` beside that of linux/node.h.
        """
        found = self.find_all(name, *kinds)
        if not found:
            raise NoType(name)
        if len(found) == 1:
            return found[0]
        return max(found, key=self.size)

    def strip(self, number: int) -> int:
        """Return the type behind typedefs and qualifiers."""
        for _ in range(MAX_CHAIN):
            if self.kind(number) not in ALIASES:
                return number
            number = self.target(number)
        raise Implausible(f"BTF: the aliases of type {number} have no end")

    def size(self, number: int) -> int:
        """Return a type's size in bytes; 0 for void, functions and declarations."""
        times = 1
        for _ in range(MAX_CHAIN):
            kind = self.kind(number)
            if kind == ARRAY:
                number, count = self.array(number)
                times *= count
            elif kind in ALIASES or kind == VAR:
                number = self.target(number)
            else:
                size = times * (self.target(number) if kind in SIZED else self.word if kind == PTR else 0)
                if size > MAX_BYTES:
                    raise Implausible(f"BTF: a type of {size} bytes")
                return size
        raise Implausible(f"BTF: the size of type {number} has no end")

    def array(self, number: int) -> tuple[int, int]:
        """Return (element type, count) of an array."""
        if number < self.first_id and isinstance(self.base, Btf):  # a module's struct has an array of the kernel's
            return self.base.array(number)
        words, at = self._entry(number)
        self._need(at, 6)
        return words[at + 3], words[at + 5]

    def integer(self, number: int) -> Integer:
        """Return how an INT is encoded."""
        if number < self.first_id and isinstance(self.base, Btf):
            return self.base.integer(number)
        words, at = self._entry(number)
        self._need(at, 4)
        code = words[at + 3]
        flags = code >> 24
        return Integer(words[at + 2], code & 255, code >> 16 & 255, bool(flags & 1), bool(flags & 2), bool(flags & 4))

    def raw_fields(self, number: int) -> Iterator[Field]:
        """Yield the members of a struct or union as they stand; an anonymous one has an empty name."""
        words, at = self._entry(number)
        flagged = words[at + 1] >> 31
        tail, string = self._tail(number, 3), self.string
        for name, target, where in zip(tail[::3], tail[1::3], tail[2::3], strict=True):
            if flagged:
                yield Field(string(name), target, where & 0xFFFFFF, where >> 24)
            else:
                yield Field(string(name), target, where, 0)

    def fields(self, number: int) -> tuple[Field, ...]:
        """Return the members of a struct or union, those of anonymous ones inside it included, in their order."""
        found = self._fields.get(number)
        if found is None:
            out: list[Field] = []
            self._flatten(number, 0, out, (), [MAX_MEMBERS])
            found = self._fields[number] = tuple(out)
        return found

    def _flatten(self, number: int, base: int, out: list[Field], path: tuple[int, ...], left: list[int]) -> None:
        if number in path or len(path) > MAX_CHAIN:
            raise Implausible(f"BTF: type {number} is a member of itself")
        for field in self.raw_fields(number):
            left[0] -= 1
            if left[0] < 0:
                raise Implausible(f"BTF: type {number} has too many members")
            if field.name:
                out.append(field if not base else field._replace(bit_offset=field.bit_offset + base))
            else:
                inner = self.strip(field.type)
                if self.kind(inner) in COMPOUND:
                    self._flatten(inner, base + field.bit_offset, out, (*path, number), left)

    def enumerators(self, number: int) -> dict[str, int]:
        """Return an enum's values by name."""
        words, at = self._entry(number)
        flagged, bits = bool(words[at + 1] >> 31), 32
        if self.kind(number) == ENUM64:
            tail, bits = self._tail(number, 3), 64
            pairs = [(n, low | high << 32) for n, low, high in zip(tail[::3], tail[1::3], tail[2::3], strict=True)]
        else:
            tail = self._tail(number, 2)
            pairs = list(zip(tail[::2], tail[1::2], strict=True))
        top = 1 << bits - 1
        return {self.string(n): v - 2 * top if v >= top and self._is_signed(flagged) else v for n, v in pairs}

    def _is_signed(self, flagged: bool) -> bool:
        """Tell whether an enum's values are signed: its flag says so since 6.0; before, no enum has it and all are."""
        if self._signed is None:
            kernel = self if not isinstance(self.base, Btf) else self.base
            enums = (kernel._entry(kernel.first_id + n) for n in kernel._named[0])
            self._signed = any(w[at + 1] >> 31 and w[at + 1] >> 24 & 0x7F in ENUMS for w, at in enums)
        return flagged or not self._signed

    def enumerator(self, name: str) -> int | None:
        """Return the value of an enumerator of any enum, named or not; None for none. Reads all types."""
        for number, word in self._uses(name):
            if word >= 3 and self.kind(number) in ENUMS:
                value = self.enumerators(number).get(name)
                if value is not None:
                    return value
        return self.base.enumerator(name) if isinstance(self.base, Btf) else None

    def variables(self, section: str = ".data..percpu") -> dict[str, Variable]:
        """Return the variables that BTF has of a section, per-CPU ones unless told otherwise; empty where none."""
        number = self.find(section, DATASEC)
        if number is None:
            return {}
        tail, out = self._tail(number, 3), {}
        for target, offset, size in zip(tail[::3], tail[1::3], tail[2::3], strict=True):
            if self.kind(target) == VAR:
                variable = Variable(self.name(target), self.target(target), offset, size)
                out[variable.name] = variable
        return out

    def parameters(self, number: int) -> list[tuple[str, int]]:
        """Return (name, type) of a function prototype's parameters; type 0 at the end stands for `...`."""
        tail = self._tail(number, 2)
        return [(self.string(name), target) for name, target in zip(tail[::2], tail[1::2], strict=True)]

    def function(self, name: str) -> "tuple[Btf, int] | None":
        """Return a function's prototype (FUNC_PROTO) and the table that has it; None for none. Reads all types."""
        for number, word in self._uses(name):
            if word == 0 and self.kind(number) == FUNC and self.kind(self.target(number)) == FUNC_PROTO:
                return self, self.target(number)
        return self.base.function(name) if isinstance(self.base, Btf) else None

    def prototype(self, function: str) -> str | None:
        """Spell a function's prototype with its parameters' names; None for one that is not there. Reads all types."""
        found = self.function(function)
        if found is None:
            return None
        table, proto = found
        listed = [table.type_name(t, name) if t else "..." for name, t in table.parameters(proto)[:MAX_SPELT]]
        return table.type_name(table.target(proto), f"{function}({', '.join(listed) or 'void'})")

    def type_name(self, number: int, inner: str = "") -> str:
        """Spell a type as C does: "struct task_struct *", "char [16]", "void (*)(struct work_struct *)"."""
        return self._spell(number, inner, [MAX_SPELT])

    def _spell(self, number: int, inner: str, left: list[int]) -> str:
        """Spell a type around `inner`, with at most so many types `left` to go through, and at most so many letters."""
        left[0] -= 1
        if left[0] < 0 or len(inner) > MAX_NAME:
            return "..."
        kind = self.kind(number)
        if kind == PTR:
            target = self.target(number)
            pointed = self.kind(target) in (ARRAY, FUNC_PROTO)
            return self._spell(target, f"(*{inner})" if pointed else f"*{inner}", left)
        if kind == ARRAY:
            element, count = self.array(number)
            return self._spell(element, f"{inner}[{count or ''}]", left)
        if kind == FUNC_PROTO:
            listed = [self._spell(t, "", left) if t else "..." for _, t in self.parameters(number)[:32]]
            return self._spell(self.target(number), f"{inner}({', '.join(listed) or 'void'})", left)
        if kind in _QUALIFIERS:
            target = self.target(number)
            if self.kind(target) == PTR:
                return self._spell(target, _QUALIFIERS[kind] + inner, left)
            return _QUALIFIERS[kind] + self._spell(target, inner, left)
        if kind in (TYPE_TAG, FUNC, VAR):
            return self._spell(self.target(number), inner, left)
        own = self.name(number) or "{...}"
        name = _KEYWORDS.get(kind, "") + (_SPELT.get(own, own) if kind == INT else own)
        return f"{name} {inner}".rstrip() if inner else name
