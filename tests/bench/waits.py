"""What 5,000 tasks behind locks cost: python tests/bench/waits.py [TASKS]; the bound is 2 s for graph and picture.

All wait for one lock, each for the next one's in a chain, each for a lock of its own.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "core"))

from oopscope.report.waits import picture, waits_data
from oopscope.waits.graph import Claim, Node, joined
from oopscope.waits.rows import rows_of

SHAPES = ("one lock", "a chain", "locks of their own")


def claims(shape: str, count: int) -> Iterator[Claim]:
    """Yield who waits for which lock, and who holds it."""
    for number in range(count):
        which = {"one lock": 0, "a chain": number + 1}.get(shape, number)
        holder = {"one lock": count + 1, "a chain": number + 1}.get(shape, count + number)
        waiter = Node(f"task:{number}", "task", f"t{number}", number, number, "D")
        lock = Node(f"lock:{which}", "mutex", f"lock {which}", 1)
        yield Claim(waiter, lock, "waits_for", "linked", 1.0, "its waiter")
        yield Claim(lock, Node(f"task:{holder}", "task", f"t{holder}", holder, holder, "S"), "held_by", "recorded")


def main() -> None:
    """Make each graph, its circles and roots, its data, its rows and its picture; tell the processor's time."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    for shape in SHAPES:
        since = time.process_time()
        graph = joined(claims(shape, count))
        waits_data(graph)
        rows_of(graph)
        lines = len(list(picture(graph)))
        print(f"{count} tasks, {shape}: {time.process_time() - since:.2f} s of CPU, {lines} lines")


if __name__ == "__main__":
    main()
