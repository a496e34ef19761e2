"""The table `pagecache`: files of which pages are in memory."""

from oopscope.linux.page_cache import cached_files
from oopscope.subsystems import Column, Table

TABLE = Table(
    "pagecache",
    "Page cache",
    (
        Column("bytes", "In memory", "bytes", "What of the file is in memory."),
        Column("path", "File", help="One of its names, as PID 1 sees it; of a block device its number."),
        Column("filesystem", "File system", help="The file system's type; tmpfs and shm have no other place."),
        Column("kind", "Kind", help="file, block device (the file system's own data), link ...", brief=False),
        Column("size", "Size", "bytes", "How large the file is."),
        Column("inode", "Inode", "int", "Its number.", brief=False),
        Column("links", "Links", "int", "How many names it has; 0: deleted, and still open.", brief=False),
        Column("address", "Struct", "address", "Its struct inode.", "struct inode", False),
    ),
    cached_files,
    "memory",
    ("address",),
    "-bytes",
    asked=True,
    when_opened=True,
    kept=False,
)
