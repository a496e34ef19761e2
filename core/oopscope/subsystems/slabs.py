"""The table `slabs`: the slab caches."""

from oopscope.linux.slab import all_slabs
from oopscope.subsystems import Column, Offer, Table

TABLE = Table(
    "slabs",
    "Slabs",
    (
        Column(
            "name",
            "Cache",
            help="The cache: a kind of object, or kmalloc-N for sizes. Caches that are alike are merged unless "
            "slab_nomerge is set, so that one name may stand for several.",
        ),
        Column("object_size", "Object", "bytes", "Bytes of one object."),
        Column("active", "Active", "int", "Objects in use. The CPUs' own lists make it inexact."),
        Column(
            "total",
            "Total",
            "int",
            "Objects that the cache's slabs have room for. Far more than active: fragmented, or a peak in the past.",
        ),
        Column("bytes", "Memory", "bytes", "Memory of all its slabs, used or not."),
    ),
    all_slabs,
    "memory",
    sort="-bytes",
    most=20,
    thing="slab",
    offer=Offer(lambda cache: cache.name or "", "slab", ("bytes",), late=True),
    commands=("kmem -s {name}",),
)
