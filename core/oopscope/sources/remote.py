"""Files on other machines, over http, https, sftp, ssh and s3, by fsspec: only what is looked at travels.

Blocks are kept within a bound; while reads go on where the last fetch ended, more of them are fetched at once. The
figures are measured: the verdict of a 76 MB dump of uncompressed pages fetches 7.4 % of it in 90 requests; blocks of
64 KiB make that 9 % in 61, of 16 KiB 6.3 % in 151. It knows URLs and bytes, no dumps.
"""

import re
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, cast

from oopscope.errors import FormatError, NotADump
from oopscope.lazy_re import lazy_re
from oopscope.sources import ByteSource
from oopscope.sources.file import BytesSource

BLOCK = 32 << 10
AHEAD = 8  # blocks fetched at once in a run of reads
AT_ONCE = 64  # blocks in one request, at most
KEPT = 1024  # blocks: 32 MiB
WHOLE = 64 << 20  # a file up to here is fetched whole from a server that cannot send parts of it
TRIES = 2
PATIENCE = 20.0  # seconds without a byte
DEADLINE = 120.0  # seconds for a whole answer, however it trickles; a file that is sent whole takes longer
_URL = lazy_re(r"(https?|sftp|ssh|s3)://", re.IGNORECASE)
_RANGE = lazy_re(r"bytes=(\d{1,18})-(\d{1,18})$")
_NOISE = lazy_re(r"\[Errno None\] | ssl:\w+")
_QUERY, _CREDENTIALS = lazy_re(r"\?[^\s'\"<>)\]]*=[^\s'\"<>)\]]*"), lazy_re(r"://[^/\s@'\"]+@")
_NEEDS = {
    "s3": "s3fs, which is not installed: pip install 'oopscope[s3]'",
    "": "fsspec, aiohttp and paramiko, which are not all installed: pip install 'oopscope[remote]'",
}


Location = str | Path  # of a dump: a URL or a path


def location(text: str) -> Location:
    """Return a URL as it stands, and anything else as a path: what a command line names as a dump."""
    return text if is_remote(text) else Path(text)


def is_remote(path: object) -> bool:
    """Tell whether a path is the URL of a file on another machine."""
    return isinstance(path, str) and _URL.match(path) is not None


def shown(path: Location) -> str:
    """Return a path as it may be shown: a URL without password and without the query, which may hold a signature."""
    if not isinstance(path, str) or not is_remote(path):
        return str(path)
    from urllib.parse import urlsplit

    parts = urlsplit(path)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class RemoteSource:
    """One file on another machine. A connection that is lost, and stays lost, is a FormatError at every read."""

    def __init__(self, name: str, size: int, connect: Callable[[], Any], stamp: str | None = None) -> None:
        """Take what opens the file: something with seek and read, opened again when a read fails.

        A stamp tells the file, as it is now, from every other one.
        """
        self.name, self.size, self.problem, self.stamp = name, size, cast(str | None, None), stamp
        self.fetched = 0  # bytes
        self._connect, self._file = connect, connect()
        self._blocks: dict[int, bytes] = {}
        self._next, self._ahead = -1, 1  # the block after the last fetch; how many the next in a run fetches
        self._lock = Lock()

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at offset; fewer at the end of the file."""
        size = min(size, self.size - offset)
        if offset < 0 or size <= 0:
            return b""
        first, last = offset // BLOCK, (offset + size - 1) // BLOCK
        with self._lock:
            parts = [self._block(n, last) for n in range(first, last + 1)]
        start = offset - first * BLOCK
        return (parts[0] if len(parts) == 1 else b"".join(parts))[start : start + size]

    def _block(self, n: int, last: int) -> bytes:
        """Return a block; last: the last one that is wanted after it."""
        found = self._blocks.get(n)
        if found is None:
            self._ahead = min(self._ahead * 2, AHEAD) if n == self._next else 1
            count = max(self._ahead, min(last + 1 - n, AT_ONCE))
            count = next((i for i in range(1, count) if n + i in self._blocks), count)
            raw = self._fetch(n * BLOCK, min(count * BLOCK, self.size - n * BLOCK))
            while len(self._blocks) + count > KEPT:
                del self._blocks[next(iter(self._blocks))]
            for at in range(0, len(raw), BLOCK):
                self._blocks[n + at // BLOCK] = raw[at : at + BLOCK]
            self._next = n + count
            found = self._blocks[n]
        return found

    def _fetch(self, offset: int, size: int) -> bytes:
        for attempt in range(TRIES):
            if self.problem:
                break
            try:
                if attempt:
                    self._file = self._connect()
                self._file.seek(offset)
                raw = bytes(self._file.read(size))
                self.fetched += len(raw)
                if len(raw) == size:
                    return raw
                if len(raw) > size:
                    self.problem = f"the server sent more than was asked for: {len(raw)} bytes for {size}"
                    break
                why = f"{len(raw)} bytes came instead of {size}"
            except Exception as e:  # noqa: BLE001 - the libraries of five protocols have no error in common
                why = _reason(e)
            if attempt + 1 == TRIES:
                self.problem = f"the connection was lost at offset {offset:#x}: {why}"
        raise FormatError(f"{self.name}: {self.problem}")


class WholeSource(BytesSource):
    """A small file, fetched whole from a server that cannot send parts of one."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data, name)
        self.fetched = len(data)


