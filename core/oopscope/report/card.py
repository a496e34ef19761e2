"""A card as data, as text and as Markdown: one thing in detail, in the same cells as the tables."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from oopscope.kernel.fact import Fact, flat
from oopscope.kernel.kinds import ABSENT
from oopscope.report.cells import cell, printable
from oopscope.report.frames import frame_lines
from oopscope.report.rows import grid
from oopscope.report.values import frame, row, value
from oopscope.subsystems import Column
from oopscope.subsystems.cards import Card, Facts, Frames, Rows, Section

NAME = 18  # columns before a fact's value
WIDTH = 100
SURE = "sure"  # the column that says whether another's words are a guess: in text a mark at those words


def card_data(card: Card) -> dict[str, Any]:
    """Return a card as JSON's types: sections by key; what could not be read is null, or said in `problems`."""
    found: dict[str, Any] = {"kind": card.kind, "name": card.name}
    for section in card.sections:
        found[section.key] = section_data(section)
    found["complete"] = card.complete
    found["problems"] = [{"section": one.key, "message": one.why} for one in card.sections if one.why]
    return found


def section_data(section: Section) -> Any:
    """Return one section: facts as an object, rows and frames as lists, text as a string."""
    if isinstance(section, Facts):
        return {key: value(fact.value, fact.kind) for key, fact in flat(section.facts).items()} or None
    if isinstance(section, Rows):
        return [row(section.columns, one) for one in section.rows]
    if isinstance(section, Frames):
        return [frame(one) for one in section.frames]
    return "\n".join(section.lines)


def card_text(card: Card) -> str:
    """Return a card for a person."""
    parts = [f"{card.title}  {printable(card.name)}\n"]
    for section in card.sections:
        head = "" if section.title == card.title else f"{_title(section)}\n"
        parts.append(head + section_text(section))
    return "\n".join(part for part in parts if part)


def _title(section: Section) -> str:
    shown = len(section.rows) if isinstance(section, Rows) else 0
    if isinstance(section, Rows) and section.count not in (None, shown):
        return f"{printable(section.title)} ({shown:,} of {section.count:,})"
    return printable(section.title)


def section_text(section: Section) -> str:
    """Return one section's lines, indented, with what it lacks."""
    lines = list(_lines(section))
    if section.why:
        lines += textwrap.wrap(printable(section.why), WIDTH, initial_indent="  ! ", subsequent_indent="    ")
    return "".join(f"{line}\n" for line in lines) or "  none\n"


def _lines(section: Section) -> Iterator[str]:
    if isinstance(section, Facts):
        for fact in section.facts:
            if fact.value != ():
                yield from textwrap.wrap(
                    fact_text(fact) or ABSENT, WIDTH, initial_indent=f"  {printable(fact.title):<{NAME - 2}}",
                    subsequent_indent=" " * NAME, break_long_words=False, break_on_hyphens=False,
                )  # fmt: skip
    elif isinstance(section, Rows):
        yield from (f"  {line}" for line in rows_text(section).splitlines())
    elif isinstance(section, Frames):
        yield from (f"  {line}" for line in frame_lines(section.frames))
    else:
        yield from (f"  {printable(line)}" for line in section.lines)


def fact_text(fact: Fact) -> str:
    """Return a fact's value with its parts, a guess marked; why, where it is not there."""
    words = [] if fact.value is None and (fact.parts or fact.why) else [cell(fact.value, fact.kind)]
    if fact.value is None and fact.why:
        words.append(f"({printable(fact.why)})")
    words += [f"{printable(part.title)} {cell(part.value, part.kind)}" for part in fact.parts]
    return ", ".join(words) + ("" if fact.sure else " ?")


def rows_text(section: Rows) -> str:
    """Return rows as a grid, without columns that are empty throughout; guesses marked where `sure` says so."""
    kept = [c for c in section.columns if c.key != SURE and any(_told(getattr(r, c.key)) for r in section.rows)]
    if not section.rows:
        return ""
    if any(c.key == SURE for c in section.columns):
        return grid(kept, [_Marked(one) for one in section.rows])
    return grid(kept, section.rows)


def _told(found: object) -> bool:
    return found not in (None, "", False)


class _Marked:
    """A row whose meaning carries a mark where it is a guess."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._row, name)
        return f"{found} ?" if name == "meaning" and found and self._row.sure is False else found


class FactRow(NamedTuple):
    """A fact as a row, of a card that has no rows of its own."""

    name: str
    value: object


FACTS = Column("name", "Name"), Column("value", "Value")


def columns_of(card: Card) -> tuple[Column, ...]:
    """Return the columns of a card's last rows, or those of facts: what CSV has of it."""
    return next((one.columns for one in reversed(card.sections) if isinstance(one, Rows)), FACTS)


def rows_section(card: Card) -> Sequence[Any]:
    """Return the rows of those columns."""
    found = next((one.rows for one in reversed(card.sections) if isinstance(one, Rows)), None)
    if found is not None:
        return found
    facts = [flat(section.facts) for section in card.sections if isinstance(section, Facts)]
    return [FactRow(key, value(fact.value, fact.kind)) for some in facts for key, fact in some.items()]
