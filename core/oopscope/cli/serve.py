"""Show the screen in a web browser on this machine. The URL that is printed has a secret, without which nothing opens.

Over SSH, `ssh -L 8000:127.0.0.1:8000 HOST` brings it to your own browser.
"""

import argparse
import ipaddress
import secrets
import shlex
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import add_extra, add_look, write
from oopscope.sources.remote import Location, location

LOOPBACK = "127.0.0.1"
PORT = 8000
SCREEN = "oopscope_tui.terminal.served"  # the program of one browser's session


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="*", type=location, metavar="PATH", help="a dump or its URL, or a folder; /var/crash by default"
    )
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"the port ({PORT}); 0 takes a free one")
    parser.add_argument("--host", default=LOOPBACK, metavar="H", help="listen there, and not only to this machine")
    add_extra(parser)
    add_look(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command until it is interrupted."""
    if find_spec("textual_serve") is None:
        return complain("serve needs one package more: pip install 'oopscope[serve]'", USAGE)
    if not 0 <= args.port < 65536:
        return complain(f"no port {args.port}; there are 1 to 65535, and 0 takes a free one", USAGE)
    paths: list[Location] = args.paths or [Path("/var/crash")]
    _check(paths)
    try:
        listener = listen(args.host, args.port)
    except OSError as e:
        return complain(f"cannot listen on {args.host}, port {args.port}: {e}", USAGE)
    with listener:
        return _serve(args.host, paths, listener)


def _serve(asked: str, paths: list[Location], listener: socket.socket) -> int:
    from oopscope.cli.web import serve

    host, port = listener.getsockname()[:2]
    token = secrets.token_urlsafe(24)
    if not is_loopback(host):
        complain(f"warning: whoever can reach {asked} and sees this URL sees the dump; nothing is encrypted", DONE)
    shown = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104 - a comparison
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/{token}/\n"

    def announce() -> None:
        write(url)
        complain("open this URL in a browser; Ctrl-C ends it", DONE)

    serve(shlex.join([sys.executable, "-m", SCREEN, *map(str, paths)]), token, host, listener, announce)
    return DONE


def _check(paths: list[Location]) -> None:
    """Raise NotADump where the screen could only say so."""
    from oopscope.dumps import open_path

    if not (len(paths) == 1 and isinstance(paths[0], Path) and paths[0].is_dir()):
        open_path(*paths)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; OSError where that cannot be."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family)


def is_loopback(address: str) -> bool:
    """Return whether only this machine reaches an address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
