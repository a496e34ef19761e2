"""bzip2: its blocks begin at any bit, and nothing says where, so it is read from its start on only."""

from collections.abc import Iterator

from oopscope.sources import ByteSource
from oopscope.sources.members import members


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds."""
    from bz2 import BZ2Decompressor

    try:
        yield from members(source, b"BZh", BZ2Decompressor)
    except OSError as e:
        if e.errno:
            raise
        raise ValueError(str(e)) from None
