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
        return clean(self.asked.partition(":")[2])

    def told(self, answer: Answer, width: int) -> Sequence[Line]:
        """Return all its sections."""
        if answer.value is None:
            return wrapped(answer.why, width, theme.DOUBT)
        lines: list[Line] = []
        for at, section in enumerate(answer.value.sections):
            lines += [BLANK, heading(f" {clean(section.title)}")] if at else []
            lines += section_lines(section, width, FIELD)
        return lines


PANE = CardPane
