"""What stands before the words of a kernel log's line: times, levels, callers, hosts, in every form that tools write.

Knows vmcore-dmesg and dmesg with its options (-T, -x, -r, --time-format), /dev/kmsg and extended netconsole, syslog and
journalctl in all their short forms, serial consoles with or without times and level marks, PRINTK_CALLER, and what
Android's vendors put there. It knows nothing of what the words say.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from oopscope.dumps.log.pasted import FRAME_NAME, breaks
from oopscope.lazy_re import lazy_re

USER = 1  # the facility of what a program writes to /dev/kmsg
NS = 1_000_000_000
LEVELS = {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warn": 4, "notice": 5, "info": 6, "debug": 7}
FACILITIES = {"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5}
MONTHS = {
    name: i + 1
    for i, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
}


class Entry(NamedTuple):
    """One record as a log's text has it; None is what the text does not say."""

    ns: int | None  # on the kernel's clock
    level: int | None
    facility: int | None  # 0 the kernel; another: a program's
    caller: str | None
    text: str
    wall: int | None = None  # nanoseconds of the wall clock, where there is no other time; the year may be wrong
    host: str | None = None


ESCAPES = lazy_re(
    r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\^_]|\][^\x07\x1b]*(?:\x07|\x1b\\))|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]"
)
_ISO = r"(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
_DAY = (
    r"(?P<month>[^\W\d_]{3,5}\.?|\d{1,2}月) {1,2}(?P<day>\d{1,2}) "
    r"(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?: (?P<year>\d{4}))?"
)
_FULL = r"(?:[A-Z][a-z]{2} )" + _ISO.replace("iso>", "full>") + r"(?: [A-Z]{2,5})?"
# syslog and journalctl: when, which host, who. `[  12.3] host kernel: ` is journalctl's short-monotonic.
SYSLOG = lazy_re(
    rf"(?:<\d+>)?(?:(?:[A-Z][a-z]{{2}} )?(?:{_DAY})|{_ISO}|{_FULL}|(?P<unix>\d{{9,10}}\.\d{{6}})|"
    rf"\[ *(?P<mono>\d{{1,10}}\.\d{{6}})\](?= \S+ kernel: ))"
    r" (?:(?P<host>[^\s\[\]\x22'=,;]{0,254}[^\s\[\]\x22'=,;:]) | ?(?=kernel: ))(?:(?P<facility>\w+)\.(?P<level>\w+) )?"
    r"(?P<tag>[A-Za-z(/_][^\s\[\]:]{0,63})(?:\[(?P<pid>\d{1,18})\])?(?:: ?| - - - )(?P<rest>.*)",
    re.DOTALL,
)
# What an installer's own log puts before a line: 00:09:50,669 ALERT kernel:words
INSTALLER = lazy_re(r"\d\d:\d\d:\d\d,\d{3} [A-Z]{4,8} (?P<tag>\w+): ?(?P<rest>.*)", re.DOTALL)
KMSG = lazy_re(
    r"(?P<pri>\d{1,4}),(?P<seq>\d+),(?P<usec>\d{1,18}),[-c+](?:,(?:caller=(?P<caller>[TC]\d{1,18})|[^;]*))?;(?P<rest>.*)",
    re.DOTALL,
)
DECODED = lazy_re(r"(?P<facility>[a-z]+\d?) *:(?P<level>[a-z]+) *: (?P<rest>.*)", re.DOTALL)  # dmesg -x
LEVEL = lazy_re(r"<(?P<pri>\d{1,4})>(?:\[|(?=.))")
STAMP = lazy_re(
    r"\[ *(?P<seconds>\d{1,10})\.(?P<fraction>\d{3,9}|(?= ?\]))(?: *<[ +-]*\d+\.\d+>)? ?\]"
    r"(?:\[ *(?P<caller>[TC]?\d{1,6}) ?\])?(?: ?\[ *(?P<caller2>[TC]\d{1,18}) ?\])? ?(?P<cpu>\d{3}: (?= {0,3}\S))?"
)
STAMPS = lazy_re(r"(?:^|(?<=\S) |(?<= ))(?=\[ *\d{1,10}\.\d{6}\])")
# How a mail, a forum or a paste shifts each line, before its time or its level.
BLANK = ("", " ")
QUOTES = frozenset(" \t>|")
QUOTED = lazy_re(r"(?:[ \t]{1,16}|(?:[>|] ?){1,4})(?=(?:<\d{1,3}>)?\[ *\d{1,10}\.\d{6}\]|<\d{1,3}>\S)")
PROMPT = lazy_re(
    r"[\w.-]{1,64} login: +(?=\S)|"
    r"\[[\w.-]{1,32}@[^\[\]]{1,160}\][#$] ?(?=\[ {0,4}\d{1,9}\.\d{6}\]\S? ?\S)|"  # a shell's
    r"(?:\[(?:[ *]{3,6}|  OK  |FAILED|DEPEND| INFO | WARN | TIME )\])?[^'\"\[\]<]{1,160}?"  # systemd's own marks
    r"(?=\[ {0,4}\d{1,9}\.\d{6}\]\S? ?\S)"
)
BARE = lazy_re(r".* kernel:(?: \[ *\d+\.\d+\])?|\[ *\d+\.\d+\]")  # of which a mailer broke off all words
LEAST_TWICE = 8  # records
JOINED = 3  # times in one line
CTIME = lazy_re(r"\[(?:[^\W\d_]{2,3}\.? {1,2})" + _DAY + r"\](?:\[ *(?P<caller>[TC]\d{1,18})\])? ?")
DMESG_ISO = lazy_re(r"\[?" + _ISO + r"\]?(?:\[ *(?P<caller>[TC]\d{1,18})\])?[ \t]+")
RELATIVE = lazy_re(r"\[(?:[A-Z][a-z]{2} ?\d{1,2} \d\d:\d\d|\s*[<+]? *\+?\d+[.,]\d+>?)\] ")
CALLER = lazy_re(r"\[ {0,5}(?P<caller>[TC]\d{1,7})\] ?")  # where syslog took the kernel's time away
VENDORS = frozenset("IWEDC[-(")
VENDOR = lazy_re(
    r"[IWEDC]?\[?(?P<cpu>\d): *(?P<comm>[^\[\]]{1,24}?): *(?P<pid>\d{1,18})\] ?|"
    r"-?\(\d\)\[(?P<pid2>\d{1,18}):[^\]]{1,24}\]|"
    r"\(CPU:(?P<cpu3>\d)-pid:(?P<pid3>\d{1,18}):\([^)]*\)\) ?"
)

