"""Containers of a machine's memory: what each of them offers, the table of those that are known, and how to open one.

A container knows files and physical addresses; it knows nothing of virtual addresses or of the kernel.
To add one: a file here with a class that has the members of Dump, the functions `probe` and `open` (and `companions`
where a dump has several files), and a line in FORMATS.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from oopscope.decode import decoded
from oopscope.errors import MissingPage, NotADump, OopscopeError
from oopscope.notes import CpuState, Note
from oopscope.sources import ByteSource, next_data
from oopscope.sources.beside import belongs
from oopscope.sources.extents import Extents
from oopscope.sources.file import BytesSource, FileSource
from oopscope.sources.flattened import FlattenedSource, is_flattened
from oopscope.sources.identify import what_is
from oopscope.sources.remote import is_remote, open_remote
from oopscope.sources.tar import is_tar, members
from oopscope.sources.wrapped import beginning, unwrap

__all__ = [
    "FORMATS",
    "CpuState",
    "Dump",
    "Facts",
    "Format",
    "Note",
    "PlacedDump",
    "bare_name",
    "beside",
    "find_dumps",
    "find_format",
    "open_path",
    "open_source",
]

PACKED = (".gz", ".xz", ".zst", ".bz2", ".lz4", ".lzo")
BLOCK = 1 << 20  # bytes in one piece of `Dump.blocks`, at most
MAX_ERASED = 1000
ERASED = b"X"  # what makedumpfile writes over what it erases
LOG = "log"  # the key of the format that holds no memory
STDIN = "-"
MAX_STDIN = 512 << 20  # bytes of standard input that are read
MAX_ENTRIES = 1 << 16  # files looked at in a directory


class Facts:
    """What the container says of itself; None where it does not say."""

    def __init__(self, format: str, sources: Sequence[ByteSource] = ()) -> None:
        self.format, self.sources = format, sources
        self.machine: str | None = None  # as utsname.machine: x86_64, aarch64, s390x ...
        self.byteorder: str | None = None  # "little", "big"
        self.compression: str | None = None
        self.flattened = False
        self.parts = 1
        self.dump_level: int | None = None
        self.page_size = 4096
        self.pages_saved: int | None = None
        self.pages_total: int | None = None
        self.bytes = 0
        self.complete = True
        self.live = False  # a machine that runs on while it is read
        self.read_ns: int | None = None  # since 1970: when a machine that runs on was looked at
        self.timestamp: int | None = None  # seconds since 1970, of the dump's writing
        self.phys_base: int | None = None
        self.nodename: str | None = None
        self.release: str | None = None
        self.erased: tuple[str, ...] = ()  # what its writer was told to blank, in its own words (ERASEINFO)
        self.problems: list[str] = []

    @property
    def fetched(self) -> int | None:
        """How many bytes came from another machine so far; None where the files are on this one."""
        known = [n for n in (getattr(s, "fetched", None) for s in self.sources) if n is not None]
        return sum(known) if known else None

    @classmethod
    def of(cls, key: str, sources: Sequence[ByteSource]) -> "Facts":
        """Start the facts of a dump with what its files say: their size, their wrapper, and what is wrong with them."""
        flattened = [s for s in sources if isinstance(s, FlattenedSource)]
        facts = cls(key, tuple(sources))
        facts.flattened = bool(flattened)
        facts.parts = len(sources)
        facts.bytes = sum(s.stored if isinstance(s, FlattenedSource) else s.size for s in sources)
        facts.complete = not any(s.problem for s in sources)
        facts.problems = [f"{s.name}: {s.problem}" for s in sources if s.problem]
        return facts

    def look_again(self) -> None:
        """Note what went wrong with the files since: a disk's fault, a connection that was lost."""
        for source in self.sources:
            if source.problem and f"{source.name}: {source.problem}" not in self.problems:
                self.lacks(f"{source.name}: {source.problem}")

    def lacks(self, problem: str) -> None:
        """Note that the dump is not whole, and why."""
        self.complete = False
        self.problems.append(problem)


