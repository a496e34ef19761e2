"""A place on the screen, to which every check of a key comes back before it begins."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot

from oopscope_tui.app import OopscopeApp
from oopscope_tui.panes.base import Pane
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from tui.driving import press, settle


@dataclass
class Stage:
    """A place on the screen, to which every check comes back before it begins."""

    app: OopscopeApp
    pilot: Pilot[int]
    place: Place
    home: Any = None  # what the place is shown by

    async def begin(self) -> None:
        """Go to the place unless a check stayed there, with no search, no filter, and the cursor in the middle."""
        if self.home != self._here() or self.app.prompt_line.is_open or len(self.app.screen_stack) > 1:
            await self.app.go(self.place)
            self.home = self._here()
        if self.lines.scan is not None:
            self.lines.search("")
        if self.lines.filter_text:
            self.lines.set_filter("")
        await settle(self.app, self.pilot)
        if self.lines.all_selectable:
            self.lines._to(len(self.lines.view) // 2)

    def _here(self) -> tuple[Pane | None, bool, Lines, Any]:
        pane = self.app.pane
        return pane, pane.opened, self.lines, getattr(pane, "asked", None)

    @property
    def lines(self) -> Lines:
        """The view that has the keys."""
        return self.app.pane.active

    async def press(self, *keys: str) -> None:
        await press(self.app, self.pilot, *keys)

    def where(self) -> tuple[str, bool, int, int]:
        """Return what the user would say of where they are."""
        return (
            self.app.pane.key,
            self.app.pane.opened,
            self.lines.cursor,
            self.lines.top,
        )


Check = Callable[[Stage, str], Awaitable[None]]
