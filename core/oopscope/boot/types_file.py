"""Types from a file that a user gave: BTF as it is, or a vmlinux with .BTF or DWARF; held against the dump's kernel."""

from pathlib import Path
from typing import cast

from oopscope.boot.extra import Extra, open_file
from oopscope.elf import is_elf, read_header, sections
from oopscope.errors import Absent, FormatError, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.lazy_re import lazy_re
from oopscope.notes import read_notes
from oopscope.sources import ByteSource
from oopscope.structs.layout import Types
from oopscope.symbols.blob import MAX_SIZE, Blob
from oopscope.symbols.btf import Btf

NT_GNU_BUILD_ID = 3
FIRST_TASK = b"swapper"  # how the first task is called: swapper, swapper/0
_STATED = lazy_re(r"(SIZE|OFFSET)\((\w+)(?:\.(\w+))?\)")  # what VMCOREINFO says of structs


def types_of(extra: Extra, build_id: str | None, word: int) -> Types:
    """Return the types that a BTF file or a vmlinux holds; FormatError for a file of another kernel, or without any."""
    if extra.btf:
        return _btf(open_file(extra.btf), 0, None, word)
    if extra.vmlinux is None:
        raise FormatError("no file with types was given")
    source = open_file(extra.vmlinux)
    if not is_elf(source.read_at(0, 4)):
        raise FormatError(f"{extra.vmlinux}: not a vmlinux (an uncompressed kernel in ELF)")
    header = read_header(source)
    table = {s.name: s for s in sections(source, header)}
    _same_build(source, table.get(".notes"), build_id, header.endian)
    found = table.get(".BTF")
    if found:
        return _btf(source, found.offset, found.size, word)
    if ".debug_info" not in table:
        raise FormatError(f"{extra.vmlinux}: it holds no types: neither .BTF nor DWARF")
    return _dwarf(extra.vmlinux, word)


def _dwarf(path: Path, word: int) -> Types:
    """Return the types by DWARF, opened when the first is asked for that was not resolved before."""

    def open_it() -> Btf:
        from oopscope.symbols.dwarf import open_dwarf

        return cast("Btf", open_dwarf(str(path), word))

    return Types(open_it)


def _btf(source: ByteSource, offset: int, size: int | None, word: int) -> Types:
    size = source.size if size is None else size
    if not 24 <= size <= MAX_SIZE:
        raise FormatError(f"{source.name}: {size} bytes of BTF: no kernel has so many")
    raw = source.read_at(offset, size)
    try:
        btf = Btf(Blob.of(raw), None, word)
    except OopscopeError as e:
        raise FormatError(f"{source.name}: not BTF: {e}") from None
    return Types(lambda: btf)


def _same_build(source: ByteSource, section: object, build_id: str | None, endian: str) -> None:
    """Hold the file's build id against the dump's, where both are known."""
    offset, size = getattr(section, "offset", 0), getattr(section, "size", 0)
    for note in read_notes(source, offset, size, endian) if size else ():
        if note.name == "GNU" and note.type == NT_GNU_BUILD_ID and build_id and note.desc.hex() != build_id:
            raise FormatError(f"{source.name}: another kernel's: its build id is {note.desc.hex()}, not {build_id}")


def hold_against(kernel: Kernel, types: Types, path: str) -> bool:
    """Hold types against the dump; FormatError where they are another kernel's, False where nothing tells.

    The first task's name must stand where they say. A kernel that does not name its data (no CONFIG_KALLSYMS_ALL)
    cannot be asked so: then they must agree with the sizes and offsets that VMCOREINFO states.
    """
    try:
        comm = types.member("task_struct", "comm").offset
    except OopscopeError as e:
        raise FormatError(f"{path}: not the types of this kernel: {e}") from None
    try:
        name = kernel.memory.cstring(kernel.symbol("init_task") + comm, 16)
    except OopscopeError:  # no such symbol, or its page is not in the dump
        return _as_stated(kernel, types, path)
    if not name.startswith(FIRST_TASK):
        raise FormatError(f"{path}: not the types of this kernel: by them its first task is called {name!r}")
    return True


def _as_stated(kernel: Kernel, types: Types, path: str) -> bool:
    """Compare types with VMCOREINFO's sizes and offsets; False where it states none of theirs."""
    agreed = 0
    for key, text in kernel.info.raw.items():
        stated = _STATED.fullmatch(key)
        if stated is None or not text.isdecimal():
            continue
        what, struct, member = stated.groups()
        try:
            found = types.sizeof(struct) if what == "SIZE" else types.member(struct, member or "").offset
        except Absent:
            continue
        if found != int(text):
            raise FormatError(f"{path}: not the types of this kernel: by them {key} is {found}, and by it {text}")
        agreed += 1
    return agreed > 0
