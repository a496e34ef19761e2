"""Pieces of text that several panes show: a row's fields, a stack, registers, what could not be read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from rich.style import Style

from oopscope_tui.look import theme
from oopscope_tui.look.text import ABSENT, cells, clean, fit
from oopscope_tui.look.values import show
from oopscope_tui.panes import place_of
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import BLANK, Line, Part, line, wrapped

if TYPE_CHECKING:
    from oopscope.inspect.meaning import Meaning
    from oopscope.kernel.frame import Frame
    from oopscope.kernel.problems import Problem
    from oopscope_tui.reading.rows import Register

ENTRY = {
    "irq": "interrupt", "softirq": "soft interrupt", "nmi": "NMI", "exception": "exception", "syscall": "system call",
    "user": "user mode", "task": "task",
}  # fmt: skip
MOST_FRAMES = 500
# Registers in the order of an oops; others follow as they come.
FIRST = (
    "rip", "pc", "psw_addr", "nip", "eip", "rsp", "sp", "esp", "eflags", "rflags", "rax", "rbx", "rcx", "rdx", "rsi",
    "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cr2", "cr3",
)  # fmt: skip


class Named(Protocol):
    """A column, as far as it says what its values name."""

    @property
    def kind(self) -> str:
        """How a value is shown."""

    @property
    def names(self) -> str:
        """The thing that a value names."""


class Titled(Named, Protocol):
    """A column, as far as a row's fields are told."""

    @property
    def key(self) -> str:
        """The row's attribute."""

    @property
    def title(self) -> str:
        """Its heading."""


def field_lines(columns: Sequence[Titled], row: object, width: int, skip: Sequence[str] = ()) -> list[Line]:
    """Return a row as `title  value` lines, each wrapped; PIDs, CPUs, modules and symbols are links."""
    shown = [column for column in columns if column.key not in skip and column.kind not in ("frames", "registers")]
    room = min(18, max((cells(clean(column.title)) for column in shown), default=0))
    lines: list[Line] = []
    for column in shown:
        value = getattr(row, column.key, None)
        lines += field_line(clean(column.title), show(column.kind, value), width, room, leads(column, value))
    return lines


def leads(column: Named, value: object) -> Place | None:
    """Return where a column's value leads: to what it names, an address to its struct, else to the words there."""
    if value is None or not isinstance(value, (int, str)) or value == "":
        return None
    if column.kind == "address":
        if not isinstance(value, int) or not value:
            return None
        kind, _, struct = column.names.partition(" ")
        return Place("struct", f"{struct}@{value:#x}") if kind == "struct" else Place("words", f"{value:#x}")
    name = value.partition(" [")[0].partition("+")[0] if isinstance(value, str) else value
    return place_of(column.names or (column.kind if column.kind == "symbol" else ""), name)


def field_line(
    title: str, text: str, width: int, room: int, link: Place | None = None, style: Style | None = None
) -> list[Line]:
    """Return one `title  value`."""
    if style is None:
        style = theme.DIM if text == ABSENT else theme.LINK if link is not None else theme.PLAIN
    lead = f" {fit(title, room)}  "
    lines = wrapped(text, width, style, lead, " " * cells(lead), link)
    (_, _), value = lines[0].parts
    return [lines[0]._replace(parts=((lead, theme.DIM), value), copy=text), *lines[1:]]


def stack_lines(
    frames: Sequence["Frame"], width: int, culprit: str | None = None, addresses: bool = True, most: int = MOST_FRAMES
) -> list[Line]:
    """Return a stack, innermost first: boundaries named, guesses marked `?`, the culprit red, recursions told once."""
    from oopscope.report.recursion import again, folded

    lines: list[Line] = []
    before = None
    addresses = addresses and width >= 64
    left = len(frames)
    for same, times in folded(
        frames, lambda frame: (frame.address, frame.symbol, frame.offset, frame.kind, frame.reliable)
    ):
        if len(lines) >= most:
            lines.append(line("   ", (f"{left:,} more frames", theme.DIM)))
            break
        for frame in same:
            if frame.kind != before and (before is not None or frame.kind not in ("task", "syscall")):
                lines.append(line("  ", (f"── {ENTRY.get(frame.kind, frame.kind)} ", theme.DIM)))
            before = frame.kind
            lines.append(frame_line(frame, culprit, addresses))
        if times > 1:
            lines.append(line("   ", (again(same, times), theme.DIM)))
        left -= len(same) * times
    return lines


def words_line(frames: "Sequence[Frame] | None") -> list[Line]:
    """Return the link to the words of a stack; nothing where it is not known where they are."""
    sp = next((frame.sp for frame in frames or () if frame.sp and frame.kind != "user"), 0)
    return [line("   ", ("the stack's words", theme.LINK), link=Place("words", f"{sp:#x}"))] if sp else []