def stamp_of(dump: "Dump") -> str | None:
    """Return what tells a dump, as its files are now, from every other; None where that is not known of all of it."""
    files: Sequence[ByteSource] = getattr(dump, "files", ())
    stamps = [getattr(source, "stamp", None) for source in files]
    return "\0".join(str(stamp) for stamp in stamps) if stamps and None not in stamps else None


def erased_by(text: bytes) -> tuple[str, ...]:
    """Return the lines of an ERASEINFO note: what its writer was told to blank."""
    lines = decoded(text.rstrip(b"\0")).splitlines()
    return tuple(line.strip() for line in lines if line.strip())[:MAX_ERASED]


class Dump(Protocol):
    """One opened dump."""

    @property
    def page_size(self) -> int:
        """The unit of `page`; the kernel's own page may be smaller."""
        ...

    def page(self, pfn: int) -> bytes:
        """Return the page_size bytes at physical address pfn * page_size; raise MissingPage with the reason."""
        ...

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges [start, end) that may hold RAM, in bytes, ascending."""
        ...

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (physical address, bytes) of all that the dump holds, ascending, for a search of its memory.

        In pieces of a page to BLOCK bytes. What is damaged, and zeros that need not be read to be known, are left out.
        """
        ...

    def notes(self) -> Iterator[Note]:
        """Yield the ELF notes that came with the dump, in their order."""
        ...

    def cpus(self) -> list[CpuState]:
        """Return the CPUs as an emulator or hypervisor saw them; none where the kernel itself wrote the dump."""
        ...

    def facts(self) -> Facts:
        """Return what the container says of itself; may count all its pages."""
        ...


class PlacedDump:
    """A dump whose memory lies in one source as it is, stretch by stretch: the plain containers build on it.

    Pages have 4096 bytes. What of a page no stretch covers is zero bytes; a page that none touches is missing. A
    stretch without a place in the source is memory that was left out.
    """

    page_size = 4096

    def __init__(
        self, key: str, sources: Sequence[ByteSource], memory: ByteSource, stretches: Iterable[tuple[int, int, int]]
    ) -> None:
        """Take all the files for the facts, the one that holds memory, and (start, end, offset in it) of stretches."""
        self.key, self._sources, self._memory = key, sources, memory
        self._extents = Extents(stretches)

    @property
    def files(self) -> Sequence[ByteSource]:
        """All the files that it is read from."""
        return (*self._sources, self._memory)

    def page(self, pfn: int) -> bytes:
        """Return one page; MissingPage says whether it was excluded, cut off or never there."""
        at, extents = pfn * self.page_size, self._extents
        n = extents.find(at)
        if n >= 0 and at + self.page_size <= extents.ends[n] and extents.wheres[n] >= 0:
            data = self._memory.read_at(extents.wheres[n] + at - extents.starts[n], self.page_size)
            if len(data) == self.page_size:
                return data
            raise MissingPage(at, "truncated")
        return self._assemble(at)

    def _assemble(self, at: int) -> bytes:
        page, found, known = bytearray(self.page_size), False, False
        for start, end, where in self._extents.pieces(at, at + self.page_size):
            known = True
            if where >= 0:
                data = self._memory.read_at(where, end - start)
                if len(data) < end - start:
                    raise MissingPage(at, "truncated")
                page[start - at : end - at] = data
                found = True
        if not found:
            raise MissingPage(at, "excluded" if known else "never-saved")
        return bytes(page)

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges of the stretches, in bytes, with what was left out of the file."""
        return self._extents.runs()

    def saved_in(self, start: int, end: int) -> int:
        """Return how many bytes from physical address start to end are in the file."""
        return sum(b - a for a, b, where in self._extents.pieces(start, end) if where >= 0)

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (physical address, bytes) of the stretches that are in the file, piece by piece."""
        zeros = bytes(BLOCK)
        for start, end, where in self._extents:
            at = start if where >= 0 else end
            while at < end:
                data = self._memory.read_at(where + at - start, min(BLOCK, end - at))
                if not data:
                    break
                if data != zeros:
                    yield at, data
                    at += BLOCK
                else:
                    at += max(BLOCK, (next_data(self._memory, where + at - start) - where - at + start) & -BLOCK)

    def notes(self) -> Iterator[Note]:
        """Yield nothing: a plain container has no notes."""
        return iter(())

    def cpus(self) -> list[CpuState]:
        """Return no CPUs: a plain container tells of none."""
        return []

    def facts(self) -> Facts:
        """Return what the files say."""
        facts = Facts.of(self.key, self._sources)
        facts.pages_saved = self._extents.total() // self.page_size
        facts.pages_total = sum(end - start for start, end in self.ranges()) // self.page_size
        size = self._memory.size
        if any(where + end - start > size for start, end, where in self._extents if where >= 0):
            facts.lacks(f"{self._memory.name} is cut off: it ends before its last pages")
        return facts


