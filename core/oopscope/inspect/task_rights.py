"""What one task may do and where it is: credentials, limits, namespaces, control groups, who audits and filters it.

Follows include/linux/{cred.h,nsproxy.h,ns_common.h,seccomp.h}, fs/proc/{array.c,base.c} and
include/uapi/linux/{resource,capability}.h. One task at a time, and in no report.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.inspect.task_facts import CAPABILITIES, cgroup_of
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

MAX_GROUPS = 65_536  # NGROUPS_MAX
NOBODY = (1 << 32) - 1  # AUDIT_UID_UNSET
SECCOMP = {0: "none", 1: "strict", 2: "filter"}
PFA_NO_NEW_PRIVS = 1
# Of include/uapi/asm-generic/resource.h: what a limit counts, and its name in /proc/PID/limits.
LIMITS: tuple[tuple[str, str], ...] = (
    ("CPU time", "seconds"), ("file size", "bytes"), ("data", "bytes"), ("stack", "bytes"), ("core file", "bytes"),
    ("resident", "bytes"), ("processes", "processes"), ("open files", "files"), ("locked memory", "bytes"),
    ("address space", "bytes"), ("file locks", "locks"), ("pending signals", "signals"), ("message queues", "bytes"),
    ("nice", ""), ("real-time priority", ""), ("real-time time", "us"),
)  # fmt: skip
CAPS = {"effective": "Effective caps", "permitted": "Permitted caps", "inheritable": "Inherited caps",
        "bounding": "Bounding caps", "ambient": "Ambient caps"}  # fmt: skip
SPACES = (
    ("mnt", "mnt_ns", "mnt_namespace"), ("pid", "pid_ns_for_children", "pid_namespace"), ("net", "net_ns", "net"),
    ("uts", "uts_ns", "uts_namespace"), ("ipc", "ipc_ns", "ipc_namespace"),
    ("cgroup", "cgroup_ns", "cgroup_namespace"), ("time", "time_ns", "time_namespace"),
)  # fmt: skip


class Cred(NamedTuple):
    """struct cred."""

    uid: int
    gid: int
    suid: int
    sgid: int
    euid: int
    egid: int
    fsuid: int
    fsgid: int
    securebits: int
    inheritable: int
    permitted: int
    effective: int
    bounding: int
    ambient: int
    user_ns: int
    group_info: int


class Guarded(NamedTuple):
    """struct task_struct: who watches it, and by what it is filtered."""

    cred: int
    signal: int
    nsproxy: int
    cgroups: int
    flags: int
    seccomp: int | None
    filters: int | None
    loginuid: int | None
    sessionid: int | None
    personality: int
    pdeath_signal: int


class Rlimit(NamedTuple):
    """struct rlimit."""

    rlim_cur: int
    rlim_max: int


def _mask(name: str) -> tuple[str, ...]:
    return f"cap_{name}.val", f"cap_{name}.cap"  # f122a08b197d "capability: just use a 'u64'", 6.3


CRED = Plan(
    "cred", Cred, uid="uid.val", gid="gid.val", suid="suid.val", sgid="sgid.val", euid="euid.val", egid="egid.val",
    fsuid="fsuid.val", fsgid="fsgid.val", inheritable=_mask("inheritable"), permitted=_mask("permitted"),
    effective=_mask("effective"), bounding=_mask("bset"), ambient=_mask("ambient"),
)  # fmt: skip
GUARDED = Plan(
    "task_struct", Guarded, cred="real_cred", flags="atomic_flags", seccomp="seccomp.mode",
    filters="seccomp.filter_count.counter", loginuid="loginuid.val",
)  # fmt: skip
RLIMIT = Plan("rlimit", Rlimit)


class Limit(NamedTuple):
    """One limit of a process, as /proc/PID/limits words it: a number, or unlimited."""

    name: str
    soft: str
    hard: str
    unit: str


class Space(NamedTuple):
    """A namespace that a task is in."""

    kind: str
    number: int | None
    whose: str  # PID 1's, or another
    address: int


def _attempt(read: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return read(), ""
    except OopscopeError as e:
        return None, str(e)


def limits(kernel: Kernel, task: int) -> list[Limit]:
    """Return the limits of a task's process, as getrlimit(2) has them; ReadError."""
    signal = kernel.bind(GUARDED).row(task).signal
    member, bound = kernel.types.member("signal_struct", "rlim"), kernel.bind(RLIMIT)
    rows = bound.array(signal + member.offset, min(member.count, len(LIMITS)))
    most = kernel.memory.top - 1  # RLIM_INFINITY
    return [
        Limit(name, _limit(row.rlim_cur, most), _limit(row.rlim_max, most), unit)
        for (name, unit), row in zip(LIMITS, rows, strict=False)
    ]


def _limit(value: int, most: int) -> str:
    return "unlimited" if value == most else str(value)


