"""What the parts of the screen may ask of the app: panes what is in Scope, the prompt and its commands what is in Desk.

The app fulfils both. Here no pane is known and no app, so that the app imports its parts, and they never the app.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from oopscope.fleet.listing import Listing
from oopscope_tui.places import Place, Target
from oopscope_tui.reading.store import Store
from oopscope_tui.settings.keymap import Keymap
from oopscope_tui.settings.settings import Settings
from oopscope_tui.widgets.chrome import KeyLine, Status
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.prompt import Kind


class Shown(Protocol):
    """The pane in view, as others see it."""

    key: str
    title: str
    wanted: Place | None

    @property
    def active(self) -> Lines:
        """The view that has the keys."""

    @property
    def commands(self) -> Sequence[str]:
        """What can be asked about a row of it: templates, {name} a column."""


class Scope(Protocol):
    """What a pane may ask."""

    settings: Settings
    keymap: Keymap
    status: Status

    @property
    def pane(self) -> Shown | None:
        """The pane in view."""

    @property
    def dump_name(self) -> str:
        """The dump's file name."""

    def ask(self, kind: str, key: Any) -> None:
        """Have something found out about one thing, unless it is known."""

    async def go(self, place: Place) -> None:
        """Go to a place; where one was is remembered for Esc."""

    async def action_back(self) -> None:
        """Leave the search, then the filter, then the place."""

    def remember(self) -> None:
        """Put where one is on the history."""

    def where_changed(self) -> None:
        """Draw the breadcrumbs and the keys anew."""

    def leave_for(self, path: str | Path | Listing) -> None:
        """End this screen for another dump, or for the list."""


class Asks(Protocol):
    """The prompt, as its commands see it."""

    async def ask(self, line: str) -> None:
        """Open the prompt on a line that wants more words."""

    async def follow(self, target: Target | None, name: str) -> None:
        """Go to a place or do an act."""

    def write(self, name: str) -> None:
        """Write the pane to a file, asking first where one is there."""


class Desk(Scope, Protocol):
    """What the prompt and its commands may ask besides."""

    store: Store
    folder: bool  # a list of dumps is shown
    back: Listing | None
    keyline: KeyLine

    @property
    def asking(self) -> Asks:
        """The prompt at work."""

    def known_panes(self) -> list[tuple[str, str]]:
        """Return the key and the title of every pane in the tab bar."""

    def write_pane(self, name: str) -> None:
        """Write the pane to a file, in the form that its name says."""

    def use_theme(self, name: str) -> None:
        """Draw everything in the colours of a theme."""

    def action_prompt(self, kind: Kind) -> None:
        """Ask for a search, a filter, a place or a file."""

    async def action_explain(self) -> None:
        """Explain what is selected here."""

    async def action_help(self) -> None:
        """Show the keys of this place."""

    async def answered(self, text: str) -> None:
        """Hand an answer to the lesson."""

    def action_copy(self) -> None:
        """Copy the selected thing."""

    async def action_quit(self) -> None:
        """Leave, whatever is being read."""

    def set_timer(self, delay: float, callback: Callable[[], Any]) -> object:
        """Call something after so many seconds."""

    def call_later(self, callback: Callable[..., Any], *args: Any) -> object:
        """Call something when what came before is handled."""
