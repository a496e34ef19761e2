"""Code: a function's instructions as they stand in the dump, and what the one did at which a frame stands.

Beside or under them: the faulting instruction explained with its registers, the selected line in full, and where one
can go from here.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oopscope.commands.questions import Answer
from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, fit
from oopscope_tui.panes.asked import AskedText
from oopscope_tui.panes.details import field_line, meaning_link, meaning_parts
from oopscope_tui.places import Place
from oopscope_tui.widgets.textview import BLANK, Line, Part, heading, line, wrapped

if TYPE_CHECKING:
    from oopscope.inspect.code import CodeFound
    from oopscope.inspect.disassemble import Code as Decoded
    from oopscope.inspect.disassemble import Instruction
    from oopscope.inspect.meaning import Meaning

BYTES_FROM = 88  # cells from which a line has the instruction's bytes
ADDRESS_FROM = 112  # and from which its whole address
SHOWN_BYTES = 8


class Code(AskedText):
    """One function at a time."""

    BESIDE = True
    NARROW = "under"
    SHARE = 40
    QUESTION = "code"
    NOTHING = "no address: :dis NAME or ADDRESS"
    EVERY = True
    needs = ("cpus",)
    _marked: "CodeFound | None" = None  # the answer whose instruction was put in view

    @property
    def name(self) -> str:
        """The function, or the address."""
        found = self.found
        name = found.code.name if found is not None and found.code is not None else None
        if name is None:
            meaning = found.meaning if found is not None else None
            if meaning is not None and meaning.kind == "code":
                return clean(meaning.words)
            return clean(self.asked.partition("@")[0])
        past = found.address - found.code.start
        symbol = clean(name.symbol) + (f"+{past:#x}" if past else "")
        return symbol + (f" [{clean(name.module)}]" if name.module else "")

    def begin(self, same: bool) -> None:
        """Begin at the top, until it is known which instruction was asked for."""
        self._marked = None
        super().begin(same)

    def refill(self) -> None:
        """Make the text anew, and put the instruction in view that was asked for."""
        super().refill()
        self.place_views()  # short functions leave the room to the detail
        self.show_detail(anew=False)
        self.call_after_refresh(self._put_in_view)

    def _put_in_view(self) -> None:
        """Select the instruction that was asked for, once the views have their sizes."""
        found = self.found
        if found is None or found is self._marked or found.code is None or not self.main.size.height:
            return
        marked = _marked(found.address, found.code)
        at = next((n for n, one in enumerate(found.code.instructions) if one.address == marked), None)
        if at is not None and at < len(self.main.view.rows):
            self._marked = found
            self.main.select(at)

    @property
    def selected(self) -> "Instruction | None":
        """The instruction under the cursor: each is a line; None where there is none."""
        found, at = self.found, self.main.current
        lines = found.code.instructions if found is not None and found.code is not None else ()
        return lines[at] if at is not None and at < len(lines) else None

    def on_resize(self) -> None:
        """Before the first time nothing could be put in view."""
        self.call_after_refresh(self._put_in_view)

    def selected_link(self) -> Place | None:
        """Return what the selected instruction names; the detail, where it names nothing."""
        return self.text.link or Place(self.key, self.asked, True)

    # The instructions.

    def told(self, answer: Answer, width: int) -> list[Line]:
        """Return the instructions; where there are none, why, and what is there."""
        found = answer.value
        if found is None or found.code is None:
            why = answer.why if found is None else found.why
            lines = wrapped(f"no code: {why}", width, theme.DOUBT)
            return [*lines, *self._no_code(found)]
        if not found.code.instructions:
            return [*wrapped(found.code.why, width, theme.DOUBT), BLANK, *wrapped(f"Code: {found.code.line}", width)]
        marked = _marked(found.address, found.code)
        return [
            self._instruction(one, found, found.code, width, one.address == marked) for one in found.code.instructions
        ]

    def _no_code(self, found: "CodeFound | None") -> list[Line]:
        """Say what an address is that cannot be executed."""
        if found is None:
            return []
        parts = meaning_parts(found.meaning)
        return [line(f" {found.address:#x}  ", *parts, link=meaning_link(found.address, found.meaning))]

    def _instruction(self, one: "Instruction", found: "CodeFound", code: "Decoded", width: int, here: bool) -> Line:
        returns = here and found.context is None and found.sp
        sign = "►" if here else " "
        style = theme.BAD if here and not returns else theme.BOLD if here else theme.PLAIN
        past = one.address - code.start
        lead = f"{one.address:016x} +{past:#05x}" if width >= ADDRESS_FROM else f"+{past:#05x}"
        parts: list[Part] = [(f"{sign} ", style), (f"{lead}  ", theme.DIM)]
        if width >= BYTES_FROM:
            shown = one.code[:SHOWN_BYTES].hex(" ") + ("…" if len(one.code) > SHOWN_BYTES else "")
            parts.append((fit(shown, 3 * SHOWN_BYTES + 1), theme.DIM))
        parts.append((clean(one.text), style))
        note = one.note
        if returns:
            note = "the call returns here" if one.address == found.address else f"{note}, not to come back"
        if note:
            parts.append((f"  ; {clean(note)}", theme.LINK if one.target is not None and not returns else theme.DIM))
        return line(*parts, link=self._target(one, code))

    def _target(self, one: "Instruction", code: "Decoded") -> Place | None:
        if one.target is None or one.target < 1 << 32:
            return None
        if code.start <= one.target < code.end:
            return Place(self.key, f"{one.target:#x}")
        return Place("code" if one.text.startswith(("call", "j")) else "words", f"{one.target:#x}")

    # The detail.

    def detail_title(self) -> str:
        """Return what the detail is about."""
        found = self.found
        return "What it did" if found is not None and found.deed is not None else "About"

    def detail(self, width: int) -> Sequence[Line]:
        """Return what the instruction did, the function, the selected line, where to go."""
        found = self.found
        if found is None:
            return ()
        lines: list[Line] = [*self._deed(found, width)]
        if found.prototype:
            lines += wrapped(found.prototype, width, theme.BOLD)
        lines += self._ways(found)
        if found.code is not None and found.code.instructions:
            lines += [BLANK, *self._selected(width)]
            if found.code.why:
                lines += wrapped(found.code.why, width, theme.DOUBT)
            lines += [*wrapped(f"Code: {found.code.line}", width, theme.DIM)]
        return lines

    def _deed(self, found: "CodeFound", width: int) -> list[Line]:
        deed = found.deed
        if deed is None:
            return []
        bad = deed.note or any(_is_bad(access.meaning) for access in deed.accesses)
        lines = [line(" ", (deed.text, theme.BAD if bad else theme.BOLD))]
        for access in deed.accesses:
            size = f" {access.size} bytes at" if access.size else ""
            lines += wrapped(f"{access.verb}{size} {access.formula} = {access.address:#x}", width, first="   ")
            parts = meaning_parts(access.meaning)
            if parts:
                link = meaning_link(access.address, access.meaning)
                lines.append(line("     ", *parts, link=link))
        if deed.note:
            lines += wrapped(deed.note, width, theme.DOUBT, "   ", "   ")
        for name, value, meaning in deed.registers:
            link = meaning_link(value, meaning)
            lines.append(
                line("   ", (fit(clean(name), 4), theme.DIM), f"{value:016x}  ", *meaning_parts(meaning), link=link)
            )
        return [*lines, BLANK]

    def _selected(self, width: int) -> list[Line]:
        one = self.selected
        if one is None:
            return []
        lines = [heading(" Selected"), *field_line("Address", f"{one.address:#x}", width, 8)]
        lines += field_line("Bytes", one.code.hex(" "), width, 8)
        lines += field_line("Does", clean(one.text), width, 8)
        return lines + (field_line("Names", clean(one.note), width, 8) if one.note else [])

    def _ways(self, found: "CodeFound") -> list[Line]:
        """Return the links to the symbol, to the stack's words, to the bytes as words."""
        name = found.code.name if found.code is not None else None
        lines: list[Line] = []
        if name is not None:
            lines.append(line(" ", ("who is in it", theme.LINK), link=Place("symbol", name.symbol)))
        if found.sp:
            lines.append(line(" ", ("the stack's words", theme.LINK), link=Place("words", f"{found.sp:#x}")))
        return lines


def _marked(address: int, code: "Decoded") -> int:
    """Return the instruction of a frame: of a call that is its function's last, and never returns, the call."""
    before = [one.address for one in code.instructions if one.address <= address]
    return before[-1] if before else 0


def _is_bad(meaning: "Meaning | None") -> bool:
    """Tell whether what was used as an address is none, or leads where nothing is mapped."""
    if meaning is None:
        return False
    return meaning.kind in ("null", "error", "poison", "nothing") or "not mapped" in meaning.why


PANE = Code
