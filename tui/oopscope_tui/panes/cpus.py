"""CPUs: what each ran when the machine died, its backtrace and its registers.

Of many, those whose stacks are the same functions are one row that opens; the CPU that died stands first and alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style

from oopscope.stacks.standing import stood_in
from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, plural
from oopscope_tui.look.values import show
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import described_registers, register_lines, stack_lines, words_line
from oopscope_tui.places import Place
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Col, Table, col, reader
from oopscope_tui.widgets.textview import BLANK, Line, heading, line

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Cpu, Frame


def _where(row: "Cpu | Group") -> str | None:
    """Return the function that the CPU was in, whatever stopped it."""
    frame = stood_in(row.frames or ())
    return frame.symbol if frame is not None else None


@dataclass(frozen=True, slots=True)
class Group:
    """CPUs that did the same, as a row: the first one's fields, and the others' numbers."""

    members: tuple["Cpu", ...]
    cpu: int
    state: str | None
    online: bool | None
    comm: str
    frames: "Sequence[Frame]"
    pid: int | None = None
    task: int | None = None
    registers: None = None


@dataclass(frozen=True, slots=True)
class NumberCol(Col):
    """The CPU's number, or a group's sign and size."""

    opened: set[int] = field(default_factory=set)

    def text(self, row: "Cpu | Group") -> str:
        """Return the cell."""
        if type(row) is not Group:
            return Col.text(self, row)
        return f"{'-' if row.cpu in self.opened else '+'} {len(row.members):,} CPUs"


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers as the kernel writes a list of CPUs: 0-3,5."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in parts)


def _doing(row: "Cpu") -> tuple[object, ...]:
    """Return what CPUs of a group share."""
    return (row.state, row.online, *(frame.symbol or frame.address for frame in row.frames or ()))


def grouped(rows: "Sequence[Cpu]") -> "list[Cpu | Group]":
    """Return CPUs with those that did the same as one Group; those that died first, each by itself."""
    alike: dict[object, list[Cpu]] = {}
    for row in rows:
        alike.setdefault(row.cpu if row.state == "panic" else _doing(row), []).append(row)
    out = [_group(members) if len(members) > 1 else members[0] for members in alike.values()]
    return sorted(out, key=lambda row: row.state != "panic")


def _group(members: "Sequence[Cpu]") -> Group:
    one = members[0]
    words = ranges([row.cpu for row in members])
    return Group(tuple(members), one.cpu, one.state, one.online, words, one.frames or ())


COLUMNS = (
    col("cpu", "CPU", "int"),
    col("state", "State", "state"),
    col("pid", "PID", "int"),
    col("comm", "Command", most=24, least=16),
    col("where", "In", "symbol", value=_where, most=40, least=24),
    col("online", "Online", "bool", rank=3),
    col("task", "task_struct", "address", rank=4),
)
WORDS = {"panic": "the CPU that died", "running": "in the kernel", "idle": "idle", "user": "in user mode"}


MANY = 8  # more CPUs than these are grouped
DESCRIBED = 82  # cells from which registers stand one a line, with what they point at


class CpuTable(Table):
    """The list; a group opens in place."""

    BINDINGS = keys.bindings(keys.CPUS)
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*Table.KEYS, *keys.CPUS)

    def __init__(self, **more: Any) -> None:
        self.unfolded: set[int] = set()  # the first CPU's number of each group that is open
        columns = (NumberCol("cpu", "CPU", "int", value=COLUMNS[0].value, opened=self.unfolded), *COLUMNS[1:])
        super().__init__("CPUs", columns, **more)
        self.cpus: Sequence[Cpu] = ()
        self.groups: list[Cpu | Group] = []

    def words(self, row: "Cpu | Group") -> str:
        """Return the cells; of a group what each CPU ran too, so that a search finds it."""
        own = super().words(row)
        ran = dict.fromkeys(member.comm or "" for member in row.members) if type(row) is Group else ()
        return "  ".join((own, *ran))

    def written(self, row: "Cpu | Group") -> str:
        """Return the cells alone."""
        return super().words(row)

    def take(self, cpus: "Sequence[Cpu]") -> None:
        """Show these CPUs."""
        self.cpus = list(cpus)
        self.groups = grouped(cpus) if len(cpus) > MANY else sorted(cpus, key=lambda row: row.state != "panic")
        self.lay_out(self.row)

    def lay_out(self, selected: "Cpu | Group | None") -> None:
        """Show groups, and the CPUs of those that are open; a filter is over all CPUs."""
        rows: list[Cpu | Group] = []
        for row in self.groups:
            if type(row) is not Group:
                rows.append(row)
                continue
            if not self.filter_text:
                rows.append(row)
            if self.filter_text or row.cpu in self.unfolded:
                rows.extend(row.members)
        at = next((at for at, row in enumerate(rows) if _same(row, selected)), None)
        if at is not None and self.touched:
            self.current = at
        self.set_columns(self.columns)
        self.set_rows(rows)

    def set_filter(self, text: str) -> None:
        """Show only CPUs that pass, with no groups."""
        before, selected = bool(self.filter_text), self.row
        super().set_filter(text)
        if before != bool(self.filter_text) and any(type(row) is Group for row in self.groups):
            self.lay_out(selected)

    def group_of(self, row: "Cpu | Group") -> Group | None:
        """Return the group that a row is, or stands in."""
        for one in self.groups:
            if type(one) is Group and (one is row or any(member is row for member in one.members)):
                return one
        return None

    def set_open(self, group: Group, is_open: bool, selected: "Cpu | Group | None") -> None:
        """Show a group's CPUs, or the group alone."""
        (self.unfolded.add if is_open else self.unfolded.discard)(group.cpu)
        self.touched = True
        self.lay_out(selected)

    def action_unfold(self) -> None:
        """Show the CPUs of the group."""
        if type(self.row) is Group:
            self.set_open(self.row, True, self.row)

    def action_fold(self) -> None:
        """Show the group alone."""
        group = self.group_of(self.row)
        if group is not None and not self.filter_text:
            self.set_open(group, False, group)


