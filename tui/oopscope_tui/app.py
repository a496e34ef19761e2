"""The screen: four lines of chrome around one pane, a history of places, and what the worker tells.

It owns all state and reads nothing of the dump itself. The first paint needs no dump: the worker opens it afterwards.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from oopscope.fleet.listing import Listing
from oopscope.kernel.clock import iso
from oopscope.subsystems import GROUPS, Table
from oopscope_tui.look.palette import asked
from oopscope_tui.look.text import WHOLE, clean
from oopscope_tui.look.values import human_bytes, human_seconds
from oopscope_tui.panes import View, make, views
from oopscope_tui.panes.base import Pane
from oopscope_tui.places import Place
from oopscope_tui.prompt.asking import Asking
from oopscope_tui.reading.app import ReadingApp
from oopscope_tui.reading.marks import Marks
from oopscope_tui.reading.provider import Provider
from oopscope_tui.settings import keys
from oopscope_tui.settings.keymap import Keymap
from oopscope_tui.settings.settings import Settings, load
from oopscope_tui.widgets.chrome import Header, KeyLine, Status, Tab, Tabs
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.prompt import LEAVE, Kind

if TYPE_CHECKING:
    from oopscope_tui.teaching import Teaching

HISTORY = 200


def all_commands() -> Any:
    """Import what the command palette shows, when it opens."""
    from oopscope_tui.prompt.all_commands import AllCommands

    return AllCommands


class OopscopeApp(ReadingApp, inherit_bindings=False):
    """One dump on one screen."""

    TITLE = "oopscope"
    COMMANDS: ClassVar[Any] = {all_commands}
    CSS_PATH = "oopscope.tcss"
    BINDINGS: ClassVar[Any] = [*keys.bindings(keys.EVERYWHERE), *keys.digits()]

    def __init__(
        self,
        paths: Sequence[str | Path],
        provider: Provider | None = None,
        listing: Listing | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(paths, provider, listing)
        self.settings = settings if settings is not None else load()
        self.keymap = Keymap(self.settings.keys)
        if self.settings.known:
            os.environ.setdefault("OOPSCOPE_KNOWN", self.settings.known)  # where the worker looks for it
        self.back = listing if not self.folder else None  # the list from which the dump was chosen
        self.next: str | Path | Listing | None = None  # what comes after this: a dump of the list, or the list
        self.panes: dict[str, Pane] = {}
        self.pane: Pane | None = None
        self.history: list[Place] = []
        self.marks = Marks(self.store)

    def compose(self) -> ComposeResult:
        """Header, tabs, pane, status, keys."""
        self.header = Header(self._header_words)
        self.tabs = Tabs(self._choose_tab)
        self.views: list[View] = []
        self._seen: dict[str, str] = {}  # the view of each tab that was looked at last
        self.body = Container(id="body")
        self.status = Status(self._crumbs, self._notes, self._siblings, self._choose_view)
        self.keyline = KeyLine(self._keys_here, self._press, self.status.rest)
        self.status.told = self.keyline.renew
        self.asking = Asking(self)
        self.teaching = self._teaching()
        self.prompt_line = self.asking.prompt
        yield self.header
        yield self.tabs
        yield self.body
        if self.teaching is not None:
            yield self.teaching.box
        yield self.status
        yield self.keyline
        yield self.prompt_line
        yield self.asking.choices

    async def on_mount(self) -> None:
        """Show the overview, then begin to read."""
        self.mind_the_terminal()
        self.use_theme(asked(self.settings.theme))
        self.set_keymap(self.keymap.for_textual())
        self._set_tabs(())
        chosen = self.listing.chosen
        await self.go(Place("dumps", str(chosen) if chosen else None) if self.folder else Place("overview"))
        if self.folder and self.listing.said:
            self.status.say(self.listing.said, failed=True)
            self.listing.said = ""
        elif self.settings.trouble:
            self.status.say(self.settings.told(), failed=True)
        self.call_after_refresh(self.reader.start)
        if self.teaching is not None:
            self.call_after_refresh(self.teaching.begin)

    def _teaching(self) -> "Teaching | None":
        """Return the lesson that was asked for; None without one, or in a list of dumps."""
        if self.folder or not os.environ.get("OOPSCOPE_LESSON"):
            return None
        from oopscope_tui.teaching import begun

        return begun(self, os.environ["OOPSCOPE_LESSON"])

    async def action_lesson(self, step: int) -> None:
        """Go to the lesson's next step, or back."""
        if self.teaching is not None:
            await self.teaching.move(step)

    def action_answer(self) -> None:
        """Ask for the answer to the lesson's question."""
        self.asking.open("answer")

    async def answered(self, text: str) -> None:
        """Hand an answer to the lesson."""
        if self.teaching is not None:
            await self.teaching.answered(text)

    def on_unmount(self) -> None:
        """Let the worker go; nobody waits for it."""
        self.reader.stop()

    @property
    def dump_name(self) -> str:
        """The dump's file name; of a split set the first and the number of the others; of a list its folder."""
        if self.folder:
            folder = self.listing.folder
            return str(folder) if folder is not None else f"{len(self.paths):,} files"
        first = str(self.paths[0]).partition("?")[0].rpartition("/")[2] if self.paths else ""
        return first if len(self.paths) < 2 else f"{first} and {len(self.paths) - 1} more parts"

    # What the lines around the pane say.

    def _header_words(self) -> list[str]:
        system, facts = self.store.system, self.store.facts
        node = system.get("nodename") or getattr(facts, "nodename", None)
        release = system.get("release") or getattr(facts, "release", None)
        when, up = system.get("crash_time"), system.get("uptime_seconds")
        crash = f"crashed {str(when).replace('T', ' ').replace('Z', ' UTC')}" if when else ""
        alive = f"up {human_seconds(float(up))}" if up is not None else ""
        live = "LIVE" if getattr(facts, "live", False) else ""
        if live and (read := iso(getattr(facts, "read_ns", None))):
            live = f"LIVE, as of {read[11:19]} UTC"
        return [str(word) for word in (live, node, release, crash, alive, self.dump_name) if word]

    def _crumbs(self) -> Sequence[str]:
        return self.pane.crumbs() if self.pane is not None else ()

    def _notes(self) -> Sequence[str]:
        notes = self.pane.notes() if self.pane is not None else []
        fetched = getattr(self.store.facts, "fetched", None)  # counted as it is asked for
        return [*notes, "" if fetched is None else f"{human_bytes(fetched)} fetched", self.reading]

    def _keys_here(self) -> Sequence[keys.Key]:
        if len(self.screen_stack) > 1:
            return keys.PALETTE
        focused = self.focused
        own = focused.KEYS if isinstance(focused, Lines) else ()
        known = [self.keymap.of(key) for key in (*own, *keys.EVERYWHERE)]
        if not self._reads_about:
            return known
        return [key._replace(label="back") if key.name == "quit" else key for key in known if key.name != "explain"]

    @property
    def _reads_about(self) -> bool:
        """Whether a text about the place stands before it: the keys, or an explanation."""
        return self.pane is not None and self.pane.key in ("explain", "help")

    def _press(self, key: keys.Key) -> None:
        self.simulate_key(key.keys.split(",")[0])

    def _choose_tab(self, group: str) -> None:
        self.call_later(self._to_group, group)

    def _choose_view(self, key: str) -> None:
        self.call_later(self._to_view, key)

    @property
    def _group(self) -> str:
        """The tab of what is in view; empty for what is in none."""
        return next((view.group for view in self.views if self.pane is not None and view.key == self.pane.key), "")

    def _siblings(self) -> list[tuple[str, str, bool]]:
        """Return the views of the tab that is in view, each with its key, title, and whether it is this one."""
        if self.pane is None or self.pane.opened or len(self.pane.crumbs()) > 1:
            return []
        group = self._group
        return [(view.key, view.title, view.key == self.pane.key) for view in self.views if view.group == group]

    def where_changed(self) -> None:
        """Draw the breadcrumbs and the keys anew."""
        self.status.renew()
        self.keyline.renew()

    def on_command_palette_opened(self) -> None:
        """The command palette has keys of its own."""
        self.keyline.renew()

    def on_command_palette_closed(self) -> None:
        """The keys of the place are back."""
        self.call_after_refresh(self.keyline.renew)

    def on_descendant_focus(self) -> None:
        """Another view has other keys."""
        self.keyline.renew()

    # Places.

    def leave_for(self, path: str | Path | Listing) -> None:
        """End this screen; the command opens `follower`."""
        self.next = path
        if not isinstance(path, Listing):
            self.listing.chosen = path
        self.reader.stop()
        self.exit(0)

    def follower(self) -> "OopscopeApp | None":
        """Return the screen that comes after this one: a dump of the list, or the list again."""
        if self.next is None:
            return None
        paths = self.next.paths if isinstance(self.next, Listing) else [self.next]
        return OopscopeApp(paths, self.provider, self.listing, self.settings)

    def not_opened(self, why: str, status: int) -> None:
        """Leave with one line and the right status, or go back to the list that the dump was chosen from."""
        if self.back is None:
            super().not_opened(why, status)
            return
        self.back.said = why
        self.leave_for(self.back)

    async def on_several_found(self) -> None:
        """Show the list: what was given is not one dump."""
        self.folder = True
        self.header.renew()
        self._set_tabs(())
        self.history.clear()
        await self.go(Place("dumps"), remember=False)

    def _set_tabs(self, tables: Sequence[Table]) -> None:
        """Show the tabs that have something to show; each keeps its digit."""
        self.views = [View("dumps", "Dumps", "dumps")] if self.folder else views(tables)
        known = {view.group for view in self.views}
        groups = (("dumps", "Dumps"),) if self.folder else GROUPS
        self.tabs.tabs = tuple(Tab(key, title, at) for at, (key, title) in enumerate(groups, 1) if key in known)
        self._mark_tabs()

    def _mark_tabs(self) -> None:
        """Let each tab tell what is behind it, as far as that is known."""
        if not self.folder:
            keys_of = {tab.key: [view.key for view in self.views if view.group == tab.key] for tab in self.tabs.tabs}
            marks = {key: self.marks.of(key, shown) for key, shown in keys_of.items()}
            self.tabs.tabs = tuple(
                tab._replace(told=mark.text, bad=mark.bad, empty=mark.empty)
                for tab in self.tabs.tabs
                for mark in [marks[tab.key]]
            )
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
            group = self.tabs.active = self._group
            self._seen[group] = pane.key
            self.tabs.renew()
            self.reader.want(pane.needs)
            pane.changed()
        pane.go(place)
        if place.where or place.sort:
            pane.narrow(place.where, place.sort)
        self.where_changed()

    async def _pane(self, key: str) -> Pane:
        pane = self.panes.get(key)
        if pane is None:
            titles = {view.key: view.title for view in self.views}
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
        """Go to the tab of a number."""
        tab = next((tab for tab in self.tabs.tabs if tab.digit == number), None)
        if tab is not None:
            await self._to_group(tab.key)

    async def _to_group(self, group: str) -> None:
        """Show the view of a tab that was seen last; from its list once more, the next."""
        if group == self._group and self.pane is not None and not self.pane.opened:
            await self.action_next_view(1)
            return
        first = next(view.key for view in self.views if view.group == group)
        await self._to_view(self._seen.get(group, first))

    async def action_next_view(self, step: int) -> None:
        """Go to the neighbouring view of the tab."""
        await self._to_neighbour([view.key for view in self.views if view.group == self._group], step)

    async def action_next_pane(self, step: int) -> None:
        """Go to the neighbouring view, of this tab or of the next."""
        await self._to_neighbour([view.key for view in self.views], step)

    async def _to_neighbour(self, order: Sequence[str], step: int) -> None:
        if order:
            at = order.index(self.pane.key) if self.pane is not None and self.pane.key in order else 0
            await self._to_view(order[(at + step) % len(order)])

    async def _to_view(self, key: str) -> None:
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

    async def action_explain(self) -> None:
        """Explain what is selected here."""
        pane = self.pane
        if pane is None or pane.key == "explain":
            return
        from oopscope_tui.panes.explain import explained_at
        from oopscope_tui.reading.here import in_hand, topics

        columns = [column.key for column in getattr(pane.main, "columns", ())]
        found = topics(pane.key, pane.main.row, in_hand(pane.active), columns, self.store, pane.main.touched)
        if found:
            await self.go(explained_at(found))
        else:
            self.status.say("nothing is said of this: :explain knows words", failed=True)

    async def action_leave(self) -> None:
        """Leave; a text about the place is left for the place, as less does with its help."""
        if self._reads_about:
            await self._back()
            self.where_changed()
        else:
            await self.action_quit()

    async def action_quit(self) -> None:
        """Leave, whatever is being read."""
        self.reader.stop()
        self.exit(0)

    # The prompt.

    def action_prompt(self, kind: Kind) -> None:
        """Ask for a search, a filter, a place or a file."""
        self.asking.open(kind)

    def known_panes(self) -> list[tuple[str, str]]:
        """Return the key and the title of every pane that a tab has."""
        return [(view.key, view.title) for view in self.views]

    async def on_event(self, event: events.Event) -> None:
        """Take keys in the order in which they come, each done before the next: what is typed ahead finds its place."""
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded and len(self.screen_stack) == 1:
            await self._typed(event)
        else:
            await super().on_event(event)

    async def _typed(self, event: events.Key | events.Paste) -> None:
        key = event.key if isinstance(event, events.Key) else ""
        leaves = self.prompt_line.is_open and key in LEAVE
        if key and not leaves and await self._check_bindings(key, priority=True):
            return
        if self.prompt_line.is_open:
            await self.asking.typed(event)
        elif isinstance(event, events.Key):
            await self._check_bindings(event.key)

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
        """Copy what the cursor stands in: of a text the section, of a list the detail beside it, else all."""
        if self.pane is None:
            return
        lines, side = self.pane.active, self.pane.side
        if side is not None and side.display and not lines.sections():
            lines = side
        rows = lines.section() if lines is self.pane.active else range(len(lines.view))
        if len(rows) > 20_000:
            self.status.say("too much to copy: w writes it to a file", failed=True)
            return
        self._copy("\n".join(lines.written(lines.view.row(at)).rstrip() for at in rows).rstrip("\n"))

    def _copy(self, text: str) -> None:
        text = "\n".join(clean(part, WHOLE) for part in text.split("\n"))
        self.copy_to_clipboard(text)
        first = text.partition("\n")[0].strip()
        count = text.count("\n") + 1
        self.status.say(f"copied {f'{count:,} lines: ' if count > 1 else ''}{first[:40]}")

    def write_pane(self, name: str) -> None:
        """Write the pane to a file, in the form that its name says."""
        from oopscope_tui.export import write_steps

        if self.pane is not None:
            steps = write_steps(name, self.pane.title, self.pane.active, self.picture, self.post_message)
            self.reader.write(f"writing {name}", steps)

    def said(self, text: str, failed: bool = False) -> None:
        """Show a message, or what is being read."""
        if text:
            self.status.say(text, failed)
        else:
            self.status.renew()

    def news(self, key: str) -> None:
        """Show what came into the store; an empty key is the dump itself."""
        if not key:
            self._set_tabs(self.store.tables)
            why = self.settings.unknown_pane(["dumps", *(view.key for view in self.views)])
            if why:
                self.status.say(self.settings.told(why), failed=True)
        if key in ("system", ""):
            self.header.renew()
        self._mark_tabs()
        pane = self.pane
        if pane is None or not pane.is_mounted:
            return
        if not key or key in pane.needs or key in ("verdict", "answer", "problems"):
            pane.changed()
        self.status.renew()
