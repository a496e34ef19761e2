"""Stacks as lines of text."""

from collections.abc import Iterator, Sequence

from oopscope.kernel.frame import Frame
from oopscope.report.cells import printable


def frame_lines(frames: Sequence[Frame]) -> Iterator[str]:
    """Yield a line a frame, with a heading where the stack changes its kind; `?` marks a frame that is a guess."""
    kind = None
    for frame in frames:
        if frame.kind != kind and frame.kind in ("irq", "softirq", "nmi", "user"):
            yield f"<{frame.kind}>"
        elif kind in ("irq", "softirq", "nmi") and frame.kind != kind:
            yield f"</{kind}>"
        kind = frame.kind
        doubt = "" if frame.reliable else "? "
        yield f"{frame.address:016x}  {doubt}{printable(str(frame)) if frame.symbol else '(unknown)'}"
