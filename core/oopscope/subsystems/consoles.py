"""The table `consoles`: where the kernel's messages went."""

from oopscope.linux.console import consoles
from oopscope.subsystems import Column, Table

TABLE = Table(
    "consoles",
    "Consoles",
    (
        Column("name", "Console", help="Its device and number."),
        Column("flags", "Flags", "list", "enabled; whether it is /dev/console; nbcon: it needs no console lock."),
        Column("function", "Writes by", "symbol", "The function of its driver that writes.", "symbol"),
        Column("printed", "Printed", "int", "The number of the record that it prints next, where each counts."),
        Column("behind", "Behind", "int", "Records of the log that it has not printed."),
        Column("dropped", "Dropped", "int", "Records that were overwritten before it came to them."),
        Column("address", "Struct", "address", "Its struct console.", "struct console", False),
    ),
    consoles,
    "log",
    asked=True,
    when_opened=True,
)
