"""Pieces of text that several panes show: a row's fields, a stack, registers, what could not be read."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.style import Style

from oopscope_tui import theme
from oopscope_tui.places import Place
from oopscope_tui.text import ABSENT, cells, clean, fit
from oopscope_tui.values import show
from oopscope_tui.widgets.textview import BLANK, Line, line, wrapped

# Which field leads where.
LINKS = {"pid": "tasks", "ppid": "tasks", "tgid": "tasks", "cpu": "cpus", "module": "modules", "wait": "symbol",
         "symbol": "symbol", "owner": "tasks"}  # fmt: skip
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


def field_lines(columns: Sequence[Any], row: Any, width: int, skip: Sequence[str] = ()) -> list[Line]:
    """Return a row as `title  value` lines, each wrapped; PIDs, CPUs, modules and symbols are links."""
    shown = [column for column in columns if column.key not in skip and column.kind not in ("frames", "registers")]
    room = min(18, max((cells(clean(column.title)) for column in shown), default=0))
    lines: list[Line] = []
    for column in shown:
        value = getattr(row, column.key, None)
        lines += field_line(clean(column.title), show(column.kind, value), width, room, link_of(column.key, value))
    return lines


def link_of(key: str, value: Any) -> Place | None:
    """Return where a field's value leads."""
    if key not in LINKS or value is None or not isinstance(value, (int, str)) or value == "":
        return None
    return Place(LINKS[key], value.partition("+")[0] if isinstance(value, str) else value, LINKS[key] != "symbol")


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


def stack_lines(frames: Sequence[Any], width: int, culprit: str | None = None, addresses: bool = True) -> list[Line]:
    """Return a stack, innermost first: boundaries named, guesses marked `?`, the culprit in red."""
    lines: list[Line] = []
    before = None
    addresses = addresses and width >= 64
    for frame in frames[:MOST_FRAMES]:
        if frame.kind != before and (before is not None or frame.kind not in ("task", "syscall")):
            lines.append(line("  ", (f"── {ENTRY.get(frame.kind, frame.kind)} ", theme.DIM)))
        before = frame.kind
        lines.append(frame_line(frame, culprit, addresses))
    if len(frames) > MOST_FRAMES:
        lines.append(line("  ", (f"{len(frames) - MOST_FRAMES:,} more frames", theme.DIM)))
    return lines


def frame_line(frame: Any, culprit: str | None, addresses: bool) -> Line:
    """Return one frame."""
    name = f"{frame.symbol}+{frame.offset or 0:#x}" if frame.symbol else f"{frame.address:#x}"
    if addresses and not frame.symbol:
        name = "user code" if frame.kind == "user" else "no symbol"
    guilty = culprit is not None and culprit in (name, frame.symbol)
    style = theme.BAD if guilty else theme.PLAIN if frame.reliable and frame.symbol else theme.DIM
    sign = "►" if guilty else " " if frame.reliable else "?"
    parts: list[Any] = [f" {sign} ", (name, style)]
    if frame.module:
        parts.append((f" [{frame.module}]", style if guilty else theme.LINK if frame.reliable else theme.DIM))
    if addresses:
        parts.insert(1, (f"{frame.address:016x}  ", theme.DIM))
    link = Place("symbol", frame.symbol) if frame.symbol else None
    return line(*parts, link=link, copy=str(frame))


def register_lines(registers: Mapping[str, int] | None, width: int) -> list[Line]:
    """Return registers in as many columns as fit."""
    if not registers:
        return [line("  ", (ABSENT, theme.DIM))]
    name_room = min(12, max(cells(clean(name)) for name in registers))
    cell = name_room + 1 + 16 + 2
    columns = max(1, (width - 2) // cell)
    known = [name for name in FIRST if name in registers]
    items = [(name, registers[name]) for name in (*known, *(name for name in registers if name not in FIRST))][:256]
    lines: list[Line] = []
    for at in range(0, len(items), columns):
        parts: list[Any] = ["  "]
        for name, value in items[at : at + columns]:
            parts += [(fit(clean(name), name_room, True), theme.DIM), f" {value:016x}  "]
        lines.append(line(*parts))
    return lines


def problem_lines(problems: Sequence[Any], section: str, width: int, most: int = 20) -> list[Line]:
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
