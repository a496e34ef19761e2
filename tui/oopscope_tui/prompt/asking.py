"""The prompt at work: what each kind of question does while it is typed, when it is answered and when it is left.

Search and filter are live; going somewhere shows what fits over the prompt; writing asks again before it replaces.
"""

from typing import TYPE_CHECKING

from textual import events

from oopscope.report.query import QueryError
from oopscope_tui.places import Act, Target
from oopscope_tui.scope import Desk
from oopscope_tui.widgets.choices import Choices
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.prompt import Kind, Prompt

if TYPE_CHECKING:
    from oopscope_tui.prompt.choice import Ranked
    from oopscope_tui.prompt.completing import Completer

SLICE = 0.001  # seconds between two slices of completing: keys come in between
PATIENCE = 0.3  # seconds that Enter waits for what fits best
OF_A_LIST = ("dumps", "help", "explain")  # the panes that a list of dumps has


class Asking:
    """What is asked just now."""

    def __init__(self, app: Desk) -> None:
        self.app = app
        self.prompt = Prompt()
        self.choices = Choices(self._clicked)
        self._before: tuple[str, int] = ("", 0)  # a view's search or filter, and its spot, before the prompt
        self._completer: Completer | None = None

    @property
    def _lines(self) -> Lines | None:
        return self.app.pane.active if self.app.pane is not None else None

    def open(self, kind: Kind) -> None:
        """Ask for a search, a filter, a place or a file."""
        lines, pane = self._lines, self.app.pane
        if lines is None or pane is None:
            return
        text = lines.filter_text if kind == "filter" else f"oopscope-{pane.key}.txt" if kind == "write" else ""
        self._before = (lines.search_text if kind == "search" else lines.filter_text, lines.spot)
        self._show(kind, text)
        if kind == "goto":
            self._complete()

    async def ask(self, line: str) -> None:
        """Open the prompt on a line that wants more words."""
        self._show("goto", line)
        self._changed()

    def _show(self, kind: Kind, text: str) -> None:
        self.app.keyline.display = False
        self.prompt.open(kind, text)

    def _close(self) -> None:
        self._completer = None
        self.choices.display = False
        self.prompt.close()
        self.app.keyline.display = True
        self.app.where_changed()

    async def typed(self, event: events.Key | events.Paste) -> None:
        """Take a key or a paste while the prompt is open."""
        prompt = self.prompt
        if isinstance(event, events.Paste):
            prompt.insert(event.text)
            self._changed()
            return
        moves = ("down", "up") if prompt.text or self.choices.moved else ("down",)  # Up on an empty line recalls
        if self.choices.display and not prompt.recalling and event.key in moves:
            self.choices.move(1 if event.key == "down" else -1)
            return
        if self.choices.display and self.choices.moved and event.key == "tab":
            self._take_line()
            return
        outcome = prompt.key(event.key, event.character)
        if outcome == "changed":
            self._changed()
        elif outcome == "done":
            await self._done(prompt.kind, prompt.text)
        elif outcome == "cancelled":
            self._cancelled(prompt.kind)

    def _changed(self) -> None:
        """Search, filter and complete while the text is typed."""
        lines, kind, text = self._lines, self.prompt.kind, self.prompt.text
        if lines is None:
            return
        if kind == "search":
            lines.search(text, self._before[1])
        elif kind == "filter":
            self._filter(lines, text)
        elif kind == "goto":
            from oopscope_tui.prompt.completing import Completer  # not before the first paint

            self.choices.moved = False
            self._completer = Completer(text, self.app.store, self.app.known_panes()) if text.strip() else None
            self._complete()

    def _complete(self) -> None:
        """Look for what fits, a slice at a time, letting keys in between."""
        completer = self._completer
        if completer is None:
            self.prompt.offer = ""
            self.choices.show(self._fits_here() if self.prompt.kind == "goto" else (), 0, False)
            return
        more = completer.work()
        rows = completer.rows()
        if not more or completer.first or not self.choices.display:  # in between the list stays: it costs bytes
            completer.first = False
            if not self.choices.moved:  # else the user is choosing from it
                self.choices.show(list(rows), completer.found, more)
            self.prompt.offer = completer.offer()
            self.prompt.refresh()
        if more:
            self.app.set_timer(SLICE, lambda: self._complete() if self._completer is completer else None)

    def _fits_here(self) -> list["Ranked"]:
        """Return what an empty line may become: what was typed last, and the commands for what is selected."""
        from oopscope_tui.prompt.offering import fits_here

        pane, lines = self.app.pane, self._lines
        listed = getattr(pane, "main", lines)  # also where its detail has the keys
        row = listed.row if listed is not None else None
        commands = pane.commands if pane is not None else ()
        return fits_here(self.prompt.lately("goto"), commands, row, self.app.known_panes())

    def _filter(self, lines: Lines, text: str) -> bool:
        try:
            lines.set_filter(text)
        except QueryError as error:
            self.app.status.say(str(error), failed=True)
            return False
        self.app.status.say("")
        return True

    async def _done(self, kind: Kind, text: str) -> None:
        """Do what was asked."""
        lines = self._lines
        if lines is None:
            return
        if kind == "goto":
            await self._go(text)
            return
        if kind == "filter" and not self._filter(lines, text):
            return
        if kind == "write" and self._asks_first(text):
            return
        self._close()
        if kind == "search" and text:
            lines.search(text)
        elif kind == "write" and text:
            self.app.write_pane(text)
        elif kind == "answer":
            await self.app.answered(text)

    def _cancelled(self, kind: Kind) -> None:
        """Put back what the prompt changed."""
        lines = self._lines
        if lines is not None:
            text, cursor = self._before
            if kind == "search":
                lines.search(text, cursor)
                lines.to_spot(cursor)
            elif kind == "filter":
                self._filter(lines, text)
        self._close()

    # Going somewhere.

    async def _go(self, text: str) -> None:
        """Go where the chosen row leads; where none was chosen, where the line does, or what fits it best."""
        from oopscope_tui.prompt.commands import lacking, understand, wants_more

        if wants_more(text) and not self.choices.moved:
            self.prompt.set(f"{text.strip()} ")
            self._changed()
            return
        target, name = understand(text, self.app.known_panes()), text.strip()
        chosen = self.choices.chosen if self.choices.moved else self._best(text)
        if chosen is not None:
            if chosen.choice.target is None:
                self._take_line()
                return
            target, name = chosen.choice.target, chosen.choice.shown
        self._close()
        await self.follow(target, name)
        if chosen is None and (lacks := lacking(text)):
            self.app.status.say(lacks)

    def _best(self, text: str) -> "Ranked | None":
        """Return what fits best where the line alone would only be a guess."""
        from oopscope_tui.prompt.commands import is_guess

        if self._completer is None or not is_guess(text, self.app.known_panes()):
            return None
        self._completer.work(PATIENCE)
        return next(iter(self._completer.rows()), None)

    def _take_line(self) -> None:
        """Put the chosen row's line into the prompt."""
        chosen = self.choices.chosen
        if chosen is not None:
            self.prompt.set(chosen.choice.line)
            self._changed()

    def _clicked(self, one: "Ranked") -> None:
        self.choices.at, self.choices.moved = self.choices.rows.index(one), True
        self.app.call_later(self._go, self.prompt.text)

    async def follow(self, target: Target | None, name: str) -> None:
        """Go to a place or do an act; say so where there is no such row."""
        app = self.app
        if isinstance(target, Act):
            from oopscope_tui.prompt.acts import ACTS

            await ACTS[target.name](app, target.argument)
        elif target is not None and app.folder and target.pane not in OF_A_LIST:
            app.status.say("that is in a dump: Enter opens one", failed=True)
        elif target is not None:
            await app.go(target)
            if app.pane is not None and app.pane.wanted is not None and app.store.feed(target.pane).state == "done":
                app.pane.wanted = None
                app.status.say(f"no {name} among the {app.pane.title.lower()}", failed=True)

    # Writing.

    def write(self, name: str) -> None:
        """Write the pane to a file, asking first where one is there."""
        if not self._asks_first(name):
            self.app.write_pane(name)

    def _asks_first(self, name: str) -> bool:
        """Ask again where a file is there already; what is typed then says so by its end."""
        from oopscope_tui.export import would_replace

        if not would_replace(name):
            return False
        self._show("write", f"{name}!")
        self.app.status.say(f"{name} exists: Enter replaces it, Esc leaves it")
        return True