def frame_link(frame: "Frame") -> Place | None:
    """Return the code of a frame, with the stack pointer by which its registers are found; None for user code."""
    if frame.kind == "user":
        return None
    return Place("code", f"{frame.address:#x}@{frame.sp:#x}" if frame.sp else f"{frame.address:#x}")


def frame_line(frame: "Frame", culprit: str | None, addresses: bool) -> Line:
    """Return one frame."""
    name = f"{frame.symbol}+{frame.offset or 0:#x}" if frame.symbol else f"{frame.address:#x}"
    if addresses and not frame.symbol:
        name = "user code" if frame.kind == "user" else "no symbol"
    guilty = culprit is not None and culprit in (name, frame.symbol)
    style = theme.BAD if guilty else theme.PLAIN if frame.reliable and frame.symbol else theme.DIM
    sign = "►" if guilty else " " if frame.reliable else "?"
    parts: list[str | Part] = [f" {sign} ", (name, style)]
    if frame.module:
        parts.append((f" [{frame.module}]", style if guilty else theme.LINK if frame.reliable else theme.DIM))
    if addresses:
        parts.insert(1, (f"{frame.address:016x}  ", theme.DIM))
    return line(*parts, link=frame_link(frame), copy=str(frame))


def register_lines(registers: Mapping[str, int] | None, width: int) -> list[Line]:
    """Return registers in as many columns as fit."""
    if not registers:
        return [line("  ", (ABSENT, theme.DIM))]
    items = [(name, registers[name]) for name in register_order(registers)]
    room = min(12, max(cells(clean(name)) for name in registers))
    digits = 16 if max(registers.values()) >> 32 else 8
    columns = max(1, (width - 2) // (room + 1 + digits + 2))
    lines: list[Line] = []
    for at in range(0, len(items), columns):
        parts: list[str | Part] = ["  "]
        for name, value in items[at : at + columns]:
            parts += [(fit(clean(name), room, True), theme.DIM), f" {value:0{digits}x}  "]
        lines.append(line(*parts))
    return lines


def register_order(names: Iterable[str]) -> list[str]:
    """Return names of registers in the order of an oops; others follow as they come."""
    names = list(names)
    return [*(name for name in FIRST if name in names), *(name for name in names if name not in FIRST)][:256]


def described_registers(found: "Sequence[Register]", all_of_them: bool) -> list[Line]:
    """Return registers one a line with what they point at; not all: only those that point at something."""
    by_name = {register.name: register for register in found}
    lines: list[Line] = []
    for name in register_order(by_name):
        register = by_name[name]
        if all_of_them or (register.meaning is not None and register.meaning.kind not in ("null", "error", "nothing")):
            lead = (fit(clean(name), 8, True), theme.DIM)
            lines.append(line(" ", lead, f" {register.value:016x}  ", *meaning_parts(register.meaning),
                              link=meaning_link(register.value, register.meaning)))  # fmt: skip
    return lines


def meaning_parts(meaning: "Meaning | None") -> list[Part]:
    """Return what a number means as parts of a line: guesses dim and with a question mark, why it cannot be read."""
    if meaning is None:
        return []
    style = theme.DIM if not meaning.sure or meaning.kind in ("null", "nothing", "user") else theme.PLAIN
    if meaning.kind in ("poison", "error") and meaning.sure:
        style = theme.DOUBT
    parts = [(clean(meaning.words) + ("" if meaning.sure else " ?"), style)]
    return [*parts, (f"  ! {clean(meaning.why)}", theme.DIM)] if meaning.why else parts


def meaning_link(value: int, meaning: "Meaning | None") -> Place | None:
    """Return where a number that is an address leads: code, a task, a struct, else the words that lie there."""
    if meaning is None or meaning.kind in ("null", "error", "poison", "ascii", "nothing", "user"):
        return None
    if meaning.kind == "code":
        return Place("code", f"{value:#x}")
    if meaning.kind == "task" and meaning.pid:
        return Place("tasks", meaning.pid, True)
    if meaning.struct is not None:
        return Place("struct", f"{meaning.struct[0]}@{meaning.struct[1]:#x}")
    return Place("words", f"{value:#x}")


def problem_lines(problems: Sequence["Problem"], section: str, width: int, most: int = 20) -> list[Line]:
    """Return what could not be read of a section."""
    own = [problem for problem in problems if problem.section == section]
    if not own:
        return []
    lines = [BLANK, line((" Could not be read", theme.DOUBT))]
    for problem in own[:most]:
        lines += wrapped(problem.message, width, theme.DIM, "  ! ", "    ")
    if len(own) > most:
        lines.append(line("    ", (f"and {len(own) - most:,} more: see Problems", theme.DIM)))
    return lines
