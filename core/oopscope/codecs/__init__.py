"""Decompressors of single pages, each with a cap on its output; imported when the first such page is met.

A page that says it unpacks to more than the page size is corrupt, whatever it holds: no decompressor here may
allocate much more than `size`. Every codec raises ValueError for bytes that do not unpack to exactly `size`, and may
be called from several threads.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module

Decompress = Callable[[bytes, int], bytes]

# The bit in a kdump page descriptor's flags, the codec's name, and where it is.
CODECS: tuple[tuple[int, str, str], ...] = (
    (0x01, "zlib", "oopscope.codecs.zlib"),
    (0x02, "lzo", "oopscope.codecs.lzo"),
    (0x04, "snappy", "oopscope.codecs.snappy"),
    (0x20, "zstd", "oopscope.codecs.zstd"),
)


@cache
def by_flag(flag: int) -> Decompress:
    """Return the decompressor of one bit of a page descriptor's flags; ValueError where there is not just one."""
    for bit, _name, module in CODECS:
        if flag == bit:
            found: Decompress = import_module(module).decompress
            return found
    raise ValueError(f"no codec for page flags {flag:#x}")


def names(flags: int) -> list[str]:
    """Return the names of the codecs whose bits are set."""
    return [name for bit, name, _module in CODECS if flags & bit]
