"""Files compressed once more, in blocks of a size of one's choice, as the tools of these formats write them."""

import gzip
import lzma
import struct
import zlib

import zstandard
from cramjam import lz4
from lzallright import LZOCompressor

BLOCK = 50_000


def _parts(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def xz_blocks(data: bytes, size: int = BLOCK) -> bytes:
    """One stream of several blocks, taken out of streams of one block each (`xz --block-size`)."""
    header, blocks, records = b"", [], b""
    parts = _parts(data, size)
    for part in parts:
        raw = lzma.compress(part, preset=0)
        backward = (struct.unpack("<I", raw[-8:-4])[0] + 1) * 4
        index = raw[-12 - backward : -12]
        header, records = raw[:12], records + _numbers(index)
        blocks.append(raw[12 : -12 - backward])
    index = b"\0" + _number(len(parts)) + records
    index += bytes(-len(index) % 4)
    index += struct.pack("<I", zlib.crc32(index))
    footer = struct.pack("<I", len(index) // 4 - 1) + header[6:8]
    return b"".join([header, *blocks, index, struct.pack("<I", zlib.crc32(footer)), footer, b"YZ"])


def _numbers(index: bytes) -> bytes:
    """The two numbers of an index of one block."""
    end, left = 2, 2
    while left:
        left -= index[end] < 0x80
        end += 1
    return index[2:end]


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def xz_streams(data: bytes, size: int = BLOCK) -> bytes:
    """Several streams with padding between them, as `cat` makes them."""
    return bytes(8).join(lzma.compress(part, preset=0) for part in _parts(data, size))


def zstd_frames(data: bytes, size: int = BLOCK) -> bytes:
    """Frames that state their size, as `cat` makes them, and one between them to be skipped."""
    packer = zstandard.ZstdCompressor(level=1, write_checksum=True)
    return (struct.pack("<II", 0x184D2A51, 4) + b"skip").join(packer.compress(part) for part in _parts(data, size))


def zstd_seekable(data: bytes, size: int = BLOCK) -> bytes:
    """Frames that do not state their size, and the seek table of the seekable format."""
    packer = zstandard.ZstdCompressor(level=1, write_content_size=False)
    parts = _parts(data, size)
    frames = [packer.compress(part) for part in parts]
    table = b"".join(struct.pack("<II", len(f), len(p)) for f, p in zip(frames, parts, strict=True))
    footer = struct.pack("<IBI", len(frames), 0, 0x8F92EAB1)
    return b"".join([*frames, struct.pack("<II", 0x184D2A5E, len(table) + 9), table, footer])


def pzstd(data: bytes, size: int = BLOCK) -> bytes:
    """Frames, each behind one to be skipped that has its size."""
    packer = zstandard.ZstdCompressor(level=1, write_content_size=False)
    frames = [packer.compress(part) for part in _parts(data, size)]
    return b"".join(struct.pack("<III", 0x184D2A50, 4, len(frame)) + frame for frame in frames)


def bgzf(data: bytes) -> bytes:
    """Members that say their size, and an empty one at the end (`bgzip`)."""
    return b"".join(_member(part) for part in [*_parts(data, 0xFF00), b""])


def _member(data: bytes) -> bytes:
    deflated = gzip.compress(data, 1)[10:]
    size = 18 + len(deflated)
    return b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H2sHH", 6, b"BC", 2, size - 1) + deflated


def lz4_frame(data: bytes, linked: bool = False, size: bool = False) -> bytes:
    """A frame of blocks of 64 KiB; linked ones refer to what comes before them."""
    if linked:
        packer = lz4.Compressor(block_linked=True, content_checksum=True)
        packer.compress(data)
        return bytes(packer.finish())
    head = struct.pack("<IBB", 0x184D2204, 0x60 | 8 * size, 0x40) + (struct.pack("<Q", len(data)) if size else b"")
    parts = [head, b"\x82"]
    for raw in _parts(data, 1 << 16):
        block = bytes(lz4.compress_block(raw, store_size=False))
        stored = len(block) >= len(raw)
        parts += [struct.pack("<I", len(raw) | 1 << 31), raw] if stored else [struct.pack("<I", len(block)), block]
    return b"".join([*parts, bytes(4)])


def lz4_legacy(data: bytes) -> bytes:
    """A legacy frame (`lz4 -l`): blocks of 8 MiB, and no end mark."""
    blocks = [bytes(lz4.compress_block(raw, store_size=False)) for raw in _parts(data, 8 << 20)]
    return struct.pack("<I", 0x184C2102) + b"".join(struct.pack("<I", len(block)) + block for block in blocks)


ADLER, ADLER_PACKED, CRC, CRC_PACKED, HEADER_CRC = 0x1, 0x2, 0x100, 0x200, 0x1000


def lzop(data: bytes, flags: int = ADLER, size: int = BLOCK, name: bytes = b"vmcore") -> bytes:
    """A file of lzop 1.04, with the checksums that the flags name."""
    packer = LZOCompressor()
    head = struct.pack(">HHHBBIIII", 0x1040, 0x20A0, 0x0940, 1, 5, 0x03000000 | flags, 0o100644, 1, 0)
    head += bytes([len(name)]) + name
    check = zlib.crc32 if flags & HEADER_CRC else zlib.adler32
    parts = [b"\x89LZO\0\r\n\x1a\n", head, struct.pack(">I", check(head))]
    for raw in _parts(data, size):
        packed = bytes(packer.compress(raw))
        packed = packed if len(packed) < len(raw) else raw
        sums = [(ADLER, zlib.adler32, raw), (CRC, zlib.crc32, raw)]
        if packed is not raw:
            sums += [(ADLER_PACKED, zlib.adler32, packed), (CRC_PACKED, zlib.crc32, packed)]
        numbers = [len(raw), len(packed), *(f(of) for flag, f, of in sums if flags & flag)]
        parts += [struct.pack(f">{len(numbers)}I", *numbers), packed]
    return b"".join([*parts, bytes(4)])
