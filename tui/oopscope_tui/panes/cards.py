"""A card's sections as lines of the screen: facts, rows and text, each leading where its link says."""

from collections.abc import Iterable, Sequence

from oopscope.kernel.fact import Fact, Link
from oopscope.subsystems import Column
from oopscope.subsystems.cards import Facts, Frames, Rows, Section
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit
from oopscope_tui.look.values import RIGHT, show
from oopscope_tui.panes import place_of
from oopscope_tui.panes.details import field_line, stack_lines
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import Line, Part, line, wrapped

HEAD = 7  # cells of a sum before its parts


def led_to(link: Link | None) -> Place | None:
    """Return the place that a link means."""
    if link is None:
        return None
    key = link.key
    if link.kind == "symbol" and isinstance(key, str):
        key = key.partition(" [")[0].partition("+")[0]
    return place_of(link.kind, key)


def facts_lines(facts: Iterable[Fact], width: int, room: int) -> list[Line]:
    """Return facts as `title  value` lines; lists that are empty are not told."""
    lines: list[Line] = []
    for fact in facts:
        if fact.value != ():
            style = theme.DIM if fact.value is None and not fact.parts else None
            lines += field_line(clean(fact.title), fact_words(fact), width, room, led_to(fact.link), style)
    return lines


def fact_words(fact: Fact) -> str:
    """Return a fact's value with its parts: `3.0M   anonymous 1.0M, files 2.0M`; why, where it is not there."""
    if fact.value is None and fact.why:
        return clean(fact.why)
    own = show(fact.kind, fact.value) if fact.value is not None or not fact.parts else ""
    told = [part for part in fact.parts if fact.kind != "bytes" or part.value]
    parts = ", ".join(f"{clean(part.title)} {show(part.kind, part.value)}" for part in told)
    mark = "" if fact.sure else " ?"
    if fact.kind == "bytes":
        return (fit(own, HEAD) + parts if parts else own) + mark
    return ", ".join(part for part in (own, parts) if part) + mark


def section_lines(section: Section, width: int, room: int) -> list[Line]:
    """Return a section without its heading, and what it lacks."""
    lines: list[Line] = []
    if isinstance(section, Facts):
        lines += facts_lines(section.facts, width, room)
    elif isinstance(section, Rows):
        lines += rows_lines(section)
    elif isinstance(section, Frames):
        lines += stack_lines(section.frames, width)
    else:
        for text in section.lines:
            lines += wrapped(text, width)
    return lines + (wrapped(section.why, width, theme.DOUBT, "  ! ", "    ") if section.why else [])


def rows_lines(section: Rows, most: int = 1000) -> list[Line]:
    """Return rows, columns aligned; those that are empty throughout are left out."""
    rows = section.rows[:most]
    kept = [column for column in section.columns if any(getattr(row, column.key) not in (None, "") for row in rows)]
    table = [[show(c.kind, getattr(row, c.key)) for c in kept] for row in rows]
    widths = [max((cells(row[at]) for row in table), default=0) for at in range(len(kept))]
    lines = [
        line(*_cells(row, kept, widths, link is not None), link=led_to(link))
        for row, link in zip(table, _links(section.links, len(rows)), strict=True)
    ]
    left = len(section.rows) - len(rows)
    return [*lines, line("   ", (f"and {left:,} more", theme.DIM))] if left else lines


def _cells(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int], leads: bool) -> list[Part]:
    parts: list[Part] = [("  ", theme.PLAIN)]
    for at, (text, column, width) in enumerate(zip(row, columns, widths, strict=True)):
        last = at == len(row) - 1
        style = theme.LINK if leads and last else theme.PLAIN
        parts.append((" " + (text if last else fit(text, width, column.kind in RIGHT) + " "), style))
    return parts


def _links(links: Sequence[Link | None], count: int) -> Sequence[Link | None]:
    return [*links[:count], *[None] * (count - len(links))]
