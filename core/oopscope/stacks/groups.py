"""Tasks grouped by their stacks: identical ones once, with how many, who, and the longest wait.

Two stacks are identical where their frames are, up to user space. Names that differ in a number are one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.lazy_re import lazy_re
from oopscope.stacks.tasks import Task, all_tasks, stack

NAMED = 4  # kinds of names that are told
_NUMBER = lazy_re(r"\d+")


class Group(NamedTuple):
    """Tasks with the same stack; `states` are ps(1)'s letters with how often, `pid` is the longest waiting one's."""

    tasks: int
    who: str
    states: str
    longest_seconds: float | None
    pid: int | None
    modules: tuple[str, ...]
    frames: tuple[Frame, ...]
    members: tuple[Task, ...]


def folded(names: Sequence[str], most: int = NAMED) -> str:
    """Return many names in few words: `2,400 of w-*, 20 of many*`."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for name in names:
        kind = _NUMBER.sub("*", name)
        counts[kind] += 1
        first.setdefault(kind, name)
    told = counts.most_common(most)
    words = [first[kind] if count == 1 else f"{count:,} of {kind}" for kind, count in told]
    left = len(names) - sum(count for _, count in told)
    return ", ".join(words) + (f" and {left:,} more" if left else "")


def key_of(frames: Iterable[Frame]) -> tuple[tuple[str | None, int | None], ...]:
    """Return what makes two stacks the same."""
    return tuple(
        (frame.symbol, frame.offset) if frame.symbol else (None, frame.address)
        for frame in frames
        if frame.kind != "user"
    )


def passes(frames: Sequence[Frame], functions: Sequence[str] = (), modules: Sequence[str] = ()) -> bool:
    """Tell whether a stack has one of some functions (`*` stands for anything) and a frame of one of some modules."""
    patterns = [lazy_re("[^ ]*".join(part_re(part) for part in name.split("*"))) for name in functions]
    has = not patterns or any(f.symbol and any(p.fullmatch(f.symbol) for p in patterns) for f in frames)
    return has and (not modules or any(f.module in modules for f in frames))


def part_re(text: str) -> str:
    """Return a piece of a name as a pattern of itself."""
    return "".join(char if char.isalnum() or char == "_" else f"\\{char}" for char in text)


def grouped(found: Iterable[tuple[Task, tuple[Frame, ...]]]) -> list[Group]:
    """Return tasks with their stacks in groups, the largest first, then the longest waiting."""
    groups: dict[tuple[tuple[str | None, int | None], ...], list[tuple[Task, tuple[Frame, ...]]]] = {}
    for task, frames in found:
        groups.setdefault(key_of(frames), []).append((task, frames))
    made = [_group(members) for members in groups.values()]
    return sorted(made, key=lambda group: (-group.tasks, -(group.longest_seconds or 0.0)))


def _group(members: Sequence[tuple[Task, tuple[Frame, ...]]]) -> Group:
    tasks = sorted((task for task, _ in members), key=lambda task: -(task.since_last_run_seconds or 0.0))
    states = Counter(task.state or "?" for task in tasks)
    words = ", ".join(f"{letter} {count:,}" if len(states) > 1 else letter for letter, count in states.most_common())
    frames = members[0][1]
    return Group(
        len(tasks), folded([task.comm or "?" for task in tasks]), words, tasks[0].since_last_run_seconds,
        tasks[0].pid, tuple(dict.fromkeys(f.module for f in frames if f.module)), frames, tuple(tasks),
    )  # fmt: skip


@once
def all_groups(kernel: Kernel) -> list[Group]:
    """Return every task's stack, identical ones once."""
    return grouped((task, stack(kernel, task.address)) for task in all_tasks(kernel) if task.state != "Z")
