"""Struct: a type's members with offset and C type and, at an address, their values; pointers and what lies inside open.

Enter on a pointer goes to the struct that it points to, on a struct inside to that, Esc comes back.
"""

from typing import TYPE_CHECKING

from oopscope.commands.questions import Answer
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, crop, fit
from oopscope_tui.panes.asked import AskedText
from oopscope_tui.panes.details import meaning_link, meaning_parts
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import Line, Part, line, wrapped

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Member, StructFound

LEAD = 9  # cells before a member's type


class Struct(AskedText):
    """One struct at a time."""

    QUESTION = "struct"
    NOTHING = "no type: :struct task_struct, or with an address behind it"
    EVERY = True

    @property
    def name(self) -> str:
        """The type, and the address."""
        return clean(self.asked.replace("@", " "))

    def notes(self) -> list[str]:
        """Return the size, and what is at the address."""
        found = self.found
        if found is None or found.like:
            return []
        there = f"{found.meaning}" if found.meaning is not None else ""
        return [f"{found.size:,} bytes", *([clean(there)] if there else [])]

    def begin(self, same: bool) -> None:
        """Begin another struct at the top; the same one stays where it is."""
        if not same:
            super().begin(same)
            self.main.touched = False

    def selected_link(self) -> Place | None:
        """Return where the selected member leads."""
        return self.text.link

    def told(self, answer: Answer, width: int) -> list[Line]:
        """Return the members, or the types of like names."""
        if answer.value is None:
            return wrapped(answer.why, width, theme.DOUBT)
        found = answer.value
        if found.like:
            return self._like(found)
        longest = max((len(row.item.declaration) for row in found.rows), default=0)
        room = min(longest, width // 2 - LEAD if found.address is not None else width - LEAD)
        return [*self._definitions(found), *(self._member(row, found, room) for row in found.rows)]

    def _definitions(self, found: "StructFound") -> list[Line]:
        """Return the structs of this name, where there are several: none of them can be known to be meant."""
        if not found.definitions:
            return []
        parts: list[str | Part] = [(f" {len(found.definitions)} structs are called so; the others:", theme.DOUBT)]
        lines = [line(*parts)]
        for one in found.definitions:
            if not one.shown:
                said = f"   {clean(one.key)}  {one.size:,} bytes"
                lines.append(line((said, theme.LINK), link=Place(self.key, f"{one.key}{self._at()}")))
        return lines

    def _like(self, found: "StructFound") -> list[Line]:
        """Return the types whose names are like that of one that does not exist."""
        links = [Place(self.key, f"{name}{self._at()}") for name in found.like]
        return [
            line((f" no type {clean(found.name)}; there are", theme.DOUBT)),
            *(line("   ", (clean(name), theme.LINK), link=link) for name, link in zip(found.like, links, strict=True)),
        ]

    def _member(self, row: "Member", found: "StructFound", room: int) -> Line:
        item, member = row.item, row.item.member
        link = self._link(row, found)
        sign = "+" if member.kind in ("struct", "union") else " "
        parts: list[str | Part] = [(f"{member.offset:>6} {sign} ", theme.DIM), _declared(clean(item.declaration), room)]
        if item.why:
            parts.append((f"  ! {clean(item.why)}", theme.DOUBT))
        elif item.text is not None:
            dull = item.number == 0 or item.text == "{…}"
            style = theme.DIM if dull else theme.LINK if member.kind == "ptr" and link is not None else theme.PLAIN
            parts.append((f"  {clean(item.text)}", style))
            if row.meaning is not None and row.meaning.kind != "null":
                parts += ["  ", *meaning_parts(row.meaning)]
        return line(*parts, link=link)

    def _link(self, row: "Member", found: "StructFound") -> Place | None:
        item, member = row.item, row.item.member
        inside = member.kind in ("struct", "union") or member.element_kind in ("struct", "union")
        if inside and member.size:
            return Place(self.key, f"{self._type}.{member.name}{self._at()}")
        if member.kind == "ptr" and item.number:
            code = row.meaning is not None and row.meaning.kind in ("code", "error", "poison", "null")
            if item.target is not None and not code:
                return Place(self.key, f"{item.target}@{item.number:#x}")
            return meaning_link(item.number, row.meaning)
        if member.kind == "ptr" and item.target is not None and found.address is None:
            return Place(self.key, item.target)
        return None

    @property
    def _type(self) -> str:
        return self.asked.partition("@")[0]

    def _at(self) -> str:
        """Return the address as it was asked: that of the outer struct."""
        return "".join(self.asked.partition("@")[1:])


def _declared(text: str, room: int) -> str:
    """Return a declaration in so many cells; of a long one the end, where the name is."""
    size = cells(text)
    return fit(text, room) if size <= room else "…" + crop(text, size - room + 1, room - 1)


PANE = Struct
