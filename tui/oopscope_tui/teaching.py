"""A lesson on the screen: it opens the place of each step, points, asks and checks, and remembers how far it came."""

from pathlib import Path
from typing import Any

from oopscope.lessons import PANES, Lesson, Step, keep, progress, read_lesson
from oopscope_tui.places import Place
from oopscope_tui.prompt.commands import understand
from oopscope_tui.scope import Desk
from oopscope_tui.widgets.lesson import LessonBox

KEYS = "a answer · Ctrl-N on · Ctrl-O back"
BINDINGS = (("a", "answer"), ("ctrl+n", "lesson(1)"), ("ctrl+o", "lesson(-1)"))
POINT_AFTER = 0.3  # seconds between two looks whether what is pointed at has come
POINT_TRIES = 40


class Teaching:
    """The lesson that is under way."""

    def __init__(self, app: Desk, path: str) -> None:
        self.app = app
        self.lesson: Lesson = read_lesson(Path(path))
        done = progress().get(self.lesson.name, 0)
        self.at = done if done < len(self.lesson.steps) else 0
        self.said: tuple[str, str] | None = None  # what came of an answer: right or wrong, the words
        self.box = LessonBox(self.tell)

    @property
    def step(self) -> Step:
        """The step that one is at."""
        return self.lesson.steps[self.at]

    def tell(self) -> tuple[str, str, list[tuple[str, str]]]:
        """Return the title, which step it is, and the lines with their kinds."""
        step, parts = self.step, list[tuple[str, str]]()
        if self.said is not None and self.said[0] == "right":
            parts.append(self.said)
        if self.at == 0 and self.lesson.about and self.said is None:
            parts.append(("about", self.lesson.about))
        parts.append(("text", step.text))
        if step.ask:
            parts.append(("ask", f"? {step.ask}"))
        if self.said is not None and self.said[0] == "wrong":
            parts.append(self.said)
        words = f" · words: {', '.join(step.words)} (:explain WORD)" if step.words else ""
        parts.append(("keys", f"{KEYS}{words}"))
        return f"Lesson: {self.lesson.title}", f"step {self.at + 1} of {len(self.lesson.steps)}", parts

    async def begin(self) -> None:
        """Open what the step is about, and point."""
        self.box.renew()
        line = self.step.open
        if not line:
            return
        word = line.split()[0]
        target = Place(word) if line == word and word in PANES else understand(line, self.app.known_panes())
        await self.app.asking.follow(target, line)
        self._point(self.step, POINT_TRIES)

    def _point(self, step: Step, tries: int) -> None:
        """Search what the step points at, once the place has something to show."""
        pane = self.app.pane
        if not step.point or step is not self.step or pane is None or not tries:
            return
        if len(pane.active.view):
            pane.active.search(step.point)
        else:
            self.app.set_timer(POINT_AFTER, lambda: self._point(step, tries - 1))

    async def move(self, by: int) -> None:
        """Go to the next step or back."""
        self.said = None
        self.at = max(0, min(self.at + by, len(self.lesson.steps) - 1))
        if by > 0:
            keep(self.lesson.name, self.at)
        await self.begin()

    async def answered(self, text: str) -> None:
        """Check an answer: a right one goes on to the next step, a wrong one gets the hint."""
        step = self.step
        if not step.ask or not step.accepts(text):
            self.said = (
                "wrong",
                f"✗ Not {text.strip()[:40] or 'nothing'}. {step.hint}" if step.ask else "Ctrl-N goes on.",
            )
            self.box.renew()
            return
        last = self.at + 1 == len(self.lesson.steps)
        keep(self.lesson.name, self.at + 1)
        praise = step.right or "Right."
        if last:
            self.said = ("right", f"✓ {praise} The lesson is done: `oopscope learn --list` has the others; q leaves.")
            self.box.renew()
            return
        self.at += 1
        self.said = ("right", f"✓ {praise} On to the next:")
        await self.begin()


def begun(app: Any, path: str) -> Teaching:
    """Return a lesson, and give the screen its keys."""
    for keys_of, action in BINDINGS:
        app.bind(keys_of, action, show=False)
    return Teaching(app, path)
