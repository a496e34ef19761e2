"""The stored dumps, whole: most lie as a difference against another dump of their kernel and are put together here.

A difference is `NAME.patch` (oopscope.difference); what is left of 3.4 MB is about 0.25.

Run by hand it stores a dump: python tests/stored.py FILE NAME
"""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

import zstandard

from oopscope import difference as kept
from oopscope.difference import WINDOW, Head, dictionary, head_of
from oopscope.distill.kdump_file import DESCRIPTOR, FLAG_ZSTD

STORE = Path(__file__).parent / "dumps"
DEMOS = Path(__file__).parents[1] / "core" / "oopscope" / "data"
CACHE = Path(os.environ.get("OOPSCOPE_TEST_CACHE") or STORE / ".whole")
LEVEL = 19
WORTH = 0.5  # of the whole: a difference that is larger is none


def difference(base: str, base_data: bytes, data: bytes) -> bytes:
    """Return a dump as a difference against another one."""
    head = Head(base, len(data), hashlib.sha256(data).hexdigest())
    how = zstandard.ZstdCompressionParameters.from_level(LEVEL, window_log=WINDOW, hash_log=22, chain_log=23)
    frame = zstandard.ZstdCompressor(dict_data=dictionary(base_data), compression_params=how).compress(data)
    return json.dumps(head._asdict()).encode() + b"\n" + frame


def put_together(patch: Path, store: Path = STORE) -> bytes:
    """Return the whole dump; ValueError where it is not the one that was stored."""
    return kept.put_together(patch, base_data(head_of(patch).base, store))


def base_data(name: str, store: Path) -> bytes:
    """Return the bytes of a base: a whole dump of the store or of the demos, or one that is a difference itself."""
    for folder in (store, DEMOS):
        if (whole := folder / f"{name}.kdump").exists():
            return whole.read_bytes()
    return put_together(store / f"{name}.patch", store)


def unpacked(data: bytes) -> bytes:
    """Return a distilled dump whose pages are as they were: one frame around all of them is smaller than one each.

    What comes of it is a difference worth storing even where no other dump is of its kernel.
    """
    block, sub_blocks, bitmap_blocks = (int.from_bytes(data[at : at + 4], "little") for at in (428, 432, 436))
    first, unpack = block * (1 + sub_blocks + bitmap_blocks), zstandard.ZstdDecompressor().decompress
    count = int.from_bytes(data[first - block * bitmap_blocks // 2 : first], "little").bit_count()
    head, pages, places = bytearray(data[: first + DESCRIPTOR.size * count]), bytearray(), dict[int, int]()
    for at in range(first, len(head), DESCRIPTOR.size):
        offset, size, flags, _ = DESCRIPTOR.unpack_from(head, at)
        if offset not in places:  # pages of zeros share one
            places[offset] = len(head) + len(pages)
            page = data[offset : offset + size]
            pages += unpack(page) if flags & FLAG_ZSTD else page
        DESCRIPTOR.pack_into(head, at, places[offset], block, 0, 0)
    return bytes(head + pages)


def write(path: Path, data: bytes, mtime_ns: int) -> None:
    """Write a file so that no other process sees a part of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.utime(name, ns=(mtime_ns, mtime_ns))
    Path(name).replace(path)


def link(path: Path, target: Path) -> None:
    """Let a name of the cache stand for a file of the store, whoever else does so now."""
    if path.is_symlink() and path.readlink() == target:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.symlink_to(target)
    new.replace(path)


def whole(store: Path = STORE, cache: Path = CACHE) -> Path:
    """Return a folder with every stored dump whole and what lies beside it; only what is new or changed costs time."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for path in store.iterdir():
        if path.name.endswith((".kdump", ".truth", ".txt")):
            wanted.add(path.name)
            link(cache / path.name, path)
        elif path.suffix == ".patch":
            made, changed = cache / f"{path.stem}.kdump", path.stat().st_mtime_ns
            wanted.add(made.name)
            if made.is_symlink() or not made.exists() or is_other(made, head_of(path), changed):
                write(made, put_together(path, store), changed)
    for path in cache.iterdir():
        if path.name not in wanted and not path.name.startswith("."):
            path.unlink(missing_ok=True)
    return cache


def is_other(made: Path, head: Head, changed: int) -> bool:
    """Tell whether a put-together dump is not of this difference."""
    found = made.stat()
    return (found.st_size, found.st_mtime_ns) != (head.size, changed)


def add(data: bytes, name: str, store: Path = STORE, base: str | None = None) -> Path:
    """Store a dump under a name, as a difference where another dump is near enough; return the file.

    base: the dump to take the difference against, whatever its kernel.
    """
    mine, patch = store / f"{name}.kdump", store / f"{name}.patch"
    if any(head_of(other).base == name for other in store.glob("*.patch")):
        raise ValueError(f"others are differences against {name}: store those anew first, under a base of another name")
    near = (lambda other: other == base) if base else (lambda other: related(other, name))
    known = {path.stem for path in store.glob("*.kdump")} | {head_of(path).base for path in store.glob("*.patch")}
    bases = [other for other in sorted({*known, base or name} - {name}) if near(other)]
    least = min((difference(other, base_data(other, store), data) for other in bases), key=len, default=data)
    patch.unlink(missing_ok=True)
    mine.unlink(missing_ok=True)
    chosen = patch if len(least) < WORTH * len(data) else mine
    chosen.write_bytes(least if chosen is patch else data)
    return chosen


def related(base: str, name: str) -> bool:
    """Tell whether two dumps are of one kernel series, by their names."""
    return base.partition("-")[0] == name.partition("-")[0]


DUMPS = whole()

if __name__ == "__main__":
    file, given = sys.argv[1:]
    stored_as = add(Path(file).read_bytes(), given)
    print(f"{stored_as}: {stored_as.stat().st_size:,} bytes of {Path(file).stat().st_size:,}")
