"""Plans: which members of a struct a walk wants, read in one unpack, typed rows out.

A plan is made once, at import; binding it to a kernel's types resolves each member by its newest name first, so a
renamed or moved member is data, not code. What the row's annotations say decides how a member is read:

    int            a number: integer, pointer, enumerator, bit-field
    bytes          a char array, cut at its NUL
    tuple[int, ..] an array of numbers
    ... | None     optional: None where this kernel has no such member

A path "se.vruntime" goes through embedded structs, "&tasks" is the address of a member, and the row's field
`address`, if it has one, is the struct's own address.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, get_args

from oopscope.errors import Implausible, NoMember, NoType, ReadError
from oopscope.memory.virtual import Memory

if TYPE_CHECKING:
    from oopscope.structs.layout import Member

Row = TypeVar("Row", bound=tuple[Any, ...])
GAP = 1024  # members further apart than this are read separately


class Types(Protocol):
    """What binding needs of a kernel's types."""

    def member(self, struct: str, path: str) -> "Member":
        """Resolve a dotted path; NoType or NoMember."""
        ...

    def sizeof(self, struct: str) -> int:
        """Return a struct's size in bytes; NoType."""
        ...


class Plan(Generic[Row]):
    """The members wanted of a struct (the newest name first, where it has had several), and the row they make."""

    def __init__(self, structs: str | tuple[str, ...], row: type[Row], **paths: str | tuple[str, ...]) -> None:
        self.structs = (structs,) if isinstance(structs, str) else structs
        self.row = row
        self.fields: list[tuple[str, tuple[str, ...], Any]] = []
        for name, hint in row.__annotations__.items():
            want = paths.pop(name, name)
            self.fields.append((name, (want,) if isinstance(want, str) else want, hint))
        if paths:
            raise TypeError(f"{row.__name__} has no field {', '.join(paths)}")

    def bind(self, types: Types, memory: Memory, endian: str = "<") -> "Bound[Row]":
        """Resolve the members in a kernel's types; NoType or NoMember when a required one is missing."""
        return Bound(self, types, memory, endian)

    def __repr__(self) -> str:
        return f"Plan({self.structs[0]})"


class _Slot(NamedTuple):
    """One value of a row: where it is, its format, and what is made of the raw number."""

    field: int
    offset: int
    format: str
    size: int
    convert: Callable[[Any], Any] | None


def _cut(raw: bytes) -> bytes:
    return raw.split(b"\0", 1)[0]


def _bits(shift: int, width: int) -> Callable[[int], int]:
    mask = (1 << width) - 1
    return lambda value: value >> shift & mask


_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
MAX_MEMBER = 1 << 20  # bytes of one member of a row


def _scalar(size: int, signed: bool) -> str:
    code = _CODES[size]
    return code.lower() if signed else code


def _slot(index: int, member: "Member", hint: Any, endian: str) -> _Slot:
    """Decide how one member is unpacked; Implausible for what types that lie say of it."""
    odd = member.kind == "array" and hint is not bytes and member.element_size not in _CODES
    if odd or not 0 <= member.size <= MAX_MEMBER or member.count > MAX_MEMBER:
        raise Implausible(f"a member {member.name} of {member.size} bytes, {member.count} elements")
    if member.bit_size:
        size = member.size if member.size in _CODES else 8
        return _Slot(index, member.offset, _CODES[size], size, _bits(member.bit_offset, member.bit_size))
    if hint is bytes:
        return _Slot(index, member.offset, f"{member.size}s", member.size, _cut)
    if member.kind == "array":
        code = _scalar(member.element_size, False)
        size, numbers = member.count * member.element_size, struct.Struct(f"{endian}{member.count}{code}")
        return _Slot(index, member.offset, f"{size}s", size, numbers.unpack)
    size = member.size if member.size in _CODES else 8
    return _Slot(index, member.offset, _scalar(size, member.kind == "int"), size, None)


class _Cluster(NamedTuple):
    start: int
    layout: struct.Struct


