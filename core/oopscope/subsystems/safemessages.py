"""The table `safemessages`: messages that were put aside, and never reached the log."""

from oopscope.linux.printk_safe import safe_messages
from oopscope.subsystems import CPU, Column, Table

TABLE = Table(
    "safemessages",
    "Messages put aside",
    (
        CPU,
        Column(
            "context", "Said in", help="Where it was said: an NMI, or printk() itself. Kernels before 5.15 do that."
        ),
        Column("text", "Message", help="The line; its time was not kept."),
        Column("lost", "Lost", "int", "How many more messages found no room in that buffer."),
        Column("address", "Address", "address", "Where the line is.", brief=False),
    ),
    safe_messages,
    "log",
    ("address",),
    asked=True,
    when_opened=True,
)
