"""Types of a vmlinux without BTF: DWARF, of which only the source files that know the types asked for are read.

A kernel's DWARF has a hundred megabytes and no index of types; but nearly all that a reader of dumps asks for is known
to a few of its source files. Those are gone through one after the other, at their top level, until the name is met.
`DwarfTypes` answers what a `Btf` is asked by layouts: a type's number is its entry's offset. pyelftools parses.
"""

import struct
from collections.abc import Iterator
from typing import Any

from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from oopscope.errors import NoType, OopscopeError
from oopscope.symbols.btf import Field, Integer
from oopscope.symbols.btf_table import ARRAY, ENUM, FLOAT, FWD, INT, PTR, STRUCT, TYPEDEF, UNION

TAGS: dict[Any, int] = {
    "DW_TAG_structure_type": STRUCT,
    "DW_TAG_union_type": UNION,
    "DW_TAG_class_type": STRUCT,
    "DW_TAG_enumeration_type": ENUM,
    "DW_TAG_typedef": TYPEDEF,
    "DW_TAG_base_type": INT,
    "DW_TAG_pointer_type": PTR,
    "DW_TAG_array_type": ARRAY,
}
THROUGH = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type", "DW_TAG_atomic_type")
VOID = 0
HEAD = 64  # bytes of a unit's first entry that are searched for its name
MAX_NAMES = 8
MAX_CHAIN = 64
MAX_MEMBERS = 1 << 14
MAX_ENTRIES = 1 << 18  # at the top level of one source file
SOURCES = (
    *("kernel/fork.c", "kernel/sched/core.c", "fs/namespace.c", "mm/slub.c", "mm/page_alloc.c", "mm/vmstat.c"),
    *("kernel/module/main.c", "kernel/module.c", "kernel/time/timekeeping.c", "kernel/printk/printk.c", "lib/xarray.c"),
    *("lib/maple_tree.c", "lib/radix-tree.c", "arch/x86/kernel/process_64.c", "arch/x86/kernel/dumpstack_64.c"),
    *("arch/x86/mm/cpu_entry_area.c", "arch/x86/kernel/process_32.c", "mm/slab_common.c", "mm/slab.c", "mm/hugetlb.c"),
    *("mm/swapfile.c", "mm/vmalloc.c", "mm/memcontrol.c", "block/genhd.c", "block/blk-mq.c", "block/bdev.c"),
    *("drivers/base/core.c", "net/core/dev.c", "net/ipv4/tcp.c", "net/unix/af_unix.c", "kernel/irq/irqdesc.c"),
    *("kernel/workqueue.c", "kernel/locking/mutex.c", "kernel/locking/rwsem.c", "kernel/locking/semaphore.c"),
    *("kernel/rcu/tree.c", "kernel/time/timer.c", "kernel/time/hrtimer.c", "kernel/cgroup/cgroup.c", "fs/super.c"),
    *("fs/file.c", "fs/dcache.c", "kernel/bpf/btf.c", "kernel/pid.c", "kernel/sys.c"),
)


KEYWORDS = {"DW_TAG_structure_type": "struct ", "DW_TAG_union_type": "union ", "DW_TAG_enumeration_type": "enum "}