class Format(NamedTuple):
    """A line of the table: a key, a title, and the module that reads it.

    The module's `probe(source)` tells whether a file is of this format, `open(sources)` opens it, and
    `companions(source)`, if there is one, names the other files that belong to it; `unpacked(source, say)`, if there
    is one, gives a file of which a part is packed with that part unpacked.
    """

    key: str
    title: str
    module: str
    guess: bool = False  # no signature: `probe` searches the content


# Tried in this order; the first whose probe says yes opens it.
FORMATS: tuple[Format, ...] = (
    Format("kdump", "kdump-compressed (makedumpfile, QEMU, virsh --memory-only)", "oopscope.dumps.kdump"),
    Format("xen", "Xen dump-core (xl dump-core) of a guest of any kind", "oopscope.dumps.xen"),
    Format("gcore", "core of a QEMU process", "oopscope.dumps.gcore"),  # before the other ELF cores
    Format("elf", "ELF vmcore (/proc/vmcore, makedumpfile -E, QEMU dump-guest-memory)", "oopscope.dumps.elf"),
    Format("migration", "QEMU stream (virsh dump, virsh save, migrate)", "oopscope.dumps.migration"),
    Format("vmware", "VMware suspended machine or snapshot (.vmss, .vmsn, .vmem)", "oopscope.dumps.vmware"),
    Format("guestdump", "VMware guest that panicked in debug mode (debug.guest, .vmem)", "oopscope.dumps.guestdump"),
    Format("lime", "LiME image (also AVML without compression)", "oopscope.dumps.lime"),
    Format("avml", "AVML image, compressed", "oopscope.dumps.avml"),
    Format(
        "log", "kernel log without a dump (vmcore-dmesg.txt, dmesg, journalctl, syslog, pstore)", "oopscope.dumps.log"
    ),
    Format("raw", "raw image of memory", "oopscope.dumps.raw", guess=True),  # the last: it has no signature
)

Opener = Callable[[Sequence[ByteSource]], Dump]
Say = Callable[[str], None]


def _quiet(_text: str) -> None:
    """Say nothing of what takes long."""


def find_format(source: ByteSource, guess: bool = True) -> Format | None:
    """Return the first format whose probe knows a file; guess=False leaves out those that search the content."""
    for line in FORMATS:
        if (guess or not line.guess) and import_module(line.module).probe(source):
            return line
    return None


