"""The one prompt, in place of the key line: for a search, a filter, a place to go, a file to write."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

Kind = Literal["search", "filter", "goto", "write"]
LABELS: dict[str, str] = {"search": " /", "filter": " filter: ", "goto": " :", "write": " write to: "}
REMEMBERED = 50


class Prompt(Horizontal):
    """An Input with a label; what was typed before comes back with the arrow keys."""

    BINDINGS: ClassVar[list[Binding]] = [  # type: ignore[assignment]
        Binding("escape", "cancel", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
    ]

    class Changed(Message):
        """The text so far."""

        def __init__(self, kind: Kind, text: str) -> None:
            super().__init__()
            self.kind, self.text = kind, text

    class Done(Message):
        """Enter."""

        def __init__(self, kind: Kind, text: str) -> None:
            super().__init__()
            self.kind, self.text = kind, text

    class Cancelled(Message):
        """Escape."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self) -> None:
        super().__init__()
        self.kind: Kind = "search"
        self._label = Static("", markup=False)
        self._input = Input(select_on_focus=False, compact=True)
        self._input.cursor_blink = False
        self._before: dict[str, list[str]] = {}
        self._at = 0

    def compose(self) -> ComposeResult:
        """Label and input."""
        yield self._label
        yield self._input

    def open(self, kind: Kind, text: str, choices: Iterable[str] = ()) -> None:
        """Take the keys, with a text to begin with and choices that complete it."""
        self.kind = kind
        self._label.update(LABELS[kind])
        choices = list(choices)
        self._input.suggester = SuggestFromList(choices, case_sensitive=False) if choices else None
        with self._input.prevent(Input.Changed):
            self._input.value = text
        self._input.cursor_position = len(text)
        self._at = len(self._before.get(kind, ()))
        self.display = True
        self._input.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass the text on."""
        event.stop()
        self.post_message(self.Changed(self.kind, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Remember the text and pass it on."""
        event.stop()
        before = self._before.setdefault(self.kind, [])
        if event.value and (not before or before[-1] != event.value):
            before.append(event.value)
            del before[:-REMEMBERED]
        self.post_message(self.Done(self.kind, event.value))

    def action_cancel(self) -> None:
        """Give up."""
        self.post_message(self.Cancelled(self.kind))

    def action_recall(self, step: int) -> None:
        """Bring back what was typed before."""
        before = self._before.get(self.kind, [])
        self._at = max(0, min(self._at + step, len(before)))
        self._input.value = before[self._at] if self._at < len(before) else ""
        self._input.cursor_position = len(self._input.value)
