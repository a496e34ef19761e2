"""Where things are kept that can be made again: the index cache, dumps that were unpacked."""

from collections.abc import Mapping
from pathlib import Path


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """Return where the cache is: OOPSCOPE_CACHE, else oopscope in XDG_CACHE_HOME or ~/.cache; None if it is `off`."""
    chosen = environ.get("OOPSCOPE_CACHE")
    if chosen:
        return None if chosen == "off" else Path(chosen).expanduser()
    base = environ.get("XDG_CACHE_HOME") or (environ.get("HOME") and f"{environ['HOME']}/.cache")
    return Path(base) / "oopscope" if base else None
