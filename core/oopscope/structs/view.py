"""One struct by hand: each member with its offset, its type as C spells it and, at an address, its value.

For exploring and for the screen's type browser; walks use plans, which are ten times as fast. A member that lies on a
page that is not there is unreadable by itself, the others are shown.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from oopscope.decode import decoded
from oopscope.errors import NoMember, OopscopeError
from oopscope.structs.layout import Layout, Member, member_of
from oopscope.symbols.btf import ENUMS
from oopscope.symbols.btf_table import FWD, INT, PTR, STRUCT, UNION

if TYPE_CHECKING:
    from oopscope.memory.virtual import Memory
    from oopscope.structs.layout import Types
    from oopscope.symbols.btf import Btf

MAX_MEMBERS = 4096
FIRST = 8  # elements of an array in its line
INLINE = 4  # members of a struct in its line
MAX_DEPTH = 8  # of structs inside each other in one line
MAX_TEXT = 256


class Item(NamedTuple):
    """One member of a struct. Without an address, or where it cannot be read, number and text are None."""

    member: Member
    declaration: str  # "struct list_head tasks", "unsigned int frozen : 1"
    number: int | None = None  # of a number, an enumerator, a pointer
    text: str | None = None  # the value in words
    target: str | None = None  # the struct that a pointer leads to
    why: str = ""  # why it could not be read


class View:
    """A struct at an address, or (None) its layout alone. Made by `view`."""

    def __init__(
        self, memory: "Memory", btf: "Btf", layout: Layout, name: str, address: int | None, depth: int = 0
    ) -> None:
        self.name, self.layout, self.address = name, layout, address
        self._memory, self._btf, self._depth = memory, btf, depth

    @property
    def size(self) -> int:
        """The struct's size in bytes."""
        return self.layout.size

    def __getitem__(self, path: str) -> Any:
        """Return a member's value: a number, bytes of a char array, numbers of another, a View of a struct."""
        return self._value(self.layout.member(path))

    def __getattr__(self, name: str) -> Any:
        """Return a member's value by its name."""
        try:
            return self[name]
        except NoMember as e:
            raise AttributeError(str(e)) from None

    def _value(self, member: Member) -> Any:
        if member.kind in ("struct", "union"):
            return self._inside(member)
        if self.address is None:
            raise ValueError(f"{self.name} has no address")
        raw = self._memory.read(self.address + member.offset, member.size)
        if member.kind != "array":
            return self._number(raw, member)
        if member.element_size == 1:
            return raw
        each = member.element_size
        return tuple(self._integer(raw[at : at + each], member.element_kind) for at in range(0, len(raw), each or 1))

    def _inside(self, member: Member) -> "View":
        name = f"{self.name}.{member.name}"
        address = None if self.address is None else self.address + member.offset
        return View(self._memory, self._btf, Layout(self._btf, name, member.type), name, address, self._depth + 1)

    def _number(self, raw: bytes, member: Member) -> int:
        if not member.bit_size:
            return self._integer(raw, member.kind)
        value = self._integer(raw, "uint") >> member.bit_offset & (1 << member.bit_size) - 1
        signed = member.kind == "int" and value >> member.bit_size - 1
        return value - (1 << member.bit_size) if signed else value

    def _integer(self, raw: bytes, kind: str) -> int:
        return int.from_bytes(raw, "little" if self._btf.endian == "<" else "big", signed=kind in ("int", "enum"))

    # As lines.

    def items(self) -> list[Item]:
        """Return the members in their order, those of anonymous structs and unions included."""
        fields = self._btf.fields(self._btf.strip(self.layout.type))
        return [self._item(member_of(self._btf, field)) for field in fields[:MAX_MEMBERS]]

    def _item(self, member: Member) -> Item:
        bits = f" : {member.bit_size}" if member.bit_size else ""
        item = Item(member, self._btf.type_name(member.type, member.name) + bits, target=self.target(member))
        if self.address is None:
            return item
        try:
            number, text = self._words(member)
        except OopscopeError as e:
            return item._replace(why=str(e))
        return item._replace(number=number, text=text)

    def _words(self, member: Member) -> tuple[int | None, str]:
        if member.kind == "array" and member.element_kind in ("struct", "union", "void"):
            return None, f"{member.count:,} of {member.element_size} bytes"
        if member.kind == "array":
            value = self._value(member._replace(size=min(member.size, max(MAX_TEXT, FIRST * member.element_size))))
        else:
            value = self._value(member)
        if isinstance(value, View):
            return None, value.summary()
        if isinstance(value, bytes):
            return None, self._bytes(value, member)
        if isinstance(value, tuple):
            shown = ", ".join(_plain(one, member.element_kind) for one in value[:FIRST])
            return None, f"[{shown}{', …' if member.count > FIRST else ''}]"
        if member.kind == "enum":
            return value, self._enumerator(member, value)
        return value, _plain(value, member.kind)

    def summary(self) -> str:
        """Return a small struct in one line, as `{counter = 1}`; of a larger one that there is more."""
        fits = self._depth < MAX_DEPTH and len(self.layout.members) <= INLINE
        items = self.items() if fits else []
        plain = [item for item in items if item.member.kind not in ("struct", "union", "array")]
        if not items or len(plain) < len(items):
            inner = [item for item in items if item.member.kind in ("struct", "union")]
            return inner[0].text or "{…}" if len(items) == len(inner) == 1 else "{…}"
        return "{" + ", ".join(f"{item.member.name} = {item.text or 'unreadable'}" for item in plain) + "}"

    def _bytes(self, raw: bytes, member: Member) -> str:
        text = raw[:MAX_TEXT].rstrip(b"\0").split(b"\0")[0] if self._is_char(member) else b""
        if text or (not raw.strip(b"\0") and self._is_char(member)):
            return '"' + decoded(text) + '"'
        return raw[:MAX_TEXT][: 2 * FIRST].hex(" ") + (" …" if len(raw) > 2 * FIRST else "")

    def _is_char(self, member: Member) -> bool:
        element = self._btf.strip(self._btf.array(self._btf.strip(member.type))[0])
        return self._btf.kind(element) == INT and self._btf.name(element) == "char"

    def _enumerator(self, member: Member, value: int) -> str:
        number = self._btf.strip(member.type)
        names = self._btf.enumerators(number) if self._btf.kind(number) in ENUMS else {}
        name = next((name for name, known in names.items() if known == value), None)
        return f"{name} ({value})" if name else str(value)

    def target(self, member: Member) -> str | None:
        """Return the struct that a pointer leads to, by its name; None for an anonymous one, or another thing."""
        if member.kind != "ptr":
            return None
        number = self._btf.strip(member.type)
        number = self._btf.strip(self._btf.target(number)) if self._btf.kind(number) == PTR else 0
        return self._btf.name(number) or None if self._btf.kind(number) in (STRUCT, UNION, FWD) else None


def _plain(value: int, kind: str) -> str:
    if kind == "ptr":
        return f"{value:#x}" if value else "NULL"
    return str(value) if -10 < value < 10 or kind == "bool" else f"{value} ({value:#x})" if value > 0 else str(value)


def view(types: "Types", memory: "Memory", name: str, address: int | None = None) -> View:
    """Return a struct by its type's name, or what lies inside one: `task_struct`, `task_struct.se`, `module.mem[1]`.

    The address is the outer struct's. Of an array of structs the first is meant, of a pointer the struct that it points
    to. NoType, NoMember; ReadError where a pointer cannot be read.
    """
    outer, _, path = name.strip().partition(".")
    layout = types.layout(outer)
    if not path:
        return View(memory, types.btf, layout, outer, address)
    member = layout.member(path)
    if member.kind == "array" and member.element_kind in ("struct", "union"):
        member = layout.member(f"{path}[0]")
    target = View(memory, types.btf, layout, outer, address).target(member)
    if target is not None:
        return View(memory, types.btf, types.layout(target), target, address and memory.word(address + member.offset))
    inner = Layout(types.btf, f"{outer}.{path}", member.type)
    return View(memory, types.btf, inner, f"{outer}.{path}", None if address is None else address + member.offset)
