"""kallsyms: the kernel's own symbols, read from its memory by binary search, a few pages at a time.

Follows kernel/kallsyms.c. Addresses ascend with the index; names are found through kallsyms_seqs_of_names (6.2, and
6.1 stable) where that table is, else by searching the compressed names. Where the tables are is kallsyms_tables' and
kallsyms_scan's business. An address gets the name that the kernel itself prints: of several at one address the one of
the lowest index (the build sorts the sensible one there), whole up to the next symbol.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice, pairwise, takewhile
from typing import Any, NamedTuple

from oopscope.errors import Implausible, NoSymbol, OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.symbols.blob import PAGE, Endian, Read
from oopscope.symbols.kallsyms_names import RUN
from oopscope.symbols.kallsyms_tables import Opened, Tables, extent_of, locate, open_tables
from oopscope.symbols.vmcoreinfo import VmcoreInfo

MAX_ALIASES = 4096
MAX_SAME = 4096
MAX_PROBED = 2048
MAX_KEPT = 50_000  # in the index cache
# What follows a mark of an end belongs to nobody; these whatever follows, the others only where much does.
ENDS = frozenset(("_etext", "_einittext", "_end"))
_END = lazy_re(r"__stop_|__end_|.*_end$|__brk_limit$")
_BEGIN = lazy_re(r"__start_|__log_buf$|_printk_rb_static_|__brk_|.*_begin$")
FAR, FARTHER = 64 << 10, 512 << 10  # bytes that few symbols have, and that next to none has
LIKELY = 4096  # of such a one that something without a name follows: strings, tables of a section


def open_kallsyms(read: Read, info: VmcoreInfo, bits: int = 64, endian: Endian = "<") -> "Kallsyms":
    """Find the tables by VMCOREINFO, else by a search of the image from _stext on; Implausible when neither does."""
    try:
        tables = locate(read, info, bits, endian)
    except Implausible:
        tables = None
    if tables is None:
        stext = info.symbol("_stext")
        if stext is None:
            raise Implausible("kallsyms: VMCOREINFO names neither its tables nor _stext")
        tables = import_module("oopscope.symbols.kallsyms_scan").scan(read, stext, bits, endian)
    return Kallsyms(read, tables)


class Symbol(NamedTuple):
    """One line of the table; `type` is nm's letter."""

    name: str
    address: int
    type: str


