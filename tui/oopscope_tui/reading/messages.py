"""What the worker tells the screen. The worker touches no widget; the app's handlers own all state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message

from oopscope.commands.questions import Question
from oopscope.subsystems import Count, Table

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Facts, Problem, Verdict


class Said(Message):
    """What is being read just now; empty when nothing is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Opened(Message):
    """The dump is open: what its container says of itself, and the tables there are."""

    def __init__(self, facts: "Facts", tables: Sequence[Table]) -> None:
        super().__init__()
        self.facts, self.tables = facts, tuple(tables)


class SeveralFound(Message):
    """The paths are not one dump but several: they are listed."""


class NotOpened(Message):
    """The dump cannot be opened: one line why, and the exit status."""

    def __init__(self, why: str, status: int) -> None:
        super().__init__()
        self.why, self.status = why, status


class RowsRead(Message):
    """More rows of a table; with the last `done` and how complete they are, `why` where reading it failed."""

    def __init__(self, key: str, rows: Sequence[Any], done: bool, why: str = "", count: Count | None = None) -> None:
        super().__init__()
        self.key, self.rows, self.done, self.why, self.count = key, rows, done, why, count


class VerdictReached(Message):
    """Why the machine died, or why that could not be found."""

    def __init__(self, verdict: "Verdict | None", why: str = "") -> None:
        super().__init__()
        self.verdict, self.why = verdict, why


class Answered(Message):
    """What was found out about one thing, or why it could not be."""

    def __init__(self, question: Question, value: Any, why: str = "") -> None:
        super().__init__()
        self.question, self.value, self.why = question, value, why


class ProblemsSeen(Message):
    """All that could not be read so far."""

    def __init__(self, problems: "Sequence[Problem]") -> None:
        super().__init__()
        self.problems = tuple(problems)


class Written(Message):
    """A file was written, or why not."""

    def __init__(self, text: str, failed: bool = False) -> None:
        super().__init__()
        self.text, self.failed = text, failed
