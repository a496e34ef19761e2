"""What mails, forums and servers of consoles do to a log's lines: shifted, quoted, wrapped at some width; undone here.

A line break is one that a mailer made where the first word behind it would not have fitted: that is what wrapping is.
It knows nothing of what the words say, but for those with which no line of a kernel ends.
"""

import re
from collections.abc import Sequence

from oopscope.lazy_re import lazy_re

# What a server of consoles puts before each line: the line's name; or the host, where somebody took the time away.
NAMED = lazy_re(r"(\[[A-Za-z][\w./:-]{0,40}\] )(?:<\d{1,3}>)?\[ *\d{1,10}\.\d{6}\]|([\w.-]{1,64} )kernel: ")
MARK = lazy_re(r"[>|]{1,4} ?|[ \t]{1,16}(?=\S)|(?:[>|] ?){1,4}[ \t]{0,16}(?=\S)")
# Lines that a kernel begins with no blank: where one is shifted, all of the paste is.
FLUSH = lazy_re(
    r"(?P<shift>(?:[>|] ?){0,4}[ \t]{0,16})(?:-{12}\[ cut here \]|BUG: |Oops: |INFO: task |Unable to handle |"
    r"general protection fault|Kernel panic - not syncing|kernel BUG at |Internal error: |CPU: \d+ (?:UID: \d+ )?PID: |"
    r"(?:NMI )?watchdog: |rcu: INFO: |RIP: 00|Modules linked in: |Call [Tt]race:|\[ *\d{1,9}\.\d{6}\])",
    re.MULTILINE,
)
# What syslogd writes to every terminal, in place of the line that it writes to its file.
WALL = "Message from syslogd@"
WALLS = lazy_re(
    rf"^[ \t>|]*{WALL}(?P<host>[^\s@]{{1,64}}) at (?P<day>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) \.{{3}}\s*?\n"
    r"[ \t>|]*kernel: ?",
    re.MULTILINE,
)
LEAST = 2  # lines with the same name
NARROWEST, WIDEST = 56, 132  # columns at which lines are wrapped
FITS = 80  # columns up to which some mailers leave a line alone; a longer one they break at 72
STRAY = 16  # one of so many lines that go on may be longer: what follows it was never a part of it
LONGER = 20  # one of so many lines may be longer: what has no blank cannot be wrapped
# Words at whose end the kernel goes on, and what it never begins a line with.
GOES_ON = lazy_re(
    r".{40,131}(?:\b(?:at|in|for|of|to|by|the|address:?|virtual|non-canonical|Not|not|mount|from|without)|"
    r"(?:CPU|PID|Comm|name|CTR|limit =|error -?\d+):?|Tainted: [A-Z ]*|\[<?[0-9a-f]{8,16}>?\]|,)$"
)
BEGINS = lazy_re(
    r"\s*(?:[A-Z][A-Za-z]*(?: [a-z]+)?: |\[|<|-{4}|(?:\? )?[\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+\s*$|$|"
    r"(?:BUG|Oops|INFO|WARNING|Call|Modules|Code|RIP|kernel BUG)\b)"
)
TIME = lazy_re(r"\s*\d{1,9}\.\d{6}\]")  # of which a mailer broke off the bracket
FRAME_NAME = lazy_re(r"\s*\(?[\w.$]+\+0x[0-9a-f]+/0x[0-9a-f]+")


def unshifted(text: str) -> str:
    """Return a text without what a mail, a paste or a console's server put before every line of it."""
    text = text.replace("\xa0", " ")  # what some mailers and pages make of blanks
    if WALL in text:
        text = WALLS.sub(r"\g<day> \g<host> kernel: ", text)
    found = NAMED.match(text)
    name = found[1] or found[2] if found is not None else None
    if name and text.count(f"\n{name}") >= max(text.count("\n") * 9 // 10, LEAST):
        return text.removeprefix(name).replace(f"\n{name}", "\n")
    flush = FLUSH.search(text)
    if flush is None or not flush["shift"]:
        return text
    shift = flush["shift"]
    if shift.strip():  # quoted, at least once
        return "\n".join(_unquoted(line, shift) for line in text.split("\n"))
    return "\n".join(line.removeprefix(shift) for line in text.split("\n"))


def _unquoted(line: str, shift: str) -> str:
    """Return a line without a mail's marks; a line that was not quoted is somebody's answer and stays."""
    if line.startswith(shift):
        return line[len(shift) :]
    return line[len(shift.rstrip()) :] if line.startswith(shift.rstrip()) else line


def breaks(lines: Sequence[str], bare: Sequence[int]) -> set[int]:
    """Return which lines go on with the one before them because a mailer broke it.

    lines: as they stand; bare: the places of those before whose words nothing stood, the others being marked.
    """
    marked = len(bare) * 3 < len(lines) * 2
    pairs = [at for at in bare if at and lines[at].strip()]
    if not marked:
        return {at for at in pairs if _goes_on(lines[at - 1].rstrip(), lines[at])}
    ends = sorted(len(lines[at - 1].rstrip()) for at in pairs)
    width = ends[-1 - len(ends) // STRAY] if ends else 0
    if not NARROWEST <= width <= WIDEST:
        return set()
    lengths = [len(line.rstrip()) for line in lines]
    if sum(length > max(width, FITS) for length in lengths) * LONGER > len(lines):
        return set()
    fits = max(width, *(length for length in lengths if length <= FITS))
    found, whole = set[int](), dict[int, int]()  # the line that each one is a piece of is so long
    for at in pairs:
        if lines[at - 1].rstrip().endswith("[") and TIME.match(lines[at]):
            found.add(at)
            continue
        before = whole.get(at - 1, lengths[at - 1])
        unfit = lengths[at - 1] + 1 + len(_first_word(lines[at])) > width
        if unfit and (at - 1 in found or before + 1 + lengths[at] > fits):
            found.add(at)
            whole[at] = before + 1 + lengths[at]
    return found


def _first_word(line: str) -> str:
    return line.split(maxsplit=1)[0]


def _goes_on(before: str, line: str) -> bool:
    """Tell whether a line without any mark goes on with the one before: by the words between which it was broken."""
    if GOES_ON.match(before) is None:
        return False
    return BEGINS.match(line) is None or (before.endswith("]") and FRAME_NAME.match(line) is not None)