class Kallsyms:
    """The kernel's symbols. Nothing is read before it is asked for; ReadError where a table's page is missing."""

    def __init__(self, read: Read, tables: Tables) -> None:
        self.tables = tables
        self._read = read
        self._opened: Opened | None = None
        self.changed = False  # something was found that `preload` did not bring
        self._found: dict[str, tuple[int, ...]] = {}
        self._starts: list[int] = []  # of the symbols met by address, ascending
        self._spans: dict[int, tuple[int, str]] = {}  # start -> (end, name)
        self._probed: dict[int, str] = {}  # the first steps of every search by name

    def __len__(self) -> int:
        return self.tables.count

    def _open(self) -> Opened:
        if self._opened is None:
            self._opened = open_tables(self._read, self.tables)
        return self._opened

    def lookup(self, name: str) -> int | None:
        """Return a symbol's address, the lowest where several share the name; None for none."""
        found = self.lookup_all(name)
        return found[0] if found else None

    def symbol(self, name: str) -> int:
        """Return a symbol's address; NoSymbol."""
        address = self.lookup(name)
        if address is None:
            raise NoSymbol(name)
        return address

    def lookup_all(self, name: str) -> list[int]:
        """Return the addresses of all symbols of a name, ascending."""
        found = self._found.get(name)
        if found is None:
            address = self._open().address
            found = self._found[name] = tuple(sorted(address(i) for i in self._indices(name)))
            self.changed = True
        return list(found)

    def name_at(self, address: int) -> tuple[str, int] | None:
        """Return the symbol that holds an address and how many bytes into it; None outside the kernel's image."""
        at = bisect_right(self._starts, address) - 1
        if at >= 0:
            start = self._starts[at]
            end, name = self._spans[start]
            if address < end:
                return (name, address - start) if name else None
        return self._search(address)

    def variable_at(self, offset: int) -> tuple[str, int] | None:
        """Return the per-CPU variable at an offset, where such symbols are offsets from 0 (x86_64 up to 6.14)."""
        found = self._span(offset) if 0 <= offset < self.tables.start else None
        return (found[2], offset - found[0]) if found and offset < found[1] else None

    def end_of(self, address: int) -> int | None:
        """Return where the symbol at or before an address ends: the next symbol's address; None before the first."""
        found = self._span(address)
        return found[1] if found else None

    def _span(self, address: int) -> tuple[int, int, str] | None:
        """Return (start, end, name) of the symbol at or before an address; None before the first."""
        opened = self._open()
        key, count = opened.address, self.tables.count
        index = bisect_right(range(count), address, key=key) - 1
        if index < 0:
            return None
        start = key(index)
        end = key(index + 1) if index + 1 < count else start + 1
        first = max(index - MAX_ALIASES, 0)
        if index and key(index - 1) == start:
            index = bisect_left(range(first, index), start, key=key) + first
        if end <= start:
            raise Implausible(f"kallsyms: symbol {index} lies before the one before it", start)
        return start, end, opened.names.name(index)

    def _search(self, address: int) -> tuple[str, int] | None:
        """Find an address in the table, and remember the symbol's span."""
        found = self._span(address) if address >= self.tables.start else None
        if found is None:
            return None
        start, end, name = found
        likely = self._likely_end(start, end, name)
        self._remember(likely, end, "")
        self._remember(start, likely, name)
        return (name, address - start) if address < likely else None

    def _likely_end(self, start: int, end: int, name: str) -> int:
        """Return where a symbol ends: the next symbol, unless that is far off and what lies between has no name."""
        if name in ENDS or (end - start > FAR and _END.match(name)):
            return start + 1
        table = extent_of(self.tables, start)
        if table:
            return min(end, start + table)
        if end - start <= FAR or _BEGIN.match(name):
            return end
        if self._is_text(start):
            return start + FAR
        made = "." in name or name.startswith("__func__")  # by the compiler: tables of a switch, names of functions
        return start + LIKELY if made or end - start > FARTHER else end

    def _is_text(self, address: int) -> bool:
        try:
            text, end = self.lookup("_stext"), self.lookup("_etext")
        except OopscopeError:
            return False
        return text is not None and end is not None and text <= address < end

    def _remember(self, start: int, end: int, name: str) -> None:
        if start < end and start not in self._spans:
            self._spans[start] = (end, name)
            self.changed = True
            insort(self._starts, start)

    def _indices(self, name: str) -> Iterator[int]:
        """Yield the indices of the symbols of a name."""
        opened = self._open()
        if opened.seqs is None:
            yield from opened.names.find(name)
            return
        found = self._range(opened.seqs, name, lambda probed: probed)
        if not found and any(".llvm." in probed for probed in self._probed.values()):
            # a build with Clang's LTO (6.2 to 6.10) sorted its names without their ".llvm.<hash>"
            found = self._range(opened.seqs, name, lambda probed: probed.split(".llvm.", 1)[0])
        yield from found

    def _range(self, seqs: Callable[[int], int], name: str, clean: Callable[[str], str]) -> list[int]:
        """Search kallsyms_seqs_of_names, the indices in the order of their names."""
        names, count, probed = self._open().names, self.tables.count, self._probed

        def key(rank: int) -> str:
            found = probed.get(rank)
            if found is None:
                found = names.name(seqs(rank))
                if len(probed) < MAX_PROBED:
                    probed[rank] = found
            return clean(found)

        first = bisect_left(range(count), name, key=key)
        same = takewhile(lambda rank: key(rank) == name, range(first, min(first + MAX_SAME, count)))
        return [seqs(rank) for rank in same]

    def names(self) -> Iterator[str]:
        """Yield every name in the order of addresses, for a search; reads all names as it goes."""
        for symbol in self.symbols():
            yield symbol.name

    def symbols(self) -> Iterator[Symbol]:
        """Yield every symbol in the order of addresses; reads the tables as it goes."""
        opened = self._open()
        for run in range((self.tables.count + RUN - 1) // RUN):
            for index, raw in enumerate(opened.names.run(run), run * RUN):
                text = raw.decode("latin-1")
                yield Symbol(text[1:], opened.address(index), text[:1])

    def read_all(self) -> None:
        """Read all of the tables, as `symbols` does, but expand no name: for a dump that shall have them."""
        opened, last = self._open(), self.tables.count - 1
        for run in range(last // RUN + 1):
            opened.names.starts(run)
        for index in (*range(0, last, PAGE // 8), last):  # at least one of each page
            opened.address(index)

    def export(self, stext: int) -> dict[str, Any]:
        """Return what was found so far, as plain data relative to _stext, for the index cache."""
        place = self._relative(stext)
        found, spans = islice(self._found.items(), MAX_KEPT), islice(self._spans.items(), MAX_KEPT)
        return {
            "found": {name: [place(a) for a in addresses] for name, addresses in found},
            "spans": [[start - stext, end - start, name] for start, (end, name) in spans],
        }

    def preload(self, saved: dict[str, Any], stext: int) -> None:
        """Take in what an earlier run exported of the same kernel; ValueError, TypeError or KeyError if malformed."""
        found = {str(n): tuple(int(v) + stext * int(moves) for v, moves in a) for n, a in saved["found"].items()}
        spans = {int(o) + stext: (int(o) + stext + int(size), str(name)) for o, size, name in saved["spans"]}
        starts = sorted(spans)
        if any(spans[a][0] > b for a, b in pairwise(starts)):
            raise ValueError("overlapping symbols")
        self._found, self._spans, self._starts = found, spans, starts

    def _relative(self, stext: int) -> Callable[[int], tuple[int, int]]:
        """Per-CPU offsets and constants do not move with KASLR; other addresses do."""
        fixed = 1 << 31 if self.tables.encoding in ("percpu", "absolute") and stext >= 1 << 31 else 0
        return lambda address: (address, 0) if address < fixed else (address - stext, 1)
