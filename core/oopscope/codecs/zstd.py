"""zstd frames, one a page (makedumpfile -z, and what distill writes)."""

from threading import local

import zstandard

MAX_WINDOW = 8 << 20  # a frame that wants more memory than this to unpack a page is no page


class _Context(local):
    """A decompressor a thread: one cannot be shared."""

    def __init__(self) -> None:
        self.zstd = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)


_CONTEXT = _Context()


def decompress(data: bytes, size: int) -> bytes:
    """Unpack one page of exactly size bytes; a frame that states another size is not unpacked at all."""
    try:
        if zstandard.frame_content_size(data) not in (size, -1):
            raise ValueError("frame states another size")
        page = _CONTEXT.zstd.decompress(data, max_output_size=size)
    except zstandard.ZstdError as e:
        raise ValueError(str(e)) from e
    if len(page) != size:
        raise ValueError(f"unpacks to {len(page)} bytes")
    return page
