"""Frames of a recursion, told once: the same few of them, one set after another, as a stack that overflowed has."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

REPEATED = 4  # times in a row before it is a recursion
FUNCTIONS = 4  # that call each other, at most

Frame = TypeVar("Frame")


def folded(frames: Sequence[Frame], key: Callable[[Frame], Hashable]) -> Iterator[tuple[Sequence[Frame], int]]:
    """Yield frames in their order with how many times they stand there in a row; once, each by itself."""
    keys = [key(frame) for frame in frames]
    at = 0
    while at < len(keys):
        size, times = next(
            ((size, times) for size in range(1, FUNCTIONS + 1) if (times := _times(keys, at, size)) >= REPEATED), (1, 1)
        )
        yield frames[at : at + size], times
        at += size * times


def _times(keys: Sequence[Hashable], at: int, size: int) -> int:
    times, first = 1, keys[at : at + size]
    while keys[at + size * times : at + size * (times + 1)] == first:
        times += 1
    return times


def again(frames: Sequence[object], times: int) -> str:
    """Return the line that stands for the other times."""
    return f"... the same {'' if len(frames) == 1 else f'{len(frames)} frames '}{times - 1} times more"
