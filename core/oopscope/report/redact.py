"""A report without what tells of people and places: for a bug report that others read.

Taken out: host names, network addresses, the kernel's command line but for the names of its parameters, user names in
paths and mount options, what programs wrote to the kernel's log, audit records, serial numbers. One thing has one
stand-in all over the report ("ip-1"), so that what belongs together can still be seen. Kept: names of programs and
modules, other paths, sizes, times, numbers of users, and the kernel's own words.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from oopscope.subsystems import TABLES, table

LEAST = 3  # letters of a host's name that is looked for in all texts
NO_NAMES = frozenset(("localhost", "(none)", "none", "linux", "host", "kernel", "root"))
PROGRAM = "[a program's words]"
_MAC = r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"
_IPV4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)"
_IPV6 = r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"
_MAIL = r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
ADDRESSES = re.compile(rf"(?P<mac>{_MAC})|(?P<mail>{_MAIL})|(?P<ip4>{_IPV4})|(?P<ip6>{_IPV6})")
_PEOPLE = re.compile(r"(?P<before>(?:/home|/Users|/var/home|/run/user|/media)/)(?P<name>[^/\s\"',]+)")
_SETTINGS = re.compile(
    r"\b(?P<key>user(?:name)?|domain|pass(?:word)?|cred(?:entials)?|acct|hostname)"
    r"=(?P<name>[^,\s\"]+|\"[^\"]*\")"
)
_SERIAL = re.compile(r"(?P<before>\bSerialNumber: |\bSerial(?: Number)?[:=] ?)(?P<name>\S+)", re.IGNORECASE)
_SHARE = re.compile(r"^(?P<before>//|)(?P<name>[\w.-]+|\[[0-9a-fA-F:]+\])(?P<after>:/|/)")
_AUDIT = re.compile(r"(?P<before>\baudit(?:\(|:| )\S*\s*)(?P<rest>.*)", re.DOTALL)
_COMMAND_LINE = re.compile(r"(?P<before>\b(?:Kernel c|C)ommand line: )(?P<rest>.*)", re.DOTALL)
_OF_PROGRAM = re.compile(r"^(?:<\d+>)?[\w.@/-]+\[\d+\]: ")


class Redaction:
    """The stand-ins of one report."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        """Take the names that are the machine's own."""
        parts = {part for name in names for part in (name, name.partition(".")[0]) if len(part) >= LEAST}
        wanted = sorted((n for n in parts if n.lower() not in NO_NAMES), key=len, reverse=True)
        self._hosts = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, wanted))})(?![\w-])") if wanted else None
        self._met: dict[tuple[str, str], str] = {}

    def stand_in(self, kind: str, name: str) -> str:
        """Return what stands for a name, the same each time."""
        met = self._met
        if (kind, name) not in met:
            met[kind, name] = f"{kind}-{1 + sum(k == kind for k, _ in met)}"
        return met[kind, name]

    def text(self, text: str) -> str:
        """Return a text without hosts, addresses, people and serial numbers."""
        if self._hosts is not None:
            text = self._hosts.sub(lambda m: self.stand_in("host", m[0].partition(".")[0]), text)
        text = ADDRESSES.sub(self._address, text)
        text = _PEOPLE.sub(lambda m: m["before"] + self.stand_in("user", m["name"]), text)
        text = _SETTINGS.sub(lambda m: f"{m['key']}={self.stand_in('value', m['name'])}", text)
        return _SERIAL.sub(lambda m: m["before"] + self.stand_in("serial", m["name"]), text)

    def _address(self, match: re.Match[str]) -> str:
        kind, found = match.lastgroup or "", match[0]
        if kind in ("ip4", "ip6"):
            try:
                address = ipaddress.ip_address(found)
            except ValueError:
                return found
            if address.is_loopback or address.is_unspecified:
                return found
            kind = "ip"
        return self.stand_in(kind, found.lower())

    def log(self, text: str, facility: object) -> str:
        """Return a record's text: of a program's nothing; of the kernel's own no command line and no audit record."""
        if facility or _OF_PROGRAM.match(text):
            return PROGRAM
        if (line := _COMMAND_LINE.search(text)) is not None:
            return text[: line.start("rest")] + parameters(line["rest"])
        if (audit := _AUDIT.search(text)) is not None:
            return text[: audit.start("rest")] + PROGRAM
        return self.text(text)

    def source(self, text: str) -> str:
        """Return a mount's source: of a share its server is a host."""
        found = _SHARE.match(text)
        if found is None or (not found["before"] and found["after"] != ":/"):
            return self.text(text)
        return found["before"] + self.stand_in("host", found["name"]) + self.text(text[found.start("after") :])

    def host(self, text: str) -> str:
        """Return a server's name, an address of one, or the path of a socket."""
        return self.text(text) if text.startswith("/") or ADDRESSES.search(text) else self.stand_in("host", text)


def parameters(line: str) -> str:
    """Return a kernel's command line with the names of its parameters alone; nothing behind "--", which is init's."""
    words = re.findall(r'(?:[^\s"]|"[^"]*")+', line.partition(" -- ")[0])
    return " ".join(f"{word.partition('=')[0]}=..." if "=" in word else word for word in words)


def redact(report: Mapping[str, Any], names: Iterable[str | None]) -> dict[str, Any]:
    """Return a report without them, given the machine's own names; `dump` says that it was."""
    system, hide = report.get("system") or {}, Redaction(tuple(name for name in names if name))
    found: dict[str, Any] = {key: _part(hide, key, part) for key, part in report.items()}
    if isinstance(found.get("system"), dict):
        line = system.get("command_line")
        found["system"] |= {"command_line": parameters(line) if line else line}
    if isinstance(found.get("dump"), dict):
        found["dump"] |= {"path": "dump", "log_from": "a file" if report["dump"].get("log_from") else None}
        found["dump"]["redacted"] = True
    return found


def _part(hide: Redaction, key: str, part: Any) -> Any:
    if key == "log" and isinstance(part, list):
        return [{**row, "text": hide.log(str(row.get("text") or ""), row.get("facility"))} for row in part]
    if key in ("auditrecords", "safemessages") and isinstance(part, list):
        return [{**row, "text": hide.log(str(row.get("text") or ""), 0)} for row in part]
    hosts = [column.key for column in table(key).columns if column.host] if key in dict(TABLES) else []
    if hosts and isinstance(part, list):
        return [_all(hide, row) | {name: hide.host(row[name]) for name in hosts if row.get(name)} for row in part]
    shares = [column.key for column in table(key).columns if column.share] if key in dict(TABLES) else []
    if shares and isinstance(part, list):
        return [
            _all(hide, row) | {name: hide.source(row[name]) for name in shares if isinstance(row.get(name), str)}
            for row in part
        ]
    return _all(hide, part)


def _all(hide: Redaction, part: Any) -> Any:
    """Return data with every text in it redacted."""
    if isinstance(part, str):
        return hide.text(part)
    if isinstance(part, Mapping):
        return {key: _all(hide, value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_all(hide, value) for value in part]
    return part
