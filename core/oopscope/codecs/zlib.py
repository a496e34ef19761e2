"""zlib streams (makedumpfile -c, QEMU kdump-zlib)."""

import zlib


def decompress(data: bytes, size: int) -> bytes:
    """Unpack one page of exactly size bytes."""
    try:
        page = zlib.decompressobj().decompress(data, size)
    except zlib.error as e:
        raise ValueError(str(e)) from e
    if len(page) != size:
        raise ValueError(f"unpacks to {len(page)} bytes")
    return page
