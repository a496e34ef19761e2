"""The audit system: how it is set, what it lost, and the records that nobody has taken yet.

Follows kernel/audit.c. A record is a buffer with a netlink header and its text, which begins with `audit(`; each of
the three queues counts its own.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan

MAX_RECORDS, MAX_TEXT, HEADER = 100_000, 8970, 16  # records of a queue; MAX_AUDIT_MESSAGE_LENGTH; struct nlmsghdr
# kernel/audit.c: why a record is where it is
QUEUES = (
    ("audit_queue", "to be sent"),
    ("audit_retry_queue", "to be sent again"),
    ("audit_hold_queue", "held for a daemon"),
)
FAILURES = ("silent", "printed", "panic")
ENABLED = ("off", "on", "on, and locked")
# include/uapi/linux/audit.h
TYPES = {
    1100: "USER_AUTH", 1101: "USER_ACCT", 1103: "CRED_ACQ", 1105: "USER_START", 1106: "USER_END", 1112: "USER_LOGIN",
    1130: "SERVICE_START", 1131: "SERVICE_STOP", 1300: "SYSCALL", 1302: "PATH", 1305: "CONFIG_CHANGE", 1306: "SOCKADDR",
    1307: "CWD", 1309: "EXECVE", 1320: "EOE", 1325: "NETFILTER_CFG", 1326: "SECCOMP", 1327: "PROCTITLE", 1334: "BPF",
    1400: "AVC", 1406: "MAC_UNLBL_ALLOW", 1409: "MAC_MAP_ADD", 1416: "MAC_UNLBL_STCADD", 1701: "ANOM_ABEND",
    2000: "KERNEL",
}  # fmt: skip
FIRST, LAST = 1000, 2999  # of types


class Buffer(NamedTuple):
    """struct sk_buff."""

    address: int
    data: int
    len: int


BUFFER = Plan("sk_buff", Buffer)


class AuditRecord(NamedTuple):
    """A record that waits."""

    queue: str
    type: str
    text: str
    address: int


def _lengths(kernel: Kernel) -> Iterator[tuple[int, str, int]]:
    """Yield each queue: struct sk_buff_head *, what it is for, how many buffers it counts."""
    at = kernel.types.member("sk_buff_head", "qlen").offset
    for symbol, word in QUEUES:
        head = kernel.symbol(symbol)
        yield head, word, kernel.memory.u32(head + at)


def audit_waiting(kernel: Kernel) -> int:
    """Return how many records wait by the queues' own counts."""
    return sum(count for _, _, count in _lengths(kernel))


@once
def audit_records(kernel: Kernel) -> list[AuditRecord]:
    """Return the records that wait, queue by queue, the oldest first."""
    found, bound = list[AuditRecord](), kernel.bind(BUFFER)
    lost = kernel.problems.lost("auditrecords", "a record of audit")
    for head, word, count in _lengths(kernel):
        for row in bound.rows(for_each_list(kernel.memory, head, 0, lost, min(count, MAX_RECORDS) + 1), lost):
            try:
                record = _record(kernel, word, row)
            except OopscopeError as e:
                lost(e)
                continue
            if record is None:
                kernel.problems.add("auditrecords", "what should be a record of audit is none", row.address)
            else:
                found.append(record)
    return found


def _record(kernel: Kernel, queue: str, row: Buffer) -> AuditRecord | None:
    if not HEADER < row.len <= MAX_TEXT + HEADER:
        return None
    raw = kernel.memory.read(row.data, row.len)
    kind, text = int.from_bytes(raw[4:6], kernel.arch.byteorder), raw[HEADER:].partition(b"\0")[0]
    if not FIRST <= kind <= LAST or not text.startswith(b"audit("):
        return None
    return AuditRecord(queue, TYPES.get(kind, str(kind)), decoded(text), row.address)


def audit_facts(kernel: Kernel) -> Iterator[tuple[str, str | None]]:
    """Yield what auditctl -s says; none of a kernel without it."""
    if kernel.find_symbol("audit_enabled") is None:
        return

    def told(symbol: str, words: tuple[str, ...] = ()) -> str | None:
        try:
            number = kernel.memory.u32(kernel.symbol(symbol))
        except OopscopeError:
            return None
        return words[number] if number < len(words) else str(number)

    yield "audit", told("audit_enabled", ENABLED)
    yield "audit failure", told("audit_failure", FAILURES)
    yield "audit lost", told("audit_lost")
    yield "audit backlog limit", told("audit_backlog_limit", ("none",))
    yield "audit rate limit", told("audit_rate_limit", ("none",))
    try:
        yield "audit backlog", str(audit_waiting(kernel))
    except OopscopeError:
        yield "audit backlog", None