def open_path(path: str | os.PathLike[str], *more: str | os.PathLike[str], say: Say = _quiet) -> Dump:
    """Open the dump at a path or URL, or at those of a split set in any order.

    The other parts of a split set, or the memory file beside a state file, are found in the same directory; those of
    one on another machine are not looked for, and no file there is searched from end to end for signs of a kernel.
    Raises NotADump, whose one line says what the thing is instead, and FormatError for a dump that is damaged
    beyond opening.
    """
    sources = [open_source(p, say) for p in (path, *more)]
    remote = is_remote(path)
    far = remote and not isinstance(sources[0], FileSource)  # one that was unpacked is on this machine
    line = find_format(sources[0], guess=not far)
    if line is None:
        unsearched = "; a raw image of memory must be copied to this machine first" if far else ""
        raise NotADump(sources[0].name, what_is(sources[0]) + unsearched)
    module = import_module(line.module)
    if hasattr(module, "unpacked"):
        sources = [module.unpacked(s, say) for s in sources]
    if not more and not remote and hasattr(module, "companions"):
        sources += [open_source(p, say) for p in module.companions(sources[0])]
    dump: Dump = module.open(sources)
    return dump


def open_container(sources: Sequence[ByteSource]) -> Dump | None:
    """Open sources (more than one only for a split set) as the first format that knows them; None if none does."""
    sources = [_unwrap(s) for s in sources]
    line = find_format(sources[0])
    dump: Dump | None = import_module(line.module).open(sources) if line else None
    return dump


def bare_name(source: ByteSource) -> str:
    """Return a source's name without the suffix of what it is packed with."""
    return next((source.name.removesuffix(s) for s in PACKED if source.name.endswith(s)), source.name)


def beside(source: ByteSource, *suffixes: str) -> list[Path]:
    """Return the files that differ from a source's in the suffix alone, packed ones where there is no other."""
    path = Path(bare_name(source))
    if not path.suffix:
        return []
    wanted = ([path.with_suffix(suffix + packed) for packed in ("", *PACKED)] for suffix in suffixes)
    return [found for names in wanted if (found := next((p for p in names if p.is_file()), None))]


def open_source(path: str | os.PathLike[str], say: Say = _quiet) -> ByteSource:
    """Open one file or URL for reading, unpacked and unwrapped if need be; NotADump when none can be read there."""
    if isinstance(path, str) and is_remote(path):
        return _unwrap(unwrap(open_remote(path), os.environ, say))
    path = Path(path)
    if str(path) == STDIN:
        return _unwrap(unwrap(_standard_input(), os.environ, say))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise NotADump(str(path), _directory(path))
        if not stat.S_ISREG(mode):
            raise NotADump(str(path), "a device or a pipe, not a file: copy the dump out of it into a file first")
        return _unwrap(unwrap(FileSource(path), os.environ, say))
    except PermissionError:
        raise NotADump(str(path), _forbidden(path.absolute())) from None
    except (OSError, ValueError) as e:
        raise NotADump(str(path), (e.strerror if isinstance(e, OSError) else None) or str(e)) from None


def _standard_input() -> ByteSource:
    """Return what comes from standard input, kept in memory up to a bound."""
    data = sys.stdin.buffer.read(MAX_STDIN + 1) if sys.stdin is not None else b""
    if len(data) > MAX_STDIN:
        raise NotADump(STDIN, f"more than {MAX_STDIN >> 20} MiB on standard input: save it to a file first")
    return BytesSource(data, STDIN)


def _forbidden(path: Path) -> str:
    """Say what may let a file be read; root is kept from a running kernel's memory by lockdown or a container."""
    if os.geteuid():
        return "no permission to read it: try again with sudo"
    if path.is_relative_to("/proc") or path.is_relative_to("/dev"):
        return "even root may not read it: the kernel is locked down, or this is a container without CAP_SYS_RAWIO"
    return "even root may not read it, as on NFS with root squash: read it as its owner, or copy it from its server"


def _unwrap(source: ByteSource) -> ByteSource:
    if is_flattened(source.read_at(0, 16)):
        return FlattenedSource(source)
    return _of_archive(source) if is_tar(source) else source


