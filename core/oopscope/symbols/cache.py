"""The index cache: what earlier runs found out about a dump, so that the next of it needs no table decoded.

One file for each dump, `<KEY>.index`: where its kernel's tables lie, the symbols and the members that were asked for. A
second, `<KEY>.btf`, has the places of all types, for what was not asked for before. The key is the kernel's and the
dump's: what was found in one dump is never taken for what is in another, for a dump may state any BUILD-ID. All
addresses are relative to _stext. Both are safe to delete, and are read without trust: nobody else may write to them;
format, checksum and bounds here, and the kernel's own tables must begin as they did. Nothing here fails: at worst there
is no cache.
"""

import json
import os
import re
import zlib
from hashlib import blake2b
from pathlib import Path
from typing import Any

from oopscope.cache_place import cache_directory as cache_directory
from oopscope.cache_place import is_ours
from oopscope.errors import OopscopeError
from oopscope.symbols.blob import Blob, Read
from oopscope.symbols.btf import Btf
from oopscope.symbols.kallsyms import Kallsyms
from oopscope.symbols.kallsyms_tables import Tables
from oopscope.symbols.vmcoreinfo import VmcoreInfo

MAGIC = b"oopsidx1"  # the last digit is the format's version
DIGEST = 16
MAX_FILE = 16 << 20
MAX_TEXT = 64 << 20
MAX_KERNELS = 64  # the least recently written of more are removed
HEAD = 512  # bytes of the token table that must be the same
BTF_HEAD = 24  # its header has the sizes of all types and strings


def kernel_key(info: VmcoreInfo, version: str = "") -> str | None:
    """Return what tells this build from every other: its BUILD-ID (5.9), else a hash of release and version strings.

    `version` is utsname.version ("#1 SMP Debian ..."); None where neither is known.
    """
    build = info.get("BUILD-ID") or ""
    if re.fullmatch("[0-9a-f]{16,64}", build):
        return build
    release = info.get("OSRELEASE")
    if not release or not version:
        return None
    return blake2b(f"{release}\0{version}".encode(), digest_size=20).hexdigest()


