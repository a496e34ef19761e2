"""Plain images of memory: LiME, AVML, raw."""

import struct

import cramjam

BANNER = b"Linux version 6.1.0-test (builder@lab) (gcc 12) #1 SMP Debian 6.1.1 (2026-01-01)\n\0"
PROC_BANNER = b"%s version %s (builder@lab) (gcc 12) %s\n\0"


def _header(magic: int, version: int, start: int, size: int) -> bytes:
    return struct.pack("<IIQQQ", magic, version, start, start + size - 1, 0)


def lime(ranges: list[tuple[int, bytes]]) -> bytes:
    """Return the ranges as LiME writes them."""
    return b"".join(_header(0x4C694D45, 1, start, len(data)) + data for start, data in ranges)


def avml(blocks: list[tuple[int, bytes]], plain: bool = False) -> bytes:
    """Return the blocks as AVML writes them; plain: with chunks that are not packed, and a skippable one between."""
    out = b""
    for start, data in blocks:
        body = _plain_chunks(data) if plain else bytes(cramjam.snappy.compress(data))
        out += _header(0x4C4D5641, 2, start, len(data)) + body + struct.pack("<Q", len(body))
    return out


def _plain_chunks(data: bytes, size: int = 10_000) -> bytes:
    out = b"\xff\x06\0\0sNaPpY"
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        out += b"\xfe\x03\0\0abc" + b"\x01" + (len(piece) + 4).to_bytes(3, "little") + bytes(4) + piece
    return out


def raw(pages: dict[int, bytes], size: int = 9 << 20) -> bytes:
    """Return an image whose page n lies at n * 4096."""
    image = bytearray(size)
    for n, page in pages.items():
        image[n * 4096 : n * 4096 + len(page)] = page
    return bytes(image)
