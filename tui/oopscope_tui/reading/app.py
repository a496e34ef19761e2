"""The screen's ear: it starts the worker, asks it for more, and keeps what it tells in the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oopscope.commands.questions import Answer, Question
from oopscope.fleet.listing import Listing
from oopscope_tui.reading import messages as told
from oopscope_tui.reading.provider import Core, Provider
from oopscope_tui.reading.store import Store
from oopscope_tui.reading.worker import Reader
from oopscope_tui.terminal.app import TerminalApp


class ReadingApp(TerminalApp, inherit_bindings=False):
    """An app with a store that fills; what is shown of it is the subclass's."""

    def __init__(self, paths: Sequence[str | Path], provider: Provider | None, listing: Listing | None) -> None:
        super().__init__()
        self.paths = tuple(paths)
        self.store = Store()
        self.provider = provider if provider is not None else Core()
        first = self.paths[0] if len(self.paths) == 1 else None
        self.folder = (isinstance(first, Path) and first.is_dir()) or (
            listing is not None and self.paths == listing.paths
        )
        self.listing = listing if listing is not None else Listing(self.paths)
        self.reader = Reader(self.provider, self.paths, self.post_message, self.listing, self.folder)
        self.failure = ""  # the line for stderr where the dump could not be opened
        self.reading = "opening"  # what the worker does just now

    def news(self, key: str) -> None:
        """Show what came into the store, by its key; an empty key is the dump itself."""
        raise NotImplementedError

    def said(self, text: str, failed: bool = False) -> None:
        """Show a message, or with an empty text what is being read."""
        raise NotImplementedError

    @property
    def idle(self) -> bool:
        """Whether all has been read."""
        return not self.reading and self.store.facts is not None

    def ask(self, kind: str, key: Any) -> None:
        """Have something found out about one thing, unless it is known; of a kind only the latest is waited for."""
        if key is not None and self.store.answer(kind, key) is None:
            self.reader.ask(Question(kind, key))

    def on_said(self, message: told.Said) -> None:
        """Show what is being read."""
        self.reading = message.text
        self.said("")

    def on_opened(self, message: told.Opened) -> None:
        """The dump is open, and its tables are known."""
        self.store.opened(message.facts, message.tables)
        self.news("")

    def on_not_opened(self, message: told.NotOpened) -> None:
        """Leave with one line and the right status."""
        self.not_opened(message.why, message.status)

    def not_opened(self, why: str, status: int) -> None:
        """Leave with one line and the right status."""
        self.failure = why
        self.exit(status, return_code=status)

    def on_rows_read(self, message: told.RowsRead) -> None:
        """More of a table."""
        self.store.add(message.key, message.rows, message.done, message.why, message.count)
        self.news(message.key)

    def on_verdict_reached(self, message: told.VerdictReached) -> None:
        """Why it died."""
        self.store.verdict, self.store.verdict_why = message.verdict, message.why
        self.news("verdict")

    def on_problems_seen(self, message: told.ProblemsSeen) -> None:
        """What could not be read."""
        self.store.take_problems(message.problems)
        self.news("problems")

    def on_answered(self, message: told.Answered) -> None:
        """What was asked about one thing."""
        self.store.keep(message.question, Answer(message.value, message.why))
        self.news("answer")

    def on_written(self, message: told.Written) -> None:
        """A file is there, or is not."""
        self.said(message.text, message.failed)
