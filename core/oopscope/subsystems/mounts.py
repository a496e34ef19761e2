"""The table `mounts`: mounted file systems as in /proc/mounts."""

from oopscope.linux.proc_mounts import all_mounts
from oopscope.subsystems import Column, Table

TABLE = Table(
    "mounts",
    "Mounts",
    (
        Column("source", "Source"),
        Column("target", "Mounted on"),
        Column("fstype", "Type"),
        Column("options", "Options"),
    ),
    all_mounts,
)
