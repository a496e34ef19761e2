"""The screen and its terminal: few bytes, no keys of Textual's own, and left clean whatever ends the program."""

import asyncio
import errno
import os
import signal
import termios
from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.filter import LineFilter
from textual.screen import Screen
from textual.strip import Strip

from oopscope_tui.look.palette import DEFAULT, Paint, plain_asked
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
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):  # leave the terminal as it was
                loop.add_signal_handler(number, self._end, 128 + number)
        if os.environ.get("OOPSCOPE_RECORD") and self._driver is not None:
            from oopscope_tui.terminal.cast import tee

            tee(self._driver, os.environ["OOPSCOPE_RECORD"], self.size)
        self.app_resume_signal.subscribe(self, lambda _: self.action_repaint())

    def _end(self, status: int) -> None:
        """End as a signal asks; where the terminal is gone nothing is put back, for writing to it would never end.

        The kernel sends SIGCONT behind the SIGHUP of a terminal that was closed, for which Textual begins anew: with a
        thread that writes, dies of it, and leaves a queue that fills.
        """
        try:
            termios.tcgetattr(0)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                os._exit(status)
        self.exit(status)

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
