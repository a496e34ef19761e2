"""The table `interrupts`: the lines that devices interrupt by, the machine's own counters, and the soft interrupts."""

from oopscope.linux.irq import interrupts
from oopscope.subsystems import Column, Table

TABLE = Table(
    "interrupts",
    "Interrupts",
    (
        Column(
            "irq",
            "IRQ",
            "int",
            "The line's number in Linux; a soft interrupt and a machine's counter have none.",
        ),
        Column(
            "name", "Name", help="The devices that have a handler on it, the machine's counter, or the soft interrupt."
        ),
        Column("total", "Total", "int", "How often it was served since boot, by all CPUs."),
        Column("counts", "By CPU", "list", "The same for each possible CPU, in their order."),
        Column("chip", "Chip", help="The interrupt controller that it comes through."),
        Column("trigger", "Flow", help="How it is handled: edge, fasteoi, level, percpu."),
        Column("affinity", "Asked", help="The CPUs that it was asked to go to (smp_affinity)."),
        Column("effective", "Served by", help="The CPUs that the controller sends it to."),
        Column("depth", "Depth", "int", "How often it was disabled: 0 is on, anything else off."),
        Column("text", "Counts", help="What a counter of the machine's own counts."),
        Column(
            "unhandled",
            "Unhandled",
            "int",
            "How many of late no handler wanted. Of 100,000 at 99,900 the kernel turns the line off (nobody cared).",
            brief=False,
        ),
        Column("handlers", "Handlers", "list", "The functions that are called.", brief=False),
        Column("threads", "Threads", "list", "The PIDs of threads that do the work (threaded handlers).", brief=False),
        Column("address", "Descriptor", "address", "Its struct irq_desc.", "struct irq_desc", False),
    ),
    interrupts,
    "cpus",
    ("irq", "name"),
    commands=("irq -a", "struct irq_desc {address:x}"),
)
