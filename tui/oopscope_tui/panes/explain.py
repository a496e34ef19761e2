"""Explain: what the selected thing means, how it comes about and what to look at next; then what else stands there."""

from collections.abc import Sequence

from oopscope.explain import KINDS, Topic, every_topic, heading_of, named, search, text_of
from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, crop, fit
from oopscope_tui.panes.asked import AskedText
from oopscope_tui.panes.base import empty
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import BLANK, Line, heading, line, wrapped

FOUND = 12  # things that a search shows
MOST = 60  # things on one page
NAME = 26  # cells of a name in the index
PARTS = (("", "means"), ("How it comes about", "how"), ("Look at next", "look"))
INDEX = "index:"  # the place of all that can be explained


def explained_at(topics: Sequence[Topic]) -> Place:
    """Return the place where things are explained."""
    return Place("explain", "\n".join(f"{topic.kind}:{topic.name}" for topic in topics[:MOST]))


def topics_asked(key: str) -> list[Topic]:
    """Return what a place or a typed line asks to explain."""
    found: list[Topic] = []
    for part in key.split("\n")[:MOST]:
        kind, _, name = part.partition(":")
        topic = Topic(kind, name)
        found += [topic] if _is_kind(kind) and text_of(topic) is not None else named(part) or search(part)[:FOUND]
    return found


def _is_kind(word: str) -> bool:
    return any(kind == word for kind, _, _ in KINDS)


class Explain(AskedText):
    """A text about one thing and its neighbours."""

    def crumbs(self) -> list[str]:
        """Return the first thing's name."""
        topics = topics_asked(self.asked) if self.asked != INDEX else []
        return [self.title, *(_name(topic) for topic in topics[:1])]

    def refill(self) -> None:
        """Make the text anew: it is about several things, and its title is its own."""
        self.text.rebuild()

    def lines(self, width: int) -> list[Line]:
        """Return what is said of each thing."""
        lines: list[Line] = []
        columns = False
        if self.asked == INDEX:
            return index_lines(width)
        for topic in topics_asked(self.asked):
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
            if text.see:
                lines.append(line("   ", (f"go to {text.see}", theme.LINK), link=Place(text.see)))
        return lines[1:] or empty("nothing is said of this", width)

    def _title(self, topic: Topic) -> str:
        """Return a column's heading, as its table has it."""
        table, _, key = topic.name.rpartition(".")
        titles = {column.key: column.title for column in self.store.feed(table).columns}
        return clean(titles.get(key, key))


def index_lines(width: int) -> list[Line]:
    """Return every thing that can be explained, by kind, each a link."""
    lines: list[Line] = []
    for kind, title, _ in KINDS:
        names = sorted((topic for topic in every_topic() if topic.kind == kind), key=lambda one: _name(one).lower())
        if kind == "column":  # each table's own explain themselves
            continue
        lines += [BLANK, heading(f" {title}")]
        for topic in names:
            text = text_of(topic)
            lead = fit(clean(topic.name), NAME)
            said = crop(text.means if text is not None else "", 0, max(0, width - NAME - 5))
            lines.append(line("   ", (lead, theme.LINK), ("  " + said, theme.DIM), link=explained_at([topic])))
    return lines[1:]


def _name(topic: Topic) -> str:
    return topic.name.rpartition(".")[2] if topic.kind == "column" else topic.name


PANE = Explain
