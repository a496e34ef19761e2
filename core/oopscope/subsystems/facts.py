"""The table `facts`: what the machine is, and how it was set up."""

from oopscope.linux.facts import machine_facts
from oopscope.subsystems import Column, Table

TABLE = Table(
    "facts",
    "Machine",
    (
        Column(
            "topic",
            "Topic",
            help="kdump, settings (sysctl), firmware, CPU, hypervisor, clock, modules.",
        ),
        Column("name", "Fact", help="What is told; of settings the name that sysctl(8) has for it."),
        Column("value", "Value", help="Its value."),
    ),
    machine_facts,
    "system",
    ("topic", "name"),
    asked=True,
)
