"""What the screen asks about one thing when it is looked at: a task's stack, a symbol; and who answers.

Another question is one line here: its kind, and the function that is called with the kernel and the key. Strings, so
that nothing is imported until it is asked.
"""

from importlib import import_module
from typing import Any, NamedTuple

ANSWERS: dict[str, str] = {
    "stack": "oopscope.subsystems.tasks:stack",  # a task_struct's address: its frames
    "symbol": "oopscope_tui.lookup:symbol",  # a name or an address: lines (heading, text)
}


class Question(NamedTuple):
    """What is asked, of which thing."""

    kind: str
    key: Any  # hashable


class Answer(NamedTuple):
    """What was found, None with the reason where it could not be."""

    value: Any
    why: str = ""


def answer(kernel: Any, question: Question) -> Any:
    """Call the function that answers; whatever it raises is the reason."""
    module, _, name = ANSWERS[question.kind].partition(":")
    return getattr(import_module(module), name)(kernel, question.key)
