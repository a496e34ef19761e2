"""A dump over sftp, from a server within the test: hosts that ssh knows, and hosts that it does not."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.sftp_attr import SFTPAttributes
from paramiko.sftp_handle import SFTPHandle

from builders import noise_page
from builders.kdump import Kdump
from cases import DUMPS
from oopscope.boot.attach import attach
from oopscope.dumps import open_path
from oopscope.errors import NotADump
from oopscope.report.build import build

PAGES = {n: noise_page(n) for n in range(1, 300)}


class Files(paramiko.SFTPServerInterface):
    """Offers `raw` as /vmcore, and nothing else."""

    raw = b""

    def stat(self, path: str) -> SFTPAttributes | int:
        """Tell its size."""
        if path != "/vmcore":
            return paramiko.SFTP_NO_SUCH_FILE
        found = paramiko.SFTPAttributes()
        found.st_size, found.st_mode, found.st_atime, found.st_mtime = len(self.raw), 0o100644, 0, 0
        return found

    lstat = stat

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle:
        """Open it."""
        if path != "/vmcore":
            return paramiko.SFTP_NO_SUCH_FILE
        handle = paramiko.SFTPHandle(flags)
        handle.read = lambda offset, size: self.raw[offset : offset + size] or paramiko.SFTP_EOF
        handle.stat = lambda: self.stat(path)
        return handle


class Door(paramiko.ServerInterface):
    """Lets in who knows the word."""

    def get_allowed_auths(self, username: Any) -> Any:
        """Passwords only."""
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        """Check the word."""
        return paramiko.AUTH_SUCCESSFUL if password == "word" else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Any channel."""
        return paramiko.OPEN_SUCCEEDED


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An sftp server on the loopback whose key is in known_hosts; yields host:port, stopped at the test's end."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(Files, "raw", Kdump(PAGES).build())
    listener, key, opened = socket.create_server(("127.0.0.1", 0)), paramiko.ECDSAKey.generate(), []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            opened.append(transport)
            try:
                transport.start_server(server=Door())
            except (paramiko.SSHException, EOFError):
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    yield f"127.0.0.1:{port}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for transport in opened:
        transport.close()
    thread.join(5)


@pytest.mark.parametrize("scheme", ["sftp", "ssh"])
def test_pages_come_over_sftp(server: str, scheme: str) -> None:
    dump = open_path(f"{scheme}://me:word@{server}/vmcore")
    assert {n: dump.page(n) for n in (1, 150, 299)} == {n: PAGES[n] for n in (1, 150, 299)}
    assert 0 < dump.facts().fetched < dump.facts().bytes / 2


def test_a_verdict_reads_a_part_of_the_file(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = DUMPS / "6.1-null.kdump"
    monkeypatch.setattr(Files, "raw", path.read_bytes() + bytes(60 << 20))
    kernel = attach(open_path(f"sftp://me:word@{server}/vmcore"), print)
    assert build(kernel, ["verdict"])["verdict"] == build(attach(open_path(path), print), ["verdict"])["verdict"]
    assert 0 < kernel.facts.fetched < len(Files.raw) / 10


@pytest.mark.parametrize(
    "url, line",
    [
        ("sftp://me:word@{}/nothing", "no such file there"),
        ("sftp://me:wrong@{}/vmcore", "Authentication failed."),
    ],
)
def test_what_is_wrong_is_one_line_without_the_password(server: str, url: str, line: str) -> None:
    with pytest.raises(NotADump) as e:
        open_path(url.format(server))
    assert str(e.value) == f"sftp://{server}{url.partition('}')[2]}: {line}"


def test_a_host_that_ssh_does_not_know_is_refused(server: str, tmp_path: Path) -> None:
    (tmp_path / ".ssh" / "known_hosts").write_text("")
    with pytest.raises(NotADump, match=r"is not in known_hosts: connect to it with ssh once$"):
        open_path(f"sftp://me:word@{server}/vmcore")
