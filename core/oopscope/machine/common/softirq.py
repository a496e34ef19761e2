"""What of a stack ran as a softirq: the frames inside of the loop that runs the handlers."""

from collections.abc import Callable

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_softirq_loop


def mark_softirqs(frames: list[Frame], is_entry: Callable[[str], bool]) -> list[Frame]:
    """Mark, in place, the frames of an interrupt stack within the softirq loop, up to an interrupt on top of them.

    frames: innermost first. is_entry: whether something comes in through a function, by its name.
    """
    if not any(frame.kind in ("irq", "softirq") for frame in frames):  # as on nearly every stack
        return frames
    for i, frame in enumerate(frames):
        if is_softirq_loop(frame.symbol):
            for j in range(i, -1, -1):
                if frames[j].kind not in ("irq", "softirq") or (j < i and is_entry(frames[j].symbol or "")):
                    break
                frames[j] = frames[j]._replace(kind="softirq")
    return frames
