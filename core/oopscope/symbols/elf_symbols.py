"""The symbol table of a vmlinux: its .symtab, names and values. Follows the ELF specification (Symbol Table)."""

import struct

from oopscope.elf import read_header, sections
from oopscope.sources import ByteSource
from oopscope.symbols.named import Named

MAX_BYTES = 256 << 20
UNDEFINED = 0  # SHN_UNDEF
UNNAMED = (3, 4)  # STT_SECTION, STT_FILE


def read(source: ByteSource, what: str) -> Named | None:
    """Return the symbols of an ELF file; None where it was stripped of them."""
    header = read_header(source)
    table = {section.name: section for section in sections(source, header)}
    symbols, names = table.get(".symtab"), table.get(".strtab")
    if symbols is None or names is None or max(symbols.size, names.size) > MAX_BYTES:
        return None
    entry = struct.Struct(header.endian + ("IBBHQQ" if header.bits == 64 else "IIIBBH"))
    raw, text = source.read_at(symbols.offset, symbols.size), source.read_at(names.offset, names.size)
    found: list[tuple[str, int]] = []
    for one in entry.iter_unpack(raw[: len(raw) // entry.size * entry.size]):
        name, info, section, value = (
            (one[0], one[1], one[3], one[4]) if header.bits == 64 else (one[0], one[3], one[5], one[1])
        )
        if name and section != UNDEFINED and info & 15 not in UNNAMED:
            end = text.find(b"\0", name)
            found.append((text[name:end].decode("latin-1"), value))
    return Named(what, found)
