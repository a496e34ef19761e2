"""Symbol: what a name or an address stands for, and who is in it."""

from collections.abc import Sequence
from typing import Any

from oopscope_tui import theme
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_line
from oopscope_tui.places import Place
from oopscope_tui.text import ABSENT, clean
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, TextView, heading, line


class Symbol(Pane):
    """One symbol at a time."""

    BESIDE = False
    NARROW = "never"
    needs = ("cpus", "tasks")

    def make_main(self) -> Lines:
        """Return a text."""
        self.name_shown = ""
        view = TextView("Symbol", id="main-symbol")
        view.show(self._text)
        return view

    def here(self) -> Place:
        """Return the symbol."""
        return Place(self.key, self.name_shown)

    def crumbs(self) -> list[str]:
        """Return the symbol."""
        return [self.title, self.name_shown]

    def go(self, place: Place) -> None:
        """Show a symbol."""
        self.name_shown = str(place.key or "")
        self.main.title = clean(self.name_shown) or "Symbol"
        self.scope.ask("symbol", self.name_shown or None)
        assert isinstance(self.main, TextView)
        self.main.home()
        self.refill()
        self.main.focus()

    def refill(self) -> None:
        """Make the text anew."""
        assert isinstance(self.main, TextView)
        self.main.rebuild()

    def _text(self, width: int) -> list[Line]:
        name = self.name_shown
        found = self.store.answer("symbol", name)
        lines: list[Line] = []
        for title, text in (found.value or [("Not found", found.why)]) if found is not None else ():
            lines += field_line(clean(title), clean(text), width, 10)
        if found is None:
            lines += empty("looking it up", width)
        lines += [BLANK, line(" ", ("its code", theme.LINK), link=Place("code", name)),
                  line(" ", ("the words there", theme.LINK), link=Place("words", name))]  # fmt: skip
        plain = name.partition("+")[0]
        seen = self._seen(plain)
        if seen is not None and seen.module:
            lines += field_line("Module", clean(seen.module), width, 10, Place("modules", seen.module, True))
        if seen is not None and seen.offset is not None:
            lines += field_line("Begins at", f"{seen.address - seen.offset:#x}", width, 10)
        cpus = [row for row in self.store.feed("cpus").rows if _in(row.frames, plain)]
        if cpus:
            lines += [BLANK, heading(" In the stack of")]
            lines += [line("   ", (f"CPU {row.cpu}", theme.LINK), link=Place("cpus", row.cpu, True)) for row in cpus]
        waiting = [row for row in self.store.feed("tasks").rows if (row.wait or "").partition("+")[0] == plain]
        if waiting:
            lines += [BLANK, heading(f" Tasks that wait in it: {len(waiting):,}")]
            for row in waiting[:1000]:
                text = " ".join(ABSENT if part is None else str(part) for part in (row.pid, row.comm))
                lines.append(line("   ", (text, theme.LINK), f"  {row.state}", link=Place("tasks", row.pid, True)))
        return lines

    def _seen(self, name: str) -> Any:
        """Return a frame of this function from a stack that was read."""
        stacks = [row.frames for row in self.store.feed("cpus").rows]
        stacks += [answer.value for question, answer in self.store.answers.items() if question.kind == "stack"]
        return next((frame for frames in stacks for frame in frames or () if frame.symbol == name), None)


def _in(frames: Sequence[Any] | None, name: str) -> bool:
    return any(frame.symbol == name for frame in frames or ())


PANE = Symbol
