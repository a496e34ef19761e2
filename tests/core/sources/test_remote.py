"""Dumps on other machines: what travels, what is kept, and one clear line for whatever goes wrong."""

import gzip
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

from builders import noise_page, text_page
from builders.flattened import flatten
from builders.kdump import Kdump
from builders.migration import Migration, libvirt
from builders.packed import bgzf, lz4_frame, lzop, pzstd, xz_blocks, zstd_seekable
from cases import DUMPS
from oopscope.boot.attach import attach
from oopscope.dumps import open_path
from oopscope.errors import FormatError, NotADump
from oopscope.report.build import build
from oopscope.sources import remote, wrapped
from oopscope.sources.remote import BLOCK, RemoteSource, is_remote, location, open_remote, shown

PAGES = {n: noise_page(n) for n in range(2, 400)} | {1: text_page(1)}


class Handler(BaseHTTPRequestHandler):
    """Serves the bytes of `server.files`, in parts or not, until `server.left` answers have been given."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: int | str) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        server: Any = self.server
        raw = server.files.get(self.path.partition("?")[0])
        server.left -= 1
        if server.left < 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if raw is None or server.status != 200:
            self.send_error(404 if raw is None else server.status)
            return
        asked = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = 0, len(raw)
        if asked and server.ranges:
            start, end = int(asked[1]), min(int(asked[2]) + 1, len(raw))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(raw)}")
        else:
            self.send_response(200)
        if server.tag:
            self.send_header("ETag", server.tag)
        if server.sizes and not (server.more and asked):
            self.send_header("Content-Length", str(end - start))
        else:
            self.close_connection = True
        self.end_headers()
        if body:
            server.sent += end - start
            try:
                for at in range(start, end if server.slow else start):  # never silent for long, and never done
                    self.wfile.write(raw[at : at + 1])
                    time.sleep(server.slow)
                self.wfile.write(raw[start:end])
                for _ in range(server.more):  # a megabyte that nobody asked for, again and again
                    self.wfile.write(bytes(1 << 20))
                    server.sent += 1 << 20
            except OSError:
                self.close_connection = True


@pytest.fixture
def server() -> Iterator[Any]:
    """An HTTP server on the loopback, stopped at the test's end."""
    httpd: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.files, httpd.ranges, httpd.sizes, httpd.status, httpd.left, httpd.sent = {}, True, True, 200, 10_000, 0
    httpd.tag, httpd.more, httpd.slow = "", 0, 0.0
    httpd.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join(5)


def test_a_verdict_reads_a_part_of_the_file(server: Any) -> None:
    path = DUMPS / "6.1-null.kdump"
    server.files["/vmcore"] = path.read_bytes() + os.urandom(60 << 20)
    kernel = attach(open_path(f"{server.url}/vmcore"), print)
    report = build(kernel, ["dump", "verdict"])
    assert report["verdict"] == build(attach(open_path(path), print), ["verdict"])["verdict"]
    fetched = kernel.facts.fetched
    assert 0 < fetched < len(server.files["/vmcore"]) / 10
    assert server.sent == fetched == report["dump"]["bytes_read"]
    assert open_path(path).facts().fetched is None


def test_every_page_comes_whole(server: Any) -> None:
    raw = Kdump(PAGES).build()
    server.files |= {"/vmcore": raw, "/flat": flatten(raw, 5000, 3)}
    for name in server.files:
        dump = open_path(server.url + name)
        assert {n: dump.page(n) for n in PAGES} == PAGES
        assert dump.facts().bytes == len(server.files[name])
        assert dump.facts().fetched == len(server.files[name])


def test_a_split_set_is_given_part_by_part(server: Any) -> None:
    for a, b in ((0, 200), (200, 400)):
        server.files[f"/{a}"] = Kdump(PAGES, split=(a, b)).build()
    dump = open_path(f"{server.url}/0", f"{server.url}/200")
    assert dump.page(300) == PAGES[300]
    assert dump.facts().complete
    assert not open_path(f"{server.url}/0").facts().complete


def test_a_packed_file_is_read_by_blocks_where_its_index_is_at_the_end(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path))
    raw = Kdump(PAGES, codec=None).build()
    for name, pack in (("/vmcore.xz", xz_blocks), ("/vmcore.zst", zstd_seekable)):
        server.files[name] = pack(raw)
        dump = open_path(server.url + name)
        assert dump.page(300) == PAGES[300]
        assert 0 < dump.facts().fetched < len(server.files[name]) / 4
        assert dump.facts().bytes == len(raw)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pack", [gzip.compress, bgzf, lzop, pzstd, lz4_frame], ids=lambda pack: pack.__name__)
