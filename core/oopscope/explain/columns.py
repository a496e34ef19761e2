"""The columns of the tables, as `table.column`: what each table says of its own; and those of the list of dumps."""

from oopscope.explain import Text
from oopscope.subsystems import TABLES, table
from oopscope.subsystems.problems import PROBLEMS

TEXTS: dict[str, Text] = {
    f"{found.key}.{column.key}": Text(column.help, "", column.look)
    for found in (*(table(key) for key, _ in TABLES), PROBLEMS)
    for column in found.columns
} | {
    "dumps.name": Text("The file, as it stands below the folder that was asked for."),
    "dumps.bytes": Text("The size of all its files."),
    "dumps.nodename": Text("The machine that crashed."),
    "dumps.release": Text("Its kernel."),
    "dumps.panic": Text("What panic() was called with, in the kernel's own words."),
    "dumps.format": Text("The container: kdump, ELF, and so on."),
    "dumps.when": Text("When the machine crashed, UTC, from the dump; else the file's time."),
    "dumps.state": Text("complete; incomplete (cut, or its writer said so); written to (still growing); unreadable."),
    "dumps.cause": Text("The verdict's title, once it is known."),
}
