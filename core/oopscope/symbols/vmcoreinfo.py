"""VMCOREINFO: the note in which a kernel tells a dump's reader its first addresses, sizes and offsets.

Follows kernel/vmcore_info.c (kernel/crash_core.c before 6.9). SYMBOL() and KERNELOFFSET are hexadecimal without
a prefix; NUMBER() is signed decimal, or hexadecimal with one.
"""

from typing import NamedTuple

MAX_STRUCT, MAX_LENGTH = 1 << 20, 1 << 32  # bytes of a struct, elements of an array


class VmcoreInfo(NamedTuple):
    """The parsed note; `raw` holds every KEY=VALUE line."""

    raw: dict[str, str]

    @classmethod
    def parse(cls, text: bytes) -> "VmcoreInfo":
        """Parse the note's text; lines without '=' are passed over."""
        lines = text.split(b"\0", 1)[0].decode("ascii", "replace").splitlines()
        return cls(dict(line.split("=", 1) for line in lines if "=" in line))

    def get(self, key: str) -> str | None:
        """Return a plain key's text, such as OSRELEASE or BUILD-ID."""
        return self.raw.get(key)

    def plain(self, key: str, base: int = 10) -> int | None:
        """Return a plain key's number, such as CRASHTIME; None for what is no number of 64 bits."""
        return _within(_number(self.raw.get(key), base), 1 << 64)

    def symbol(self, name: str) -> int | None:
        """Return SYMBOL(name), an address."""
        return _within(_number(self.raw.get(f"SYMBOL({name})"), 16), 1 << 64)

    def number(self, name: str) -> int | None:
        """Return NUMBER(name)."""
        return _number(self.raw.get(f"NUMBER({name})"), 0)

    def offset(self, member: str) -> int | None:
        """Return OFFSET(struct.member), in bytes."""
        return _within(_number(self.raw.get(f"OFFSET({member})"), 10), MAX_STRUCT)

    def size(self, struct: str) -> int | None:
        """Return SIZE(struct), in bytes."""
        return _within(_number(self.raw.get(f"SIZE({struct})"), 10), MAX_STRUCT)

    def length(self, array: str) -> int | None:
        """Return LENGTH(array), in elements."""
        return _within(_number(self.raw.get(f"LENGTH({array})"), 10), MAX_LENGTH)

    @property
    def kernel_offset(self) -> int:
        """How far KASLR moved the kernel's text, in bytes."""
        return _within(_number(self.raw.get("KERNELOFFSET"), 16), 1 << 64) or 0


def _within(number: int | None, end: int) -> int | None:
    """Return a number that can be what it is said to be; None for one that cannot."""
    return number if number is not None and 0 <= number < end else None


def _number(text: str | None, base: int) -> int | None:
    try:
        return None if text is None else int(text, base)
    except ValueError:
        return None