def index_key(kernel: str | None, dump: str | None) -> str | None:
    """Return what tells what was found in one dump from all else, of a kernel's key and the stamp of a dump's files."""
    if kernel is None or dump is None:
        return None
    return blake2b(f"{kernel}\0{dump}".encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()


class IndexCache:
    """The cache of one dump; without a directory or a key it holds nothing and keeps nothing."""

    def __init__(self, directory: Path | None, key: str | None) -> None:
        self._directory = directory if key else None
        self._key = key
        self._sections: dict[str, Any] | None = None

    def _path(self, kind: str) -> Path | None:
        return self._directory / f"{self._key}.{kind}" if self._directory else None

    @property
    def sections(self) -> dict[str, Any]:
        """What the file holds: kallsyms, btf, types; read when first asked for."""
        if self._sections is None:
            text = _load(self._path("index"))
            try:
                found = json.loads(text) if text else {}
            except ValueError:
                found = {}
            self._sections = found if isinstance(found, dict) else {}
        return self._sections

    def symbols(self, read: Read, stext: int | None) -> Kallsyms | None:
        """Return the kernel's symbols with all that was found before; None where nothing is known, or does not fit."""
        saved = self.sections.get("kallsyms")
        if not saved or stext is None:
            return None
        try:
            tables = Tables.restore(saved["tables"], stext)
            if _head(read, tables.token_table, min(HEAD, tables.token_index - tables.token_table)) != saved["head"]:
                return None
            symbols = Kallsyms(read, tables)
            symbols.preload(saved, stext)
        except (KeyError, ValueError, TypeError, AttributeError, OopscopeError):
            return None
        return symbols

    def types(self, read: Read, stext: int | None) -> dict[str, Any] | None:
        """Return what was resolved of the types before, for Types.preload; None where nothing is known, or not fit."""
        saved, types = self.sections.get("btf"), self.sections.get("types")
        if stext is None or not isinstance(types, dict) or not isinstance(saved, list):
            return None
        try:
            start, size, head = saved
            fits = size >= BTF_HEAD and _head(read, start + stext, BTF_HEAD) == head
        except (ValueError, TypeError, OopscopeError):
            return None
        return types if fits else None

    def open_btf(self, read: Read, start: int, stop: int, word: int = 8) -> Btf:
        """Open the BTF from start to stop, with the places of its types from before if they are of the same."""
        index, saved = None, self.sections.get("btf")
        if isinstance(saved, list) and saved[1:] == [stop - start, _head(read, start, BTF_HEAD)]:
            index = _load(self._path("btf"))
        return Btf(Blob(read, start, stop - start), None, word, index)

    def save(
        self, read: Read, stext: int | None, symbols: Kallsyms | None, btf: Btf | None, types: dict[str, Any] | None
    ) -> None:
        """Keep what this run found out: symbols that changed, the BTF if it was opened, and (if they changed) types.

        Whatever is None stays as it was. Never raises; to be called when the report is out.
        """
        path, places = self._path("index"), self._path("btf")
        if not path or not places or stext is None:
            return
        sections = dict(self.sections)
        try:
            if symbols is not None and symbols.changed:
                sections["kallsyms"] = _symbols_section(read, stext, symbols)
            if btf is not None:
                sections["btf"] = [btf.address - stext, btf.length, _head(read, btf.address, BTF_HEAD)]
            if types is not None and "btf" in sections:
                sections["types"] = types
            if sections != self.sections:
                _store(path, json.dumps(sections, separators=(",", ":")).encode())
        except (OopscopeError, ValueError, TypeError):
            return
        if btf is not None and (sections["btf"] != self.sections.get("btf") or not places.exists()):
            _store(places, btf.export_index())


def load_types(directory: Path | None, key: str) -> dict[str, Any] | None:
    """Return what an earlier run resolved of types slow to open (DWARF's), for Types.preload; None for none."""
    text = _load(directory / f"{key}.types") if directory else b""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def store_types(directory: Path | None, key: str, types: dict[str, Any]) -> None:
    """Keep what was resolved of such types."""
    if directory:
        _store(directory / f"{key}.types", json.dumps(types, separators=(",", ":")).encode())


def _symbols_section(read: Read, stext: int, symbols: Kallsyms) -> dict[str, Any]:
    tables = symbols.tables
    head = _head(read, tables.token_table, min(HEAD, tables.token_index - tables.token_table))
    return {"tables": tables.saved(stext), "head": head, **symbols.export(stext)}


def _head(read: Read, address: int, size: int) -> str:
    """Return a fingerprint of the bytes at an address."""
    return blake2b(read(address, size), digest_size=DIGEST).hexdigest()


def _load(path: Path | None) -> bytes:
    """Return what a file of the cache holds, empty where there is none, or it is damaged or of another format."""
    if path is None or not is_ours(path) or not is_ours(path.parent):
        return b""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError:
        return b""
    digest, packed = raw[len(MAGIC) : len(MAGIC) + DIGEST], raw[len(MAGIC) + DIGEST :]
    if not raw.startswith(MAGIC) or len(raw) > MAX_FILE or blake2b(packed, digest_size=DIGEST).digest() != digest:
        return b""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, MAX_TEXT)
        return text if unpacker.eof else b""
    except zlib.error:
        return b""


def _store(path: Path, text: bytes) -> None:
    """Write a file of the cache whole or not at all."""
    import tempfile  # only ever needed once all is shown

    packed = zlib.compress(text, 1)
    raw = MAGIC + blake2b(packed, digest_size=DIGEST).digest() + packed
    if len(raw) > MAX_FILE:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_ours(path.parent):
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _prune(path.parent)
    except OSError:
        return


def _prune(directory: Path) -> None:
    """Remove the files of the kernels that were written least recently, if there are many."""
    files = sorted(directory.glob("*.index"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in files[MAX_KERNELS:]:
        old.unlink(missing_ok=True)
        old.with_suffix(".btf").unlink(missing_ok=True)