class Bound(Generic[Row]):
    """A plan bound to one kernel: rows by address."""

    def __init__(self, plan: Plan[Row], types: Types, memory: Memory, endian: str) -> None:
        self.struct = self._choose(plan, types)
        self.size = types.sizeof(self.struct)
        self._memory, self._endian = memory, endian
        # As the row's own _make, which counts once more what is as many as the plan has fields.
        self._make: Callable[[Iterable[Any]], Row] = partial(tuple.__new__, plan.row)
        self._offsets: dict[str, int | None] = {}
        self._own: list[tuple[int, int]] = []  # fields that are addresses: (index, offset)
        self._none: list[int] = []
        slots: list[_Slot] = []
        for index, (name, paths, hint) in enumerate(plan.fields):
            if name == "address":
                self._own.append((index, 0))
                continue
            member, path = self._resolve(types, paths, hint)
            self._offsets[name] = member.offset if member else None
            if member is None:
                self._none.append(index)
            elif path.startswith("&"):
                self._own.append((index, member.offset))
            else:
                slots.append(_slot(index, member, _plain(hint), endian))
        self._slots = {plan.fields[s.field][0]: s for s in slots}
        self._prepare(sorted(slots, key=lambda s: s.offset), len(plan.fields))

    @staticmethod
    def _choose(plan: Plan[Row], types: Types) -> str:
        for name in plan.structs[:-1]:
            try:
                types.sizeof(name)
                return name
            except NoType:
                continue
        types.sizeof(plan.structs[-1])
        return plan.structs[-1]

    def _resolve(self, types: Types, paths: tuple[str, ...], hint: Any) -> "tuple[Member | None, str]":
        for path in paths:
            try:
                return types.member(self.struct, path.lstrip("&")), path
            except NoMember:
                continue
        if type(None) in get_args(hint):
            return None, ""
        raise NoMember(self.struct, " or ".join(paths))

    def _prepare(self, slots: list[_Slot], width: int) -> None:
        """Group the slots into clusters, each one struct.Struct with pad bytes, and the order of the row."""
        groups: list[list[_Slot]] = []
        for slot in slots:
            if groups and slot.offset - groups[-1][-1].offset - groups[-1][-1].size <= GAP:
                groups[-1].append(slot)
            else:
                groups.append([slot])
        self._clusters: list[_Cluster] = []
        order: list[_Slot] = []
        for group in groups:
            format_, at = self._endian, group[0].offset
            for slot in group:
                if slot.offset < at:  # a union's second face: read on its own
                    self._clusters.append(_Cluster(slot.offset, struct.Struct(self._endian + slot.format)))
                    continue
                format_ += f"{slot.offset - at}x{slot.format}"
                at = slot.offset + slot.size
            self._clusters.append(_Cluster(group[0].offset, struct.Struct(format_)))
            order.extend(_reading_order(group))
        positions = {slot.field: i for i, slot in enumerate(order)}
        extra = [i for i, _ in self._own] + self._none
        positions.update({index: len(order) + i for i, index in enumerate(extra)})
        wanted = [positions[i] for i in range(width)]
        self._permute = itemgetter(*wanted) if wanted != list(range(width)) and width > 1 else None
        self._convert = [(i, slot.convert) for i, slot in enumerate(order) if slot.convert]
        self._tail = [offset for _, offset in self._own]
        self._nones = [None] * len(self._none)
        self._only = self._clusters[0] if len(self._clusters) == 1 else None
        self._as_read = not (self._convert or self._tail or self._nones)

    def row(self, address: int) -> Row:
        """Read one struct; ReadError when a page of it is missing."""
        view = self._memory.view
        if self._only is not None:
            start, layout = self._only
            buffer, at = view(address + start, layout.size)
            raw = layout.unpack_from(buffer, at)
            if self._as_read:
                return self._make(self._permute(raw) if self._permute else raw)
            values: list[Any] = list(raw)
        else:
            values = []
            for start, layout in self._clusters:
                buffer, at = view(address + start, layout.size)
                values += layout.unpack_from(buffer, at)
        for i, convert in self._convert:
            values[i] = convert(values[i])
        for offset in self._tail:
            values.append(address + offset)
        values += self._nones
        return self._make(self._permute(values) if self._permute else values)

    def array(self, address: int, count: int) -> list[Row]:
        """Read structs that follow each other, in one read; ReadError when a page of them is missing."""
        start, layout = self._clusters[0] if len(self._clusters) == 1 else (0, None)
        rest = self.size - start - layout.size if layout is not None else -1
        if layout is None or rest < 0 or self._convert or self._tail or self._nones:
            return [self.row(address + n * self.size) for n in range(count)]
        make = self._make
        return [make(values) for values in self._unpacked(address, count, start, layout.format[1:], rest)]

    def tuples(self, address: int, count: int) -> Iterable[tuple[Any, ...]]:
        """Read structs that follow each other as `array` does, as bare tuples: for walks over very many."""
        start, layout = self._clusters[0] if len(self._clusters) == 1 else (0, None)
        rest = self.size - start - layout.size if layout is not None else -1
        if layout is None or rest < 0 or self._convert or self._tail or self._nones:
            return [self.row(address + n * self.size) for n in range(count)]
        return self._unpacked(address, count, start, layout.format[1:], rest)

    def _unpacked(self, address: int, count: int, start: int, layout: str, rest: int) -> Iterable[tuple[Any, ...]]:
        whole = struct.Struct(f"{self._endian}{start}x{layout}{rest}x")
        found = whole.iter_unpack(self._memory.read(address, count * self.size))
        return map(self._permute, found) if self._permute else found

    def partly(self, address: int) -> dict[str, Any]:
        """Read each member by itself, where not all of a struct is in the dump; those unreadable are left out."""
        found: dict[str, Any] = {}
        for name, slot in self._slots.items():
            try:
                raw = self._memory.read(address + slot.offset, slot.size)
            except ReadError:
                continue
            (value,) = struct.unpack(self._endian + slot.format, raw)
            found[name] = slot.convert(value) if slot.convert else value
        return found

    def rows(self, addresses: Iterable[int], lost: Callable[[ReadError], None] | None = None) -> Iterator[Row]:
        """Yield a row for each address; an unreadable one goes to `lost` and the walk goes on."""
        for address in addresses:
            try:
                yield self.row(address)
            except ReadError as e:
                if lost is None:
                    raise
                lost(e)

    def offset(self, field: str) -> int:
        """Return the offset of a field's member in bytes; NoMember for one that this kernel lacks."""
        offset = self._offsets[field]
        if offset is None:
            raise NoMember(self.struct, field)
        return offset

    def has(self, field: str) -> bool:
        """Tell whether this kernel has the member."""
        return self._offsets.get(field) is not None


def _reading_order(group: list[_Slot]) -> list[_Slot]:
    """The order in which a group's values come out: overlapping ones first, then the rest."""
    at, first, rest = group[0].offset, [], []
    for slot in group:
        if slot.offset < at:
            first.append(slot)
        else:
            rest.append(slot)
            at = slot.offset + slot.size
    return first + rest


def _plain(hint: Any) -> Any:
    """Strip `| None` from an annotation."""
    args = [a for a in get_args(hint) if a is not type(None)]
    return args[0] if type(None) in get_args(hint) and len(args) == 1 else hint
