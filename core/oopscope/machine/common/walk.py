"""What every walk up a stack has in common: that it ends, with the reason where that was early, and its softirqs.

How one goes from frame to frame, a machine's own unwinder says.
"""

from collections.abc import Iterator

from oopscope.errors import ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.machine import State
from oopscope.machine.common.softirq import mark_softirqs

MAX_FRAMES = 1024
GUARD = 4096  # bytes below a stack: an overflowing one faults in its guard page


class StopError(Exception):
    """The walk cannot go on from here."""


class EndError(Exception):
    """There is nothing beyond."""


class Walker:
    """Walks one stack of one kernel."""

    problem: str | None = None

    def frames(self, start: State) -> list[Frame]:
        """Return the frames from the innermost outwards."""
        return mark_softirqs(list(self.walk(start)), self.is_entry)

    def walk(self, start: State) -> Iterator[Frame]:
        """Yield the frames as they are found; `problem` says afterwards why the walk ended early, if it did."""
        try:
            yield from self.each_frame(start)
        except EndError:
            return
        except StopError as e:
            self.problem = str(e)
        except ReadError as e:
            self.problem = f"the stack is unreadable: {e}"

    def each_frame(self, state: State) -> Iterator[Frame]:
        """Yield the frames; EndError where there is nothing beyond, StopError with the reason where it is not known."""
        raise NotImplementedError

    def is_entry(self, symbol: str) -> bool:
        """Tell whether something comes in through a function, by its name."""
        raise NotImplementedError
