"""Raw snappy blocks (makedumpfile -p, QEMU kdump-snappy)."""

import cramjam


def decompress(data: bytes, size: int) -> bytes:
    """Unpack one page of exactly size bytes into a buffer of that size."""
    page = bytearray(size)
    try:
        n = cramjam.snappy.decompress_raw_into(data, page)
    except cramjam.DecompressionError as e:
        raise ValueError(str(e)) from e
    if n != size:
        raise ValueError(f"unpacks to {n} bytes")
    return bytes(page)
