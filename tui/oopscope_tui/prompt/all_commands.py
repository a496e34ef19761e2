"""The commands and places of the `:` prompt in Textual's command palette. It is imported when that opens.

Names from a dump go there as text: what the palette takes as a string it reads as markup.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from oopscope_tui.look.text import clean, fit
from oopscope_tui.prompt.choice import Choice
from oopscope_tui.prompt.completing import Completer, of_commands, of_panes
from oopscope_tui.scope import Desk

NAME = 28  # cells
KIND = 8
MARGIN = 6


class AllCommands(Provider):
    """Everything that the prompt offers."""

    @property
    def _desk(self) -> Desk:
        return cast(Desk, self.app)

    @property
    def _width(self) -> int:
        return self.app.size.width

    async def search(self, query: str) -> Hits:
        """Yield what fits, the best first, letting keys in between."""
        completer = Completer(query, self._desk.store, self._desk.known_panes())
        while completer.work():
            await asyncio.sleep(0)
        rows = completer.rows()
        for at, one in enumerate(rows):
            yield Hit(
                1 - at / (len(rows) + 1),
                _line(one.choice, one.positions, self._width),
                self._run(one.choice),
                _plain(one.choice),
            )

    async def discover(self) -> Hits:
        """Yield the commands and the panes."""
        store, panes = self._desk.store, self._desk.known_panes()
        for choice in (*of_commands(store, panes), *of_panes(store, panes)):
            yield DiscoveryHit(_line(choice, (), self._width), self._run(choice), _plain(choice))

    def _run(self, choice: Choice) -> Callable[[], Awaitable[None]]:
        if choice.target is None:
            return partial(self._desk.asking.ask, choice.line)
        return partial(self._desk.asking.follow, choice.target, choice.shown)


def _plain(choice: Choice) -> str:
    return clean(choice.line).replace("[", "\\[")


def _line(choice: Choice, positions: tuple[int, ...], width: int) -> Text:
    """Return a choice as a line: its name with the matched letters marked, its kind, what it is."""
    out = Text(end="")
    for at, char in enumerate(choice.shown[:NAME]):
        out.append(clean(char), "bold underline" if at in positions else "")
    out.pad_right(max(0, NAME - out.cell_len))
    out.append(f"  {fit(choice.kind, KIND)} {clean(choice.what)}", "dim")
    out.truncate(max(NAME, width - MARGIN), overflow="ellipsis")
    return out
