"""The whole program on a pseudo-terminal: what a person at a terminal gets, and what is left when it ends."""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

import cases
from stored import DUMPS
from tui.terminal import Terminal

DUMP = next(iter(sorted(DUMPS.glob("*null*.kdump"))), None)
PATIENCE = 60
RESTORED = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l")


class Program:
    """`oopscope` with its arguments on a terminal of 80x24."""

    def __init__(self, *argv: Any, **environment: Any) -> None:
        self.size, self.data = (80, 24), ""
        self.since = 0  # where in the data the terminal got its size
        self.shown, self.fed = Terminal(*self.size), (0, 0)  # what it shows of the data from `since` to where
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a read may end within a character
        try:
            self.pid, self.fd = pty.fork()
        except OSError as e:  # a bare chroot has no /dev/pts
            pytest.skip(f"no pseudo-terminal to be had here: {e}")
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "OOPSCOPE_CACHE": str(cases.INDEX[0]), **environment})
            os.execv(sys.executable, [sys.executable, "-m", "oopscope_tui", *argv])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.fd)

    def read(self, seconds: float) -> Any:
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return False
            self.data += self.decoder.decode(data)
            return bool(data)
        return True

    def until(self, words: Any) -> Any:
        """Read until the screen shows some words."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.05)
            screen = self.screen()
            if words in screen:
                return screen
        raise AssertionError(f"{words!r} did not come:\n{self.screen()}")

    def screen(self) -> Any:
        """Return the screen's text; only what is new is fed to the terminal."""
        whole = self.data.rfind("\x1b") if "\x1b" in self.data[-40:] else len(self.data)
        since, end = self.fed
        if since != self.since or end > whole:
            self.shown, end = Terminal(*self.size), self.since
        self.shown.feed(self.data[end:whole])
        self.fed = self.since, max(whole, end)
        return "\n".join(self.shown.lines)

    def resize(self, width: int, height: Any) -> None:
        """Change the terminal's size; what came before is lost."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.size = (width, height)
        self.repainted()

    def repainted(self) -> None:
        """Wait for a painting from an empty screen; only what comes with it counts."""
        seen = len(self.data)
        end = time.monotonic() + PATIENCE
        while (at := self.data.find("\x1b[2J", seen)) < 0:
            assert self.read(0.05)
            assert time.monotonic() < end, "nothing was painted"
        self.since = at

    def press(self, keys: Any) -> None:
        os.write(self.fd, keys.encode())

    def end(self) -> Any:
        """Wait for the end and return the exit status."""
        until = time.monotonic() + PATIENCE
        while self.read(0.5):
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"it does not end:\n{self.screen()}")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.thorough
@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
@pytest.mark.parametrize(
    "environment",
    [{}, {"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "screen"}, {"TERM": "xterm-16color"}, {"TERM": "vt100"}],
    ids=str,
)
def test_a_session(environment: dict[str, str]) -> None:
    program = Program(str(DUMP), **environment)
    program.until("NULL pointer dereference")
    program.press("3")
    program.until("► 238")  # all tasks are there, and the culprit is chosen
    program.press("/init\rn")
    program.until("2 of 2")
    program.press("\r")
    program.until("stack")
    program.press("q")
    assert program.end() == 0
    assert all(sequence in program.data for sequence in RESTORED)
    if environment:
        assert "38;2;" not in program.data
    if "NO_COLOR" in environment:
        assert "\x1b[31m" not in program.data
        assert ";31m" not in program.data


@pytest.mark.thorough
@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
@pytest.mark.parametrize(("end", "status"), [("\x03", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str)
def test_whatever_ends_it_the_terminal_is_as_it_was(end: int, status: int) -> None:
    program = Program(str(DUMP))
    program.until("Overview")
    if isinstance(end, str):
        program.press(end)
    else:
        os.kill(program.pid, end)
    assert program.end() == status
    assert all(sequence in program.data for sequence in RESTORED)


@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
def test_a_stay_in_the_shell() -> None:
    program = Program(str(DUMP))
    program.until("NULL pointer dereference")
    program.press("\x1a")
    while not os.WIFSTOPPED(os.waitpid(program.pid, os.WUNTRACED | os.WNOHANG)[1]):
        program.read(0.02)
    os.kill(program.pid, signal.SIGCONT)
    program.repainted()
    program.until("NULL pointer dereference")
    program.press("q")
    assert program.end() == 0


@pytest.mark.thorough
@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
def test_going_on_without_a_stay_in_the_shell_reads_the_terminal_once() -> None:
    program = Program(str(DUMP))
    program.until("NULL pointer dereference")
    threads = Path(f"/proc/{program.pid}/task")
    program.press("3")
    program.until("► 238")
    before = len(list(threads.iterdir()))
    for _ in range(3):
        os.kill(program.pid, signal.SIGCONT)
        program.repainted()
    program.until("► 238")
    assert len(list(threads.iterdir())) == before
    program.press("q")
    assert program.end() == 0


@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
def test_a_terminal_that_is_closed_takes_the_program_with_it() -> None:
    program = Program(str(DUMP))
    program.until("Overview")
    os.close(program.fd)
    os.kill(program.pid, signal.SIGCONT)  # as the kernel does behind its SIGHUP
    assert os.waitstatus_to_exitcode(os.waitpid(program.pid, 0)[1]) in (129, -signal.SIGHUP)


@pytest.mark.thorough
@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
def test_other_sizes_and_a_screen_that_is_spoilt() -> None:
    program = Program(str(DUMP))
    program.until("NULL pointer dereference")
    program.press("3")
    program.until("► 238")
    program.press("f")
    program.until("filter:")
    program.press("insmod")
    program.until("1 of")
    program.resize(20, 5)  # of the list only its title is left
    program.until("filter: insmod")
    program.resize(20, 7)
    program.until("► 238")
    program.resize(160, 48)
    screen = program.until("filter: insmod")
    assert "► 238" in screen
    program.press("\x1b")
    program.until("Enter open")
    program.press("\x0c")
    program.repainted()
    program.until("► 238")
    fcntl.ioctl(program.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    program.resize(160, 48)  # the size of before, but who knows what the terminal made of it in between
    program.until("► 238")
    program.press("q")
    assert program.end() == 0


@pytest.mark.parametrize("name", ["dumb", "unknown"])
def test_a_terminal_that_cannot_is_refused_in_one_line(name: str) -> None:
    program = Program(__file__, TERM=name)
    assert program.end() == 2
    assert program.data.startswith(f"oopscope: a {name} terminal cannot show the screen")
    assert program.data.count("\n") == 1


def test_what_is_no_dump_leaves_one_line() -> None:
    program = Program(__file__)
    assert program.end() == 3
    left = program.data[program.data.rfind("\x1b[?1006l") :]
    assert left.count("oopscope: ") == 1
    assert "Traceback" not in program.data