def _same(row: "Cpu | Group", other: "Cpu | Group | None") -> bool:
    return other is not None and type(row) is type(other) and row.cpu == other.cpu


class Cpus(Pane):
    """The list and the selected CPU's stack and registers."""

    NARROW = "under"
    SHARE = 55
    needs = ("cpus",)

    def make_main(self) -> Lines:
        """Return the list."""
        self._rows = 0  # for which the views were placed
        table = CpuTable(id="main-cpus")
        table.row_style = self._style
        return table

    @property
    def table(self) -> CpuTable:
        """The list, by its own type."""
        assert isinstance(self.main, CpuTable)
        return self.main

    def _style(self, row: "Cpu | Group") -> Style | None:
        return theme.BAD if row.state == "panic" else theme.DIM if row.state == "idle" or row.online is False else None

    def refill(self) -> None:
        """Take in rows; begin with the CPU that died."""
        feed = self.store.feed("cpus")
        self.main.note = feed.note
        if len(self.table.cpus) == len(feed.rows):
            self.main.refresh()
            return
        self.table.take(feed.rows)
        if self.wanted is None and self.store.verdict is not None and self.store.verdict.cpu is not None:
            self.wanted = Place("cpus", self.store.verdict.cpu)

    def followed(self) -> None:
        """Make room where a group opened; ask what the registers point at."""
        if self.main.row is not None and type(self.main.row) is not Group and self.main.row.registers:
            self.scope.ask("registers", self.main.row.cpu)
        if len(self.main.view.rows) != self._rows:
            self._rows = len(self.main.view.rows)
            self.place_views()

    def changed(self) -> None:
        """Make room for the rows."""
        super().changed()
        self.place_views()

    def row_key(self, row: "Cpu | Group") -> int | str | None:
        """Return the CPU's number; of a group that of its first with a sign."""
        cpu: int = row.cpu
        return f"+{cpu}" if type(row) is Group else cpu

    def row_of(self, key: int | str) -> int | None:
        """Return the row that a link means; the group in which it stands opens."""
        at = super().row_of(key)
        if at is None:
            table = self.table
            row = next((row for row in table.cpus if row.cpu == key), None)
            group = table.group_of(row) if row is not None else None
            if group is None:
                return None
            table.set_open(group, True, row)
            at = super().row_of(key)
        return at

    async def open_row(self, lines: Lines) -> None:
        """Open a group, or the selected CPU, or follow a link."""
        row = self.main.row
        if lines is self.main and type(row) is Group:
            self.table.set_open(row, row.cpu not in self.table.unfolded, row)
        else:
            await super().open_row(lines)

    def notes(self) -> list[str]:
        """Return the count."""
        rows = self.store.cpus
        return [plural(len(rows), "CPU")] if rows else []

    def detail_title(self) -> str:
        """Return the CPU's name."""
        row = self.main.row
        return f"CPUs {clean(row.comm)}" if type(row) is Group else f"CPU {row.cpu}" if row is not None else ""

    def detail(self, width: int) -> Sequence[Line]:
        """Return what it ran, the stack, the registers."""
        row = self.main.row
        if row is None:
            return empty(self.main.note, width)
        if type(row) is Group:
            return self._group_detail(row, width)
        verdict = self.store.verdict
        bad = row.state == "panic"
        state = WORDS.get(row.state, show("state", row.state)) if row.online is not False else "offline"
        comm = clean(row.comm or "")
        lines = [
            line(
                " ",
                (state, theme.BAD if bad else theme.PLAIN),
                " · ",
                (f"{show('int', row.pid)} {comm}", theme.LINK),
                link=Place("tasks", row.pid, True) if row.pid else None,
            ),
            BLANK,
            heading(" Stack"),
        ]
        culprit = verdict.symbol if bad and verdict is not None else None
        lines += stack_lines(row.frames or (), width, culprit) or empty("no frames", width)
        lines += [*words_line(row.frames), BLANK, heading(" Registers"), *self._registers(row, width)]
        return [*lines, *self.problem_lines("cpus", width)]

    def _registers(self, row: "Cpu | Group", width: int) -> list[Line]:
        """Return the registers: with what they point at where there is room, else that beneath them."""
        plain = reader("registers")(row)
        found = self.store.answer("registers", row.cpu)
        if found is None or not found.value:
            return register_lines(plain, width)
        if width >= DESCRIBED:
            return described_registers(found.value, all_of_them=True)
        pointing = described_registers(found.value, all_of_them=False)
        return [*register_lines(plain, width), *([BLANK, heading(" Pointing at"), *pointing] if pointing else ())]

    def _group_detail(self, group: Group, width: int) -> list[Line]:
        """Return the stack that the CPUs of a group share, and what each ran."""
        state = WORDS.get(group.state or "", show("state", group.state)) if group.online is not False else "offline"
        lines = [line(f" {plural(len(group.members), 'CPU')} · {state}, each with these functions on its stack"), BLANK]
        lines += [heading(" Stack"), *(stack_lines(group.frames, width) or empty("no frames", width))]
        lines += [BLANK, heading(" CPUs")]
        for row in group.members:
            words = f"{show('int', row.pid)} {clean(row.comm or '')}"
            lines.append(line("  ", (f"{row.cpu:>5}", theme.LINK), f"  {words}", link=Place("cpus", row.cpu, True)))
        return [*lines, *self.problem_lines("cpus", width)]


PANE = Cpus
