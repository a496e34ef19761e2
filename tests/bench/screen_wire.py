"""Bytes and milliseconds per key, through a pseudo-terminal: python tests/bench/screen_wire.py [160x48] [LOG_LINES].

Each line: a key pressed again and again in one pane, the bytes that the terminal gets for it, the time until the
first of them and until the last. `plain` is Textual's own output, `wire` is ours, `busy` ours while a table is read.
"""

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

APP = str(Path(__file__).with_name("screen_app.py"))
QUIET = 0.15  # seconds without a byte: the key is done


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, argv: list[str], width: int, height: int) -> None:
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, *argv])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, quiet: float = QUIET, until: bytes = b"") -> tuple[bytes, float, float]:
        """Return what comes until it is quiet (or a word came), and when the first and the last of it came."""
        data, begin, first, last = b"", time.perf_counter(), 0.0, 0.0
        while select.select([self.fd], [], [], quiet if data or not until else 20)[0]:
            try:
                data += os.read(self.fd, 1 << 16)
            except OSError:
                break
            last = time.perf_counter() - begin
            first = first or last
            if until and until in data:
                break
        return data, first, last

    def press(self, key: str) -> tuple[int, float, float]:
        os.write(self.fd, key.encode())
        data, first, last = self.read()
        return len(data), first * 1000, last * 1000

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def first_paint(size: tuple[int, int], lines: int) -> float:
    terminal = Terminal([APP, str(lines), "61"], *size)
    terminal.read(until=b"Overview")
    took = time.perf_counter() - terminal.started
    terminal.close()
    return took


CASES = (("log", "5", "j", "g", "j"), ("log", "5", "k", "G", "k"), ("log", "5", " ", "g", ""),
         ("tasks", "3", "j", "g", "j"), ("tasks", "3", " ", "g", ""))  # fmt: skip


def measure(size: tuple[int, int], lines: int, mode: list[str]) -> None:
    for name, pane, key, edge, lead in CASES:
        terminal = Terminal([APP, str(lines), "100000", *mode], *size)
        terminal.read(until=b"Overview")
        time.sleep(2 + lines / 150_000)
        terminal.read()
        os.write(terminal.fd, pane.encode())
        first, last = (1000 * value for value in terminal.read(until=b"\0")[1:])
        opened = f"pane open after {first:.0f} ms, last {last:.0f} ms"
        terminal.press(edge)
        for _ in range(size[1] if lead else 0):  # to the edge of the view, so that every further step scrolls
            os.write(terminal.fd, lead.encode())
        terminal.read(0.5)
        took = [terminal.press(key) for _ in range(15)]
        amount, first, last = (statistics.median(column) for column in zip(*took, strict=True))
        what = f"{' '.join(mode) or 'wire':6} {name:6} {'Space' if key == ' ' else key:6}"
        print(f"{what} {amount:8.0f} bytes   first {first:5.1f} ms   last {last:5.1f} ms   {opened}", flush=True)
        terminal.close()


def main() -> None:
    width, height = (int(word) for word in (sys.argv[1] if len(sys.argv) > 1 else "160x48").split("x"))
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    paints = [first_paint((width, height), 1000) for _ in range(5)]
    middle, least, most = (1000 * value for value in (statistics.median(paints), min(paints), max(paints)))
    print(f"first paint {middle:.0f} ms after the command ({least:.0f} to {most:.0f} in 5 runs)", flush=True)
    for mode in (["plain"], [], ["busy"]):
        measure((width, height), lines, mode)


if __name__ == "__main__":
    main()
