"""The dumps that ship with oopscope: one whole, the others as differences against it, put together when asked for.

A difference is a line of JSON (its base, the whole's size and SHA-256), then a zstandard frame that has the base's
bytes as its dictionary: pages of one kernel's tables are equal in all of its dumps. It knows nothing of their contents.
"""

import hashlib
import json
import os
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from oopscope.cache_place import cache_directory
from oopscope.errors import NotADump
from oopscope.whole_file import whole_file

SUFFIXES = (".kdump", ".patch")
WINDOW = 24  # bits: a match may lie 16 MiB back, a whole base and the dump itself
LARGEST = 64 << 20  # bytes of a dump that is put together
FIRST = "null-pointer"


def bundled() -> dict[str, Path]:
    """Return the bundled dumps' files by name, the first demo first."""
    found = {}
    for entry in files("oopscope").joinpath("data").iterdir():
        name, _, ending = entry.name.rpartition(".")
        if f".{ending}" in SUFFIXES:
            with as_file(entry) as path:  # an installed wheel's files are files
                found[name] = path
    return dict(sorted(found.items(), key=lambda one: (one[0] != FIRST, one[0])))


def bundled_path(name: str | None = None) -> Path:
    """Return the path of a bundled dump, the first by default; NotADump for none of that name."""
    known = bundled()
    chosen = name or next(iter(known), None)
    if chosen is None or chosen not in known:
        raise NotADump(str(name), f"no such demo; there are {', '.join(known) or 'none'}")
    path = known[chosen]
    return path if path.suffix == ".kdump" else _whole(path, known)


def _whole(patch: Path, known: dict[str, Path]) -> Path:
    """Put a dump together in the cache, once for its content; without a cache in a folder for scratch files."""
    head, _, frame = patch.read_bytes().partition(b"\n")
    said = json.loads(head)
    folder = cache_directory(os.environ) or Path(tempfile.gettempdir())
    made = folder / f"{patch.stem}-{said['sha256'][:12]}.kdump"
    if made.is_file() and made.stat().st_size == said["size"] and _sum(made.read_bytes()) == said["sha256"]:
        return made
    import zstandard

    dictionary = zstandard.ZstdCompressionDict(
        known[said["base"]].read_bytes(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    reader = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=1 << WINDOW)
    data = reader.decompress(frame, max_output_size=LARGEST)
    if _sum(data) != said["sha256"]:
        raise NotADump(str(patch), "the bundled dump is damaged: install oopscope anew")
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(made) as file:
        file.write(data)
    return made


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
