"""zstd frames, one a page (makedumpfile -z, and what distill writes)."""

import zstandard

_ZSTD = zstandard.ZstdDecompressor()


def decompress(data: bytes, size: int) -> bytes:
    """Unpack one page of exactly size bytes; a frame that states another size is not unpacked at all."""
    try:
        if zstandard.frame_content_size(data) not in (size, -1):
            raise ValueError("frame states another size")
        page = _ZSTD.decompress(data, max_output_size=size)
    except zstandard.ZstdError as e:
        raise ValueError(str(e)) from e
    if len(page) != size:
        raise ValueError(f"unpacks to {len(page)} bytes")
    return page
