"""What could not be read, or disagrees: kept in order, each once, for the report and the screen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from oopscope.errors import OopscopeError, is_lost

MAX_PROBLEMS = 1000
NAMED = 3  # of many things that met the same


class Problem(NamedTuple):
    """One thing that is missing from a section, and why."""

    section: str
    message: str
    address: int | None


class Problems:
    """The problems met so far; the same one is kept once, and at most MAX_PROBLEMS of all."""

    def __init__(self) -> None:
        self._seen: dict[Problem, None] = {}
        self.dropped = 0

    def add(self, section: str, message: str, address: int | None = None) -> None:
        """Note one problem."""
        problem = Problem(section, message, address)
        if len(self._seen) < MAX_PROBLEMS or problem in self._seen:
            self._seen[problem] = None
        else:
            self.dropped += 1

    def lost(self, section: str, what: str = "") -> Callable[[OopscopeError], None]:
        """Return a function that notes an error as a problem of a section, for walks that go on."""
        prefix = f"{what}: " if what else ""
        return lambda error: self.add(section, f"{prefix}{error}", getattr(error, "address", None) or None)

    def broken(self, section: str, what: str) -> Callable[[OopscopeError], None]:
        """Return the same for a list that is walked from both ends: what lies between two holes is lost, and said."""
        lost = self.lost(section, what)

        def note(error: OopscopeError) -> None:
            lost(error)
            if is_lost(error):
                self.add(section, f"{what}: pages are missing, and what lies between them in the list is not shown")

        return note

    @contextmanager
    def counted(self, section: str, what: str) -> Iterator[Callable[[str, OopscopeError], None]]:
        """Give a function that notes the error of one of many things of a kind, by its name.

        What befell several is one problem, with how many they are and the first of them: one lost page can be the
        loss of a hundred.
        """
        met: dict[tuple[type[OopscopeError], str], list[tuple[str, OopscopeError]]] = {}

        def note(name: str, error: OopscopeError) -> None:
            met.setdefault((type(error), str(getattr(error, "reason", ""))), []).append((name, error))

        try:
            yield note
        finally:
            for group in met.values():
                names, (first, error) = list(dict.fromkeys(name for name, _ in group)), group[0]
                if len(group) > 1:
                    listed = ", ".join(names[:NAMED]) + (" ..." if len(names) > NAMED else "")
                    first = f"{len(group)} {what} ({listed}), the first of them"
                self.lost(section, first)(error)

    def forget_after(self, count: int) -> bool:
        """Forget what was noted after the first so many; return whether there was anything."""
        late = list(self._seen)[count:]
        for problem in late:
            del self._seen[problem]
        return bool(late)

    def __iter__(self) -> Iterator[Problem]:
        yield from list(self._seen)
        if self.dropped:
            yield Problem("problems", f"{self.dropped} more problems are not listed", None)

    def __len__(self) -> int:
        return len(self._seen)
