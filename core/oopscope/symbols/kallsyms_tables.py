"""Where the tables of kallsyms are, how their addresses are encoded, and the proof that both are right.

Follows scripts/kallsyms.c, which writes the tables one after the other into .rodata, and kernel/kallsyms.c:

    up to 4.5    addresses, num_syms, names, markers, token_table, token_index
    4.6 to 6.3   addresses | offsets, relative_base; num_syms, names, markers, [seqs_of_names], token_table, token_index
    6.4 to 6.19  num_syms, names, markers, token_table, token_index, offsets, relative_base, seqs_of_names
    7.0 on       num_syms, names, markers, token_table, token_index, offsets, seqs_of_names

VMCOREINFO names most of them since 6.0 (5fd8fea935a1 "vmcoreinfo: include kallsyms symbols"); markers and seqs_of_names
follow from the order, and nothing is believed before it has been compared: the names with the markers, the addresses
with _stext, the order with the names.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise, product
from typing import Any, Literal, NamedTuple, get_args

from oopscope.errors import Implausible, OopscopeError, ReadError
from oopscope.symbols.blob import MAX_SIZE, Blob, Code, Endian, Ints, Read
from oopscope.symbols.kallsyms_names import RUN, Names, Tokens
from oopscope.symbols.vmcoreinfo import VmcoreInfo

# absolute: the address itself. relative: base + (u32)value. percpu: a value >= 0 is itself, else base - 1 - value
# (4.6 to 6.14 on x86, KALLSYMS_ABSOLUTE_PERCPU). place: the value's own address + value (7.0, a081b5789255 "kallsyms:
# Get rid of kallsyms relative base").
Encoding = Literal["absolute", "relative", "percpu", "place"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

PLACES = ("names", "markers", "token_table", "token_index", "offsets", "base", "seqs", "start")
MAX_COUNT = 1 << 22
ALIASES = 64  # names looked at for _stext among those at its address
SAMPLES = 64
Address = Callable[[int], int]


class Tables(NamedTuple):
    """The addresses of the tables; `base` and `seqs` are 0 where there is none, `start` is the image's first byte."""

    count: int  # type: ignore[assignment]  # how many symbols; hides the method of tuples
    names: int
    markers: int
    marker_size: int
    token_table: int
    token_index: int
    offsets: int
    encoding: Encoding
    base: int
    seqs: int
    start: int
    bits: int = 64
    endian: Endian = "<"

    def saved(self, stext: int) -> dict[str, Any]:
        """Return these as plain data relative to _stext, which KASLR moves with everything else."""
        return {k: (v - stext if v else None) if k in PLACES else v for k, v in self._asdict().items()}

    @classmethod
    def restore(cls, values: dict[str, Any], stext: int) -> "Tables":
        """Make tables of what `saved` gave; ValueError, TypeError or KeyError where it is not that."""
        places = {k: 0 if values[k] is None else values[k] + stext for k in PLACES}
        tables = cls(**{**values, **places})
        if tables.encoding not in ENCODINGS or tables.endian not in ("<", ">") or tables.bits not in (32, 64):
            raise ValueError("not tables")
        if not all(type(v) is int and 0 <= v < 1 << 64 for v in (*places.values(), tables.count)):
            raise ValueError("not tables")
        if not 0 < tables.count <= MAX_COUNT or tables.marker_size not in (4, 8):
            raise ValueError("not tables")
        return tables


class Opened(NamedTuple):
    """Readers of the tables: names by index, addresses by index, indices by rank among the sorted names."""

    names: Names
    address: Address
    seqs: Callable[[int], int] | None


class Core(NamedTuple):
    """The four tables that every kernel has, from which the others follow."""

    count: int  # type: ignore[assignment]  # hides the method of tuples
    num_syms: int
    names: int
    token_table: int
    token_index: int


