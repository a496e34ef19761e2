"""The tables of BTF: where each type is, by number and by name. What a type means is said in btf.py.

Follows Documentation/bpf/btf.rst and include/uapi/linux/btf.h up to 7.2 (24 bits of vlen, 7 bits of kind; older files
have zeros there). One pass over the type section makes an index of where each type is, as an array; names are looked
up in a dict of those that can be asked for. Ids and string offsets of a split BTF (a module's) go on where its base's
end.
"""

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator

from oopscope.errors import Implausible
from oopscope.symbols.blob import NATIVE, Blob, Endian

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT = range(1, 12)
FUNC, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 = range(12, 20)
KNOWN = ENUM64

NAMED = frozenset((INT, STRUCT, UNION, ENUM, TYPEDEF, DATASEC, FLOAT, ENUM64))  # what `find` finds

# Words after the three of every type: so many, and so many for each of vlen.
_FIXED = {INT: 1, ARRAY: 3, VAR: 1, DECL_TAG: 1}
_EACH = {STRUCT: 3, UNION: 3, ENUM: 2, FUNC_PROTO: 2, DATASEC: 3, ENUM64: 3}

MAX_STRING = 1 << 16
MAX_STEPS = 1 << 16  # sizes of types remembered while indexing


class _Steps(dict[int, int]):
    """How many words a type takes, by its info word; less than 0 for one that may have a name to be asked for."""

    def __init__(self, layout: dict[int, tuple[int, int]]) -> None:
        super().__init__()
        self._layout = layout

    def __missing__(self, info: int) -> int:
        kind, vlen = info >> 24 & 0x7F, info & 0xFFFFFF
        if kind in self._layout:
            fixed, each = self._layout[kind]
        elif 1 <= kind <= KNOWN:
            fixed, each = _FIXED.get(kind, 0), _EACH.get(kind, 0)
        else:
            raise Implausible(f"BTF: a type of unknown kind {kind}")
        step = (3 + fixed + vlen * each) * (-1 if kind in NAMED else 1)
        if len(self) < MAX_STEPS:
            self[info] = step
        return step


