"""Stacks as lines of text."""

from collections.abc import Iterator, Sequence

from oopscope.kernel.frame import Frame
from oopscope.report.cells import printable
from oopscope.report.recursion import again, folded


def frame_lines(frames: Sequence[Frame]) -> Iterator[str]:
    """Yield a line a frame, with a heading where the stack changes its kind; `?` marks a frame that is a guess."""
    kind = None
    for same, times in folded(
        frames, lambda frame: (frame.address, frame.symbol, frame.offset, frame.kind, frame.reliable)
    ):
        for frame in same:
            yield from _lines(frame, kind)
            kind = frame.kind
        if times > 1:
            yield " " * 18 + again(same, times)


def _lines(frame: Frame, kind: str | None) -> Iterator[str]:
    if frame.kind != kind and frame.kind in ("irq", "softirq", "nmi", "user"):
        yield f"<{frame.kind}>"
    elif kind in ("irq", "softirq", "nmi") and frame.kind != kind:
        yield f"</{kind}>"
    doubt = "" if frame.reliable else "? "
    nameless = "(user program)" if frame.kind == "user" else "(unknown)"
    address = f"{frame.address:016x}" if frame.address or not frame.symbol else " " * 16  # a log names it alone
    yield f"{address}  {doubt}{printable(str(frame)) if frame.symbol else nameless}"
