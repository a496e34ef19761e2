"""The table `bpfmaps`: maps of BPF programs."""

from oopscope.linux.bpf import bpf_maps
from oopscope.subsystems import Column, Table

TABLE = Table(
    "bpfmaps",
    "BPF maps",
    (
        Column("id", "ID", "int", "The map's number, as bpftool has it."),
        Column("name", "Name", help="The name that its maker gave it."),
        Column("type", "Type", help="hash, array, ringbuf, stack trace ..."),
        Column("key_size", "Key", "bytes", "A key's size."),
        Column("value_size", "Value", "bytes", "A value's size."),
        Column("most", "Most", "int", "How many entries it can hold; of a ring buffer its bytes."),
        Column("entries", "Entries", "int", "How many a hash holds, counted in its buckets."),
        Column("state", "State", help="frozen: programs of users write it no more."),
        Column("address", "Struct", "address", "Its struct bpf_map.", "struct bpf_map", False),
    ),
    bpf_maps,
    "system",
    asked=True,
    when_opened=True,
)