def test_any_other_packed_file_is_fetched_once(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[..., Any]
) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path))
    raw, server.tag = Kdump(PAGES).build(), '"1"'
    server.files["/vmcore"] = pack(raw)
    said: list[Any] = []
    dump = open_path(f"{server.url}/vmcore", say=said.append)
    assert {n: dump.page(n) for n in PAGES} == PAGES
    assert len(server.files["/vmcore"]) <= dump.facts().fetched == server.sent
    assert said[0].startswith("unpacking vmcore [")
    assert open_path(f"{server.url}/vmcore").facts().fetched < server.sent / 4
    server.tag, server.files["/vmcore"] = '"2"', pack(Kdump({1: text_page(9)}).build())
    assert open_path(f"{server.url}/vmcore").page(1) == text_page(9)
    server.tag = ""
    assert open_path(f"{server.url}/vmcore").page(1) == text_page(9)
    assert len(list((tmp_path / "unpacked").iterdir())) == 2


def test_an_image_that_was_unpacked_is_searched(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path))
    raw = (b"\1" * 4096 + bytes(5 << 20) + b"VMCOREINFO\0\0\0\0OSRELEASE=6.1.0\n").ljust(9 << 20, b"\0")
    server.files |= {"/ram.raw": raw, "/ram.raw.gz": gzip.compress(raw)}
    with pytest.raises(NotADump, match="must be copied to this machine first"):
        open_path(f"{server.url}/ram.raw")
    assert open_path(f"{server.url}/ram.raw.gz").page(0) == b"\1" * 4096


def test_a_packed_file_that_does_not_come_whole_leaves_nothing(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path))
    server.files["/vmcore.gz"], server.tag = gzip.compress(noise_page(1) * 900 + os.urandom(4 << 20)), '"1"'
    server.left = 4
    with pytest.raises(FormatError, match=r"/vmcore.gz: the connection was lost at offset 0x[0-9a-f]+: [^\n]*$"):
        open_path(f"{server.url}/vmcore.gz")
    server.left = 1000
    monkeypatch.setattr(wrapped, "MAX_FETCHED", 1 << 20)
    with pytest.raises(
        FormatError, match=r"/vmcore.gz: it has to be fetched whole, .*: copy it to this machine first$"
    ):
        open_path(f"{server.url}/vmcore.gz")
    assert not list((tmp_path / "unpacked").iterdir())


def test_a_packed_stream_within_a_libvirt_image(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path))
    stream = Migration({"pc.ram": 400}, [("pc.ram", n, page) for n, page in PAGES.items()]).build()
    server.files["/vm.save"] = libvirt(gzip.compress(stream), kind=1)
    dump = open_path(f"{server.url}/vm.save")
    assert dump.page(7) == PAGES[7]
    assert dump.facts().fetched >= len(server.files["/vm.save"])


class Remote:
    """A file that counts what is read of it, and can break."""

    def __init__(self, data: bytes) -> None:
        self.data, self.reads, self.at, self.broken, self.opened = data, [], 0, 0, 0  # type: ignore[var-annotated]

    def open(self) -> "Remote":
        self.opened += 1
        return self

    def seek(self, at: int) -> None:
        self.at = at

    def read(self, size: int) -> bytes:
        if self.broken:
            self.broken -= 1
            raise ConnectionResetError(104, "Connection reset by peer")
        self.reads.append((self.at, size))
        return self.data[self.at : self.at + size]


