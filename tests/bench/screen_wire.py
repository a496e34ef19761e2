"""Bytes and milliseconds per key, through a pseudo-terminal: python tests/bench/screen_wire.py [160x48] [busy] [plain]
[margins].

On 100,000 tasks and 1,000,000 log lines, made up, and on the demo dump. Each line of a table: a key pressed again and
again in one pane, the bytes that the terminal gets for it, the time until the first of them and until the last, which
is that of the detail where one follows; the median and the worst. `busy`: while a table is read; `plain`: Textual's
own output in the place of ours; `margins`: as a terminal that says that it has left and right margins.
"""

import fcntl
import os
import platform
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

HERE = Path(__file__)
APP = str(HERE.with_name("screen_app.py"))
DEMO = next(HERE.parents[2].glob("core/oopscope/data/*.kdump"), None)
QUIET = 0.15  # seconds without a byte: the key is done
READ = 1.5  # seconds without a byte: everything is read
LOG_LINES, TASKS = 1_000_000, 100_000
PRESSES = 12
MARGINS = "margins" in sys.argv

Done = tuple[int, float, float]  # bytes, milliseconds until the first, until the last


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, argv: list[str], width: int, height: int) -> None:
        self.started = time.perf_counter()
        self.height = height
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
            if MARGINS and b"\x1b[?69$p" in data[-4096:]:
                os.write(self.fd, b"\x1b[?69;2$y")
                data = data.replace(b"\x1b[?69$p", b"")
            last = time.perf_counter() - begin
            first = first or last
            if until and until in data:
                break
        return data, first, last

    def press(self, keys: str, quiet: float = QUIET) -> Done:
        os.write(self.fd, keys.encode())
        data, first, last = self.read(quiet)
        return len(data), first * 1000, last * 1000

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def machine() -> str:
    """Return the processor's name, the cores, and the Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    return f"{len(names) or os.cpu_count()} x {name}, Python {platform.python_version()}"


def first_paint(size: tuple[int, int]) -> float:
    terminal = Terminal([APP, "1000", "61"], *size)
    terminal.read(until=b"Overview")
    took = time.perf_counter() - terminal.started
    terminal.close()
    return took


def show(what: str, key: str, took: list[Done]) -> None:
    """Print a line of the table."""
    took = [one for one in took if one[0]]
    if not took:
        return
    columns = list(zip(*took, strict=True))
    middle, worst = [statistics.median(column) for column in columns], [max(column) for column in columns]
    words = (
        f"{middle[at]:9,.0f} {worst[at]:8,.0f}" if not at else f"{middle[at]:9.1f} {worst[at]:7.1f}" for at in range(3)
    )
    print(f"{what:12} {key:10} {' '.join(words)}", flush=True)


def heads(title: str) -> None:
    """Print a table's headings."""
    columns = f"{'bytes':>9} {'most':>8} {'first ms':>9} {'worst':>7} {'last ms':>9} {'worst':>7}"
    print(f"\n{title}\n{'pane':12} {'key':11} {columns}")


def keys_of(terminal: Terminal, name: str) -> None:
    """Press the keys of a list in the pane that is in view."""
    terminal.press("g")
    show(name, "j", [terminal.press("j") for _ in range(PRESSES)])
    terminal.press("j" * terminal.height, 0.4)  # to the edge of the view, so that every further step scrolls
    show(name, "j scrolls", [terminal.press("j") for _ in range(PRESSES)])
    show(name, "30 x j", [terminal.press("j" * 30, 0.4)])
    show(name, "Space", [terminal.press(" ") for _ in range(PRESSES // 2)])
    show(name, "G, g", [terminal.press(key) for key in "GgGg"])


def made_up(size: tuple[int, int], mode: list[str]) -> None:
    """Measure the long lists."""
    heads(f"{TASKS:,} tasks and {LOG_LINES:,} log lines{' '.join(['', *mode])}")
    terminal = Terminal([APP, str(LOG_LINES), str(TASKS), *mode], *size)
    terminal.read(until=b"Overview")
    terminal.read(READ)
    for name, key in (("tasks", "3"), ("log", "5")):
        show(name, "first paint", [terminal.press(key, 0.5)])
        show(name, "again", [terminal.press("1" if at % 2 else key) for at in range(1, PRESSES)])
        terminal.press(key)
        keys_of(terminal, name)
        terminal.press("g")
        show(name, "/ typed", [terminal.press(char, 0.02) for char in "/99999"])
        show(name, "/ counted", [terminal.press("\r", READ)])
        show(name, "n", [terminal.press("n") for _ in range(PRESSES // 2)])
        terminal.press("\x1b\x1b", 1)
    terminal.press("3")
    show("tasks", "s", [terminal.press("s", 1) for _ in range(6)])
    show("tasks", "t (tree)", [terminal.press("t", 1) for _ in range(2)])
    keys_of(terminal, "tree")
    terminal.close()


def demo(size: tuple[int, int], mode: list[str]) -> None:
    """Measure every pane of the demo dump, as it comes up with Tab."""
    heads("the demo dump")
    terminal = Terminal(["-m", "oopscope_tui", str(DEMO)], *size)
    terminal.read(until=b"Overview")
    terminal.read(READ)
    names = ["overview", "cpus", "tasks", "memory", "log", "modules", *(f"pane {at}" for at in range(7, 17))]
    for at, name in enumerate(names):
        if at:
            show(name, "opens", [terminal.press("\t", 0.5)])
        terminal.press("g")
        show(name, "j", [terminal.press("j") for _ in range(PRESSES)])
        show(name, "k", [terminal.press("k") for _ in range(PRESSES // 2)])
        show(name, "Space", [terminal.press(" ")])
        show(name, "right", [terminal.press("\x1b[C")])
        terminal.press("\x1b", 0.4)
    terminal.close()


def main() -> None:
    given = next((word for word in sys.argv[1:] if word[0].isdigit()), "160x48")
    width, height = (int(word) for word in given.split("x"))
    mode = [word for word in sys.argv[1:] if word != given]
    print(f"{machine()}, {width}x{height}")
    paints = [first_paint((width, height)) for _ in range(5)]
    middle, least, most = (1000 * value for value in (statistics.median(paints), min(paints), max(paints)))
    print(f"first paint {middle:.0f} ms after the command ({least:.0f} to {most:.0f} in 5 runs)", flush=True)
    made_up((width, height), mode)
    if DEMO is not None and not mode:
        demo((width, height), mode)


if __name__ == "__main__":
    main()
