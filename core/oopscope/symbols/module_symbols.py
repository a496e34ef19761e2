"""A module's symbols, as the kernel keeps them: the Elf64_Sym (or Elf32_Sym) entries of struct mod_kallsyms.

Follows kernel/module/kallsyms.c. The type letter, which nothing here needs but the reader of a list, is in its own
table since 5.2 (1c7651f43777 "kallsyms: store type information in its own array"), in st_size in 5.0 and 5.1
(5439c985c5a8 "module: Overwrite st_size instead of st_info"), in st_info before.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import starmap
from struct import Struct
from typing import NamedTuple

from oopscope.errors import Implausible, ReadError
from oopscope.symbols.blob import Blob, Endian, Read

MAX_COUNT = 1 << 20
MAX_NAME = 512
CHUNK = 4096  # bytes of names read at a time
_HIDDEN = ("$", ".L", "L0\x01")  # mapping symbols ($a, $x, $d) and local labels: is_mapping_symbol()


class ModuleSymbol(NamedTuple):
    """One symbol; `type` is nm's letter, or "?" where this kernel keeps none."""

    name: str
    address: int
    size: int  # bytes, 0 where it is not kept
    type: str


class _Raw(NamedTuple):
    address: int
    order: int  # in the table
    name: int  # offset in the names
    size: int


class ModuleSymbols:
    """The symbols of one module, read when first asked for. ReadError where their table is missing.

    `count` is mod_kallsyms.num_symtab; more than a million is not believed.
    """

    def __init__(
        self,
        read: Read,
        symtab: int,
        count: int,
        strtab: int,
        typetab: int | None = None,
        bits: int = 64,
        endian: Endian = "<",
    ) -> None:
        if not 0 <= count <= MAX_COUNT:
            raise Implausible(f"a module of {count} symbols", symtab)
        self._read, self._symtab, self._count = read, symtab, count
        self._strtab, self._typetab = strtab, typetab
        # Elf64_Sym: name, info, other, shndx, value, size; Elf32_Sym: name, value, size, info, other, shndx
        self._wide = bits == 64
        self._layout = Struct(endian + ("IBBHQQ" if self._wide else "IIIBBH"))
        self._sorted: list[_Raw] | None = None
        self._addresses: list[int] = []
        self._names: dict[int, str] = {}
        self._by_name: dict[str, list[int]] | None = None
        self._strings: dict[int, bytes] = {}

    def _symbols(self) -> list[_Raw]:
        """Return the defined symbols in the order of their addresses; of several at one, that of the lowest index."""
        if self._sorted is None:
            raw = Blob(self._read, self._symtab, self._count * self._layout.size).all()
            if self._wide:
                rows = ((v, i, n, s) for i, (n, _, _, x, v, s) in enumerate(self._layout.iter_unpack(raw)) if x and n)
            else:
                rows = ((v, i, n, s) for i, (n, v, s, _, _, x) in enumerate(self._layout.iter_unpack(raw)) if x and n)
            self._sorted = sorted(starmap(_Raw, rows))
            self._addresses = [s.address for s in self._sorted]
        return self._sorted

    def _name(self, symbol: _Raw) -> str:
        """Return a symbol's name; empty where it cannot be read or is no name for people."""
        found = self._names.get(symbol.name)
        if found is None:
            raw = self._string(self._strtab + symbol.name)
            found = "" if raw is None else raw.decode("latin-1")
            if found.startswith(_HIDDEN):
                found = ""
            self._names[symbol.name] = found
        return found

    def _string(self, address: int) -> bytes | None:
        chunk, at = address // CHUNK, address % CHUNK
        text = self._chunk(chunk)
        if text is None:
            return None
        end = text.find(b"\0", at)
        if end < 0:
            text += self._chunk(chunk + 1) or b""
            end = text.find(b"\0", at)
        return bytes(text[at:end]) if 0 <= end - at <= MAX_NAME else None

    def _chunk(self, number: int) -> bytes | None:
        """Return the page of names, None where the dump lacks it."""
        if number not in self._strings:
            try:
                self._strings[number] = self._read(number * CHUNK, CHUNK)
            except ReadError:
                return None
        return self._strings[number]

    def name_at(self, address: int) -> tuple[str, int] | None:
        """Return the symbol at or before an address and how many bytes into it; None before the first.

        The last symbol has no end here: whose memory an address is in is the caller's to know.
        """
        symbols = self._symbols()
        at = bisect_right(self._addresses, address) - 1
        best: tuple[str, int] | None = None
        while at >= 0:
            name = self._name(symbols[at])
            if best and symbols[at].address != address - best[1]:
                break
            if name:
                best = (name, address - symbols[at].address)
            at -= 1
        return best

    def end_of(self, address: int) -> int | None:
        """Return where the symbol at or before an address ends: by its size, else where the next one is."""
        symbols = self._symbols()
        at = bisect_right(self._addresses, address)
        if not at:
            return None
        own = symbols[at - 1]
        after = self._addresses[at] if at < len(symbols) else own.address + own.size
        return min(after, own.address + own.size) if own.size and address < own.address + own.size else after

    def lookup(self, name: str) -> int | None:
        """Return a symbol's address, the lowest where several share the name; None for none. Reads all names."""
        found = self.lookup_all(name)
        return found[0] if found else None

    def lookup_all(self, name: str) -> list[int]:
        """Return the addresses of all symbols of a name, ascending."""
        if self._by_name is None:
            self._by_name = {}
            for symbol in self._symbols():
                self._by_name.setdefault(self._name(symbol), []).append(symbol.address)
        return list(self._by_name.get(name, [])) if name else []

    def symbols(self) -> Iterator[ModuleSymbol]:
        """Yield the symbols that have a name, in the order of their addresses."""
        letters = self._letters()
        for symbol in self._symbols():
            name = self._name(symbol)
            if name:
                letter = chr(letters[symbol.order]) if letters else "?"
                yield ModuleSymbol(name, symbol.address, symbol.size, letter)

    def _letters(self) -> bytes | None:
        """Return the type letters by index, None where this kernel keeps none or the dump lacks them."""
        if not self._typetab or not self._count:
            return None
        try:
            return self._read(self._typetab, self._count)
        except ReadError:
            return None
