"""The dumps that ship with oopscope: one whole, the others as differences against it, put together when asked for."""

import os
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from oopscope.cache_place import cache_directory
from oopscope.errors import NotADump
from oopscope.whole_file import whole_file

SUFFIXES = (".kdump", ".patch")
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
    from oopscope.difference import head_of, put_together

    head = head_of(patch)
    folder = cache_directory(os.environ) or Path(tempfile.gettempdir())
    made = folder / f"{patch.stem}-{head.sha256[:12]}.kdump"
    if made.is_file() and made.stat().st_size == head.size and head.is_of(made.read_bytes()):
        return made
    try:
        data = put_together(patch, known[head.base].read_bytes())
    except ValueError as e:
        raise NotADump(str(patch), "the bundled dump is damaged: install oopscope anew") from e
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(made) as file:
        file.write(data)
    return made
