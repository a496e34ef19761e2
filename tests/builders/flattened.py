"""Flattened files, the records in any order."""

import random
import struct

HEADER = (b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)).ljust(4096, b"\0")
END = struct.pack(">qq", -1, -1)


def flatten(data: bytes, chunk: int = 1000, seed: int | None = None, end: bool = True) -> bytes:
    """Return data as records of chunk bytes; shuffled by a seed, with every third written twice, first wrongly."""
    records = [(at, data[at : at + chunk]) for at in range(0, len(data), chunk)]
    if seed is not None:
        wrong = [(at, b"\xee" * len(piece)) for at, piece in records[::3]]
        random.Random(seed).shuffle(records)
        records = wrong + records
    return pack(records, end)


def pack(records: list[tuple[int, bytes]], end: bool = True) -> bytes:
    """Return the records as they stand."""
    body = b"".join(struct.pack(">qq", at, len(piece)) + piece for at, piece in records)
    return HEADER + body + (END if end else b"")
