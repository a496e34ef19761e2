"""Every error that oopscope raises on purpose; each carries the data that a message needs.

OopscopeError
├── FormatError                      the file is not, or is no longer, what its header says
│   └── NotADump(path, what)         the file is something else, or nothing
├── ReadError(address, why)          a read of the dead machine's memory failed
│   ├── MissingPage(address, why)    the dump holds no (whole) page for a physical address
│   └── NotMapped(address, why)      the page tables map no page there
├── Absent                           this kernel has no such thing
│   ├── NoSymbol(name)
│   ├── NoType(name)
│   ├── NoMember(struct, member)
│   └── NoTypes                      no types at all: no BTF, and none given
├── Implausible(what, address)       memory was read, but it cannot be what it should be
├── Unsupported(what)                a true thing that this program cannot read
└── NotInLog                         a kernel log in place of a dump holds no memory
"""

from typing import Literal

Why = Literal["excluded", "truncated", "corrupt", "never-saved"]


class OopscopeError(Exception):
    """The root of what is raised on purpose; anything else is a fault of ours."""


class FormatError(OopscopeError):
    """A file whose bytes contradict its format."""


class NotADump(FormatError):
    """A file that is no dump: what it is instead, and what to do, in one line."""

    def __init__(self, path: str, what: str) -> None:
        self.path, self.what = path, what
        super().__init__(f"{path}: {what}")


class ReadError(OopscopeError):
    """A read of the dead machine's memory that failed at one address.

    `lost`: the dump lacks what was there, a page or a page table; else there was nothing to be read.
    """

    lost = False

    def __init__(self, address: int, why: str, text: str) -> None:
        self.address, self.why = address, why
        super().__init__(text)


class MissingPage(ReadError):
    """The dump holds no whole page for a physical address.

    excluded: filtered out when the dump was written; truncated: the file ends before it;
    corrupt: its bytes do not unpack; never-saved: no RAM there, or outside this dump.
    """

    lost = True

    def __init__(self, address: int, why: Why) -> None:
        self.reason = why
        super().__init__(address, why, f"physical page at {address:#x} is {_WORDS[why]}")


class NotMapped(ReadError):
    """The page tables map nothing at a virtual address, or could not be read on the way."""

    def __init__(self, address: int, why: str = "not mapped", lost: bool = False) -> None:
        self.lost = lost
        super().__init__(address, why, f"virtual address {address:#x}: {why}")


class Absent(OopscopeError, LookupError):
    """This kernel has no such thing."""


def is_absence(message: str) -> bool:
    """Tell whether an error's words say what this kernel lacks, rather than what could not be read of it."""
    return "this kernel has no " in message or "this kernel does not name " in message


class NoSymbol(Absent):
    """No symbol of that name in the kernel's own table; `unnamed` where that table names no data, or there is none."""

    def __init__(self, name: str, unnamed: bool = False) -> None:
        self.name, self.unnamed = name, unnamed
        why = "has no symbol"
        if unnamed:
            why = "does not name its data (--symbols or --vmlinux can): there is no symbol"
        super().__init__(f"this kernel {why} {name}")


class NoType(Absent):
    """No type of that name among the kernel's own types."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"this kernel has no type {name}")


class NoMember(Absent):
    """A struct without any of the member names tried."""

    def __init__(self, struct: str, member: str) -> None:
        self.struct, self.member = struct, member
        super().__init__(f"struct {struct} of this kernel has no member {member}")


class NoTypes(Absent):
    """No types were found: the kernel brings none, or they are not in the dump; and none were given."""

    def __init__(self) -> None:
        super().__init__(
            "this kernel has no types that could be found in the dump (no BTF); --btf or --vmlinux can add them"
        )


class Implausible(OopscopeError):
    """Memory was read, but its content cannot be what it should be."""

    def __init__(self, what: str, address: int = 0) -> None:
        self.address = address
        super().__init__(f"{what} at {address:#x}" if address else what)


class Unsupported(OopscopeError):
    """A dump or kernel that is what it says, but that this program cannot read."""


class NotInLog(OopscopeError):
    """A kernel log stands in place of a dump: it holds no memory, and tells what its words say alone."""

    def __init__(self) -> None:
        super().__init__("this is a kernel log without a dump, which does not tell it")


_WORDS: dict[Why, str] = {
    "excluded": "not in the dump (filtered out when it was written)",
    "truncated": "beyond the end of the file (the dump is cut off)",
    "corrupt": "damaged (its bytes do not unpack)",
    "never-saved": "not in the dump (never saved)",
}


def is_lost(error: OopscopeError) -> bool:
    """Tell whether a read failed because the dump does not hold what was there."""
    return isinstance(error, ReadError) and error.lost
