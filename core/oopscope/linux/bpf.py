"""BPF: programs and maps that are loaded.

Follows kernel/bpf/{syscall.c,core.c}, include/linux/{bpf.h,filter.h}. A program or map must have the ID under which it
is kept.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.once import once
from oopscope.linux import xarray
from oopscope.structs.plan import Plan

MAX_MAPS, MAX_BUCKETS, MAX_CHAIN = 1024, 1 << 16, 10_000
NANOSECONDS = 1e9
HASHES = ("hash", "percpu hash", "lru hash", "lru percpu hash", "hash of maps")


class Prog(NamedTuple):
    """struct bpf_prog."""

    aux: int
    pages: int
    jited: int
    type: int
    len: int
    jited_len: int
    tag: tuple[int, ...]
    stats: int | None  # of each CPU, here since 700d4796ef59 "bpf: Optimize program stats", 5.12


class Aux(NamedTuple):
    """struct bpf_prog_aux."""

    id: int
    maps: int
    used_maps: int
    load_time: int
    name: bytes
    attached: int
    user: int


class Map(NamedTuple):
    """struct bpf_map."""

    address: int
    id: int
    type: int
    key_size: int
    value_size: int
    most: int
    name: bytes
    frozen: int


class Stats(NamedTuple):
    """struct bpf_prog_stats of a CPU."""

    cnt: int
    nsecs: int


PROG = Plan("bpf_prog", Prog)
AUX = Plan("bpf_prog_aux", Aux, maps="used_map_cnt", attached="attach_func_name")
MAP = Plan("bpf_map", Map, type="map_type", most="max_entries")
STATS = Plan("bpf_prog_stats", Stats, cnt=("cnt.a.a.counter", "cnt"), nsecs=("nsecs.a.a.counter", "nsecs"))


class BpfProgram(NamedTuple):
    """A loaded program."""

    id: int
    name: str
    type: str
    attached: str | None
    maps: tuple[str, ...]
    runs: int | None  # counted where kernel.bpf_stats_enabled is
    instructions: int
    compiled: int | None  # bytes of machine code; None where it is interpreted
    bytes: int
    uid: int | None
    loaded_seconds: float
    tag: str
    address: int


class BpfMap(NamedTuple):
    """A map."""

    id: int
    name: str
    type: str
    key_size: int
    value_size: int
    most: int
    entries: int | None  # in use, of hashes
    state: str
    address: int


class _Words:
    """The names of an enum's numbers."""

    def __init__(self, kernel: Kernel, enum: str, prefix: str) -> None:
        try:
            found = kernel.types.enum(enum)
        except OopscopeError:
            found = {}
        # of several names for one number, the first: later ones are older
        names = {number: name for name, number in reversed(found.items()) if name.startswith(prefix)}
        self._words = {number: name.removeprefix(prefix).lower().replace("_", " ") for number, name in names.items()}

    def __getitem__(self, number: int) -> str:
        return self._words.get(number, f"type {number}")


@once
def bpf_programs(kernel: Kernel) -> list[BpfProgram]:
    """Return the programs that are loaded, by ID."""
    words, found, lost = _Words(kernel, "bpf_prog_type", "BPF_PROG_TYPE_"), [], kernel.problems.lost("bpf", "a program")
    for index, address in xarray.entries(kernel, _idr(kernel, "prog_idr"), lost):
        try:
            found.append(_program(kernel, words, index, address))
        except Absent:
            raise
        except OopscopeError as e:
            lost(e)
    return sorted(found)


def _idr(kernel: Kernel, symbol: str) -> int:
    return kernel.symbol(symbol) + kernel.types.member("idr", "idr_rt").offset


def _program(kernel: Kernel, words: _Words, index: int, address: int) -> BpfProgram:
    prog = kernel.bind(PROG).row(address)
    aux = kernel.bind(AUX).row(prog.aux)
    if aux.id != index:
        raise Implausible(f"what should be program {index} has the ID {aux.id}", address)
    attached = kernel.memory.text(aux.attached, 128) if aux.attached else None
    return BpfProgram(
        index, _text(aux.name), words[prog.type], attached, tuple(_maps_of(kernel, aux)), _runs(kernel, prog),
        prog.len, prog.jited_len if prog.jited else None, prog.pages * kernel.memory.page_size, _uid(kernel, aux.user),
        aux.load_time / NANOSECONDS, bytes(prog.tag).hex(), address,
    )  # fmt: skip


