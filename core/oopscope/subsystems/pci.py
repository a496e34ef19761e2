"""The table `pci`: PCI devices."""

from oopscope.linux.pci import pci_devices
from oopscope.subsystems import Column, Table

ERRORS = " since it was found (AER); null for a device that reports none."
TABLE = Table(
    "pci",
    "PCI devices",
    (
        Column("slot", "Place", help="Its domain, bus, device and function, as lspci(8) has them."),
        Column("kind", "Kind", help="What its class says that it is."),
        Column("id", "ID", help="The numbers of its vendor and of the device, as lspci -n has them."),
        Column("driver", "Driver", help="The driver that has it; none: nobody does."),
        Column(
            "state",
            "State",
            help="enabled, or not; a power state other than D0; frozen or failed for good: the bus gave it up after "
            "errors.",
        ),
        Column("irq", "IRQ", "int", "Its line's number; with MSI the interrupts have their own."),
        Column("correctable", "Correctable", "int", f"Errors that the hardware corrected{ERRORS}", brief=False),
        Column("nonfatal", "Non-fatal", "int", f"Errors that lost something and not the link{ERRORS}", brief=False),
        Column("fatal", "Fatal", "int", f"Errors after which the link is not to be relied on{ERRORS}"),
        Column("subsystem", "Subsystem", help="The numbers of who made the card.", brief=False),
        Column("regions", "Regions", "list", "Its registers and memory in physical address space.", brief=False),
        Column("address", "Struct", "address", "Its struct pci_dev.", "struct pci_dev", False),
    ),
    pci_devices,
    "system",
    asked=True,
    when_opened=True,
)
