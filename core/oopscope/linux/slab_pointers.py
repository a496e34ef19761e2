"""What the live objects of the largest slab caches mostly point at: whose objects fill a cache of many users.

A sample: slabs are met among the struct pages, as many of each cache as give some hundred objects; of each object that
is not free the words that are the address of a symbol are counted by their place. Many objects with one symbol at one
place are of one kind. Follows mm/slub.c; free objects are told by their lists.
"""

import struct
from collections import Counter
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.page import CACHE, SLAB, CacheStruct, free_objects, objects_of
from oopscope.linux.page_kinds import UNIT, PageStructs
from oopscope.linux.slab import all_slabs, slab_addresses

CACHES = 10  # the largest
OBJECTS = 256  # of a cache
MAX_UNITS = 512  # of struct pages that are looked at, evenly spread
OF_SLAB = 8  # objects of one slab, so that a sample is of many
SPREAD = 2_654_435_761  # odd: multiples of it go through all numbers, far from one another
MAX_SIZE = 1024  # bytes of an object that are looked at
MIN_SHARE = 0.1  # of the objects, to be worth a row


class SlabPointer(NamedTuple):
    """A place in the objects of a cache at which many hold one address."""

    name: str
    objects: int  # that were looked at
    offset: int
    symbol: str
    module: str | None
    hits: int
    share: float  # percent
    estimate: int | None  # objects of the cache, if the sample is like the rest


class _Sample:
    """The objects of the largest caches, as far as they are looked at."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        sizes = sorted((row for row in all_slabs(kernel) if row.bytes), key=lambda row: -(row.bytes or 0))[:CACHES]
        wanted = {row.name for row in sizes}
        self.active = {row.name: row.active for row in sizes}
        self.caches = {at: name for at, name in slab_addresses(kernel).items() if name in wanted}
        self.rows: dict[int, CacheStruct] = {}
        self.looked, self.hits = Counter[int](), Counter[tuple[int, int, int]]()
        self.slab, self.cache = kernel.bind(SLAB), kernel.bind(CACHE)
        space = kernel.machine.address_space(kernel)
        self.direct = space.direct if space is not None else range(0)
        self.first = space.first_frame if space is not None else 0
        self.symbols: dict[int, tuple[str, str | None] | None] = {}

    def look(self) -> None:
        """Go through the struct pages, evenly spread, until every cache has objects enough."""
        structs, page = PageStructs(self.kernel), self.memory.page_size
        owners = self._owners(structs.size)
        spans = [(a // page, b // page) for a, b in self.kernel.dump.ranges() if b - a >= page * UNIT]
        units = [at for first, end in spans for at in range(first // UNIT * UNIT, end - UNIT, UNIT)]
        step = max(len(units) // MAX_UNITS, 1)
        scattered = sorted(units[::step], key=lambda at: at // UNIT * SPREAD % (1 << 32))
        for first in scattered:  # in the order of memory the slabs of boot would be all
            if all(self.looked[at] >= OBJECTS for at in self.caches):
                return
            try:
                base = structs.place(first)
                raw = self.memory.read(base, UNIT * structs.size)
            except OopscopeError:
                continue
            for number, owner in enumerate(owners.unpack(raw)):
                if owner in self.caches:
                    try:
                        self._page(base + number * structs.size, first + number)
                    except OopscopeError:
                        continue

    def _owners(self, size: int) -> struct.Struct:
        """Return the layout of a unit of struct pages of a size: of each what stands where a slab names its cache."""
        word, at = self.memory.word_size, self.slab.offset("slab_cache") or 0
        one = f"{at}x{'Q' if word == 8 else 'I'}{size - at - word}x"
        return struct.Struct(self.kernel.endian + one * UNIT)

    def _page(self, address: int, frame: int) -> None:
        """Look at the objects of a slab, if a page is the first of one of a wanted cache."""
        first = self.direct.start + (frame - self.first) * self.memory.page_size
        self.memory.view(first, self.memory.word_size)  # of a page that is not there nothing more is asked
        slab = self.slab.row(address)
        if slab.slab_cache not in self.caches or self.looked[slab.slab_cache] >= OBJECTS:
            return
        cache = self.rows.get(slab.slab_cache) or self.rows.setdefault(slab.slab_cache, self.cache.row(slab.slab_cache))
        places = objects_of(slab, cache, first)
        if len(places) > OBJECTS * 64 or cache.size > 1 << 20 or first not in self.direct:
            return
        free = set(free_objects(self.kernel, slab, cache, places))
        pad = cache.red_left_pad or 0
        live = [base for base in range(places.start + pad, places.stop, cache.size) if base not in free]
        for base in live[:: max(len(live) // OF_SLAB, 1)][:OF_SLAB]:
            if self.looked[cache.address] < OBJECTS:
                self._object(cache, base)

    def _object(self, cache: CacheStruct, base: int) -> None:
        size = self.memory.word_size
        words = self.memory.words(base, min(cache.object_size, MAX_SIZE) // size)
        self.looked[cache.address] += 1
        for number, word in enumerate(words):
            if word >> 47 and word not in self.direct and self._symbol(word) is not None:
                self.hits[cache.address, number * size, word] += 1

    def _symbol(self, word: int) -> tuple[str, str | None] | None:
        """Return the symbol that begins at an address."""
        if word not in self.symbols:
            name = self.kernel.name_of(word)
            self.symbols[word] = (name.symbol, name.module) if name is not None and not name.offset else None
        return self.symbols[word]

    def result(self) -> list[SlabPointer]:
        """Return the places that many objects agree in, the largest cache's first."""
        found = []
        for (cache, offset, word), hits in self.hits.items():
            objects, symbol = self.looked[cache], self._symbol(word)
            if symbol is None or hits < max(MIN_SHARE * objects, 2):
                continue
            name = self.caches[cache]
            active = self.active.get(name)
            estimate = round(active * hits / objects) if active is not None else None
            share = round(100 * hits / objects, 1)
            found.append(SlabPointer(name, objects, offset, *symbol, hits, share, estimate))
        order = {name: number for number, name in enumerate(self.active)}
        return sorted(found, key=lambda row: (order.get(row.name, CACHES), -row.hits, row.offset))


@once
def slab_pointers(kernel: Kernel) -> list[SlabPointer]:
    """Return what the objects of the largest caches point at; Absent where there is no array of struct pages."""
    sample = _Sample(kernel)
    with kernel.memory.physical.searching():
        sample.look()
    return sample.result()
