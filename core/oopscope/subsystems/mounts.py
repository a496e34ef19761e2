"""The table `mounts`: mounted file systems as in /proc/mounts."""

from oopscope.linux.proc_mounts import all_mounts
from oopscope.subsystems import Column, Table

TABLE = Table(
    "mounts",
    "Mounts",
    (
        Column("source", "Source", help="The device, server or pseudo file system.", share=True),
        Column("target", "Mounted on", help="Where it is mounted, in the first mount namespace."),
        Column("fstype", "Type", help="The file system's kind."),
        Column(
            "options",
            "Options",
            help="Mount options that the kernel keeps for every file system. `ro` on what should be writable may be "
            "the file system's answer to errors.",
        ),
    ),
    all_mounts,
    "io",
    ("target", "source"),
    thing="filesystem",
    commands=("mount {target}",),
)
