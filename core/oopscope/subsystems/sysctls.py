"""The table `sysctls`: the kernel's settings, as sysctl prints them."""

from oopscope.linux.sysctl import settings
from oopscope.subsystems import Column, Table

TABLE = Table(
    "sysctls",
    "Settings",
    (
        Column("name", "Name", help="As sysctl writes it: kernel.panic is /proc/sys/kernel/panic."),
        Column("value", "Value", help="As it is printed; nothing where how that is done is not known here."),
        Column("mode", "Mode", help="Who may read and write it, octal.", brief=False),
        Column("handler", "By", "symbol", "The function that prints it.", brief=False),
        Column("address", "Address", "address", "Its struct ctl_table.", brief=False),
    ),
    settings,
    "system",
    asked=True,
    when_opened=True,
)
