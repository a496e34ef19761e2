"""Card: a thing that has no pane of its own, section by section, such as the value of an expression."""

from collections.abc import Sequence

from oopscope.commands.questions import Answer
from oopscope_tui.look import theme
from oopscope_tui.look.text import clean
from oopscope_tui.panes.asked import AskedText
from oopscope_tui.panes.cards import section_lines
from oopscope_tui.widgets.textview import BLANK, Line, heading, wrapped

FIELD = 15  # cells of a fact's title


class CardPane(AskedText):
    """One thing at a time; its place's key is `KIND:KEY`."""

    QUESTION = "card"
    NOTHING = "nothing is asked: :p task(1).mm.total_vm"

    @property
    def name(self) -> str:
        """The thing."""
        kind, _, key = self.asked.partition(":")
        return clean(f"tasks {key.rpartition('|')[0] or 'all'}" if kind == "each" else key)

    def told(self, answer: Answer, width: int) -> Sequence[Line]:
        """Return all its sections."""
        if answer.value is None:
            return wrapped(answer.why, width, theme.DOUBT)
        lines: list[Line] = []
        for at, section in enumerate(answer.value.sections):
            titled = at or answer.value.kind == "each"
            lines += [*([BLANK] if at else []), heading(f" {clean(section.title)}")] if titled else []
            lines += section_lines(section, width, FIELD)
        return lines


PANE = CardPane
