"""The kernel log within a .crash file of apport (Ubuntu): fields as in a Debian control file, values packed or plain.

Follows problem_report.py: a value that begins with `base64` goes on over lines that are base64 each, together a gzip or
zstd stream. What of a crash is no log is not looked at.
"""

import base64
import zlib
from binascii import Error
from collections.abc import Iterator

import zstandard

from oopscope.decode import decoded
from oopscope.lazy_re import lazy_re

FIELDS = ("VmCoreDmesg", "OopsText", "Dmesg", "CurrentDmesg", "CurrentDmesg.txt", "Failure")  # the first that is there
FIELD = lazy_re(r"(?P<key>[A-Za-z0-9._-]{1,64}):(?: (?P<value>.*))?$")
MOST = 64 << 20  # bytes of a log


def is_apport(head: str) -> bool:
    """Return whether a text begins as a .crash file does."""
    return head.startswith("ProblemType: ") and "\n" in head


def log_text(text: str) -> str | None:
    """Return the kernel log of a .crash file; None where it has none."""
    fields = dict(_fields(text))
    for key in FIELDS:
        lines = fields.get(key)
        if not lines:
            continue
        value = _unpacked(lines[1:]) if lines[0].strip() == "base64" else "\n".join(line for line in lines if line)
        if value:
            return value
    return None


def _fields(text: str) -> Iterator[tuple[str, list[str]]]:
    key, lines = None, list[str]()
    for line in text.split("\n"):
        if line.startswith(" "):
            lines.append(line[1:])
            continue
        if key is not None:
            yield key, lines
        found = FIELD.match(line)
        key, lines = (found["key"], [found["value"] or ""]) if found else (None, [])
    if key is not None:
        yield key, lines


def _unpacked(lines: list[str]) -> str | None:
    data = bytearray()
    try:
        for line in lines:
            data += base64.b64decode(line)
        if data[:4] == b"\x28\xb5\x2f\xfd":
            out = zstandard.ZstdDecompressor().decompressobj().decompress(bytes(data))[:MOST]
        else:
            out = zlib.decompressobj(47).decompress(bytes(data), MOST)
    except (Error, ValueError, zlib.error, zstandard.ZstdError):
        return None
    return decoded(out)
