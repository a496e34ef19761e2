"""The table `bpf`: BPF programs that are loaded."""

from oopscope.linux.bpf import bpf_programs
from oopscope.subsystems import Column, Table

TABLE = Table(
    "bpf",
    "BPF programs",
    (
        Column("id", "ID", "int", "The program's number, as bpftool has it."),
        Column("name", "Name", help="The name that its loader gave it."),
        Column("type", "Type", help="What it can be attached to: kprobe, tracing, xdp, cgroup skb, struct ops ..."),
        Column("attached", "To", help="The kernel's function that it is made for, of those that have one."),
        Column("maps", "Maps", "list", "The maps that it uses, by ID and name."),
        Column("loaded_seconds", "Loaded", "seconds", "When it was loaded, after the machine booted."),
        Column("runs", "Runs", "int", "How often it ran; counted where kernel.bpf_stats_enabled is set.", brief=False),
        Column("instructions", "Instructions", "int", "Of BPF, as the verifier left them.", brief=False),
        Column("compiled", "Machine code", "bytes", "What they became; null where it is interpreted.", brief=False),
        Column("bytes", "Memory", "bytes", "Its pages.", brief=False),
        Column("uid", "User", "int", "Who loaded it.", brief=False),
        Column("tag", "Tag", help="The hash of its instructions: bpf_prog_TAG is its name in stacks.", brief=False),
        Column("address", "Struct", "address", "Its struct bpf_prog.", "struct bpf_prog", False),
    ),
    bpf_programs,
    "system",
    asked=True,
    when_opened=True,
)
