"""zlib streams (makedumpfile -c, QEMU kdump-zlib)."""

import zlib


def decompress(data: bytes, size: int) -> bytes:
    """Unpack one page of exactly size bytes; a stream that holds more is stopped one byte later."""
    stream = zlib.decompressobj()
    try:
        page = stream.decompress(data, size + 1)
    except zlib.error as e:
        raise ValueError(str(e)) from e
    if len(page) != size or not stream.eof:
        raise ValueError(f"unpacks to {len(page)} bytes, or has no end")
    return page
