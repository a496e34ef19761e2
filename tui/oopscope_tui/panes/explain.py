"""Explain: what the selected thing means, how it comes about and what to look at next; then what else stands there."""

from collections.abc import Sequence

from oopscope.explain import KINDS, Topic, heading_of, named, text_of
from oopscope_tui.look.text import clean
from oopscope_tui.panes.asked import AskedText
from oopscope_tui.panes.base import empty
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import BLANK, Line, heading, wrapped

MOST = 60  # things on one page
PARTS = (("", "means"), ("How it comes about", "how"), ("Look at next", "look"))


def place_of(topics: Sequence[Topic]) -> Place:
    """Return the place where things are explained."""
    return Place("explain", "\n".join(f"{topic.kind}:{topic.name}" for topic in topics[:MOST]))


def topics_of(key: str) -> list[Topic]:
    """Return what a place or a typed line asks to explain."""
    found: list[Topic] = []
    for part in key.split("\n")[:MOST]:
        kind, _, name = part.partition(":")
        topic = Topic(kind, name)
        found += [topic] if _is_kind(kind) and text_of(topic) is not None else named(part)
    return found


def _is_kind(word: str) -> bool:
    return any(kind == word for kind, _, _ in KINDS)


class Explain(AskedText):
    """A text about one thing and its neighbours."""

    def crumbs(self) -> list[str]:
        """Return the first thing's name."""
        topics = topics_of(self.asked)
        return [self.title, *(_name(topic) for topic in topics[:1])]

    def refill(self) -> None:
        """Make the text anew: it is about several things, and its title is its own."""
        self.text.rebuild()

    def lines(self, width: int) -> list[Line]:
        """Return what is said of each thing."""
        lines: list[Line] = []
        columns = False
        for topic in topics_of(self.asked):
            text = text_of(topic)
            if text is None:
                continue
            if topic.kind == "column":
                lines += [] if columns else [BLANK, heading(" Columns")]
                columns = True
                lines += wrapped(text.means, width, first=f"   {self._title(topic)}: ", rest="     ")
                continue
            lines += [BLANK, heading(f" {heading_of(topic.kind)}: {clean(_name(topic))}")]
            for title, part in PARTS:
                words = getattr(text, part)
                if words:
                    lines += [heading(f"   {title}")] if title else []
                    lines += wrapped(words, width - 1, first="   ", rest="   ")
        return lines[1:] or empty("nothing is said of this", width)

    def _title(self, topic: Topic) -> str:
        """Return a column's heading, as its table has it."""
        table, _, key = topic.name.rpartition(".")
        titles = {column.key: column.title for column in self.store.feed(table).columns}
        return clean(titles.get(key, key))


def _name(topic: Topic) -> str:
    return topic.name.rpartition(".")[2] if topic.kind == "column" else topic.name


PANE = Explain
