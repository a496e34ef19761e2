"""Where things are kept that can be made again: the index cache, dumps that were unpacked."""

import os
from collections.abc import Mapping
from pathlib import Path


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """Return where the cache is: OOPSCOPE_CACHE, else oopscope in XDG_CACHE_HOME or ~/.cache; None if it is `off`."""
    chosen = environ.get("OOPSCOPE_CACHE")
    if chosen:
        return None if chosen == "off" else Path(chosen).expanduser()
    base = environ.get("XDG_CACHE_HOME") or (environ.get("HOME") and f"{environ['HOME']}/.cache")
    return Path(base) / "oopscope" if base else None


def is_ours(path: Path) -> bool:
    """Tell whether a file or folder is this user's own, and no other may write to it: only then is it believed."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022