TASK = lazy_re(r"^[\w.:/@-]{1,16}: (?=Kernel panic - not syncing)")  # phones' kernels name the task before all words
PANIC = 40  # characters in which such a name and the first words of a panic stand


def clean(text: str) -> str:
    """Return a text without terminal escapes and control characters, as a console capture has them."""
    return ESCAPES.sub("", text)


def split(text: str) -> Iterator[str]:
    """Yield the lines of a capture, whatever ends them; empty ones too."""
    for line in text.split("\n"):
        if "\r" in line:
            yield from (part for part in line.strip("\r").split("\r"))
        elif line.count("] ") >= JOINED and len(STAMPS.findall(line)) >= JOINED:  # its line ends were lost
            yield from (part.rstrip(" ") for part in STAMPS.split(line) if part)
        else:
            yield line


def parse(line: str) -> tuple[Entry, bool]:
    """Return a line as a record, and whether anything stood before its words."""
    if line[:1] in QUOTES:
        quoted = QUOTED.match(line)
        line = line[quoted.end() :] if quoted else line
    stamp = STAMP.match(line) if line[:1] == "[" else None
    if stamp and "kernel: " not in line and line[stamp.end() : stamp.end() + 1] not in VENDORS:  # the plainest form
        ns = int(stamp[1]) * NS + int(stamp[2].ljust(9, "0"))
        return Entry(ns, None, None, _caller(stamp), _words(line[stamp.end() :])), True
    found = KMSG.match(line) if line[:1].isdigit() else None
    if found:
        pri = int(found["pri"])
        return Entry(int(found["usec"]) * 1000, pri & 7, pri >> 3, found["caller"], found["rest"]), True
    first = line[:1]
    installer = INSTALLER.match(line) if line[8:9] == "," else None
    if installer:
        entry, _ = _inner(installer["rest"])
        return entry if installer["tag"] == "kernel" else entry._replace(facility=USER), True
    if first.isdigit() or first.isupper() or first in ("[", "<") or (first.islower() and " kernel: " in line):
        outer = SYSLOG.match(line) if line[19:20] != "," else None  # dmesg has a comma there
        if outer:
            return _syslog(outer), True
        if first.isdigit() or (first == "[" and line[1:2].isdigit() and line[5:6] == "-"):
            iso = DMESG_ISO.match(line)
            if iso:
                wall, line = _iso(iso["iso"]), line[iso.end() :]
                caller = iso["caller"]
                inner, _ = _inner(line)
                return inner._replace(wall=wall if inner.ns is None else None, caller=inner.caller or caller), True
    rest = line.lstrip() if first.isspace() else line
    if rest.startswith("kernel:"):  # what is left of a journal's or terminal's line where somebody took the time away
        return _inner(rest[7:].removeprefix(" "))[0], True
    return _decoded(line) if first.islower() else _plain(line)


