"""What `distill --redact` writes otherwise: pages without the machine's names, its command line and programs' logs.

Of a page of a slab cache only the objects that were read are kept, where the slab tells its objects apart: what lies
around them is somebody else's, and becomes zero bytes. What is blanked keeps its length, so that all else stays where
it is. Paths, names of programs and what the kernel itself logged stay.
"""

from collections.abc import Iterator
from contextlib import suppress

from oopscope.errors import OopscopeError
from oopscope.inspect.describe import slab_object
from oopscope.kernel.kernel import Kernel
from oopscope.linux.printk import log
from oopscope.linux.system import the_system
from oopscope.memory.virtual import Memory
from oopscope.report.redact import ADDRESSES, LEAST, NO_NAMES, parameters

LINE = 64  # bytes: the grain in which it is kept what was read
MAX_LOG = 64 << 20
_COMMAND_LINES = ("saved_command_line", "boot_command_line", "command_line", "static_command_line")
_MAX_COMMAND_LINE = 4096
Pages = dict[int, bytearray]  # by number


class Touched(Memory):
    """Memory that remembers what of it was read, by lines."""

    touched: dict[int, int]  # page number -> a bit for each line

    def touch(self, address: int, size: int) -> None:
        """Remember a range as read."""
        for line in range(address // LINE, -(-(address + max(size, 1)) // LINE)):
            number = line * LINE >> self._shift
            self.touched[number] = self.touched.get(number, 0) | 1 << (line * LINE & self._mask) // LINE

    def view(self, address: int, size: int) -> tuple[bytes, int]:
        """As of any memory."""
        self.touch(address, size)
        return super().view(address, size)

    def read(self, address: int, size: int) -> bytes:
        """As of any memory."""
        found = super().read(address, size)
        self.touch(address, size)
        return found

    def cstring(self, address: int, limit: int = 4096) -> bytes:
        """As of any memory."""
        found = super().cstring(address, limit)
        self.touch(address, len(found) + 1)
        return found


def watch(kernel: Kernel) -> None:
    """Let a kernel's memory remember what is read of it."""
    kernel.memory.__class__ = Touched
    assert isinstance(kernel.memory, Touched)  # as of now
    kernel.memory.touched = {}


def rewritten(kernel: Kernel, wanted: set[int]) -> Pages:
    """Return the pages that are to be written otherwise, of those that are wanted, by number."""
    pages: Pages = {}
    touched = dict(kernel.memory.touched) if isinstance(kernel.memory, Touched) else {}
    _zero_slack(kernel, wanted, touched, pages)
    for start, old, new in _texts(kernel):
        _put(kernel, pages, start, old, new)
    secrets = [name.encode() for name in names(kernel)]
    for pfn in wanted:
        page = bytes(pages[pfn]) if pfn in pages else _page(kernel, pfn)
        changed = page
        for secret in secrets:
            if secret in changed:
                changed = changed.replace(secret, b"x" * len(secret))
        if changed is not page:
            pages[pfn] = bytearray(changed)
    return pages


def names(kernel: Kernel) -> list[str]:
    """Return the machine's own names, the longest first."""
    known = {kernel.facts.nodename, the_system(kernel).nodename} - {None}
    parts = {part for name in known if name for part in (name, name.partition(".")[0])}
    return sorted((p for p in parts if len(p) >= LEAST and p.lower() not in NO_NAMES), key=len, reverse=True)


def _page(kernel: Kernel, pfn: int) -> bytes:
    try:
        return kernel.memory.physical.page(pfn)
    except OopscopeError:
        return b""


def _texts(kernel: Kernel) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield what is to be blanked: where it lies, what is there, and what is to be."""
    for name in _COMMAND_LINES:
        with suppress(OopscopeError):
            at = kernel.symbol(name)
            text = kernel.memory.cstring(at, _MAX_COMMAND_LINE)
            if name in ("saved_command_line", "static_command_line"):  # pointers
                at = kernel.memory.word(at)
                text = kernel.memory.cstring(at, _MAX_COMMAND_LINE)
            if text:
                yield at, text, parameters(text.decode("latin-1")).encode("latin-1")[: len(text)].ljust(len(text))
    with suppress(OopscopeError):
        start, size = kernel.memory.word(kernel.symbol("log_buf")), kernel.memory.u32(kernel.symbol("log_buf_len"))
        if 0 < size <= MAX_LOG:
            old = b"".join(_or_zeros(kernel, start + at) for at in range(0, size, kernel.memory.page_size))[:size]
            yield start, old, blanked(old, [r.text for r in log(kernel) if r.facility], _line_of(kernel))


def _or_zeros(kernel: Kernel, address: int) -> bytes:
    try:
        return kernel.memory.read(address, kernel.memory.page_size)
    except OopscopeError:
        return bytes(kernel.memory.page_size)


def _line_of(kernel: Kernel) -> str:
    with suppress(OopscopeError):
        return the_system(kernel).command_line or ""
    return ""


def blanked(buffer: bytes, programs: list[str], command_line: str) -> bytes:
    """Return a log's buffer with texts of programs, the command line and addresses blanked, each as long as it was."""
    found = bytearray(buffer)
    for text in sorted({t for t in programs if t}, key=len, reverse=True):
        raw = text.encode("utf-8", "backslashreplace")
        found = found.replace(raw, b"x" * len(raw))
    if command_line:
        raw = command_line.encode("utf-8", "backslashreplace")
        found = found.replace(raw, parameters(command_line).encode()[: len(raw)].ljust(len(raw)))
    for match in ADDRESSES.finditer(found.decode("latin-1")):
        if match.lastgroup != "ip6" or "::" in match[0] or match[0].count(":") == 7:
            found[match.start() : match.end()] = b"x" * len(match[0])
    return bytes(found)


def _put(kernel: Kernel, pages: Pages, start: int, old: bytes, new: bytes) -> None:
    """Write over a virtual range, in the pages that hold it."""
    if old == new:
        return
    size, at = kernel.memory.page_size, 0
    while at < len(new):
        address = start + at
        count = min(size - address % size, len(new) - at)
        if old[at : at + count] != new[at : at + count]:
            with suppress(OopscopeError):
                physical = kernel.memory.translate(address)
                pfn = physical // size
                page = pages.get(pfn) or bytearray(kernel.memory.physical.page(pfn))
                page[physical % size : physical % size + count] = new[at : at + count]
                pages[pfn] = page
        at += count


def _zero_slack(kernel: Kernel, wanted: set[int], touched: dict[int, int], pages: Pages) -> None:
    """Zero what lies between the objects that were read on pages of slab caches."""
    size = kernel.memory.page_size
    for number, spans in _objects(kernel, touched).items():
        start = number * size
        try:
            pfn = kernel.memory.translate(start) // size
        except OopscopeError:
            continue
        if pfn not in wanted:
            continue
        page, left = _page(kernel, pfn), bytearray(size)
        for a, b in (*spans, *_lines(start, touched.get(number, 0), size)):
            low, high = max(a - start, 0), min(b - start, size)
            left[low:high] = page[low:high]
        if left != page and len(page) == size:
            pages[pfn] = left


def _objects(kernel: Kernel, touched: dict[int, int]) -> dict[int, list[tuple[int, int]]]:
    """Return the slab objects that were read, as ranges, by the numbers of the pages that they lie on.

    Of a free object, which only the list of free ones led to, no more than the lines that were read stays.
    """
    size = kernel.memory.page_size
    keep: dict[int, list[tuple[int, int]]] = {}
    for number, lines in touched.items():
        for start, end in _lines(number * size, lines, size):
            if any(a <= start < b for a, b in keep.get(number, ())):
                continue
            found = slab_object(kernel, start) or slab_object(kernel, end - 1)
            if found is not None:
                last = found.base + (found.size if not found.free else 0)
                for page in range(found.base // size, max(last - 1, found.base) // size + 1):
                    keep.setdefault(page, []).append((found.base, last))
    return keep


def _lines(start: int, lines: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the lines of a page that were read."""
    for line in range(size // LINE):
        if lines >> line & 1:
            yield start + line * LINE, start + (line + 1) * LINE
