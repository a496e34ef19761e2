"""The table `dentries`: the names that each file system keeps in memory."""

from oopscope.linux.dcache import dentry_counts
from oopscope.subsystems import Column, Table

TABLE = Table(
    "dentries",
    "Names in memory",
    (
        Column("name", "File system", help="Its device, or its type."),
        Column("type", "Type", help="Its type."),
        Column("targets", "Mounted on", "list", "Where PID 1 sees it."),
        Column("dentries", "Names", "int", "Dentries that hang on its root, the root's own included."),
        Column("negative", "Of nothing", "int", "Of them names that were looked up and are not there."),
        Column("largest", "Most in", help="The directory with the most names, from the file system's root."),
        Column("in_largest", "There", "int", "How many names that directory has."),
        Column("address", "Address", "address", "Its struct super_block.", brief=False),
        Column("least", "At least", "bool", "Some could not be read: the numbers are of those that were.", brief=False),
    ),
    dentry_counts,
    "memory",
    ("address",),
    asked=True,
    when_opened=True,
)