def _of_archive(archive: ByteSource) -> ByteSource:
    """Return the one dump in a tar archive; NotADump says what else is in it."""
    found = list(islice((one for one in members(archive) if begins_like_a_dump(one)), 4))
    if len(found) == 1:
        return _unwrap(found[0])
    names = ", ".join(one.name.removeprefix(f"{archive.name}:") for one in found[:3]) + (", ..." if found[3:] else "")
    what = (
        f"a tar archive with several dumps ({names})"
        if found
        else "a tar archive without a dump that can be read in it"
    )
    from shlex import quote

    raise NotADump(archive.name, f"{what}: unpack it first, with `tar xf {quote(Path(archive.name).name)}`")


def find_dumps(
    folder: Path,
    depth: int = 2,
    named: Callable[[str], bool] = lambda name: False,
    missed: Callable[[Path, str], None] = lambda path, why: None,
) -> Iterator[Path]:
    """Yield the files of a directory, and of those in it, that begin like a dump; reads the first bytes of each.

    Those whose names `named` takes for a dump's are found whatever they hold, and also where they cannot be read. A
    kernel log is found where it was not saved with a dump that lies beside it. `missed` is told what was not looked at.
    """
    try:
        with os.scandir(folder) as entries:
            listed = list(islice(entries, MAX_ENTRIES + 1))
    except OSError as e:
        missed(folder, e.strerror or str(e))
        return
    if len(listed) > MAX_ENTRIES:
        missed(folder, f"it has more than {MAX_ENTRIES} files: the others were not looked at")
    found: list[tuple[Path, bool]] = []
    for entry in sorted(listed[:MAX_ENTRIES], key=lambda e: e.name):
        try:
            if entry.is_dir(follow_symlinks=False) and depth > 0:
                found += ((path, False) for path in find_dumps(Path(entry), depth - 1, named, missed))
            elif entry.is_file() and (kind := "dump" if named(entry.name) else _kind_of(Path(entry))):
                found.append((Path(entry), kind == LOG))
        except OSError as e:
            missed(Path(entry), e.strerror or str(e))
        except OopscopeError:
            continue
    dumps = [path for path, log in found if not log]
    yield from (path for path, log in found if not log or not belongs(path, dumps))


def _kind_of(path: Path) -> str | None:
    """Tell by a file's first bytes whether it is a dump, or an archive of one, or a log; None for neither. OSError."""
    source = FileSource(path)
    if begins_like_a_dump(source) or is_tar(source):
        return "dump"
    return LOG if begins_like_a_log(source) else None


def the_one_in(path: str | Path) -> str | Path:
    """Return the dump in a folder that holds one and no more; any other path as it is."""
    if isinstance(path, str) and is_remote(path):
        return path
    folder = Path(path)
    try:
        found = list(islice(find_dumps(folder), 2)) if folder.is_dir() else []
    except OSError:
        return path
    return found[0] if len(found) == 1 else path


def begins_like_a_dump(source: ByteSource) -> bool:
    """Tell by signature; a flattened file is not unwrapped for it, since only dumps are flattened."""
    source = beginning(source)
    line = find_format(source, guess=False)
    return is_flattened(source.read_at(0, 16)) or (line is not None and line.key != LOG)


def begins_like_a_log(source: ByteSource) -> bool:
    """Tell by its first lines whether a file is a kernel log; of one that is packed, by those that it holds."""
    line = find_format(beginning(source), guess=False)
    return line is not None and line.key == LOG


def _directory(path: Path) -> str:
    """Say what to do with a directory."""
    missed: list[str] = []

    def note(place: Path, why: str) -> None:
        missed.append(why if place == path else f"{place.relative_to(path)}: {why}")

    names = [str(p.relative_to(path)) for p in islice(find_dumps(path, missed=note), 4)]
    if not names and missed:
        return f"a directory, of which not all could be looked at ({missed[0]})"
    if not names:
        return "a directory, with no dump in it"
    more = ", ..." if len(names) > 3 else ""
    return f"a directory; give a dump in it: {', '.join(names[:3])}{more}"