def extent_of(t: Tables, address: int) -> int:
    """Return how many bytes a table has that begins at an address; 0 where none does."""
    sizes = {
        t.names: t.markers - t.names,
        t.markers: -(-t.count // RUN) * t.marker_size,
        t.token_table: t.token_index - t.token_table,
        t.token_index: 512,
        t.offsets: t.count * (t.bits // 8 if t.encoding == "absolute" else 4),
        t.seqs: t.count * 3,
    }
    return max(sizes.get(address, 0), 0) if address else 0


def open_tables(read: Read, tables: Tables) -> Opened:
    """Make the readers; reads the tokens and nothing else. Implausible when they are not tokens."""
    if not 0 < tables.count <= MAX_COUNT:
        raise Implausible(f"kallsyms: {tables.count} symbols", tables.names)
    names, _markers = _names(read, tables)
    return Opened(names, _address(read, tables), _seqs(read, tables) if tables.seqs else None)


def _names(read: Read, t: Tables) -> tuple[Names, Ints]:
    markers = Ints(read, t.markers, -(-t.count // RUN), "I" if t.marker_size == 4 else "Q", t.endian)
    tokens = read_tokens(read, t.token_table, t.token_index, t.endian)
    return Names(Blob(read, t.names, t.markers - t.names), markers, t.count, tokens), markers


def read_tokens(read: Read, token_table: int, token_index: int, endian: Endian) -> Tokens:
    """Read the tokens; Implausible when the index does not fit the table."""
    if not 0 < token_index - token_table <= 1 << 16:
        raise Implausible("kallsyms: the token table and its index", token_table)
    index = Ints(read, token_index, 256, "H", endian).all().tolist()
    return Tokens.parse(read(token_table, token_index - token_table), index)


def _address(read: Read, tables: Tables) -> Address:
    wide: Code = "Q" if tables.bits == 64 else "I"
    code: Code = wide if tables.encoding == "absolute" else "i"
    values = Ints(read, tables.offsets, tables.count, code, tables.endian)
    base, place, mask = tables.base, tables.offsets, (1 << tables.bits) - 1

    def relative(index: int) -> int:
        return base + (values[index] & 0xFFFFFFFF) & mask

    def percpu(index: int) -> int:
        value = values[index]
        return value if value >= 0 else base - 1 - value

    def place_relative(index: int) -> int:
        return place + 4 * index + values[index] & mask

    encodings: dict[Encoding, Address] = {
        "absolute": values.__getitem__,
        "relative": relative,
        "percpu": percpu,
        "place": place_relative,
    }
    return encodings[tables.encoding]


def _seqs(read: Read, tables: Tables) -> Callable[[int], int]:
    """kallsyms_seqs_of_names: three bytes each, the highest first."""
    blob = Blob(read, tables.seqs, 3 * tables.count)

    def seq(rank: int) -> int:
        at = 3 * rank
        blob.need(at, at + 3)
        return blob.data[at] << 16 | blob.data[at + 1] << 8 | blob.data[at + 2]

    return seq


def locate(read: Read, info: VmcoreInfo, bits: int = 64, endian: Endian = "<") -> Tables | None:
    """Find the tables by VMCOREINFO; None where it does not name them, Implausible where they are not there."""
    keys = ("num_syms", "names", "token_table", "token_index")
    num_syms, names, token_table, token_index = (info.symbol(f"kallsyms_{key}") for key in keys)
    if not (num_syms and names and token_table and token_index):
        return None
    core = Core(_count(read, num_syms, bits, endian), num_syms, names, token_table, token_index)
    offsets, addresses = info.symbol("kallsyms_offsets"), info.symbol("kallsyms_addresses")
    base_at = info.symbol("kallsyms_relative_base")
    places: list[tuple[int, int]] = []
    if offsets:
        places.append((offsets, base_at or 0))
    if addresses:
        places.append((addresses, 0))
    return derive(read, core, places, info.symbol("_stext"), bits, endian)


def _count(read: Read, num_syms: int, bits: int, endian: Endian) -> int:
    """Read kallsyms_num_syms: an unsigned long up to 4.20, 32 bits since."""
    order: Literal["little", "big"] = "little" if endian == "<" else "big"
    count = int.from_bytes(read(num_syms, 4), order)
    return count or int.from_bytes(read(num_syms, bits // 8), order)


def derive(
    read: Read, core: Core, places: Iterable[tuple[int, int]], stext: int | None, bits: int, endian: Endian
) -> Tables:
    """Derive markers, encoding and order from the core tables.

    `places` are the candidates for (address of offsets or addresses, address of relative_base or 0). Implausible where
    no reading makes sense, ReadError where that is so because memory is missing.
    """
    if not (0 < core.count <= MAX_COUNT and 0 < core.token_table - core.names <= MAX_SIZE):
        raise Implausible(f"kallsyms: {core.count} symbols", core.num_syms)
    plain = Tables(
        core.count, core.names, 0, 4, core.token_table, core.token_index, 0, "relative", 0, 0, 0, bits, endian
    )
    for marked in _marked(plain):
        names = _fitting(read, marked)
        if names is not None:
            return _addressed(read, marked, names, places, stext)
    raise Implausible("kallsyms: names and markers do not fit each other", core.names)


def _addressed(
    read: Read, marked: Tables, names: Names, places: Iterable[tuple[int, int]], stext: int | None
) -> Tables:
    """Choose the encoding that gives _stext."""
    lost: ReadError | None = None
    for offsets, base_at in places:
        for tables in _encoded(read, marked, offsets, base_at):
            try:
                start = _start(read, tables, names, stext)
            except ReadError as e:
                lost = e
                continue
            if start is not None:
                found = tables._replace(start=start)
                return found._replace(seqs=_find_seqs(read, found, names, base_at))
    raise lost or Implausible("kallsyms: no encoding of the addresses gives _stext", marked.names)


def _marked(plain: Tables) -> Iterator[Tables]:
    """Yield where the markers may be: right before the token table, or before the names' order before it."""
    runs = -(-plain.count // RUN)
    for size, align, ordered in product((4, 8), (8, 4), (False, True)):
        seqs = plain.token_table - 3 * plain.count & -align if ordered else 0
        markers = (seqs or plain.token_table) - runs * size & -align
        if markers > plain.names:
            yield plain._replace(markers=markers, marker_size=size, seqs=seqs)


def _fitting(read: Read, tables: Tables) -> Names | None:
    """Open the names if the markers fit them: from 0, ascending, the first and the last run where they say."""
    try:
        names, markers = _names(read, tables)
        values = markers.all().tolist()
        if values[0] or any(a >= b for a, b in pairwise(values)):
            return None
        names.starts(0)
        end = tables.names + names.starts(len(values) - 1)[-1]
        return names if 0 <= tables.markers - end < 8 else None
    except Implausible:
        return None


def _encoded(read: Read, tables: Tables, offsets: int, base_at: int) -> Iterator[Tables]:
    """Yield the readings of one candidate for the addresses."""
    if base_at:
        base = int.from_bytes(read(base_at, tables.bits // 8), "little" if tables.endian == "<" else "big")
        yield tables._replace(offsets=offsets, base=base, encoding="relative")
        yield tables._replace(offsets=offsets, base=base, encoding="percpu")
    else:
        yield tables._replace(offsets=offsets, encoding="place")
        yield tables._replace(offsets=offsets, encoding="absolute")


def _start(read: Read, tables: Tables, names: Names, stext: int | None) -> int | None:
    """Return the image's first address if the encoding is right: it gives _stext, or (unknown) ascending addresses."""
    address, count = _address(read, tables), tables.count
    try:
        sample = [address(i * (count - 1) // SAMPLES) for i in range(SAMPLES + 1)]
        if sample != sorted(sample) or sample[0] == sample[-1]:
            return None
        first = sample[0] if tables.encoding in ("relative", "place") else tables.base
        if stext is None:
            return (first or sample[0]) if tables.bits == 32 or sample[-1] >= 1 << 31 else None
        index = bisect_left(range(count), stext, key=address)
        for alias in range(index, min(index + ALIASES, count)):
            if address(alias) != stext:
                return None
            if names.name(alias) in ("_stext", "_text", "stext"):
                return first or stext
    except Implausible:
        return None
    return None


def _find_seqs(read: Read, tables: Tables, names: Names, base_at: int) -> int:
    """Return the address of kallsyms_seqs_of_names, 0 where this kernel has none."""
    word = tables.bits // 8
    width = word if tables.encoding == "absolute" else 4
    end = tables.offsets + width * tables.count
    for at in (tables.seqs, base_at + word if base_at > tables.offsets else 0, end, end + 7 & -8):
        if at and _is_order(read, tables._replace(seqs=at), names):
            return at
    return 0


def _is_order(read: Read, tables: Tables, names: Names) -> bool:
    """Tell whether the names of nine ranks ascend."""
    seq, last = _seqs(read, tables), tables.count - 1
    try:
        sample = [names.name(seq(i * last // 8)) for i in range(9)]
    except OopscopeError:
        return False
    return sample == sorted(sample) and sample[0] < sample[-1]
