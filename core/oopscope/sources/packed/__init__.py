"""Formats in which files are compressed once more, one a file: the table of them.

Each has `pieces(source)`, which yields what a file holds from its start on, in pieces of MAX_PIECE bytes at most, with
EOFError for one that is cut off and ValueError for one that is damaged. Formats whose files may say it have
`index(source, walk)`, which returns where the blocks are, and `stated(source)`, which returns what it all unpacks to
at least; None and 0 where this file does not say. `walk` allows an index to look through the whole file.
"""

import re
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from oopscope.lazy_re import lazy_re
from oopscope.sources import ByteSource

HEAD = 16  # bytes that a signature looks at


class Packing(NamedTuple):
    """A line of the table: a name, what its files begin with, and the module."""

    key: str
    signature: re.Pattern[bytes]
    module: str


def _line(key: str, signature: bytes) -> Packing:
    return Packing(key, lazy_re(signature, re.DOTALL), f"oopscope.sources.packed.{key}")


PACKINGS = (
    _line("gzip", rb"\x1f\x8b"),
    _line("xz", rb"\xfd7zXZ\0"),
    _line("zstd", rb"(?:[\x50-\x5f]\x2a\x4d\x18\x04\0\0\0....)?\x28\xb5\x2f\xfd"),  # pzstd writes each frame's size
    _line("bzip2", rb"BZh[1-9]"),
    _line("lz4", rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18"),
    _line("lzop", rb"\x89LZO\x00\r\n\x1a\n"),
)


def packing(head: bytes) -> str | None:
    """Return what a file is compressed with, by its first bytes; None for none of these."""
    return next((line.key for line in PACKINGS if line.signature.match(head)), None)


def format_of(source: ByteSource) -> ModuleType:
    """Return the module of the format that a file is compressed in."""
    key = packing(source.read_at(0, HEAD))
    return import_module(next(line.module for line in PACKINGS if line.key == key))