def open_remote(url: str) -> ByteSource:
    """Open the file at a URL; NotADump, in one line, where that cannot be."""
    name, scheme = shown(url), url.partition(":")[0].lower()
    try:
        return _open(url, name, _options(scheme))
    except ImportError:
        raise NotADump(name, f"to read {scheme}:// takes {_NEEDS.get(scheme, _NEEDS[''])}") from None
    except NotADump:
        raise
    except Exception as e:  # noqa: BLE001 - the libraries of five protocols have no error in common
        raise NotADump(name, _reason(e)) from None


def _open(url: str, name: str, options: dict[str, Any]) -> ByteSource:
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url, skip_instance_cache=True, **options)
    found = system.info(path)
    size = found.get("size")
    if found.get("type") == "directory":
        raise NotADump(name, "a folder; give a dump in it")
    if not isinstance(size, int):
        raise NotADump(name, "the server does not tell the file's size: download the file first")
    if found.get("partial", True):
        stamp = _stamp(url, found)
        source = RemoteSource(name, size, lambda: system.open(path, "rb", block_size=BLOCK, cache_type="none"), stamp)
        if _sends_parts(source):
            return source
    return _whole(system, path, name, size)


def _stamp(url: str, found: dict[str, Any]) -> str | None:
    """Return what tells a file from others and from itself at other times; None where the server tells no change."""
    change = next((found[key] for key in ("ETag", "Last-Modified", "LastModified", "mtime") if found.get(key)), None)
    return f"{url}\0{change}" if change else None


def _options(scheme: str) -> dict[str, Any]:
    """Return what fsspec is told of a protocol; ImportError where its library is not installed."""
    if scheme in ("http", "https"):
        from aiohttp import ClientTimeout

        patience = ClientTimeout(total=DEADLINE, sock_connect=PATIENCE, sock_read=PATIENCE)
        session = {"timeout": patience, "response_class": _bounded()}
        return {"headers": {"Accept-Encoding": "identity"}, "client_kwargs": session}
    if scheme in ("sftp", "ssh"):
        return {"host_key_policy": _known_hosts(), "timeout": PATIENCE, "banner_timeout": PATIENCE}
    return {}


def _bounded() -> Any:
    """Return what aiohttp makes of an answer: one that is refused as it comes where it is longer than was asked for."""
    from aiohttp import ClientResponse

    class Bounded(ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                asked = _RANGE.match(self.request_info.headers.get("Range", ""))
                most = int(asked[2]) - int(asked[1]) + 1 if asked else WHOLE
                parts, count = list[bytes](), 0
                while part := await self.content.read(1 << 18):
                    parts.append(part)
                    count += len(part)
                    if count > most:
                        self.close()
                        raise FormatError(f"the server: it sends more than was asked for: over {most} bytes")
                self._body = b"".join(parts)
            return self._body

    return Bounded


def _known_hosts() -> Any:
    """Return the policy by which paramiko takes the hosts that ssh knows, and no others; fsspec's is to take any."""
    from paramiko import HostKeys, MissingHostKeyPolicy, SSHException

    class KnownHosts(MissingHostKeyPolicy):  # type: ignore[misc]  # it has no types
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            for path in (Path("~/.ssh/known_hosts").expanduser(), Path("/etc/ssh/ssh_known_hosts")):
                if path.is_file() and HostKeys(str(path)).check(hostname, key):
                    return
            raise SSHException(f"the key of {hostname} is not in known_hosts: connect to it with ssh once")

    return KnownHosts()


def _sends_parts(source: RemoteSource) -> bool:
    """Tell whether the server sends a part of a file when asked for one: the second block, which is soon wanted."""
    if source.size > BLOCK:
        try:
            source.read_at(BLOCK, BLOCK)
        except FormatError as e:
            if "range" in str(e):
                return False
            raise
    return True


def _whole(system: Any, path: str, name: str, size: int) -> ByteSource:
    if size > WHOLE:
        raise NotADump(name, "the server cannot send parts of a file (HTTP ranges): download the file first")
    data = system.cat_file(path)
    if len(data) != size:
        raise NotADump(name, f"the server sent {len(data)} bytes of a file of {size}: download the file first")
    return WholeSource(data, name)


def _reason(error: Exception) -> str:
    """Return one line for what any of the libraries raises."""
    if isinstance(error, FormatError):
        return str(error).partition(": ")[2]
    status, message = getattr(error, "status", None), getattr(error, "message", None)
    if isinstance(status, int) and message:
        return f"the server says {status} {_without_secrets(str(message))}"
    if isinstance(error, FileNotFoundError):
        cause = error.__cause__  # fsspec says of whatever goes wrong that there is no such file
        return _reason(cause) if isinstance(cause, Exception) else "no such file there"
    text = _without_secrets(" ".join(_NOISE.sub("", str(error)).split()))[:200]
    return text or type(error).__name__


def _without_secrets(text: str) -> str:
    """Return a message without the queries and the credentials of the URLs in it: they may let anybody in."""
    return _QUERY.sub("?...", _CREDENTIALS.sub("://", text))
