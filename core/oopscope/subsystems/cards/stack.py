"""The card of a stack with its words: the frames, then all that lies on the stack from the innermost on."""

from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import thread_size
from oopscope.stacks.tasks import stack
from oopscope.subsystems.cards import CardKind, Frames, Part, Rows
from oopscope.subsystems.cards import memory as memory_card
from oopscope.subsystems.cards import task as task_card

MOST = 1024  # words


def _frames(kernel: Kernel, thing: task_card.Thing) -> Frames:
    return task_card.stack_of(kernel, thing)


def _words(kernel: Kernel, thing: task_card.Thing) -> Rows | None:
    """Return the words from the innermost frame's stack pointer to the end of its stack."""
    sp = next((one.sp for one in stack(kernel, thing.task.address) if one.sp and one.kind != "user"), 0)
    if not sp:
        return None
    size = kernel.memory.word_size
    left = (kernel.cached(thread_size) - sp % kernel.cached(thread_size)) // size
    return memory_card.words_rows(kernel, memory_card.Stretch("", sp, min(left, MOST)))


CARD = CardKind(
    "stack",
    "Stack",
    task_card.find,
    lambda thing: thing.task.who,
    (Part("frames", "Frames", _frames), Part("words", "Words", _words)),
)
