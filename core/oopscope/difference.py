"""A dump kept as its difference against another one of its kernel, which has most of its pages.

A difference is a line of JSON (the base's name, the whole's size in bytes and its SHA-256), then a zstandard frame that
was compressed with the base's bytes as its dictionary: pages of a kernel's own tables are equal in all of its dumps,
down to their compressed bytes. It knows nothing of what a dump holds.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import zstandard

WINDOW = 24  # bits: a match may lie 16 MiB back, a whole base and the dump itself
LARGEST = 64 << 20  # bytes of a dump that is put together


class Head(NamedTuple):
    """What is known of a dump before it is put together."""

    base: str
    size: int
    sha256: str

    def is_of(self, data: bytes) -> bool:
        """Tell whether a dump is the one that was kept."""
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256


def head_of(patch: Path) -> Head:
    """Read the first line of a difference."""
    with patch.open("rb") as file:
        return Head(**json.loads(file.readline()))


def dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    """Return what frames of a base are compressed with."""
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def put_together(patch: Path, base: bytes) -> bytes:
    """Return the whole dump; ValueError where it is not the one that was kept."""
    head, frame = head_of(patch), patch.read_bytes().partition(b"\n")[2]
    reader = zstandard.ZstdDecompressor(dict_data=dictionary(base), max_window_size=1 << WINDOW)
    whole = reader.decompress(frame, max_output_size=LARGEST)
    if not head.is_of(whole):
        raise ValueError(f"{patch} is no difference against {head.base}.kdump as it is now: store it again")
    return whole