class DwarfTypes:
    """The types of one vmlinux."""

    problem: str | None = None

    def __init__(self, file: Any, word: int = 8) -> None:
        """Take an open binary file; NoType where it has no DWARF."""
        elf = ELFFile(file)
        self.endian = "<" if elf.little_endian else ">"
        self._word = word
        if not elf.has_dwarf_info():
            raise NoType("DWARF")
        self._dwarf: Any = elf.get_dwarf_info(relocate_dwarf_sections=False)
        self._todo = _core_units(self._dwarf)
        self._entries: dict[int, DIE] = {}
        self._fields: dict[int, tuple[Field, ...]] = {}
        self._names: dict[str, list[int]] = {}
        self._constants: dict[str, int] = {}

    @property
    def count(self) -> int:
        """Modules' types build on BTF, never on DWARF."""
        raise NoType("module types without BTF")

    def _entry(self, number: int) -> DIE:
        if number not in self._entries:
            self._entries[number] = self._dwarf.get_DIE_from_refaddr(number)
        return self._entries[number]

    def _type(self, entry: DIE) -> int:
        """The offset of an entry's type; VOID for none."""
        if "DW_AT_type" not in entry.attributes:
            return VOID
        found: int = entry.get_DIE_from_attribute("DW_AT_type").offset
        return found

    def kind(self, number: int) -> int:
        """Return the kind of a type as BTF numbers them."""
        entry = self._entry(number) if number else None
        if entry is None:
            return 0
        kind = TAGS.get(entry.tag, 0)
        if kind == INT and _value(entry, "DW_AT_encoding") == 4:
            return FLOAT
        return FWD if "DW_AT_declaration" in entry.attributes else kind

    def strip(self, number: int) -> int:
        """Follow typedefs and qualifiers; a struct that is only declared here is looked for elsewhere."""
        for _ in range(MAX_CHAIN):
            if not number:
                return number
            entry = self._entry(number)
            if entry.tag not in THROUGH:
                break
            number = self._type(entry)
        if number and self.kind(number) == FWD:
            return self.find(self.name(number), STRUCT, UNION) or number
        return number

    def name(self, number: int) -> str:
        """Return a type's own name, empty for none."""
        raw = _value(self._entry(number), "DW_AT_name") if number else b""
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""

    def target(self, number: int) -> int:
        """Return the type that a pointer or an alias refers to."""
        return self._type(self._entry(number)) if number else VOID

    def type_name(self, number: int, inner: str = "") -> str:
        """Spell a type as C does, around a member's name; qualifiers are left out."""
        for _ in range(MAX_CHAIN):
            entry = self._entry(number) if number else None
            tag = str(entry.tag) if entry is not None else ""
            if tag == "DW_TAG_pointer_type":
                number = self.target(number)
                pointed = self._entry(number).tag if number else ""
                inner = f"(*{inner})" if pointed in ("DW_TAG_array_type", "DW_TAG_subroutine_type") else f"*{inner}"
            elif tag == "DW_TAG_array_type":
                number, count = self.array(number)
                inner = f"{inner}[{count or ''}]"
            elif tag == "DW_TAG_subroutine_type":
                number, inner = self.target(number), f"{inner}()"
            elif tag in THROUGH and tag != "DW_TAG_typedef":
                number = self.target(number)
            else:
                break
        keyword = KEYWORDS.get(tag, "")
        return f"{keyword}{self.name(number) or ('{...}' if number else 'void')} {inner}".rstrip()

    def names(self) -> Iterator[str]:
        """Yield the names met so far, for a search."""
        yield from list(self._names)

    def prototype(self, function: str) -> str | None:
        """Return None: the few units that are read first do not have all functions."""
        return None

    def size(self, number: int) -> int:
        """Return a type's size in bytes, 0 for one without."""
        number = self.strip(number)
        if not number:
            return 0
        entry = self._entry(number)
        if entry.tag == "DW_TAG_array_type":
            element, count = self.array(number)
            return self.size(element) * count
        found = _value(entry, "DW_AT_byte_size")
        return found if isinstance(found, int) else self._word if entry.tag == "DW_TAG_pointer_type" else 0

    def array(self, number: int) -> tuple[int, int]:
        """Return (element type, number of elements of all dimensions)."""
        entry, count = self._entry(self.strip(number)), 1
        for child in entry.iter_children():
            if child.tag == "DW_TAG_subrange_type":
                upper, total = _value(child, "DW_AT_upper_bound"), _value(child, "DW_AT_count")
                count *= total if isinstance(total, int) else upper + 1 if isinstance(upper, int) else 0
        return self._type(entry), count

    def integer(self, number: int) -> Integer:
        """Return how a base type is encoded."""
        entry = self._entry(self.strip(number))
        size, code = self.size(number), _value(entry, "DW_AT_encoding")
        return Integer(size, 8 * size, 0, code in (5, 6), code in (6, 8), code == 2)

    def fields(self, number: int) -> tuple[Field, ...]:
        """Return the members of a struct or union, those of anonymous ones inside included."""
        if number not in self._fields:
            out: list[Field] = []
            self._flatten(self.strip(number), 0, out, 0)
            self._fields[number] = tuple(out)
        return self._fields[number]

    def _flatten(self, number: int, base: int, out: list[Field], depth: int) -> None:
        if depth > MAX_CHAIN or not number:
            return
        for member in self._entry(number).iter_children():
            if member.tag != "DW_TAG_member" or len(out) >= MAX_MEMBERS:
                continue
            kind, (at, bits) = self._type(member), self._place(member)
            name = _value(member, "DW_AT_name")
            if isinstance(name, bytes):
                out.append(Field(name.decode("utf-8", "replace"), kind, base + at, bits))
            elif self.kind(self.strip(kind)) in (STRUCT, UNION):
                self._flatten(self.strip(kind), base + at, out, depth + 1)

    def _place(self, member: DIE) -> tuple[int, int]:
        """Return where a member begins in bits, and how many it takes if it is a bit-field."""
        place, bits = _value(member, "DW_AT_data_member_location"), _value(member, "DW_AT_bit_size")
        if isinstance(place, list):  # an expression: DW_OP_plus_uconst, then a number of 7 bits a byte
            place = sum((byte & 0x7F) << 7 * i for i, byte in enumerate(place[1:]))
        at = 8 * place if isinstance(place, int) else 0
        if not isinstance(bits, int):
            return at, 0
        direct, old = _value(member, "DW_AT_data_bit_offset"), _value(member, "DW_AT_bit_offset")
        if isinstance(direct, int):
            return direct, bits
        if isinstance(old, int):  # DWARF 2 and 3 count from the storage unit's highest bit
            room = _value(member, "DW_AT_byte_size")
            room = room if isinstance(room, int) else self.size(self._type(member))
            at += 8 * room - old - bits if self.endian == "<" else old
        return at, bits

    def enumerators(self, number: int) -> dict[str, int]:
        """Return an enum's values by name."""
        found = {}
        for child in self._entry(self.strip(number)).iter_children():
            name, value = _value(child, "DW_AT_name"), _value(child, "DW_AT_const_value")
            if isinstance(name, bytes) and isinstance(value, int):
                found[name.decode("utf-8", "replace")] = value
        return found

    def enumerator(self, name: str) -> int | None:
        """Return the value of an enumerator of whatever enum; None for none."""
        while name not in self._constants and self._todo:
            self._gather(self._todo.pop(0))
        return self._constants.get(name)

    def get(self, name: str, *kinds: int) -> int:
        """Return a type of a name (of the largest size, of several) and of some kinds; NoType."""
        number = self.find(name, *kinds)
        if number is None:
            raise NoType(name)
        return number

    def find(self, name: str, *kinds: int) -> int | None:
        """Return the same, None for none."""
        return max(self.find_all(name, *kinds), key=self.size, default=None)

    def find_all(self, name: str, *kinds: int) -> list[int]:
        """Return the definitions of a name in the first source file that has any."""
        while name not in self._names and self._todo:
            self._gather(self._todo.pop(0))
        return [n for n in self._names.get(name, ()) if not kinds or self.kind(n) in kinds]

    def _gather(self, unit: Any) -> None:
        """Learn the names that one source file defines at its top level."""
        fresh: dict[str, list[int]] = {}
        for _, entry in zip(range(MAX_ENTRIES), unit.get_top_DIE().iter_children(), strict=False):
            name = _value(entry, "DW_AT_name")
            if entry.tag in TAGS and isinstance(name, bytes) and "DW_AT_declaration" not in entry.attributes:
                fresh.setdefault(name.decode("utf-8", "replace"), []).append(entry.offset)
            if entry.tag == "DW_TAG_enumeration_type" and "DW_AT_declaration" not in entry.attributes:
                for constant, value in self.enumerators(entry.offset).items():
                    self._constants.setdefault(constant, value)
        for name, numbers in fresh.items():
            self._names.setdefault(name, numbers)