class BtfTable:
    """The types of a kernel, or (with a base) of a module: Implausible for what cannot be, ReadError for holes."""

    def __init__(self, data: bytes | Blob, base: "BtfTable | None" = None, index: bytes | None = None) -> None:
        self._blob = data if isinstance(data, Blob) else Blob.of(data)
        self.base = base
        self.first_id: int = base.count if base else 1
        self._first_string: int = base.strings_end if base else 0
        self._parse_header()
        self._words = memoryview(self._blob.data)[self._types : self._types + self._types_size].cast("I")
        self.problem: str | None = None  # why the index ends early, if it does
        self._names: dict[bytes, int] | None = None
        self._same: dict[bytes, list[int]] = {}
        self._whole = self._whole_strings = False
        self._offsets: array[int] = array("I")  # in words
        self._named: tuple[array[int], array[int]] = (array("I"), array("I"))  # ids less first_id, string offsets
        if not (index and self.endian == NATIVE and self._import_index(index)):
            self._index()

    def _parse_header(self) -> None:
        blob = self._blob
        if blob.size < 24:
            raise Implausible(f"BTF of {blob.size} bytes", blob.address)
        blob.need(0, 24)
        self.endian: Endian = "<" if blob.data[0] == 0x9F else ">"
        magic, version, _flags = struct.unpack_from(self.endian + "HBB", blob.data)
        header: tuple[int, ...] = struct.unpack_from(self.endian + "IIIII", blob.data, 4)
        size, types, types_size, strings, strings_size = header
        limit = blob.size - size
        if magic != 0xEB9F or version != 1 or size < 24 or (size + types) % 4 or types_size % 4:
            raise Implausible("BTF: no header", blob.address)
        if types + types_size > limit or strings + strings_size > limit:
            raise Implausible("BTF: sections beyond its end", blob.address)
        self._types, self._types_size = size + types, types_size
        self._strings, self._strings_size = size + strings, strings_size
        self._layout = self._parse_layout(size) if size >= 32 else {}

    def _parse_layout(self, size: int) -> dict[int, tuple[int, int]]:
        """Read the layout section (7.1): for each kind, the bytes after its three words and those for each of vlen."""
        blob = self._blob
        blob.need(0, 32)
        at, length = struct.unpack_from(self.endian + "II", blob.data, 24)
        if not length or size + at + length > blob.size:
            return {}
        blob.need(size + at, size + at + length)
        entries = struct.iter_unpack(self.endian + "BBH", blob.data[size + at : size + at + length - length % 4])
        sizes = {kind: (info // 4, each // 4) for kind, (info, each, _flags) in enumerate(entries) if kind > KNOWN}
        return {kind: s for kind, s in sizes.items() if kind < 128}

    @property
    def address(self) -> int:
        """Where these types are in memory."""
        return self._blob.address

    @property
    def length(self) -> int:
        """How many bytes they take there."""
        return self._blob.size

    @property
    def count(self) -> int:
        """The first id beyond these types: a split BTF's first."""
        return self.first_id + len(self._offsets)

    @property
    def strings_end(self) -> int:
        """The first string offset beyond these."""
        return self._first_string + self._strings_size

    # The index

    def _load_types(self) -> None:
        """Read all types, in this host's byte order."""
        if self._types_size and not self._whole:
            self._blob.need(self._types, self._types + self._types_size)
            if self.endian != NATIVE:
                swapped = array("I", self._words.tobytes())
                swapped.byteswap()
                self._words[:] = memoryview(swapped)
        self._whole = True

    def _index(self) -> None:
        """Step over all types once; keep where each is, and which have a name that may be asked for."""
        self._load_types()
        offsets, ids, strings = array("I"), array("I"), array("I")
        words, infos, append, steps = self._words, self._words[1:], offsets.append, _Steps(self._layout)
        at, end = 0, len(self._words) - 2
        try:
            while at < end:
                step = steps[infos[at]]
                if step < 0:
                    step = -step
                    if words[at]:
                        ids.append(len(offsets))
                        strings.append(words[at])
                append(at)
                at += step
        except Implausible as e:
            self.problem = f"{e}; {len(offsets)} types before it are known"
        self._offsets, self._named = offsets, (ids, strings)

    def export_index(self) -> bytes:
        """Return the index, to be given to a later Btf of the same types."""
        arrays = (self._offsets, *self._named)
        return b"".join(array("I", [len(a)]).tobytes() + a.tobytes() for a in arrays)

    def _import_index(self, index: bytes) -> bool:
        numbers, arrays, at = array("I"), [], 0
        numbers.frombytes(index[: len(index) & -4])
        for _ in range(3):
            if at >= len(numbers) or at + 1 + numbers[at] > len(numbers):
                return False
            arrays.append(numbers[at + 1 : at + 1 + numbers[at]])
            at += 1 + numbers[at]
        self._offsets, self._named = arrays[0], (arrays[1], arrays[2])
        fits: bool = len(arrays[1]) == len(arrays[2]) <= len(arrays[0]) <= self._types_size // 12
        return fits

    # One type

    def _entry(self, number: int) -> "tuple[memoryview[int], int]":
        """Return (words, index of the type's first word), with its three words read."""
        if number < self.first_id:
            if self.base is None:
                raise Implausible(f"BTF: type {number}")
            return self.base._entry(number)
        if number >= self.first_id + len(self._offsets):
            raise Implausible(f"BTF: type {number} of {self.count}")
        at = self._offsets[number - self.first_id]
        if not self._whole or at + 3 > len(self._words):
            self._need(at, 3)
        return self._words, at

    def _need(self, at: int, words: int) -> None:
        if at + words > len(self._words):
            raise Implausible("BTF: a type beyond the end of the types", self._blob.address)
        if not self._whole:
            self._blob.need(self._types + 4 * at, self._types + 4 * (at + words))

    def _tail(self, number: int, each: int) -> list[int]:
        """Return the words after a type's three: `each` for each of its vlen."""
        if number < self.first_id and self.base:
            return self.base._tail(number, each)
        words, at = self._entry(number)
        size = (words[at + 1] & 0xFFFFFF) * each
        if size:
            self._need(at + 3, size)
        return words[at + 3 : at + 3 + size].tolist()

    def kind(self, number: int) -> int:
        """Return a type's kind, 0 for void."""
        if not number:
            return 0
        words, at = self._entry(number)
        return words[at + 1] >> 24 & 0x7F

    def target(self, number: int) -> int:
        """Return the type that a pointer, alias, function or variable refers to."""
        words, at = self._entry(number)
        return words[at + 2]

    def name(self, number: int) -> str:
        """Return a type's own name, empty for an anonymous one."""
        if not number:
            return "void"
        words, at = self._entry(number)
        return self.string(words[at])

    def string(self, offset: int) -> str:
        """Return a string by its offset."""
        return self._string(offset).decode("utf-8", "replace")

    def _string(self, offset: int) -> bytearray:
        if offset < self._first_string and self.base:
            return self.base._string(offset)
        at, end = self._strings + offset - self._first_string, self._strings + self._strings_size
        if at >= end:
            raise Implausible(f"BTF: string {offset:#x}", self._blob.address)
        data = self._blob.data
        stop = -1 if not self._whole_strings else data.find(b"\0", at, end)
        size = 64
        while stop < 0 and not self._whole_strings and size <= MAX_STRING:
            self._blob.need(at, min(at + size, end))
            stop = data.find(b"\0", at, min(at + size, end))
            size *= 8
        if stop < 0 or stop - at > MAX_STRING:
            raise Implausible(f"BTF: string {offset:#x} has no end", self._blob.address)
        return data[at:stop]

    # By name

    def _by_name(self) -> dict[bytes, int]:
        """Return the first type of each name, made once; the others of the same name are in _same."""
        if self._names is None:
            if self._strings_size:
                self._blob.need(self._strings, self._strings + self._strings_size)
            self._whole_strings = True
            text = bytes(self._blob.data[self._strings : self._strings + self._strings_size])
            names: dict[bytes, int] = {}
            for number, offset in zip(*self._named, strict=True):
                if offset >= self._first_string:
                    start = offset - self._first_string
                    name = text[start : text.find(b"\0", start)]
                else:
                    name = bytes(self._string(offset))
                if name in names:
                    self._same.setdefault(name, [names[name]]).append(number + self.first_id)
                else:
                    names[name] = number + self.first_id
            self._names = names
        return self._names

    def find_all(self, name: str, *kinds: int) -> list[int]:
        """Return the types of a name (of these kinds, or of any), in the order of their ids, a base's after ours."""
        key = name.encode("utf-8", "replace")
        first = self._by_name().get(key)
        found = self._same.get(key) or ([first] if first else [])
        if kinds:
            found = [number for number in found if self.kind(number) in kinds]
        return found + (self.base.find_all(name, *kinds) if self.base else [])

    def find(self, name: str, *kinds: int) -> int | None:
        """Return the first type of a name, None for none."""
        return next(iter(self.find_all(name, *kinds)), None)

    def names(self) -> Iterator[str]:
        """Yield the names that `find` knows, a base's included, for a search."""
        for name in self._by_name():
            yield name.decode("utf-8", "replace")
        if self.base:
            yield from self.base.names()

    def _owner(self, word: int) -> tuple[int, int]:
        """Return (type, its first word) for a word of the type section."""
        index = max(bisect_right(self._offsets, word) - 1, 0)
        return index + self.first_id, self._offsets[index]

    def _uses(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield (type, word within it) for every word that may be the offset of a string; reads everything."""
        self._by_name()
        self._load_types()
        text, data = b"\0" + name.encode("utf-8", "replace") + b"\0", self._blob.data
        string = data.find(text, self._strings, self._strings + self._strings_size)
        if string < 0 or not name or not self._offsets:
            return
        needle = struct.pack("=I", string + 1 - self._strings + self._first_string)
        at, end = data.find(needle, self._types, self._types + self._types_size), self._types + self._types_size
        while at >= 0:
            if (at - self._types) % 4 == 0:
                number, start = self._owner((at - self._types) // 4)
                yield number, (at - self._types) // 4 - start
            at = data.find(needle, at + 1, end)
