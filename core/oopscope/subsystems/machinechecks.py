"""The table `machinechecks`: errors of the hardware that were recorded and not handed on."""

from oopscope.linux.machine_check import machine_checks
from oopscope.subsystems import Column, Table

TABLE = Table(
    "machinechecks",
    "Machine checks",
    (
        Column("cpu", "CPU", "int", "The CPU that met it.", "cpu"),
        Column("bank", "Bank", "int", "The bank of registers that reported it: which part of the CPU."),
        Column("kind", "Kind", "list", "corrected, uncorrected; context corrupt: the CPU cannot go on; overflow ..."),
        Column("code", "Code", "address", "The error's code (MCACOD), the low 16 bits of the status."),
        Column("at", "At", "address", "The physical address that it is of, where the bank has one."),
        Column("ip", "Stood at", "address", "Where the CPU stood.", brief=False),
        Column("status", "Status", "address", "The bank's status register."),
        Column("time", "Time", "int", "When it was read, in seconds since 1970.", brief=False),
        Column("address", "Record", "address", "Its struct mce_evt_llist.", "struct mce_evt_llist", False),
    ),
    machine_checks,
    "cpus",
    ("address",),
    asked=True,
    when_opened=True,
)
