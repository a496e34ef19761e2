"""Layouts: which bytes of a struct a member takes, found in the kernel's BTF when a member is first asked for.

Paths are dotted and go through embedded structs and anonymous unions, never through a pointer. Several structs may
have one name: the largest is taken, which is the core kernel's where a driver has a small one of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args

from oopscope.errors import Implausible, NoMember, NoType
from oopscope.symbols.btf import COMPOUND, ENUMS, Btf, Field
from oopscope.symbols.btf_table import ARRAY, ENUM, ENUM64, FLOAT, INT, PTR, STRUCT, TYPEDEF, UNION

Kind = Literal["int", "uint", "bool", "ptr", "array", "struct", "union", "enum", "float", "void"]

KINDS = frozenset(get_args(Kind))
_KINDS: dict[int, Kind] = {PTR: "ptr", STRUCT: "struct", UNION: "union", ENUM: "enum", ENUM64: "enum", FLOAT: "float"}
_PREFIXES = {"struct": (STRUCT,), "union": (UNION,), "enum": (ENUM, ENUM64)}
MAX_DIMENSIONS = 16


class Member(NamedTuple):
    """One member; a bit-field is `bit_size` bits, from `bit_offset` (0 the lowest), of the `size` bytes at `offset`."""

    name: str
    offset: int  # bytes from the start of the struct that was asked
    size: int  # bytes
    kind: Kind
    type: int  # the BTF id, as declared
    bit_offset: int = 0
    bit_size: int = 0  # 0 for what is no bit-field
    # Of an array: all elements, of all dimensions; 0 for a flexible one. Hides the method of tuples.
    count: int = 0  # type: ignore[assignment]
    element_size: int = 0
    element_kind: Kind = "void"


class Layout:
    """One struct, union or typedef of one."""

    def __init__(self, btf: Btf, name: str, number: int) -> None:
        self.name, self.type = name, number
        self._btf = btf
        self._number = btf.strip(number)
        if btf.kind(self._number) not in COMPOUND:
            raise NoType(name)
        self.size = btf.size(self._number)
        self._fields: dict[str, Field] | None = None
        self._found: dict[str, Member] = {}
        self._inner: dict[int, Layout] = {}  # by type: of the structs inside that paths went through

    def _names(self) -> dict[str, Field]:
        if self._fields is None:
            self._fields = {}
            for field in self._btf.fields(self._number):
                self._fields.setdefault(field.name, field)
        return self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __contains__(self, name: str) -> bool:
        return name in self._names()

    @property
    def members(self) -> dict[str, Member]:
        """All members, those of anonymous structs and unions included, in their order."""
        return {name: self.member(name) for name in self._names()}

    def member(self, path: str) -> Member:
        """Return a member by its path, `a`, `a.b` or `a[2].b`; NoMember."""
        found = self._found.get(path)
        if found is None:
            first, dot, rest = path.partition(".")
            name, index = _split(first)
            field = self._names().get(name)
            if field is None:
                raise NoMember(self.name, path)
            found = member_of(self._btf, field)
            if index is not None:
                found = self._element(found, index, path)
            if dot:
                found = self._inside(found, rest, path)
            self._found[path] = found
        return found

    def _element(self, array: Member, index: int, path: str) -> Member:
        if array.kind != "array" or not array.element_size:
            raise NoMember(self.name, path)
        element, _ = _dimensions(self._btf, array.type)
        at = array.offset + index * array.element_size
        return Member(array.name, at, array.element_size, array.element_kind, element)

    def _inside(self, outer: Member, rest: str, path: str) -> Member:
        if outer.kind not in ("struct", "union"):
            raise NoMember(self.name, path)
        layout = self._inner.get(outer.type)
        if layout is None:
            layout = self._inner[outer.type] = Layout(self._btf, self.name, outer.type)
        try:
            inner = layout.member(rest)
        except NoMember:
            raise NoMember(self.name, path) from None
        return inner._replace(offset=outer.offset + inner.offset)


def _split(step: str) -> tuple[str, int | None]:
    """Split `name[2]` into name and index."""
    name, bracket, index = step.partition("[")
    return (name, int(index[:-1])) if bracket and index[:-1].isdecimal() and index.endswith("]") else (step, None)


def _kind(btf: Btf, number: int) -> Kind:
    kind = btf.kind(number)
    if kind == INT:
        code = btf.integer(number)
        return "bool" if code.bool else "int" if code.signed else "uint"
    return _KINDS.get(kind, "void")


def _dimensions(btf: Btf, number: int) -> tuple[int, int]:
    """Return (innermost element type, number of elements of all dimensions) of an array."""
    number, count = btf.strip(number), 1
    for _ in range(MAX_DIMENSIONS):
        if btf.kind(number) != ARRAY:
            return number, count
        inner, times = btf.array(number)
        number, count = btf.strip(inner), count * times
    raise Implausible(f"BTF: an array of more than {MAX_DIMENSIONS} dimensions")


def member_of(btf: Btf, field: Field) -> Member:
    """Say which bytes a BTF member takes, and how they are read."""
    number = btf.strip(field.type)
    if btf.kind(number) == ARRAY:
        element, count = _dimensions(btf, number)
        each = btf.size(element)
        at = field.bit_offset // 8
        return Member(field.name, at, each * count, "array", field.type, 0, 0, count, each, _kind(btf, element))
    kind, bits, at = _kind(btf, number), field.bit_size, field.bit_offset
    if not bits and kind in ("int", "uint", "bool"):
        code = btf.integer(number)
        if code.offset or code.bits not in (0, 8 * code.size):  # a bit-field without kind_flag, before 4.20
            bits, at = code.bits, at + code.offset
    if bits:
        return _bit_field(btf, field, kind, at, bits)
    return Member(field.name, at // 8, btf.size(number), kind, field.type)


def _bit_field(btf: Btf, field: Field, kind: Kind, at: int, bits: int) -> Member:
    """Give a bit-field the smallest number of bytes that holds it; big-endian machines count bits from the top."""
    offset, shift = divmod(at, 8)
    size = next((s for s in (1, 2, 4, 8) if 8 * s >= shift + bits), 16)
    if btf.endian == ">":
        shift = 8 * size - shift - bits
    return Member(field.name, offset, size, kind, field.type, shift, bits)


class Types:
    """The types of one kernel by name, with what was resolved kept; BTF itself is opened when first needed."""

    def __init__(self, open_btf: Callable[[], Btf]) -> None:
        self._open = open_btf
        self._btf: Btf | None = None
        self._layouts: dict[str, Layout] = {}
        self._members: dict[str, dict[str, Member | None]] = {}  # None: no such member
        self._sizes: dict[str, int | None] = {}  # None: no such type
        self._enums: dict[str, dict[str, int] | None] = {}
        self._constants: dict[str, int | None] = {}
        self._kept = 0  # how much of this `preload` brought

    @property
    def btf(self) -> Btf:
        """The BTF behind it all; raises what opening it raises."""
        if self._btf is None:
            self._btf = self._open()
        return self._btf

    def layout(self, name: str) -> Layout:
        """Return the layout of a struct, a union (either with or without its keyword) or a typedef of one; NoType."""
        layout = self._layouts.get(name)
        if layout is None:
            keyword, _, rest = name.rpartition(" ")
            kinds = _PREFIXES.get(keyword)
            number = self._get(rest, kinds) if kinds else self._get(name, (STRUCT, UNION), (TYPEDEF,))
            layout = self._layouts[name] = Layout(self.btf, name, number)
        return layout

    def layouts(self, name: str) -> list[Layout]:
        """Return the layouts of all structs and unions of a name."""
        return [Layout(self.btf, name, number) for number in self.btf.find_all(name, STRUCT, UNION)]

    def _get(self, name: str, *kinds: tuple[int, ...] | None) -> int:
        for wanted in kinds:
            try:
                return self.btf.get(name, *wanted or ())
            except NoType:
                continue
        raise NoType(name)

    def member(self, struct: str, path: str) -> Member:
        """Return a member by its struct's name and its path; NoType or NoMember."""
        known = self._members.setdefault(struct, {})
        if path not in known:
            if struct in self._sizes and self._sizes[struct] is None:
                raise NoType(struct)
            try:
                known[path] = self.layout(struct).member(path)
            except NoMember:
                known[path] = None
            except NoType:
                self._sizes[struct] = None
                raise
        found = known[path]
        if found is None:
            raise NoMember(struct, path)
        return found

    def has_member(self, struct: str, path: str) -> bool:
        """Tell whether the struct and its member are there."""
        try:
            self.member(struct, path)
        except (NoType, NoMember):
            return False
        return True

    def sizeof(self, name: str) -> int:
        """Return the size in bytes of a struct, union, typedef, enum or base type; NoType."""
        if name not in self._sizes:
            keyword, _, rest = name.rpartition(" ")
            kinds = _PREFIXES.get(keyword)
            try:
                number = self._get(rest, kinds) if kinds else self._get(name, (STRUCT, UNION), None)
                self._sizes[name] = self.btf.size(number)
            except NoType:
                self._sizes[name] = None
        size = self._sizes[name]
        if size is None:
            raise NoType(name)
        return size

    def has(self, name: str) -> bool:
        """Tell whether this kernel has a type of a name."""
        try:
            self.sizeof(name)
        except NoType:
            return False
        return True

    def enum(self, name: str) -> dict[str, int]:
        """Return an enum's values by name (the tag of an enum, or a typedef of one); NoType."""
        if name not in self._enums:
            try:
                number = self.btf.strip(self._get(name.removeprefix("enum "), tuple(ENUMS), (TYPEDEF,)))
                self._enums[name] = self.btf.enumerators(number) if self.btf.kind(number) in ENUMS else None
            except NoType:
                self._enums[name] = None
        found = self._enums[name]
        if found is None:
            raise NoType(name)
        return found

    def has_enum(self, name: str) -> bool:
        """Tell whether an enum is there."""
        try:
            self.enum(name)
        except NoType:
            return False
        return True

    def constant(self, name: str) -> int | None:
        """Return the value of an enumerator of whatever enum; None where no enum has it."""
        if name not in self._constants:
            self._constants[name] = self.btf.enumerator(name)
        return self._constants[name]

    @property
    def opened(self) -> Btf | None:
        """The BTF if anything has needed it."""
        return self._btf

    @property
    def changed(self) -> bool:
        """Tell whether something was resolved that `preload` did not bring."""
        return self._count() != self._kept

    def _count(self) -> int:
        members = sum(map(len, self._members.values()))
        return members + len(self._members) + len(self._sizes) + len(self._enums) + len(self._constants)

    def export(self) -> dict[str, Any]:
        """Return what was resolved so far, as plain data, for the index cache."""
        members = {s: {p: tuple(m) if m else None for p, m in paths.items()} for s, paths in self._members.items()}
        return {"members": members, "sizes": self._sizes, "enums": self._enums, "constants": self._constants}

    def preload(self, saved: dict[str, Any]) -> None:
        """Take in what an earlier run exported of the same kernel; ValueError, TypeError or KeyError if malformed."""
        members = {
            str(s): {str(p): _checked(m) if m is not None else None for p, m in paths.items()}
            for s, paths in saved["members"].items()
        }
        sizes = {str(n): None if v is None else int(v) for n, v in saved["sizes"].items()}
        constants = {str(n): None if v is None else int(v) for n, v in saved["constants"].items()}
        enums = {
            str(n): None if values is None else {str(k): int(v) for k, v in values.items()}
            for n, values in saved["enums"].items()
        }
        self._members, self._sizes, self._enums, self._constants = members, sizes, enums, constants
        self._kept = self._count()


def _checked(values: list[Any]) -> Member:
    """Make a Member of what the cache holds; ValueError or TypeError where it cannot be one."""
    member = Member(*values)
    numbers = (member.offset, member.size, member.type, member.bit_offset, member.bit_size, member.count)
    sizes = (*numbers, member.element_size)
    if {size.__class__ for size in sizes} != {int} or min(sizes) < 0:
        raise ValueError("not a member")
    if member.kind not in KINDS or member.element_kind not in KINDS or not isinstance(member.name, str):
        raise ValueError("not a member")
    return member
