"""Panes that show one thing at a time: what their place's key names, found out when one goes there."""

from collections.abc import Sequence
from typing import Any, ClassVar

from oopscope.commands.questions import Answer
from oopscope_tui.look.text import clean
from oopscope_tui.panes.base import Pane, Where, empty
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import Line, TextView


class Asked(Pane):
    """One thing at a time."""

    BESIDE = False
    NARROW: ClassVar[Where] = "never"
    QUESTION: ClassVar[str] = ""  # the kind of the question that is asked of the key
    NOTHING: ClassVar[str] = ""  # what is said while there is no key
    asked = ""  # the key

    @property
    def answer(self) -> Answer | None:
        """What was found out; None while it is looked up."""
        return self.store.answer(self.QUESTION, self.asked)

    @property
    def found(self) -> Any:
        """What was found; None while it is looked up, or could not be."""
        answer = self.answer
        return answer.value if answer is not None else None

    @property
    def name(self) -> str:
        """The thing, as it is told."""
        return clean(self.asked)

    def here(self) -> Place:
        """Return the thing."""
        return Place(self.key, self.asked, self.opened)

    def crumbs(self) -> list[str]:
        """Return the pane and the thing."""
        return [self.title, self.name]

    def go(self, place: Place) -> None:
        """Show a thing."""
        before, self.asked = self.asked, str(place.key or "")
        self.opened = place.open and self.side is not None
        if self.QUESTION:
            self.scope.ask(self.QUESTION, self.asked or None)
        self.begin(self.asked == before)
        self.place_views()
        self.refill()
        self.active.focus()

    def begin(self, same: bool) -> None:
        """Leave what was shown of another thing; `same` where it is the thing of before."""


class AskedText(Asked):
    """A text about one thing."""

    EVERY: ClassVar[bool] = False  # each of its lines can be selected

    def make_main(self) -> Lines:
        """Return the text."""
        view = TextView(self.title, every=self.EVERY, id=f"main-{self.key}")
        view.show(self.lines)
        return view

    @property
    def text(self) -> TextView:
        """The text, by its view's own type."""
        assert isinstance(self.main, TextView)
        return self.main

    def begin(self, same: bool) -> None:
        """Begin at the top."""
        self.text.home()

    def refill(self) -> None:
        """Make the text anew."""
        self.main.title = self.name or self.title
        self.text.rebuild()

    def lines(self, width: int) -> Sequence[Line]:
        """Return the text, or why there is none yet."""
        if not self.asked:
            return empty(self.NOTHING, width)
        answer = self.answer
        return empty("reading", width) if answer is None else self.told(answer, width)

    def told(self, answer: Answer, width: int) -> Sequence[Line]:
        """Return what was found out."""
        return ()
