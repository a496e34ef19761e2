"""`oopscope serve`: the screen in a browser, and nothing at all for who has not the URL or comes from elsewhere."""

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stored import DUMPS

pytest.importorskip("textual_serve")
from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer

from oopscope.cli import USAGE, run, serve, web

TOKEN = "a-token-that-nobody-guesses"
SCREEN = shlex.join([sys.executable, "-m", "oopscope_tui.terminal.served", str(DUMPS / "6.1-null.kdump")])


@pytest.fixture
async def ask() -> AsyncIterator[Any]:
    """A function that makes a GET request of the guarded server."""
    server = TestServer(web.make_app("false", TOKEN, "127.0.0.1"), host="127.0.0.1")
    await server.start_server()
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:

        async def get(path: str, **headers: Any) -> Any:
            async with client.get(server.make_url("/").with_path(path), headers=headers) as answer:
                return answer.status, answer.headers, (await answer.read()).decode("utf-8", "replace")

        asking: Any = get
        asking.port, asking.client, asking.url = server.port, client, server.make_url
        yield asking
    await server.close()


async def test_the_page_needs_nothing_from_elsewhere(ask: Any) -> None:
    status, headers, text = await ask(f"/{TOKEN}/")
    assert status == 200
    assert not re.search(r"https?://", text)
    assert f'data-session-websocket-url="ws://127.0.0.1:{ask.port}/{TOKEN}/ws"' in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers
    for name in re.findall(r'(?:src|href)="(static/[^"]+|focus\.js)"', text):
        assert (await ask(f"/{TOKEN}/{name}"))[0] == 200, name


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/ws",
        "/static/js/textual.js",
        f"/{TOKEN[:-1]}/",
        f"/{TOKEN}x/",
        f"//{TOKEN}/",
        "/download/x",
        "/focus.js",
        f"/{TOKEN.upper()}/ws",
        "/\udcff/",
    ],
)
async def test_nothing_is_served_without_the_token(ask: Any, path: str) -> None:
    status, _, text = await ask(path.encode("utf-8", "replace").decode())
    assert status == 404
    assert TOKEN not in text


async def test_nothing_more_than_needed_is_served_with_it(ask: Any) -> None:
    for path in (f"/{TOKEN}/download/x", f"/{TOKEN}/static/", f"/{TOKEN}/static/../server.py", f"/{TOKEN}"):
        assert (await ask(path))[0] in (403, 404), path


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", "", "192.0.2.1"])
async def test_another_name_is_refused(ask: Any, host: str) -> None:
    status, _, text = await ask(f"/{TOKEN}/", Host=host)
    assert status in (400, 403)
    assert "textual-terminal" not in text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "[::1]:8000", "LOCALHOST:1"])
async def test_a_forwarded_port_of_this_machine_is_not(ask: Any, host: str) -> None:
    assert (await ask(f"/{TOKEN}/", Host=host))[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
async def test_another_origin_is_refused(ask: Any, origin: str) -> None:
    for path in (f"/{TOKEN}/", f"/{TOKEN}/ws"):
        assert (await ask(path, Origin=origin))[0] == 403
    assert (await ask(f"/{TOKEN}/", Origin=f"http://127.0.0.1:{ask.port}"))[0] == 200


def test_names_of_a_machine_that_listens_to_others() -> None:
    assert web.known_name("192.0.2.1", "0.0.0.0")
    assert not web.known_name("evil.example", "0.0.0.0")
    assert web.known_name("192.0.2.1", "192.0.2.1")
    assert not web.known_name("192.0.2.2", "192.0.2.1")


async def test_a_screen_comes_over_the_websocket_and_goes_with_it() -> None:
    server = TestServer(web.make_app(SCREEN, TOKEN, "127.0.0.1"), host="127.0.0.1")
    await server.start_server()
    async with ClientSession() as client, client.ws_connect(server.make_url(f"/{TOKEN}/ws?width=100&height=30")) as ws:
        seen = b""
        async with asyncio.timeout(60):
            while b"NULL" not in seen or b"lab_read_balance" not in seen:
                message = await ws.receive()
                assert isinstance(message.data, bytes), message
                seen += message.data
            await ws.send_json(["resize", {"width": 90, "height": 25}])
            await ws.send_json(["stdin", "q"])
            while not ws.closed:
                await ws.receive()
            while len(asyncio.all_tasks()) > 2:
                await asyncio.sleep(0.1)
    await server.close()
    await asyncio.sleep(0.5)  # the loop hears of the program's end


STUCK = """
import pathlib, subprocess, sys, time
child = subprocess.Popen(["sleep", "300"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
print("__GANGLION__", flush=True)
time.sleep(300)
"""


async def test_what_is_stuck_ends_with_its_session_and_so_do_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "FAREWELL", 0.2)
    told = tmp_path / "pid"
    command = shlex.join([sys.executable, "-c", STUCK, str(told)])
    server = TestServer(web.make_app(command, TOKEN, "127.0.0.1"), host="127.0.0.1")
    await server.start_server()
    async with ClientSession() as client:
        async with client.ws_connect(server.make_url(f"/{TOKEN}/ws?width=80&height=24")):
            async with asyncio.timeout(60):
                while not (told.exists() and told.read_text()):
                    await asyncio.sleep(0.05)
        child = int(told.read_text())
        async with asyncio.timeout(30):
            while _runs(child):
                await asyncio.sleep(0.05)
    await server.close()
    await asyncio.sleep(0.2)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_sessions_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SESSIONS", 0)
    server = TestServer(web.make_app(SCREEN, TOKEN, "127.0.0.1"), host="127.0.0.1")
    await server.start_server()
    async with ClientSession() as client, client.get(server.make_url(f"/{TOKEN}/ws")) as answer:
        assert answer.status == 503
    await server.close()


def test_the_command_prints_its_url_and_ends_when_told() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "oopscope_tui", "serve", str(DUMPS / "6.1-null.kdump"), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    url = program.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/\n", url)
    assert "warning" not in program.stderr.readline()
    program.send_signal(signal.SIGTERM)
    out, err = program.communicate(timeout=20)
    assert (out, err, program.returncode) == ("", "", 0)


def test_wrong_uses_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_text("not a dump\n")
    assert run(["serve", str(text)]) == 3
    assert run(["serve", str(DUMPS), "--host", "192.0.2.1"]) == USAGE
    assert run(["serve", str(DUMPS), "--port", "99999"]) == USAGE
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    assert run(["serve", str(DUMPS)]) == USAGE
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "pip install 'oopscope[serve]'" in lines[3]


def test_listening_to_others_is_warned_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "serve", lambda *_: None)
    assert run(["serve", str(DUMPS), "--port", "0", "--host", "0.0.0.0"]) == 0
    assert "warning" in capsys.readouterr().err
    assert run(["serve", str(DUMPS), "--port", "0"]) == 0
    assert "warning" not in capsys.readouterr().err
