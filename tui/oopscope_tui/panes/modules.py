"""Modules: what was loaded, what it tainted, who used it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, plural
from oopscope_tui.look.values import human_bytes
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_lines, stack_lines
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Table, col
from oopscope_tui.widgets.textview import BLANK, Line, heading, line

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Module

# include/linux/panic.h; the letters of Documentation/admin-guide/tainted-kernels.rst that a module can have
TAINTS = {
    "P": "proprietary licence", "O": "built outside the kernel's tree", "E": "not signed", "C": "from staging",
    "F": "loaded by force", "K": "live patch", "X": "a distribution's own mark", "N": "an in-kernel test",
}  # fmt: skip
FOREIGN = set("POCFK")  # an unsigned module alone is no news: whole distributions are
COLUMNS = (
    col("name", "Module", most=32, least=20),
    col("size_bytes", "Size", "bytes"),
    col("refcount", "Used", "int"),
    col("used_by", "By", "list", most=40, rank=1),
    col("state", "State", rank=3),
    col("taint", "Taint", rank=2),
    col("address", "Address", "address", rank=4),
)


class Modules(Pane):
    """The list and the selected module."""

    needs = ("modules", "cpus")

    def make_main(self) -> Lines:
        """Return the list."""
        table = Table("Modules", COLUMNS, id="main-modules")
        table.row_style = self._style
        return table

    def _style(self, row: "Module") -> Style | None:
        verdict = self.store.verdict
        if verdict is not None and verdict.module and row.name == verdict.module:
            return theme.BAD
        return theme.DOUBT if set(row.taint or "") & FOREIGN else None

    def refill(self) -> None:
        """Take in rows."""
        feed = self.store.feed("modules")
        self.main.note = feed.note
        if self.main.view.rows is not feed.rows:
            self.main.set_rows(feed.rows)
        else:
            self.main.grew()

    def row_key(self, row: "Module") -> int | str | None:
        """Return the name."""
        name: str = row.name
        return name

    def notes(self) -> list[str]:
        """Return the count, the size and the tainted ones."""
        rows = self.store.modules
        if not rows:
            return []
        size = human_bytes(sum(row.size_bytes or 0 for row in rows))
        tainted = self.count("tainting", rows, lambda row: bool(row.taint))
        return [f"{plural(len(rows), 'module')}, {size}" + (f", {tainted} tainting" if tainted else "")]

    def detail_title(self) -> str:
        """Return the module's name."""
        return clean(self.main.row.name or "")[:40] if self.main.row is not None else ""

    def detail(self, width: int) -> Sequence[Line]:
        """Return the fields, what its taint means, who uses it, and where it stands in a CPU's stack."""
        row = self.main.row
        if row is None:
            return empty(self.main.note, width)
        lines = field_lines(COLUMNS, row, width, ("used_by",))
        for letter in row.taint or "":
            if letter in TAINTS:
                lines.append(line("   ", (f"{letter}  {TAINTS[letter]}", theme.DOUBT)))
        users = row.used_by if isinstance(row.used_by, (list, tuple)) else ()
        if users:
            lines += [BLANK, heading(" Used by")]
            lines += [line("   ", (str(user), theme.LINK), link=Place("modules", str(user), True)) for user in users]
        for cpu in self.store.cpus:
            frames = [frame for frame in cpu.frames or () if frame.module == row.name]
            if frames:
                lines += [
                    BLANK,
                    line((f" In the stack of CPU {cpu.cpu}", theme.TITLE), link=Place("cpus", cpu.cpu, True)),
                ]
                lines += stack_lines(frames, width, self.store.verdict.symbol if self.store.verdict else None)
        return [*lines, *self.problem_lines("modules", width)]


PANE = Modules