def namespaces_of(kernel: Kernel, task: int) -> list[Space]:
    """Return the namespaces of a task; Absent for one that has exited."""
    guarded = kernel.bind(GUARDED)
    row = guarded.row(task)
    if not row.nsproxy:
        raise Absent("it has exited, and given its namespaces back")
    first = next((t.address for t in kernel.cached(task_structs).values() if t.pid == 1), None)
    theirs = guarded.row(first) if first else None
    found = []
    for kind, member, struct in SPACES:
        if kernel.types.has_member("nsproxy", member):
            at = kernel.types.member("nsproxy", member).offset
            mine = kernel.memory.word(row.nsproxy + at)
            same = bool(theirs and theirs.nsproxy and kernel.memory.word(theirs.nsproxy + at) == mine)
            found.append(Space(kind, _number(kernel, struct, mine), _whose(same), mine))
    mine, other = _user_space(kernel, row), _user_space(kernel, theirs) if theirs else 0
    return [*found, Space("user", _number(kernel, "user_namespace", mine), _whose(mine == other), mine)]


def _whose(same: bool) -> str:
    return "PID 1's" if same else "another"


def _user_space(kernel: Kernel, row: Guarded) -> int:
    return kernel.bind(CRED).row(row.cred).user_ns


def _number(kernel: Kernel, struct: str, address: int) -> int | None:
    """Return a namespace's number, as ls -l /proc/PID/ns shows it."""
    try:
        return kernel.memory.u32(address + kernel.types.member(struct, "ns.inum").offset) if address else None
    except OopscopeError:
        return None


def rights(kernel: Kernel, task: int) -> list[Fact]:
    """Return what a task may do, as /proc/PID/status words it; ReadError where its struct is not there."""
    row = kernel.bind(GUARDED).row(task)
    cred, why = _attempt(lambda: kernel.bind(CRED).row(row.cred))
    facts = list(_ids(kernel, cred, why))
    if cred is not None:
        facts += _capabilities(kernel, cred)
    facts.append(Fact("no_new_privileges", "No new privs", "bool", bool(row.flags >> PFA_NO_NEW_PRIVS - 1 & 1)))
    if row.seccomp is not None:
        parts = (Fact("seccomp_filters", "filters", "int", row.filters),) if row.filters else ()
        facts.append(Fact("seccomp", "Seccomp", "text", SECCOMP.get(row.seccomp, str(row.seccomp)), parts=parts))
    if row.loginuid is not None:
        facts.append(Fact("login_uid", "Login uid", "text", _unset(row.loginuid)))
        facts.append(Fact("session", "Audit session", "text", _unset(row.sessionid)))
    if row.pdeath_signal:
        facts.append(Fact("parent_death_signal", "Death signal", "int", row.pdeath_signal))
    path, why = _attempt(lambda: cgroup_of(kernel, row.cgroups))
    facts.append(Fact("cgroup", "Control group", "text", path, why=why))
    return facts


def _unset(number: int | None) -> str:
    return "not set" if number in (None, NOBODY) else str(number)


def _ids(kernel: Kernel, cred: Cred | None, why: str) -> Iterator[Fact]:
    if cred is None:
        yield Fact("ids", "Credentials", why=why)
        return
    sets = (("real", cred.uid, cred.gid), ("effective", cred.euid, cred.egid), ("saved", cred.suid, cred.sgid),
            ("file system", cred.fsuid, cred.fsgid))  # fmt: skip
    for name, at in (("User", 1), ("Group", 2)):
        key = "uid" if at == 1 else "gid"
        parts = tuple(Fact(f"{one[0].replace(' ', '_')}_{key}", one[0], "int", one[at]) for one in sets)
        yield Fact(key, name, parts=parts)
    groups, why = _attempt(lambda: _groups(kernel, cred.group_info))
    yield Fact("groups", "Other groups", "list", groups, why=why)


def _groups(kernel: Kernel, info: int) -> tuple[str, ...]:
    if not info:
        return ()
    count = kernel.memory.u32(info + kernel.types.member("group_info", "ngroups").offset)
    at = info + kernel.types.member("group_info", "gid").offset
    raw = kernel.memory.read(at, 4 * min(count, MAX_GROUPS)) if count else b""
    return tuple(str(int.from_bytes(raw[n : n + 4], kernel.arch.byteorder)) for n in range(0, len(raw), 4))


def _capabilities(kernel: Kernel, cred: Cred) -> Iterator[Fact]:
    last = kernel.find_symbol("cap_last_cap")
    known = (1 << (kernel.memory.u32(last) % 64 + 1 if last else len(CAPABILITIES))) - 1
    for name in CAPS:
        raw = getattr(cred, name)
        mask = sum(part << 32 * at for at, part in enumerate(raw)) if isinstance(raw, tuple) else raw
        words = tuple(word for at, word in enumerate(CAPABILITIES) if mask >> at & 1)
        told = ("all",) if mask & known == known else words or ("none",)
        yield Fact(f"{name}_capabilities", CAPS[name], "list", told)


def space_link(space: Space) -> Link | None:
    """Return where a namespace leads: to its struct."""
    struct = next(struct for kind, _, struct in (*SPACES, ("user", "", "user_namespace")) if kind == space.kind)
    return Link("struct", f"{struct}@{space.address:#x}") if space.address else None
