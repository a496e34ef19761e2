"""The web server behind `oopscope serve`: textual-serve's terminal page and websocket, behind a guard.

Nothing is served without the token that the URL begins with, neither page nor websocket nor static file. A request
that came by another name than this machine's (DNS rebinding), or from another site's page, is refused before that.
"""

import asyncio
import hmac
import ipaddress
import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from html import escape
from urllib.parse import urlsplit

import textual_serve.server
from aiohttp import web
from aiohttp.typedefs import Middleware
from textual_serve.app_service import AppService
from textual_serve.server import Server

MAX_FONT = 64  # pixels
FAREWELL = 5.0  # seconds in which a session's program ends by itself
SESSIONS = 8  # screens at a time; each is a process that reads the dump
LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>oopscope</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="stylesheet" href="static/css/xterm.css"><link rel="icon" href="data:,">
<script src="static/js/textual.js"></script><script src="focus.js"></script>
<style>
@font-face{{font-family:"Roboto Mono";font-weight:100 700;src:url(static/fonts/RobotoMono-VariableFont_wght.ttf)}}
html,body{{margin:0;height:100%;background:#000;overflow:hidden}}
.over{{position:absolute;inset:0;z-index:9;display:flex;gap:1.5em;align-items:center;justify-content:center;
background:#000c;color:#ccc;font:16px "Roboto Mono",monospace}}
.over a{{color:#8bf}}.closed,body.-first-byte .intro{{display:none}}body.-closed .closed{{display:flex}}
body.-closed .intro{{display:none}}
</style></head><body>
<div class="over intro">Opening the dump ...<noscript>This page needs JavaScript.</noscript></div>
<div class="over closed">The session has ended.<a href="./">Open it again</a></div>
<div class="textual-terminal" data-session-websocket-url="ws://{host}/{token}/ws" data-font-size="{size}"></div>
</body></html>
"""


# Keys go to the screen without a click, from its first byte.
FOCUS = """new MutationObserver((_, seen) => {
  if (document.body.classList.contains("-first-byte")) {
    seen.disconnect();
    document.querySelector(".xterm-helper-textarea").focus();
  }
}).observe(document.documentElement, { attributes: true, subtree: true, attributeFilter: ["class"] });
"""


def serve(command: str, token: str, host: str, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve a program's screen on a socket until interrupted; `started` is called once an interrupt ends it cleanly."""
    app = make_app(command, token, host)

    async def announce(_app: web.Application) -> None:
        started()

    app.on_startup.append(announce)
    web.run_app(
        app,
        sock=listener,
        print=lambda *_: None,
        access_log=None,  # it would have the token
        shutdown_timeout=2,
        handler_cancellation=True,
    )


def make_app(command: str, token: str, host: str) -> web.Application:
    """Return the application: a page, a websocket that starts the program, static files, and the guard before all."""
    server = Screens(command)
    app = web.Application(middlewares=[_guard(token, host)])
    app.on_response_prepare.append(_seal)
    app.router.add_get(f"/{token}/", _page(token))
    app.router.add_get(f"/{token}/focus.js", _focus)
    app.router.add_get(f"/{token}/ws", _limited(app, server.handle_websocket))
    app.router.add_static(f"/{token}/static", server.statics_path)
    return app


class Session(AppService):
    """One browser's screen: a process group of its own, which ends with it, however busy or stuck its program is."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        self._process = process = await asyncio.create_subprocess_shell(
            f"exec {self.command}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width=width, height=height),
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process

    async def stop(self) -> None:
        """Ask the program to end; end what is left of its group after a while."""
        try:
            with suppress(TimeoutError, OSError):
                await asyncio.wait_for(super().stop(), FAREWELL)
        finally:
            self._task = None
            if self._process is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process = None


class Screens(Server):
    """textual-serve's server, whose sessions are Session's."""

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Handle a browser's session."""
        vars(textual_serve.server)["AppService"] = Session  # it names its class nowhere else
        return await super().handle_websocket(request)


def _guard(token: str, host: str) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = _name(request.host)
        if name is None or not place(request.host) or not known_name(name, host):
            raise web.HTTPForbidden(text="not a name of this machine\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in (f"http://{request.host}", f"https://{request.host}"):
            raise web.HTTPForbidden(text="not from another site\n")
        given = request.path.split("/")[1]
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
            raise web.HTTPNotFound(text="the URL that oopscope printed opens the screen\n")
        return await handler(request)

    return guard


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def place(host: str) -> str:
    """Return name and port of a Host header, made anew of nothing but these; empty where it has anything else."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if name is None or not re.fullmatch(r"[a-z0-9._:-]+", name):
        return ""
    return (f"[{name}]" if ":" in name else name) + (f":{port}" if port is not None else "")


def known_name(name: str, host: str) -> bool:
    """Return whether a request may have called this machine by a name, when it listens on an address."""
    if name in LOCAL or name == host:
        return True
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - a comparison
        return not ipaddress.ip_address(host).is_loopback and name in _own_names()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in _own_names()
    return True  # an address cannot be rebound


def _own_names() -> set[str]:
    return {socket.gethostname().lower(), socket.getfqdn().lower()}


async def _seal(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = POLICY.format(host=place(request.host))
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"


def _page(token: str) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        size = request.query.get("fontsize", "")
        size = str(min(max(int(size[:4]), 4), MAX_FONT)) if size.isascii() and size.isdigit() else "15"
        text = PAGE.format(host=escape(place(request.host)), token=token, size=size)
        return web.Response(text=text, content_type="text/html")

    return page


async def _focus(request: web.Request) -> web.Response:
    return web.Response(text=FOCUS, content_type="text/javascript")


def _limited(app: web.Application, handler: Handler) -> Handler:
    """Refuse a session beyond SESSIONS; end those that run when the server ends."""
    running: set[asyncio.Task[object]] = set()

    async def limited(request: web.Request) -> web.StreamResponse:
        if len(running) >= SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{SESSIONS} screens are open already\n")
        task = asyncio.current_task()
        assert task is not None  # a request is handled in one
        running.add(task)
        try:
            return await handler(request)
        finally:
            running.discard(task)

    async def end(_: web.Application) -> None:
        for task in running:
            task.cancel()

    app.on_shutdown.append(end)
    return limited
