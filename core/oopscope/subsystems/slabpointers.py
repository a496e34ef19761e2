"""The table `slabpointers`: what the live objects of the largest slab caches mostly point at."""

from oopscope.linux.slab_pointers import slab_pointers
from oopscope.subsystems import Column, Table

TABLE = Table(
    "slabpointers",
    "Slab contents",
    (
        Column("name", "Cache", help="The slab cache."),
        Column("share", "%", help="How many of the objects that were looked at hold this, in percent."),
        Column(
            "symbol",
            "Symbol",
            help="What a word of them is the address of: mostly the operations of what they are, and so whose they "
            "are. Many objects of a kmalloc cache with one symbol: the suspect of a leak.",
        ),
        Column("module", "Module", help="The module that it is in.", names="module"),
        Column("offset", "At", "int", "The word's place in the object, in bytes."),
        Column("hits", "Hits", "int", "Objects that hold it."),
        Column("objects", "Of", "int", "Live objects of the cache that were looked at, taken from all of memory."),
        Column("estimate", "Estimate", "int", "How many of the cache's objects that would be: a guess."),
    ),
    slab_pointers,
    "memory",
    ("name", "offset", "symbol"),
    asked=True,
    kept=False,  # it looks into other slabs where pages are missing
    walked=False,
)
