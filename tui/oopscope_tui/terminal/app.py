"""The screen and its terminal: few bytes, no keys of Textual's own, and left clean whatever ends the program."""

import asyncio
import errno
import os
import signal
import termios
from collections.abc import Sequence
from types import FrameType
from typing import Any

from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.filter import LineFilter
from textual.screen import Screen
from textual.strip import Strip

from oopscope_tui.look.palette import DEFAULT, Paint, plain_asked
from oopscope_tui.terminal import margins
from oopscope_tui.terminal.wire import Wire


class MainScreen(Screen[None], inherit_bindings=False):
    """The one screen, without Textual's own keys: Tab chooses panes here."""


class TerminalApp(App[int], inherit_bindings=False):
    """An app that keeps what its terminal shows, and writes only what changes."""

    def __init__(self) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.wire = Wire()
        self.paint = Paint(DEFAULT)
        margins.listen(self._has_margins)

    def _has_margins(self) -> None:
        self.wire.margins = True

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen."""
        return MainScreen(id="_default")

    def use_theme(self, name: str) -> None:
        """Draw everything in the colours of a theme."""
        self.paint = Paint(name, plain_asked())
        for screen in self.screen_stack if self.is_running else ():
            for widget in (screen, *screen.query("*")):
                widget.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what draws the lines in the theme's colours."""
        return [self.paint] if self.paint.enabled else []

    def mind_the_terminal(self) -> None:
        """Leave it as it was when a signal ends the program, and paint all of it after a stay in the shell."""
        if not self.is_headless:
            self._main_loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._told_to_end)
            signal.signal(signal.SIGCONT, self._woken)
            self._driver.write(margins.ASK)  # type: ignore[union-attr]
        if os.environ.get("OOPSCOPE_RECORD") and self._driver is not None:
            from oopscope_tui.terminal.cast import tee

            tee(self._driver, os.environ["OOPSCOPE_RECORD"], self.size)
        self.app_resume_signal.subscribe(self, lambda _: self.action_repaint())

    def _told_to_end(self, number: int, _frame: FrameType | None) -> None:
        """Leave the terminal as it was and end; at once where it is gone.

        A handler of the loop's would come too late: it waits for what the loop is in, which may be a write to a
        terminal that was closed.
        """
        self._end_if_gone(128 + number)
        self._main_loop.call_soon_threadsafe(self.exit, 128 + number)

    def _woken(self, _number: int, _frame: FrameType | None) -> None:
        """Take the terminal up again, once the loop is at rest: a write that was interrupted holds a lock.

        The kernel sends SIGCONT behind the SIGHUP of a terminal that was closed. Textual would begin anew there, with a
        thread that writes, dies of it, and leaves a queue that fills.
        """
        self._end_if_gone(128 + signal.SIGHUP)
        self._main_loop.call_soon_threadsafe(self._take_up)

    def _take_up(self) -> None:
        driver: Any = self._driver
        if driver is None or not driver._auto_restart:
            return
        if not driver._must_signal_resume:  # stopped by SIGSTOP, or not at all: the terminal is still read
            driver.suspend_application_mode()
        driver.resume_application_mode()
        self.action_repaint()

    @staticmethod
    def _end_if_gone(status: int) -> None:
        """End at once where the terminal is gone: nothing is put back, for writing to it would never end."""
        try:
            termios.tcgetattr(0)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                os._exit(status)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write only what changed on the terminal."""
        if isinstance(renderable, CompositorUpdate) and not self.is_inline:
            renderable = self.wire.update(renderable)
        super()._display(screen, renderable)

    def on_resize(self, event: events.Resize) -> None:
        """Paint all of it: a terminal may move or drop lines, even where it has the size of before again."""
        self.wire.forget()
        if self.wire.size == event.size:
            self.refresh(layout=True)

    def lines_on_screen(self) -> list[Strip]:
        """Return what stands on the screen, line by line."""
        return self.screen._compositor.render_strips()

    def picture(self) -> str:
        """Return what stands on the screen as SVG."""
        from oopscope_tui.look.picture import svg

        return svg([list(strip) for strip in self.lines_on_screen()], self.size.width)

    def action_repaint(self) -> None:
        """Paint all of it again."""
        self.wire.forget()
        self.refresh(layout=True)
