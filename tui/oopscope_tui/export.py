"""Writing what a pane shows to a file, in steps on the worker: the name's ending chooses what it becomes.

What is written is what shows: the filter's rows in the sort's order; of CPUs that are one row on the screen each has
its own. Core's writers make of it what they make of the headless tables.
"""

from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from textual.message import Message

from oopscope.report.query import Field
from oopscope.report.rows import ENDINGS, WRITERS, Content
from oopscope.whole_file import whole_file
from oopscope_tui.look.text import plural
from oopscope_tui.reading.messages import Written
from oopscope_tui.widgets.lines import Lines


def content(title: str, lines: Lines) -> Content:
    """Take what a view shows; of rows that stand for several, those."""
    rows: list[Any] = []
    told: set[int] = set()  # those of a group that is open stand under it once more
    for row in map(lines.view.row, range(len(lines.view))):
        members = getattr(row, "members", None)
        if members is not None:
            rows.extend(members)
            told.update(map(id, members))
        elif id(row) not in told:
            rows.append(row)
    fields = list(lines.fields()) or [Field("line", "Line", "text", lines.written)]
    return Content(title, rows, lines.written, getattr(lines, "columns", ()), fields)


def target(name: str) -> Path:
    """Return the file that a name typed at the prompt means; ValueError says why it is none."""
    name = name.removesuffix("!").strip()
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        raise ValueError(f"{name}: no such user") from None
    if not name or name.endswith("/") or path.is_dir():
        raise ValueError(f"{name} is a folder: give the name of a file")
    return path


def would_replace(name: str) -> bool:
    """Tell whether a file of that name is there, and was not said to be replaced."""
    try:
        return not name.endswith("!") and target(name).exists()
    except (ValueError, OSError):
        return False


def write_steps(
    name: str, title: str, lines: Lines, picture: Callable[[], str], post: Callable[[Message], object]
) -> Iterator[None]:
    """Write the rows that `lines` shows, or the screen as `picture`; over a file that exists only with a `!`."""
    try:
        path, force = target(name), name.endswith("!")
    except (ValueError, OSError) as error:
        post(Written(str(error), failed=True))
        return iter(())
    suffix = path.suffix.lower()
    drawn = picture() if suffix == ".svg" else ""
    what = content(title, lines)

    def steps() -> Iterator[None]:
        if not force and path.exists():
            post(Written(f"{path} exists: write to {path}! to replace it", failed=True))
            return
        try:
            with whole_file(path) as raw:
                file = TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="")
                if drawn:
                    file.write(drawn)
                else:
                    yield from WRITERS[ENDINGS.get(suffix, "text")](file, what)
                file.flush()
                file.detach()
        except OSError as error:
            post(Written(f"{path}: {error.strerror}: nothing is written", failed=True))
        else:
            post(Written(f"wrote {title.lower()} to {path}" + ("" if drawn else f": {plural(len(what.rows), 'row')}")))

    return steps()
