"""Symbol: what a name or an address stands for, and who is in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oopscope_tui.look import theme
from oopscope_tui.look.text import ABSENT, clean
from oopscope_tui.panes.asked import AskedText
from oopscope_tui.panes.base import empty
from oopscope_tui.panes.cards import facts_lines
from oopscope_tui.panes.details import field_line
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import BLANK, Line, heading, line

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Frame


class Symbol(AskedText):
    """One symbol at a time."""

    QUESTION = "symbol.symbol"
    needs = ("cpus", "tasks")
    commands = ("help sym",)

    def lines(self, width: int) -> list[Line]:
        """Return what is found of it, and, found or not, where it leads and who is in it."""
        name, found = self.asked, self.answer
        lines: list[Line] = []
        if found is None:
            lines += empty("looking it up", width)
        elif found.value is None:
            lines += [*field_line("Symbol", clean(name), width, 10), *field_line("Not found", found.why, width, 10)]
            lines += self._as_a_type(name, width)
        else:
            lines += facts_lines(found.value.facts, width, 10)
        if found is None or found.value is not None:
            lines += [BLANK, line(" ", ("its code", theme.LINK), link=Place("code", name)),
                      line(" ", ("the words there", theme.LINK), link=Place("words", name))]  # fmt: skip
        plain = name.partition("+")[0]
        seen = self._seen(plain) if found is None or found.value is None else None  # else its facts say it
        if seen is not None and seen.module:
            lines += field_line("Module", clean(seen.module), width, 10, Place("modules", seen.module, True))
        if seen is not None and seen.offset is not None:
            lines += field_line("Begins at", f"{seen.address - seen.offset:#x}", width, 10)
        cpus = [row for row in self.store.cpus if _in(row.frames, plain)]
        if cpus:
            lines += [BLANK, heading(" In the stack of")]
            lines += [line("   ", (f"CPU {row.cpu}", theme.LINK), link=Place("cpus", row.cpu, True)) for row in cpus]
        waiting = [row for row in self.store.tasks if (row.wait or "").partition("+")[0] == plain]
        if waiting:
            lines += [BLANK, heading(f" Tasks that wait in it: {len(waiting):,}")]
            for row in waiting[:1000]:
                text = " ".join(ABSENT if part is None else str(part) for part in (row.pid, row.comm))
                lines.append(line("   ", (text, theme.LINK), f"  {row.state}", link=Place("tasks", row.pid, True)))
        return lines

    def _as_a_type(self, name: str, width: int) -> list[Line]:
        """Return the struct of that name, as crash takes such a word, or those whose names are like it."""
        if not name.isidentifier():
            return []
        self.scope.ask("struct", name)
        answer = self.store.answer("struct", name)
        struct = answer.value if answer is not None else None
        if struct is None:
            return []
        like = struct.like or (struct.name,)
        lines = [BLANK, heading(" Types like it" if struct.like else " A type")]
        return [*lines, *(line("   ", (clean(one), theme.LINK), link=Place("struct", one)) for one in like)]

    def _seen(self, name: str) -> "Frame | None":
        """Return a frame of this function from a stack that was read."""
        return next((frame for frame in self.store.frames() if frame.symbol == name), None)


def _in(frames: "Sequence[Frame] | None", name: str) -> bool:
    return any(frame.symbol == name for frame in frames or ())


PANE = Symbol
