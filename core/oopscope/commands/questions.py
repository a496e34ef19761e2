"""What the screen asks about one thing when it is looked at: a task's stack, a symbol; and who answers.

Another question is one line here: its kind, and the function that is called with the kernel and the key. Strings, so
that nothing is imported until it is asked. `task.stack` asks for the part of that name of a task's card,
`card` for all of the card that `KIND:KEY` names.
"""

from importlib import import_module
from typing import Any, NamedTuple

ANSWERS: dict[str, str] = {
    "stack": "oopscope.stacks.tasks:stack",  # a task_struct's address: its frames
    "memory-shares": "oopscope.linux.memory_shares:memory_shares",  # 0: Shares, adding up to the total
    "swapped": "oopscope.linux.memory_shares:swapped",  # task_structs' addresses: bytes in swap, by address
    "strip": "oopscope.inspect.coverage:strip_of",  # a number of cells: physical memory in so many shares
    "wait-graph": "oopscope.waits.build:asked",  # 0: Graph, who waits for whom
    "registers": "oopscope.inspect.code:registers",  # a CPU: each register with what it points at
    "code": "oopscope.inspect.code:code",  # a name or ADDRESS[@SP]: CodeFound
    "struct": "oopscope.inspect.struct:struct",  # TYPE[.MEMBER][@ADDRESS]: StructFound
    "memory": "oopscope.inspect.words:memory",  # an address: the stretches of memory about it
    "words": "oopscope.inspect.words:words",  # an address: the words from there on
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
    kind, _, part = question.kind.partition(".")
    if kind == "card":
        from oopscope.subsystems.cards import card

        what, _, key = question.key.partition(":")
        return card(kernel, what, key)
    if part:
        from oopscope.subsystems.cards import section

        return section(kernel, kind, part, question.key)
    module, _, name = ANSWERS[question.kind].partition(":")
    return getattr(import_module(module), name)(kernel, question.key)