def test_reads_come_in_blocks_once_and_ahead_in_runs() -> None:
    data = os.urandom(40 * BLOCK + 100)
    far = Remote(data)
    source = RemoteSource("far", len(data), far.open)
    assert source.read_at(5 * BLOCK + 10, 20) == data[5 * BLOCK + 10 : 5 * BLOCK + 30]
    assert source.read_at(5 * BLOCK, 20) == data[5 * BLOCK : 5 * BLOCK + 20]
    assert far.reads == [(5 * BLOCK, BLOCK)]
    for n in range(6, 40):
        assert source.read_at(n * BLOCK + 7, 100) == data[n * BLOCK + 7 : n * BLOCK + 107]
    assert [size // BLOCK for _, size in far.reads] == [1, 2, 4, 8, 8, 8, 4]  # and 100 bytes
    assert source.read_at(0, 1 << 30) == data
    assert source.read_at(len(data), 1) == source.read_at(-1, 5) == source.read_at(3, 0) == b""
    assert source.fetched == len(data)


def test_what_is_kept_is_bounded() -> None:
    data = bytes(3 * remote.KEPT * BLOCK)
    far = Remote(data)
    source = RemoteSource("far", len(data), far.open)
    for n in range(0, 3 * remote.KEPT, 16):
        source.read_at(n * BLOCK, 4 * BLOCK)
        assert len(source._blocks) <= remote.KEPT
    assert source.read_at(0, len(data)) == data
    assert len(source._blocks) <= remote.KEPT


def test_a_connection_is_made_again_once_and_a_lost_one_is_one_line() -> None:
    far = Remote(os.urandom(4 * BLOCK))
    source = RemoteSource("http://far/vmcore", 4 * BLOCK, far.open)
    far.broken = 1
    assert source.read_at(0, 10) == far.data[:10]
    assert far.opened == 2
    far.broken = 99
    for _ in range(3):
        with pytest.raises(FormatError, match=r"^http://far/vmcore: the connection was lost at offset 0x8000: .*reset"):
            source.read_at(BLOCK, 10)
    assert far.opened == 3
    far.data = far.data[: 2 * BLOCK]
    far.broken = 0
    with pytest.raises(FormatError, match="lost"):
        source.read_at(3 * BLOCK, 10)


def test_a_connection_lost_in_the_middle_of_a_report(server: Any) -> None:
    server.files["/vmcore"] = (DUMPS / "6.1-null.kdump").read_bytes()
    kernel = attach(open_path(f"{server.url}/vmcore"), print)
    assert kernel.facts.complete
    server.left = 0
    report = build(kernel)
    assert report["tasks"] is None
    assert report["dump"]["complete"] is False
    assert any("lost at offset" in p["message"] for p in report["problems"] if p["section"] == "dump")
    assert not any("fault of oopscope" in p["message"] for p in report["problems"])


def test_a_server_that_sends_no_parts(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server.ranges = False
    server.files["/vmcore"] = Kdump(PAGES).build()
    dump = open_path(f"{server.url}/vmcore")
    assert dump.page(7) == PAGES[7]
    assert dump.facts().fetched == len(server.files["/vmcore"])
    monkeypatch.setattr(remote, "WHOLE", 1000)
    with pytest.raises(NotADump, match=r"cannot send parts of a file \(HTTP ranges\): download the file first$"):
        open_path(f"{server.url}/vmcore")


def test_an_answer_longer_than_asked_is_refused_as_it_comes(server: Any) -> None:
    """The size stands in no header: only counting what comes tells."""
    server.more = 4000
    server.files["/vmcore"] = Kdump(PAGES).build()
    with pytest.raises((NotADump, FormatError), match="more than was asked for"):
        open_path(f"{server.url}/vmcore")
    assert server.sent < 200 << 20


def test_an_answer_that_trickles_has_a_deadline(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "DEADLINE", 0.5)
    server.slow = 0.1
    server.files["/vmcore"] = Kdump(PAGES).build()
    started = time.monotonic()
    with pytest.raises((NotADump, FormatError)):
        open_path(f"{server.url}/vmcore")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "change, line",
    [
        ({"status": 403}, "the server says 403 Forbidden"),
        ({"files": {}}, "the server says 404 Not Found"),
        ({"files": {"/vmcore": b""}}, "an empty file: the dump was never written"),
        ({"files": {"/vmcore": b"<html>hello</html>\n"}}, "a text file"),
        ({"sizes": False}, "the server does not tell the file's size: download the file first"),
        ({"left": 0}, "Server disconnected"),
    ],
)
def test_what_is_wrong_is_one_line(server: Any, change: dict[str, int], line: str) -> None:
    server.files["/vmcore"] = Kdump(PAGES).build()
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(NotADump) as e:
        open_path(f"{server.url}/vmcore")
    assert str(e.value).startswith(f"{server.url}/vmcore: {line}")
    assert "\n" not in str(e.value)


def test_nobody_listens_and_an_image_without_a_signature(server: Any) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        free = s.getsockname()[1]
    for url in (f"http://127.0.0.1:{free}/vmcore", f"sftp://127.0.0.1:{free}/vmcore"):
        with pytest.raises(NotADump, match=r"onnect"):
            open_path(url)
    server.files["/ram"] = bytes(9 << 20)
    with pytest.raises(NotADump, match="a raw image of memory must be copied to this machine first"):
        open_path(f"{server.url}/ram")
    assert server.sent < 1 << 20


def test_what_must_be_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(NotADump, match=r"takes fsspec, .*: pip install 'oopscope\[remote\]'$"):
        open_remote("https://host/vmcore")
    with pytest.raises(NotADump, match=r"takes s3fs, .*pip install 'oopscope\[s3\]'$"):
        open_remote("s3://bucket/vmcore")


def test_urls_survive_and_secrets_are_not_shown() -> None:
    assert location("http://host/a//b") == "http://host/a//b"
    assert str(location("a//b")) == "a/b"
    assert [is_remote(u) for u in ("s3://b/c", "SSH://h/p", "file:///x", "http:/x", "C://x")] == [
        True,
        True,
        *[False] * 3,
    ]
    assert shown("sftp://me:secret@host:22/var/vmcore?key=1#x") == "sftp://host:22/var/vmcore"