def _text(raw: bytes) -> str:
    return decoded(raw)


def _uid(kernel: Kernel, user: int) -> int | None:
    return kernel.memory.u32(user + kernel.types.member("user_struct", "uid").offset) if user else None


def _runs(kernel: Kernel, prog: Prog) -> int | None:
    """Return how often it ran, added up over the CPUs; None where that is not there, or was never counted."""
    if not prog.stats:
        return None
    try:
        bound, top = kernel.bind(STATS), kernel.memory.top
        total = sum(bound.row((prog.stats + at) % top).cnt for at in kernel.cached(per_cpu_offsets))
    except OopscopeError:
        return None
    return total or None


def _maps_of(kernel: Kernel, aux: Aux) -> list[str]:
    if not aux.maps or not aux.used_maps:
        return []
    addresses = kernel.memory.words(aux.used_maps, min(aux.maps, MAX_MAPS))
    return [_map_name(kernel, address) for address in addresses]


def _map_name(kernel: Kernel, address: int) -> str:
    """Return the ID and the name of a program's map; its address where it cannot be read."""
    try:
        row = kernel.bind(MAP).row(address)
    except OopscopeError as e:
        kernel.problems.lost("bpf", "a program's map")(e)
        return f"{address:#x}"
    return f"{row.id} {_text(row.name)}".rstrip()


@once
def bpf_maps(kernel: Kernel) -> list[BpfMap]:
    """Return the maps, by ID."""
    words, found, lost = _Words(kernel, "bpf_map_type", "BPF_MAP_TYPE_"), [], kernel.problems.lost("bpfmaps", "a map")
    for index, address in xarray.entries(kernel, _idr(kernel, "map_idr"), lost):
        try:
            row = kernel.bind(MAP).row(address)
            if row.id != index:
                raise Implausible(f"what should be map {index} has the ID {row.id}", address)
            kind = words[row.type]
            count = _count(kernel, address) if kind in HASHES else None
            state = "frozen" if row.frozen else ""
            found.append(
                BpfMap(index, _text(row.name), kind, row.key_size, row.value_size, row.most, count, state, address)
            )
        except OopscopeError as e:
            lost(e)
    return sorted(found)


def _count(kernel: Kernel, address: int) -> int | None:
    """Return how many entries the buckets of a hash hold; None where it is too large to count.

    Its own counter counts nothing where the entries are made beforehand, which is the rule (BPF_F_NO_PREALLOC is not).
    """
    types, memory = kernel.types, kernel.memory
    try:
        at = address - types.member("bpf_htab", "map").offset
        buckets = memory.u32(at + types.member("bpf_htab", "n_buckets").offset)
        size = types.sizeof("bucket")
        if not 0 < buckets <= MAX_BUCKETS or buckets & buckets - 1 or not 0 < size <= 64:
            return None
        raw = memory.read(memory.word(at + types.member("bpf_htab", "buckets").offset), buckets * size)
        return sum(_chain(kernel, first) for first in _heads(kernel, raw, size))
    except OopscopeError as e:
        kernel.problems.lost("bpfmaps", "the entries of a map")(e)
        return None


def _heads(kernel: Kernel, raw: bytes | memoryview, size: int) -> list[int]:
    """Return the first entry of each bucket that has one: a number that is odd ends a chain."""
    word, order = kernel.memory.word_size, kernel.arch.byteorder
    at = kernel.types.member("bucket", "head.first").offset
    heads = (int.from_bytes(raw[here : here + word], order) for here in range(at, len(raw), size))
    return [head for head in heads if head and not head & 1]


def _chain(kernel: Kernel, at: int) -> int:
    """Return the length of a chain; Implausible where it is longer than any is."""
    for length in range(1, MAX_CHAIN):
        at = kernel.memory.word(at)
        if not at or at & 1:
            return length
    raise Implausible("the chain of a bucket does not end", at)
