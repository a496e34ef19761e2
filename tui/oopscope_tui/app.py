"""The screen: four lines of chrome around one pane, a history of places, and what the worker tells.

It owns all state and reads nothing of the dump itself. The first paint needs no dump: the worker opens it afterwards.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from oopscope_tui import keys
from oopscope_tui import messages as told
from oopscope_tui.panes import PROBLEMS, make, tabs
from oopscope_tui.panes.base import Pane
from oopscope_tui.places import Place, understand
from oopscope_tui.provider import Core, Provider
from oopscope_tui.query import QueryError
from oopscope_tui.store import Store
from oopscope_tui.values import human_seconds
from oopscope_tui.widgets.chrome import Header, KeyLine, Status, Tab, Tabs
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.prompt import Prompt
from oopscope_tui.wire import Wire
from oopscope_tui.worker import Reader

HISTORY = 200


class MainScreen(Screen[None], inherit_bindings=False):
    """The one screen, without Textual's own keys: Tab chooses panes here."""


class OopscopeApp(App[int], inherit_bindings=False):
    """One dump on one screen."""

    TITLE = "oopscope"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "oopscope.tcss"
    BINDINGS: ClassVar[Any] = [*keys.bindings(keys.EVERYWHERE), *keys.digits()]

    def __init__(self, paths: Sequence[Path], provider: Provider | None = None, back: Path | None = None) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.paths = tuple(paths)
        self.provider = provider if provider is not None else Core()
        self.store = Store()
        self.reader = Reader(self.provider, self.paths, self.post_message)
        self.folder = len(self.paths) == 1 and self.paths[0].is_dir()
        self.back = back  # the folder from which the dump was chosen
        self.next: Path | None = None  # what the screen opens after this: a dump of the folder
        self.failure = ""  # the line for stderr where the dump could not be opened
        self.panes: dict[str, Pane] = {}
        self.pane: Pane | None = None
        self.history: list[Place] = []
        self.wire = Wire()
        self._reading = "opening"
        self._asked_before: tuple[str, int] = ("", 0)  # a view's search or filter, and its cursor, before the prompt

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen."""
        return MainScreen(id="_default")

    def compose(self) -> ComposeResult:
        """Header, tabs, pane, status, keys."""
        self.header = Header(self._header_words)
        self.tabs = Tabs(self._choose_tab)
        self.body = Container(id="body")
        self.status = Status(self._crumbs, self._notes)
        self.keyline = KeyLine(self._keys_here, self._press)
        self.prompt_line = Prompt()
        self.prompt_line.display = False
        yield self.header
        yield self.tabs
        yield self.body
        yield self.status
        yield self.keyline
        yield self.prompt_line

    async def on_mount(self) -> None:
        """Show the overview, then begin to read."""
        self.app_resume_signal.subscribe(self, lambda _: self.wire.forget())
        self._set_tabs(())
        await self.go(Place("dumps" if self.folder else "overview"))
        self.call_after_refresh(self.reader.start)

    def on_unmount(self) -> None:
        """Let the worker go; nobody waits for it."""
        self.reader.stop()

    @property
    def dump_name(self) -> str:
        """The dump's file name; of a split set the first and the number of the others."""
        first = self.paths[0].name if self.paths else ""
        return first if len(self.paths) < 2 else f"{first} and {len(self.paths) - 1} more parts"

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write only what changed on the terminal."""
        if isinstance(renderable, CompositorUpdate) and not self.is_inline:
            renderable = self.wire.update(renderable)
        super()._display(screen, renderable)

    @property
    def idle(self) -> bool:
        """Whether all has been read."""
        return self._reading == "" and self.store.facts is not None

    def lines_on_screen(self) -> list[Strip]:
        """Return what stands on the screen, line by line."""
        return self.screen._compositor.render_strips()

    # What the lines around the pane say.

    def _header_words(self) -> list[str]:
        system, facts = self.store.system, self.store.facts
        node = system.get("nodename") or getattr(facts, "nodename", None)
        release = system.get("release") or getattr(facts, "release", None)
        when, up = system.get("crash_time"), system.get("uptime_seconds")
        crash = f"crashed {str(when).replace('T', ' ').replace('Z', ' UTC')}" if when else ""
        alive = f"up {human_seconds(float(up))}" if up is not None else ""
        return [str(word) for word in (node, release, crash, alive, self.dump_name) if word]

    def _crumbs(self) -> Sequence[str]:
        return self.pane.crumbs() if self.pane is not None else ()

    def _notes(self) -> Sequence[str]:
        notes = self.pane.notes() if self.pane is not None else []
        return [*notes, self._reading]

    def _keys_here(self) -> Sequence[keys.Key]:
        focused = self.focused
        own = focused.KEYS if isinstance(focused, Lines) else ()
        return [*own, *keys.EVERYWHERE]

    def _press(self, key: keys.Key) -> None:
        self.simulate_key(key.keys.split(",")[0])

    def _choose_tab(self, key: str) -> None:
        self.call_later(self.go, Place(key))

    def where_changed(self) -> None:
        """Draw the breadcrumbs and the keys anew."""
        self.status.renew()
        self.keyline.renew()

    def on_descendant_focus(self) -> None:
        """Another view has other keys."""
        self.keyline.renew()

    # Places.

    def leave_for(self, path: Path) -> None:
        """End this screen; the command opens the next on a path."""
        self.next = path
        self.reader.stop()
        self.exit(0)

    def _set_tabs(self, tables: tuple[tuple[str, str], ...]) -> None:
        if self.folder:
            self.tabs.tabs = (Tab("dumps", "Dumps"),)
            return
        self.tabs.tabs = tuple(Tab(key, title) for key, title in tabs(tables))
        self.tabs.renew()

    async def go(self, place: Place, remember: bool = True) -> None:
        """Go to a place; where one was is remembered for Esc."""
        if remember:
            self.remember()
        self.status.say("")
        pane = await self._pane(place.pane)
        if pane is not self.pane:
            before, self.pane = self.pane, pane
            if before is not None:
                before.display = False
            pane.display = True
            self.tabs.active = pane.key
            self.tabs.renew()
            self.reader.want(pane.needs)
            pane.changed()
        pane.go(place)
        self.where_changed()

    async def _pane(self, key: str) -> Pane:
        pane = self.panes.get(key)
        if pane is None:
            titles = {tab.key: tab.title for tab in self.tabs.tabs}
            pane = self.panes[key] = make(key, titles.get(key, key), self.store)
            pane.display = False
            await self.body.mount(pane)
        return pane

    def remember(self) -> None:
        """Put where one is on the history."""
        if self.pane is None:
            return
        here = self.pane.here()
        if not self.history or self.history[-1] != here:
            self.history.append(here)
            del self.history[:-HISTORY]

    async def action_back(self) -> None:
        """Leave the search, then the filter, then the place."""
        lines = self.pane.active if self.pane is not None else None
        if lines is not None and lines.scan is not None:
            lines.search("")
        elif lines is not None and lines.filter_text:
            lines.set_filter("")
        else:
            await self._back()
        self.where_changed()

    async def _back(self) -> None:
        here = self.pane.here() if self.pane is not None else None
        while self.history:
            place = self.history.pop()
            if place != here:
                await self.go(place, remember=False)
                return
        if here is not None and not self.folder and (here.pane != "overview" or here.open):
            await self.go(Place("overview"), remember=False)
        elif self.back is not None:
            self.leave_for(self.back)

    async def action_pane(self, number: int) -> None:
        """Go to the pane of a number."""
        if number <= len(self.tabs.tabs):
            await self._to_tab(self.tabs.tabs[number - 1].key)

    async def action_next_pane(self, step: int) -> None:
        """Go to the neighbouring pane."""
        order = [tab.key for tab in self.tabs.tabs]
        at = order.index(self.pane.key) if self.pane is not None and self.pane.key in order else 0
        await self._to_tab(order[(at + step) % len(order)])

    async def _to_tab(self, key: str) -> None:
        """Show a pane as it was left; a second time shows its list."""
        known = self.panes.get(key)
        place = known.here() if known is not None and known is not self.pane else Place(key)
        await self.go(place)

    async def action_help(self) -> None:
        """Show the keys of this place."""
        if self.pane is None or self.pane.key == "help":
            return
        title, own = self.pane.title, self.pane.active.KEYS
        await self.go(Place("help"))
        about = getattr(self.pane, "about", None)
        if about is not None:
            about(title, own)

    def action_repaint(self) -> None:
        """Paint all of it again."""
        self.wire.forget()
        self.refresh(layout=True)

    async def action_quit(self) -> None:
        """Leave, whatever is being read."""
        self.reader.stop()
        self.exit(0)

    # The prompt.

    def action_prompt(self, kind: str) -> None:
        """Ask for a search, a filter, a place or a file."""
        if self.pane is None:
            return
        lines = self.pane.active
        text, choices = "", []
        if kind == "filter":
            text = lines.filter_text
        elif kind == "goto":
            choices = [tab.key for tab in self.tabs.tabs]
        elif kind == "write":
            text = f"oopscope-{self.pane.key}.txt"
        self._asked_before = (lines.search_text if kind == "search" else lines.filter_text, lines.cursor)
        self.keyline.display = False
        self.prompt_line.open(kind, text, choices)  # type: ignore[arg-type]

    def _close_prompt(self) -> None:
        self.prompt_line.display = False
        self.keyline.display = True
        if self.pane is not None:
            self.pane.active.focus()
        self.where_changed()

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """Search and filter while the text is typed."""
        if self.pane is None:
            return
        lines = self.pane.active
        if message.kind == "search":
            lines.search(message.text, self._asked_before[1])
        elif message.kind == "filter":
            self._filter(lines, message.text)

    def _filter(self, lines: Lines, text: str) -> bool:
        try:
            lines.set_filter(text)
        except QueryError as error:
            self.status.say(str(error), failed=True)
            return False
        self.status.say("")
        return True

    async def on_prompt_done(self, message: Prompt.Done) -> None:
        """Do what was asked."""
        if self.pane is None:
            return
        lines = self.pane.active
        if message.kind == "filter" and not self._filter(lines, message.text):
            return
        self._close_prompt()
        if message.kind == "search" and message.text:
            lines.search(message.text)
        elif message.kind == "goto":
            await self._go_to_text(message.text)
        elif message.kind == "write" and message.text:
            self._write(message.text)

    async def _go_to_text(self, text: str) -> None:
        known = [(tab.key, tab.title) for tab in self.tabs.tabs]
        if text.strip() == "dumps" and self.back is not None:
            self.leave_for(self.back)
            return
        place = understand(text, known)
        if place is None:
            return
        await self.go(place)
        if self.pane is not None and self.pane.wanted is not None and self.store.feed(place.pane).state == "done":
            self.pane.wanted = None
            self.status.say(f"no {text.strip()} among the {self.pane.title.lower()}", failed=True)

    def on_prompt_cancelled(self, message: Prompt.Cancelled) -> None:
        """Put back what the prompt changed."""
        if self.pane is not None:
            lines = self.pane.active
            text, cursor = self._asked_before
            if message.kind == "search":
                lines.search(text, cursor)
                lines.to_position(cursor)
            elif message.kind == "filter":
                self._filter(lines, text)
        self._close_prompt()

    # Copying and writing.

    def action_copy(self) -> None:
        """Copy the selected thing."""
        lines = self.pane.active if self.pane is not None else None
        if lines is None or lines.row is None:
            self.status.say("nothing is selected")
            return
        row = lines.row
        self._copy(getattr(row, "copy", "") or lines.written(row).strip())

    def action_copy_all(self) -> None:
        """Copy the whole detail, or the whole text."""
        if self.pane is None:
            return
        side = self.pane.side
        lines = side if side is not None and side.display else self.pane.active
        if not isinstance(lines, Widget) or len(lines.view) > 20_000:
            self.status.say("too much to copy: w writes it to a file", failed=True)
            return
        self._copy("\n".join(lines.written(lines.view.row(at)).rstrip() for at in range(len(lines.view))))

    def _copy(self, text: str) -> None:
        self.copy_to_clipboard(text)
        first = text.partition("\n")[0]
        more = text.count("\n")
        self.status.say(f"copied {first[:40]}" + (f" and {more} more lines" if more else ""))

    def _write(self, name: str) -> None:
        from oopscope_tui.export import write_steps

        if self.pane is not None:
            lines = self.pane.active
            self.reader.write(f"writing {name}", write_steps(name, self.pane.title, lines, self.post_message))

    # What is still to be read.

    def want_stack(self, address: int | None) -> None:
        """Have a task's stack read, unless it is known."""
        if address is not None and address not in self.store.stacks:
            self.reader.stack(address)

    def want_symbol(self, name: str) -> None:
        """Have a symbol looked up."""
        self.reader.symbol(name)

    # What the worker tells.

    def on_said(self, message: told.Said) -> None:
        """Show what is being read."""
        self._reading = message.text
        self.status.renew()

    def on_opened(self, message: told.Opened) -> None:
        """The dump is open: the tabs are known."""
        self.store.opened(message.facts, message.tables)
        self._set_tabs(self.store.tables)
        self._news("")

    def on_not_opened(self, message: told.NotOpened) -> None:
        """Leave with one line and the right status."""
        self.failure = message.why
        self.exit(message.status, return_code=message.status)

    def on_rows_read(self, message: told.RowsRead) -> None:
        """More of a table."""
        self.store.add(message.key, message.rows, message.columns, message.done, message.why)
        self._news(message.key)

    def on_verdict_reached(self, message: told.VerdictReached) -> None:
        """Why it died."""
        self.store.verdict, self.store.verdict_why = message.verdict, message.why
        self._news("verdict")

    def on_problems_seen(self, message: told.ProblemsSeen) -> None:
        """What could not be read."""
        self.store.problems = message.problems
        self._news(PROBLEMS[0])

    def on_stack_read(self, message: told.StackRead) -> None:
        """A stack."""
        self.store.keep_stack(message.address, message.frames, message.why)
        self._news("stack")

    def on_symbol_found(self, message: told.SymbolFound) -> None:
        """A symbol."""
        self.store.symbols[message.name] = message.facts
        self._news("symbol")

    def on_written(self, message: told.Written) -> None:
        """A file is there, or is not."""
        self.status.say(message.text, message.failed)

    def _news(self, key: str) -> None:
        if key in ("system", ""):
            self.header.renew()
        pane = self.pane
        if pane is None or not pane.is_mounted:
            return
        if not key or key in pane.needs or key in ("verdict", "stack", "symbol", "problems"):
            pane.changed()
        self.status.renew()
