"""A kernel log without a dump: what kdump, dmesg, journalctl, syslog, a console, pstore or apport left of a death.

It is opened as a dump that holds no memory: `records` are all that there is of it. What stands before a line's words is
dumps.log.lines' to know; what the words say is klog's. A text is taken for a kernel log where lines of it begin as only
the kernel's do: with its times, as a syslog line of the kernel, or with the words of a death.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from oopscope.decode import decoded
from oopscope.dumps import Facts
from oopscope.dumps.log import apport, journal, lines, pasted, pstore
from oopscope.dumps.log.lines import Entry
from oopscope.errors import MissingPage
from oopscope.lazy_re import lazy_re
from oopscope.notes import CpuState, Note
from oopscope.sources import ByteSource

HEAD = 64 << 10  # bytes that are looked at to know a log
MOST = 96 << 20  # bytes of a log that are read; of a longer one the end
# Lines as only a kernel writes them, where they have no times.
WORDS = lazy_re(
    r"^(?:<\d{1,3}>)?(?:kernel: ?)?(?:Kernel panic - not syncing|BUG: |Oops: \d{4}|Oops\[#|Linux version \d|"
    r"Unable to handle kernel|"
    r"general protection fault|kernel BUG at |Internal error: |CPU \d+: Machine Check|Call Trace:|Call trace:|"
    r"------------\[ cut here \]|divide[_ ]error: 0000|invalid opcode: 0000|int3: 0000|PANIC: double fault|"
    r"\[ (?:INFO|BUG): |WARNING: (?:at |CPU: \d|possible |suspicious |inconsistent )|"
    r"\{\d+\}\[Hardware Error\]: |kernel tried to execute|"
    r"INFO: task .* blocked for|watchdog: BUG: |NMI watchdog: |watchdog: CPU \d+ |rcu: INFO: |SysRq : |"
    r"VERIFY\w*\(.*\) failed|SPLError: \d|"
    r"Hardware name: |Modules linked in: |Krnl PSW : |RIP: 00[01]\d:|CPU: \d+ (?:UID: \d+ )?PID: |"
    r".{1,16} invoked oom-killer: )",
    re.MULTILINE,
)
# Lines with the kernel's times, or of syslog: when, then who; prose that says `kernel: ` has no time before it.
_WHEN = (
    r"(?:[A-Z][a-z]{2} )?(?:\d{4} )?[^\W\d_]{3,5}\.? {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d|"
    r"\d\d:\d\d:\d\d,\d{3} [A-Z]{4,8} |"
    r"(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\d{9,10}\.\d{6} |\[ *\d{1,10}\.\d{6}\] "
)
TIMES = lazy_re(
    r"^(?:[ \t]{1,16}|(?:[>|] ?){1,4})?(?:<\d{1,4}> ?)?(?:[a-z]+ *:[a-z]+ *: )?"
    r"\[ *[+<]?\d{1,10}[.,](?:\d{6})? ?>?\](?:\[ *[TC]?\d+ ?\])? ?(?:\[ *[TC]\d+\] ?)? ?\S|"
    rf"^(?:<\d{{1,4}}>)?(?:{_WHEN})[^\n]{{0,100}}?\bkernel(?:: ?| - - - )|"
    r"^kernel: (?:\[ *\d+\.\d{6}\]|Linux version)|"
    r"^\d{1,4},\d+,\d+,[-c+][^;\n]{0,64};|"
    r"^\[\d: {1,5}[^\[\]\n]{1,24}?: *\d+\] |"
    r"^\[[^\W\d_]{2,3}\.? {1,2}[^\W\d_]{3,5}\.? [ \d]\d \d\d:\d\d:\d\d \d{4}\] ",
    re.MULTILINE,
)
LEAST = 2  # such lines
# A stack that nothing introduces.
FRAMES = lazy_re(
    r"^[ \t>|]{0,8}(?:\[<?[0-9a-f]{8,16}>?\] ?){0,2}(?:\? )?\(?[A-Za-z_][\w.]*\+0x[0-9a-f]+/0x[0-9a-f]+", re.M
)
LEAST_FRAMES = 3
JSON = lazy_re(r"\s*(?:\{\s*[\"}]|\[\s*\{|\[\n)")
CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r")


def _text(source: ByteSource, at: int, size: int) -> str:
    return decoded(source.read_at(at, size))


def probe(source: ByteSource) -> bool:
    """Tell whether a file is a kernel log; reads its beginning and its end."""
    head = source.read_at(0, HEAD)
    if not head or _is_binary(head):
        return False
    text = decoded(head).replace("\r", "\n")
    if apport.is_apport(text):
        return apport.log_text(_text(source, 0, MOST)) is not None
    if text.startswith(("<?xml", "<!DOCTYPE", "<html", "#!")):
        return False
    if journal.is_journal(text):
        return "_TRANSPORT" in text and '"kernel"' in text
    if JSON.match(text):
        return False
    if pstore.part_of(text) or _is_log(text):
        return True
    return source.size > HEAD and _is_log(_text(source, source.size - HEAD, HEAD).replace("\r", "\n"))


def _is_binary(head: bytes) -> bool:
    """Tell whether a file is no text; a console capture may have escapes, and NULs where the line was reset."""
    strange = sum(b < 32 and b not in b"\t\n\r\f\x1b" for b in head)
    return head[:4] == b"\x7fELF" or strange * 50 > len(head)


def _is_log(text: str) -> bool:
    text = pasted.unshifted(lines.ESCAPES.sub("", text))
    found = sum(1 for _ in zip(range(LEAST), TIMES.finditer(text), strict=False))
    if found >= LEAST or WORDS.search(text) is not None or (found > 0 and text.count("\n") <= LEAST):
        return True
    if sum(1 for _ in zip(range(LEAST_FRAMES), FRAMES.finditer(text), strict=False)) >= LEAST_FRAMES:
        return True
    return any(known and WORDS.match(entry.text) for entry, known in map(lines.parse, text.split("\n")))


def companions(source: ByteSource) -> list[Path]:
    """Return the other parts of a log that pstore kept."""
    try:
        return pstore.siblings(Path(source.name))
    except OSError:
        return []


def open(sources: Sequence[ByteSource]) -> "LogDump":
    """Open a log; several files only where they are parts of one."""
    return LogDump(sources)


class LogDump:
    """A log in place of a dump: it has records, and not one page."""

    page_size = 4096

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        self._sources = sources
        self._problems: list[str] = []
        text = self._whole()
        if apport.is_apport(text[:HEAD]):
            text = apport.log_text(text) or ""
        read = journal.entries if journal.is_journal(text[:HEAD]) else lines.entries
        self.records: list[Entry] = lines.in_order(lines.once(list(read(lines.split(pasted.unshifted(text))))))

    def _whole(self) -> str:
        texts = []
        for source in self._sources:
            cut = max(0, source.size - MOST)
            if cut:
                self._problems.append(f"{source.name}: only its last {MOST >> 20} MiB were read")
            raw = source.read_at(cut, MOST)
            text = decoded(raw)
            texts.append(lines.clean(text) if len(raw.translate(None, CONTROLS)) != len(raw) else text)
        texts = [piece for text in texts for piece in pstore.pieces(text)]
        if pstore.part_of(texts[0]) is None:
            return "\n".join(texts)
        text, missing = pstore.joined(texts)
        if missing:
            self._problems.append(f"parts of the log are missing: {', '.join(map(str, missing))}")
        return text

    def page(self, pfn: int) -> bytes:
        """Raise MissingPage: a log holds no memory."""
        raise MissingPage(pfn * self.page_size, "never-saved")

    def ranges(self) -> list[tuple[int, int]]:
        """Return no ranges."""
        return []

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield nothing."""
        return iter(())

    def notes(self) -> Iterator[Note]:
        """Yield nothing."""
        return iter(())

    def cpus(self) -> list[CpuState]:
        """Return no CPUs."""
        return []

    def facts(self) -> Facts:
        """Return what the log says of its machine: the host that syslog names, the kernel of `Linux version`."""
        facts = Facts.of("log", self._sources)
        facts.problems += self._problems
        facts.complete = facts.complete and not self._problems
        facts.nodename = next((entry.host for entry in self.records if entry.host), None)
        for entry in self.records:
            if entry.text.startswith("Linux version "):
                facts.release = entry.text.split(" ", 3)[2]
        return facts
