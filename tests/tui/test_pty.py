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

import pytest

from tui.terminal import Terminal

DUMPS = Path(__file__).parents[1] / "dumps"
DUMP = next(iter(sorted(DUMPS.glob("*null*.kdump"))), None)
PATIENCE = 20
RESTORED = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l")


class Program:
    """`oopscope` with its arguments on a terminal of 80x24."""

    def __init__(self, *argv, **environment):
        self.terminal, self.data = Terminal(80, 24), ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a read may end within a character
        try:
            self.pid, self.fd = pty.fork()
        except OSError as e:  # a bare chroot has no /dev/pts
            pytest.skip(f"no pseudo-terminal to be had here: {e}")
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "OOPSCOPE_CACHE": "off", **environment})
            os.execv(sys.executable, [sys.executable, "-m", "oopscope_tui", *argv])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.fd)

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return False
            self.data += self.decoder.decode(data)
            return bool(data)
        return True

    def until(self, words):
        """Read until the screen shows some words."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.05)
            screen = self.screen()
            if words in screen:
                return screen
        raise AssertionError(f"{words!r} did not come:\n{self.screen()}")

    def screen(self):
        self.terminal = Terminal(80, 24)
        whole = self.data[: self.data.rfind("\x1b")] if "\x1b" in self.data[-40:] else self.data
        self.terminal.feed(whole)
        return "\n".join(self.terminal.lines)

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        """Wait for the end and return the exit status."""
        while self.read(PATIENCE):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "dumb"}], ids=str)
def test_a_session(environment):
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


@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
@pytest.mark.parametrize(("end", "status"), [("\x03", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str)
def test_whatever_ends_it_the_terminal_is_as_it_was(end, status):
    program = Program(str(DUMP))
    program.until("Overview")
    if isinstance(end, str):
        program.press(end)
    else:
        os.kill(program.pid, end)
    assert program.end() == status
    assert all(sequence in program.data for sequence in RESTORED)


@pytest.mark.skipif(DUMP is None, reason="the dumps are not here")
def test_a_stay_in_the_shell():
    program = Program(str(DUMP))
    program.until("NULL pointer dereference")
    program.press("\x1a")
    while not os.WIFSTOPPED(os.waitpid(program.pid, os.WUNTRACED | os.WNOHANG)[1]):
        program.read(0.02)
    painted = program.data.count("\x1b[2J")
    os.kill(program.pid, signal.SIGCONT)
    while program.data.count("\x1b[2J") == painted:
        assert program.read(PATIENCE)
    assert "NULL pointer dereference" in program.screen()
    program.press("q")
    assert program.end() == 0


def test_what_is_no_dump_leaves_one_line():
    program = Program(__file__)
    assert program.end() == 3
    left = program.data[program.data.rfind("\x1b[?1006l") :]
    assert left.count("oopscope: ") == 1
    assert "Traceback" not in program.data
