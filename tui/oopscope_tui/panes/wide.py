"""What a wide and high Overview shows beside the verdict: the code with its registers, the CPUs, memory as a bar."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oopscope.commands.questions import Answer
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit
from oopscope_tui.look.values import human_bytes
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import BLANK, Line, heading, line

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Counter, Cpu, Frame

BEFORE, AFTER = 3, 5  # instructions about the one that matters
CPUS = 3  # that are told where the screen is no higher than needed
FULL, EMPTY = "█", "░"


def code_key(frames: "Sequence[Frame]", symbol: str | None) -> str:
    """Return what is asked for the code of the frame that the verdict names, of the first one where it names none."""
    name = (symbol or "").partition("+")[0]
    found = next((frame for frame in frames if frame.symbol and frame.symbol == name), None)
    if found is None and not name:
        found = next((frame for frame in frames if frame.symbol and frame.kind != "user"), None)
    if found is None:  # what another CPU or the panic itself ran explains nothing
        return ""
    return f"{found.address:#x}@{found.sp:#x}" if found.sp else f"{found.address:#x}"


def code_lines(answer: Answer | None, key: str, width: int) -> list[Line]:
    """Return the instructions about the one at which it died, and the registers that it used."""
    found = answer.value if answer is not None else None
    if found is None or found.code is None or not found.code.instructions:
        return []
    rows = found.code.instructions
    at = max((n for n, one in enumerate(rows) if one.address <= found.address), default=0)
    lines = [line((" Code", theme.TITLE), link=Place("code", key))]
    for n in range(max(0, at - BEFORE), min(len(rows), at + AFTER)):
        here = n == at
        past = rows[n].address - found.code.start
        note = f"  {clean(rows[n].note)}" if rows[n].note else ""
        text = fit(f"{clean(rows[n].text)}{note}", max(8, width - 11))
        style = theme.BAD if here else theme.PLAIN
        lines.append(line((f" {'►' if here else ' '} {f'+{past:#x}':>6} ", theme.DIM), (text.rstrip(), style)))
    for name, value, meaning in (found.deed.registers if found.deed is not None else ())[:4]:
        words = str(meaning) if meaning is not None else f"{value:#x}"
        lines.append(line(f"   {name:>7} ", (fit(clean(words), max(8, width - 12)).rstrip(), theme.DOUBT)))
    return [*lines, BLANK]


def cpu_lines(rows: "Sequence[Cpu]", width: int, most: int = CPUS) -> list[Line]:
    """Return what each CPU did."""
    from oopscope.stacks.standing import stood_in  # not needed for the first paint

    lines = [heading(" CPUs")] if rows else []
    order = sorted(rows, key=lambda row: (row.state != "panic", row.cpu))
    named = max((cells(clean(row.comm or "")) for row in order[:most]), default=0)
    for row in order[:most]:
        stood = stood_in(row.frames or ())
        top = stood.symbol or "" if stood is not None else ""
        bad = row.state == "panic"
        who = f"{row.pid if row.pid is not None else '?':>6} {fit(clean(row.comm or ''), named)}  "
        sign = "✗" if bad else "·"
        parts = (f" {sign} {row.cpu:>3} ", theme.BAD if bad else theme.DIM), f"{fit(row.state or '?', 8)}{who}"
        lines.append(
            line(
                *parts,
                (fit(clean(top), max(4, width - 25 - named)).rstrip(), theme.DIM),
                link=Place("cpus", row.cpu, True),
            )
        )
    if len(order) > most:
        lines.append(line("   ", (f"and {len(order) - most:,} more", theme.DIM), link=Place("cpus")))
    return [*lines, BLANK] if lines else []


def memory_lines(rows: "Sequence[Counter]", width: int) -> list[Line]:
    """Return memory as a bar: what is used, what could be had."""
    values = {row.name: row.bytes for row in rows}
    total, available, free = (values.get(name) for name in ("MemTotal", "MemAvailable", "MemFree"))
    if not total or available is None:
        return []
    room = max(10, min(40, width - 30))
    used = round(room * (total - available) / total)
    bar = FULL * used + EMPTY * (room - used)
    told = f" {human_bytes(available)} of {human_bytes(total)} available"
    style = theme.BAD if available * 20 < total else theme.PLAIN
    lines = [heading(" Memory"), line("   ", (bar, style), (told, theme.PLAIN), link=Place("memory"))]
    slab, anon, cached = (values.get(name) for name in ("Slab", "AnonPages", "Cached"))
    shares = (("free", free), ("programs", anon), ("page cache", cached), ("slabs", slab))
    known = ", ".join(f"{name} {human_bytes(value)}" for name, value in shares if value is not None)
    return [*lines, line("   ", (fit(known, max(8, width - 4)).rstrip(), theme.DIM)), BLANK]