def _names_of_sources(dwarf: Any) -> Iterator[int]:
    """Yield where the names of SOURCES begin in the string sections: a unit's first bytes refer to one of them."""
    for section in (dwarf.debug_str_sec, dwarf.debug_line_str_sec):
        text = section.stream.getvalue() if section else b""
        for source in SOURCES:
            at = text.find(source.encode() + b"\0")
            for _ in range(MAX_NAMES):
                if at < 0:
                    break
                yield text.rfind(b"\0", 0, at) + 1  # a path may stand before it
                yield at
                at = text.find(source.encode() + b"\0", at + 1)


def _core_units(dwarf: Any) -> list[Any]:
    """Return the units of the source files that know most of what readers ask for, in the order of SOURCES."""
    found: dict[int, Any] = {}
    info, endian = dwarf.debug_info_sec.stream.getbuffer(), "<" if dwarf.config.little_endian else ">"
    places = {struct.pack(endian + "I", at) for at in _names_of_sources(dwarf)}
    for unit in dwarf.iter_CUs():
        head = bytes(info[unit.cu_die_offset : unit.cu_die_offset + HEAD])
        if not any(place in head for place in places):
            continue
        name = _value(unit.get_top_DIE(), "DW_AT_name") or b""
        rank = next((i for i, source in enumerate(SOURCES) if name.endswith(source.encode())), None)
        if rank is not None:
            found.setdefault(rank, unit)
    return [found[rank] for rank in sorted(found)]


def _value(entry: DIE, attribute: str) -> Any:
    found = entry.attributes.get(attribute)
    return found.value if found else None


def open_dwarf(path: str, word: int) -> DwarfTypes:
    """Open the DWARF of a vmlinux; NoType where it has none, or what is there is not DWARF."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pyelftools takes file objects; sections are read into memory
            return DwarfTypes(file, word)
    except OopscopeError:
        raise
    except Exception as e:  # noqa: BLE001 - as above
        raise NoType(f"DWARF ({type(e).__name__}: {e})") from None