def _decoded(line: str) -> tuple[Entry, bool]:
    """Return a line of `dmesg -x` as a record; any other as a plain one."""
    decoded = DECODED.match(line)
    if decoded and decoded["level"] in LEVELS:
        level, facility = LEVELS[decoded["level"]], FACILITIES.get(decoded["facility"], USER)
        inner, _ = _inner(decoded["rest"])
        return inner._replace(level=level, facility=facility), True
    return _plain(line)


def _plain(line: str) -> tuple[Entry, bool]:
    """Return a line as the kernel prints it, whatever a program left before it on the console."""
    inner, stamped = _inner(line)
    prompt = PROMPT.match(line) if not stamped else None  # what a program left on the console, and no line end
    return _inner(line[prompt.end() :]) if prompt else (inner, stamped)


def _syslog(found: re.Match[str]) -> Entry:
    """Return the record of a syslog line; one of another program than the kernel is that program's."""
    inner, _ = _inner(found["rest"])
    ns, wall = inner.ns, None
    if ns is None and found["mono"]:
        seconds, _, fraction = found["mono"].partition(".")
        ns = int(seconds) * NS + int(fraction) * 1000
    if ns is None:
        wall = _wall(found)
    level = inner.level if found["level"] is None else LEVELS.get(found["level"], inner.level)
    kernel = found["tag"] == "kernel" and not found["pid"]
    return Entry(ns, level, inner.facility if kernel else USER, inner.caller, inner.text, wall, found["host"])


def _inner(line: str) -> tuple[Entry, bool]:
    """Return a line as the kernel prints it itself: level mark, time, caller."""
    level = facility = caller = ns = wall = None
    known = False
    mark = LEVEL.match(line)
    if mark and int(mark["pri"]) < 192:
        level, facility = int(mark["pri"]) & 7, int(mark["pri"]) >> 3
        line, known = line[mark.end("pri") + 1 :], True
        line = line[1:] if line[:2] == " [" else line
    stamp = STAMP.match(line) if line[:1] == "[" else None
    if stamp:
        ns = int(stamp["seconds"]) * NS + int(stamp["fraction"].ljust(9, "0"))
        caller = _caller(stamp)
        line, known = line[stamp.end() :].removeprefix("kernel: "), True
        vendor = VENDOR.match(line) if line[:1] in VENDORS else None
        if vendor:
            caller = f"T{vendor['pid'] or vendor['pid2'] or vendor['pid3']}"
            line = line[vendor.end() :]
        line = _words(line)
    elif line[:1] == "[":
        date = CTIME.match(line)
        if date:
            wall, caller, line, known = _wall(date), date["caller"], line[date.end() :], True
        else:
            relative = RELATIVE.match(line) or CALLER.match(line)
            vendor = None if relative else VENDOR.match(line)
            if relative:
                caller = relative.groupdict().get("caller")
                line, known = line[relative.end() :], True
            elif vendor:
                line, known, caller = line[vendor.end() :], True, f"T{vendor['pid']}"
    return Entry(ns, level, facility, caller, line, wall), known


def _words(text: str) -> str:
    """Return a line's words without the task that some phones' kernels name before a panic's."""
    return TASK.sub("", text, count=1) if ": Kernel panic - " in text[:PANIC] else text


def _caller(stamp: re.Match[str]) -> str | None:
    """Return who printed a line, T and a PID or C and a CPU; some kernels print the CPU's number alone."""
    caller: str | None = stamp["caller"] or stamp["caller2"] or (stamp["cpu"] and stamp["cpu"][:3])
    return f"C{int(caller)}" if caller and caller.isdigit() else caller


