"""What the screen asks of core, in one place, so that the tests can answer in its stead.

Every import of core stands inside a function: the screen is painted before any of it is loaded.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from oopscope.commands.questions import Question, answer
from oopscope.fleet.listing import DumpFile, Listing
from oopscope.subsystems import Table


class Provider(Protocol):
    """All that the worker calls, on its own thread only."""

    def open(self, paths: Sequence[str | Path], progress: Callable[[str], None]) -> Any:
        """Open the dump and return the kernel; raise OopscopeError with one clear line."""
        ...

    def facts(self, kernel: Any) -> Any:
        """Return what the container says of itself (dumps.Facts)."""
        ...

    def tables(self) -> list[Table]:
        """Return every table."""
        ...

    def verdict(self, kernel: Any) -> Any:
        """Return the triage.finding.Verdict."""
        ...

    def findings(self, kernel: Any) -> Sequence[Any]:
        """Return what else was wrong (triage.finding.Finding), oldest first."""
        ...

    def answer(self, kernel: Any, question: Question) -> Any:
        """Return what is asked about one thing; see questions.ANSWERS."""
        ...

    def problems(self, kernel: Any) -> Sequence[Any]:
        """Return what could not be read so far, each with section, message and address."""
        ...

    def are_one(self, paths: Sequence[str | Path]) -> bool:
        """Return whether several paths are one dump."""
        ...

    def dumps(self, listing: Listing, stopped: Callable[[], bool]) -> Iterator[DumpFile | float]:
        """Yield the dumps of a list as they become known; between them, seconds until the next step."""
        ...

    def finish(self, kernel: Any) -> None:
        """Called when all is read: keep what makes the next opening faster."""
        ...

    def trouble(self, error: BaseException) -> tuple[str, int]:
        """Return one line for an error in opening, and the exit status that goes with it."""
        ...


class Core:
    """The real thing."""

    def open(self, paths: Sequence[str | Path], progress: Callable[[str], None]) -> Any:
        """Open the dump with oopscope.boot.attach."""
        from oopscope.boot.attach import open_kernel

        return open_kernel(paths, progress)

    def facts(self, kernel: Any) -> Any:
        """Return the dump's facts."""
        return kernel.dump.facts()

    def tables(self) -> list[Table]:
        """Import the tables."""
        from oopscope.subsystems import TABLES, table

        return [table(key) for key, _ in TABLES]

    def verdict(self, kernel: Any) -> Any:
        """Run the triage rules."""
        from oopscope.triage import verdict

        return verdict(kernel)

    def findings(self, kernel: Any) -> Sequence[Any]:
        """Look for what else was wrong."""
        from oopscope.triage.findings import findings

        return findings(kernel)

    def answer(self, kernel: Any, question: Question) -> Any:
        """Ask the function of the question's kind; of several tasks' cards, who filters them."""
        if question.kind == "card" and question.key.startswith("each:"):
            from oopscope.report.answer import each

            return each(kernel, question.key.partition(":")[2])
        return answer(kernel, question)

    def problems(self, kernel: Any) -> Sequence[Any]:
        """Return the kernel's own list."""
        return tuple(kernel.problems)

    def are_one(self, paths: Sequence[str | Path]) -> bool:
        """Ask the files themselves."""
        from oopscope.fleet.finding import are_one

        return are_one(paths)

    def dumps(self, listing: Listing, stopped: Callable[[], bool]) -> Iterator[DumpFile | float]:
        """Look for them, and triage them one after another."""
        return listing.steps(stopped)

    def finish(self, kernel: Any) -> None:
        """Write the index cache."""
        kernel.remember()

    def trouble(self, error: BaseException) -> tuple[str, int]:
        """Map an error to the statuses that the command promises: 3 no dump that we know, 4 damaged, 1 ours."""
        from oopscope.errors import NotADump, OopscopeError, Unsupported

        if isinstance(error, (NotADump, Unsupported)):
            return str(error), 3
        if isinstance(error, OopscopeError):
            return str(error), 4
        if isinstance(error, OSError):
            return f"{error.filename}: {error.strerror}" if error.filename else str(error), 3
        return f"a fault of oopscope: {type(error).__name__}: {error}", 1
