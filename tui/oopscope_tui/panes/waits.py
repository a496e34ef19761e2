"""Waits: who waits for whom, drawn: circles first, then what is waited for, the widest first; each name leads on."""

from oopscope.report.waits import PictureLine, picture
from oopscope.waits.graph import Graph, Node
from oopscope_tui.look import theme
from oopscope_tui.panes import place_of
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, TextView, line

LOCKS = ("mutex", "rw_semaphore", "semaphore", "rt_mutex", "percpu_rw_semaphore", "spinlock")
MOST = 140  # columns beyond which a line is no easier to read


class Waits(Pane):
    """The picture; it has no rows of its own."""

    NARROW = "never"
    BESIDE = False
    needs = ("waits", "locks")

    def make_main(self) -> Lines:
        """Return a text."""
        view = TextView(self.title, id="main-waits")
        view.show(self._text)
        return view

    def refill(self) -> None:
        """Ask for the graph as soon as the waits are known, and draw it anew."""
        if self.store.feed("waits").state == "done":
            self.scope.ask("wait-graph", 0)
        assert isinstance(self.main, TextView)
        self.main.rebuild()

    def here(self) -> Place:
        """Return the pane; it has no rows."""
        return Place(self.key, None, self.opened)

    def notes(self) -> list[str]:
        """Return how many wait, and in how many circles; nothing where that could not be read."""
        if self.store.feed("waits").state == "failed":
            return []
        rows = self.store.waits
        graph = self._graph()
        circles = len(graph.circles) if graph is not None else 0
        return [
            f"{len(rows):,} wait",
            f"{circles} circle{'s' * (circles > 1)}" * bool(circles),
        ]

    def _graph(self) -> Graph | None:
        answer = self.store.answer("wait-graph", 0)
        return answer.value if answer is not None and isinstance(answer.value, Graph) else None

    def _text(self, width: int) -> list[Line]:
        graph, feed = self._graph(), self.store.feed("waits")
        if graph is None:
            return empty(feed.note or "reading", width)
        lines = [_line(one) for one in picture(graph, min(width, MOST))]
        if not lines:
            lines = empty("nobody waits for anything that could be told", width)
        return [*lines, BLANK, *self.problem_lines("waits", width)]


def _line(drawn: PictureLine) -> Line:
    styles = {"title": theme.TITLE, "alarm": theme.BAD, "dim": theme.DIM, "task": theme.LINK, "thing": theme.PLAIN}
    parts = [(piece.text, styles.get(piece.role, theme.PLAIN)) for piece in drawn.pieces]
    return line(*parts, link=_place(drawn.node))


def _place(node: Node | None) -> Place | None:
    """Return where a node leads: a task, a lock, a disk."""
    if node is None:
        return None
    if node.kind == "task":
        return place_of("task", node.pid if node.pid else node.address)
    if node.kind in LOCKS and node.address is not None:
        return place_of("lock", node.address)
    return place_of(node.kind, node.name.partition(":")[0])


PANE = Waits