def _wall(found: re.Match[str]) -> int | None:
    """Return the nanoseconds since 1970 of a date; without a year those of 1972, which has every day."""
    groups = found.groupdict()
    if groups.get("iso") or groups.get("full"):
        return _iso(groups.get("iso") or groups.get("full") or "")
    if groups.get("unix"):
        seconds, _, fraction = groups["unix"].partition(".")
        return int(seconds) * NS + int(fraction) * 1000
    month = MONTHS.get(groups.get("month") or "")
    if month is None:
        return None
    clock, _, fraction = groups["time"].partition(".")
    hour, minute, second = map(int, clock.split(":"))
    try:
        date = datetime(
            int(groups.get("year") or 1972), month, int(groups["day"]), hour, minute, min(second, 59), tzinfo=UTC
        )
    except ValueError:
        return None
    return int(date.timestamp()) * NS + int(fraction.ljust(9, "0") or 0)


def _iso(text: str) -> int | None:
    """Return the nanoseconds since 1970 of an ISO 8601 time; one without a zone is taken for UTC."""
    try:
        date = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T"))
    except ValueError:
        return None
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1_000_000) * 1000


def entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the records of lines.

    In a log whose lines begin with times, a line without one goes on with the record before it: it is no record's
    beginning. Elsewhere each line is a record. What a mailer broke is one line again.
    """
    found, bare, raw = _parsed(lines)
    broken = breaks(raw, bare) if bare else set()
    if broken:
        found, bare, raw = _parsed(_mended(raw, broken))
    if len(bare) * 2 > len(found):
        yield from found
        return
    unmarked, last = set(bare), None
    for at, entry in enumerate(found):
        if at in unmarked and last is not None:
            last = last._replace(text=f"{last.text}\n{entry.text}" if last.text.strip() else entry.text)
            continue
        if last is not None:
            yield last
        last = entry
    if last is not None:
        yield last


def _mended(raw: Sequence[str], broken: set[int]) -> list[str]:
    """Return lines of which some, that a mailer broke off the one before, are one again."""
    whole: list[str] = []
    for at, line in enumerate(raw):
        if at in broken:
            before = whole[-1].rstrip(" ")
            gap = "  " if BARE.fullmatch(before) and FRAME_NAME.match(line) else " "  # what the kernel puts before it
            whole[-1] = f"{before}{gap}{line.lstrip()}"
        else:
            whole.append(line)
    return whole


def once(found: list[Entry]) -> list[Entry]:
    """Return records without those that two consoles wrote twice, where nearly all are there twice."""
    again = [first == second for first, second in pairwise(found)]
    if len(found) < LEAST_TWICE or sum(again) * 5 < len(found) * 2:
        return found
    return [*(entry for entry, same in zip(found, again, strict=False) if not same), found[-1]]


def in_order(found: Sequence[Entry]) -> list[Entry]:
    """Return records with neighbours that were exchanged on their way (netconsole, UDP) put back, by their times.

    Only two that stand right between their neighbours' times otherwise: CPUs' clocks may differ, and boots begin anew.
    """
    out = list(found)
    ns = [entry.ns for entry in out]
    for at, (first, second) in enumerate(pairwise(ns)):
        if first is None or second is None or not 0 < first - second <= NS:
            continue
        before = ns[at - 1] if at else None
        after = ns[at + 2] if at + 2 < len(ns) else None
        if (before is None or before <= second) and (after is None or first <= after):
            out[at], out[at + 1] = out[at + 1], out[at]
    return out


def _parsed(lines: Iterable[str]) -> tuple[list[Entry], list[int], list[str]]:
    """Return the lines as records, the places of those before whose words nothing stood, and the lines themselves."""
    found: list[Entry] = []
    bare: list[int] = []
    raw: list[str] = []
    for line in lines:
        entry, known = parse(line)
        if not entry.text and not known:
            continue
        if not known:
            bare.append(len(found))
        found.append(entry)
        raw.append(line)
    if found and all(entry.text[:1] in BLANK for entry in found):  # a console that puts a blank before all words
        found = [entry._replace(text=entry.text[1:]) for entry in found]
    return found, bare, raw
