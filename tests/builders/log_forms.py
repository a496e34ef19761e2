"""One kernel log in the forms that tools write: each function makes a text of (ns, level, caller, text) records."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from textwrap import wrap
from typing import Any

BOOT = datetime(2026, 11, 29, 23, 20, 11, tzinfo=UTC)


UNBROKEN: Any = {"break_long_words": False, "break_on_hyphens": False, "drop_whitespace": True}


def _seconds(ns: int) -> str:
    return f"{ns // 10**9:5d}.{ns % 10**9 // 1000:06d}"


def _when(ns: Any) -> Any:
    return BOOT + timedelta(microseconds=ns // 1000)


def dmesg(records: Any) -> str:
    return "".join(f"[{_seconds(ns)}] {text}\n" for ns, _, _, text in records)


def raw(records: Any) -> str:
    return "".join(f"<{level}>[{_seconds(ns)}] {text}\n" for ns, level, _, text in records)


def decoded(records: Any) -> Any:
    names = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
    return "".join(f"kern  :{names[level]:<6}: [{_seconds(ns)}] {text}\n" for ns, level, _, text in records)


def ctime(records: Any) -> Any:
    return "".join(f"[{_when(ns):%a %b %e %H:%M:%S %Y}] {text}\n" for ns, _, _, text in records)


def iso(records: Any) -> Any:
    return "".join(
        f"{_when(ns):%Y-%m-%dT%H:%M:%S},{ns % 10**9 // 1000:06d}+00:00 {text}\n" for ns, _, _, text in records
    )


def with_callers(records: Any) -> Any:
    return "".join(f"[{_seconds(ns)}][{caller or 'T1':>7}] {text}\n" for ns, _, caller, text in records)


def syslog(records: Any) -> Any:
    return "".join(
        f"{_when(ns):%b %e %H:%M:%S} lab-node-1 kernel: [{_seconds(ns)}] {text}\n" for ns, _, _, text in records
    )


def kern_log(records: Any) -> Any:
    """rsyslog's newer form, without the kernel's times."""
    return "".join(f"{_when(ns).isoformat()} lab-node-1 kernel: {text}\n" for ns, _, _, text in records)


def journal(records: Any) -> Any:
    return "".join(f"{_when(ns):%b %d %H:%M:%S} lab-node-1 kernel: {text}\n" for ns, _, _, text in records)


def journal_iso(records: Any) -> Any:
    return "".join(f"{_when(ns):%Y-%m-%dT%H:%M:%S}+0000 lab-node-1 kernel: {text}\n" for ns, _, _, text in records)


def journal_monotonic(records: Any) -> Any:
    return "".join(f"[{_seconds(ns)}] lab-node-1 kernel: {text}\n" for ns, _, _, text in records)


def cat(records: Any) -> Any:
    return "".join(f"{text}\n" for _, _, _, text in records)


def journal_json(records: Any) -> Any:
    return "".join(
        json.dumps(
            {
                "MESSAGE": text,
                "PRIORITY": str(level),
                "SYSLOG_FACILITY": "0",
                "SYSLOG_IDENTIFIER": "kernel",
                "_TRANSPORT": "kernel",
                "_SOURCE_MONOTONIC_TIMESTAMP": str(ns // 1000),
                "__REALTIME_TIMESTAMP": str(int(_when(ns).timestamp() * 1e6)),
                "_HOSTNAME": "lab-node-1",
            }
        )
        + "\n"
        for ns, level, _, text in records
    )


def netconsole(records: Any) -> Any:
    return "".join(f"{level},{at},{ns // 1000},-;{text}\n" for at, (ns, level, _, text) in enumerate(records))


def console(records: Any) -> Any:
    """A serial line: carriage returns, escapes, and what a program writes in between."""
    lines = [f"[{_seconds(ns)}] {text}\r\n" for ns, _, _, text in records]
    lines.insert(len(lines) // 3, "\x1b[0;32m[  OK  ]\x1b[0m Started something.\r\n")
    return "".join(lines)


def cut(records: Any) -> Any:
    """The oldest line lost its beginning: the buffer was full."""
    return dmesg(records)[9:]


def apport(records: Any) -> Any:
    data = base64.b64encode(gzip.compress(dmesg(records).encode())).decode()
    return (
        f"ProblemType: KernelCrash\nArchitecture: amd64\nDate: Sun Nov 29 23:20:11 2026\nVmCoreDmesg: base64\n {data}\n"
    )


def apport_text(records: Any) -> Any:
    body = "".join(f" {line}\n" for line in dmesg(records).splitlines())
    return f"ProblemType: KernelOops\nDate: Sun Nov 29 23:20:11 2026\nOopsText:\n{body}Tags: kernel-oops\n"


def mailed(records: Any) -> str:
    """As mailers wrap text, at 72 columns and with a blank where they did; what has no blank stays."""
    lines = dmesg(records).split("\n")
    return "\n".join(" \n".join(wrap(line, 72, **UNBROKEN)) for line in lines)


def mailed_if_long(records: Any) -> str:
    """As other mailers do, which leave lines of up to 80 columns alone."""
    lines = dmesg(records).split("\n")
    return "\n".join("\n".join(wrap(line, 72, **UNBROKEN)) if len(line) > 80 else line for line in lines)


def ctime_of_two_letters(records: Any) -> str:
    """dmesg -T where the day's name has two letters."""
    return "".join(f"[{_when(ns):Mo %b %e %H:%M:%S %Y}] {text}\n" for ns, _, _, text in records)


FORMS = (
    *(dmesg, raw, decoded, ctime, iso, with_callers, syslog, kern_log, journal, journal_iso, journal_monotonic, cat),
    *(journal_json, netconsole, console, cut, apport, apport_text, mailed, mailed_if_long, ctime_of_two_letters),
)


def pstore(records: Any, size: int = 1500) -> dict[str, str]:
    """The parts of a log as EFI keeps them, by name: part 1 is the newest."""
    text = raw(records)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return {
        f"dmesg-efi-1732922411{part:02d}001": f"Panic#1 Part{part}\n{piece}"
        for part, piece in enumerate(reversed(pieces), 1)
    }
