"""Raw LZO1X blocks (makedumpfile -l, QEMU kdump-lzo)."""

from lzallright import LZOCompressor

_LZO = LZOCompressor()


def decompress(data: bytes, size: int) -> bytes:
    """Unpack one page of exactly size bytes. The input is never longer than a page, which bounds the output."""
    if len(data) > size + size // 16 + 67:
        raise ValueError("stored page is longer than LZO can make it")
    try:
        page = _LZO.decompress(data, output_size_hint=size)
    except Exception as e:  # the library has one exception per fault and no common base
        raise ValueError(str(e)) from e
    if len(page) != size:
        raise ValueError(f"unpacks to {len(page)} bytes")
    return bytes(page)
