"""What one task is: its family, scheduling, times, signals, rights and namespaces. One at a time, and in no report.

Follows include/linux/sched.h, kernel/sched/core.c, include/uapi/linux/{sched,capability}.h and fs/proc/array.c.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel, cpu_mask
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.linux.task_state import decode_comm
from oopscope.stacks.tasks import Task, all_tasks
from oopscope.structs.plan import Plan

MAX_LISTED = 200  # threads or children that are named
MAX_PARENTS = 64
MAX_CGROUPS = 64
POLICIES = {0: "normal", 1: "fifo", 2: "round robin", 3: "batch", 5: "idle", 6: "deadline", 7: "ext"}
REAL_TIME = (1, 2)
PF_EXITING, PF_WQ_WORKER, PF_MEMALLOC, PF_FROZEN = 4, 0x20, 0x800, 0x10000
SIGNALS = (
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
)  # fmt: skip
CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
NAMESPACES = {"mnt": "mnt_ns", "pid": "pid_ns_for_children", "net": "net_ns", "uts": "uts_ns", "ipc": "ipc_ns",
              "cgroup": "cgroup_ns", "time": "time_ns"}  # fmt: skip


class Details(NamedTuple):
    """struct task_struct, as far as the list of tasks does not tell it."""

    prio: int
    static_prio: int
    rt_priority: int
    policy: int
    start_boottime: int
    utime: int
    stime: int
    nvcsw: int
    nivcsw: int
    min_flt: int
    maj_flt: int
    in_iowait: int
    pending: int
    blocked: int
    signal: int
    cgroups: int
    nsproxy: int
    thread_pid: int
    worker: int
    exit_code: int
    cpus_mask: int


class Signals(NamedTuple):
    """struct signal_struct."""

    oom_score_adj: int
    pending: int


class Rights(NamedTuple):
    """struct cred."""

    uid: int
    gid: int
    euid: int
    egid: int
    effective: int


class Node(NamedTuple):
    """struct kernfs_node."""

    parent: int
    name: int


class Worker(NamedTuple):
    """struct worker of a workqueue."""

    function: int
    desc: bytes


DETAILS = Plan(
    "task_struct",
    Details,
    in_iowait="in_iowait",
    pending="pending.signal.sig",
    blocked="blocked.sig",
    # e32cf5dfbe22 "kthread: Generalize pf_io_worker so it can point to struct kthread", 5.17
    worker=("worker_private", "set_child_tid"),
    cpus_mask="&cpus_mask",
)
SIGNALS_OF = Plan("signal_struct", Signals, pending="shared_pending.signal.sig")
# effective: f122a08b197d "capability: just use a 'u64' instead of a 'u32[2]' array", 6.3
RIGHTS = Plan("cred", Rights, uid="uid.val", gid="gid.val", euid="euid.val", egid="egid.val",
              effective=("cap_effective.val", "cap_effective.cap"))  # fmt: skip
# 633488947ef6 "kernfs: Use RCU to access kernfs_node::parent.", 6.15
NODE = Plan("kernfs_node", Node, parent=("__parent", "parent"))
WORKER = Plan("worker", Worker, function="current_func")


class Relative(NamedTuple):
    """Another task, as a link."""

    pid: int | None
    comm: str | None


class TaskFacts(NamedTuple):
    """A task's family and facts."""

    parents: tuple[Relative, ...]  # from the nearest up
    threads: tuple[Relative, ...]  # the others of its process
    thread_count: int
    children: tuple[Relative, ...]
    child_count: int
    facts: tuple[Fact, ...]


class _Family:
    """All tasks by what links them."""

    def __init__(self, tasks: list[Task]) -> None:
        self.tasks = {task.address: task for task in tasks}
        self.leaders: dict[int, Task] = {}
        self.threads: dict[int, list[Task]] = {}
        self.children: dict[int, list[Task]] = {}
        for task in tasks:
            if not task.pid or task.tgid is None:
                continue
            self.threads.setdefault(task.tgid, []).append(task)
            if task.pid == task.tgid:
                self.leaders[task.pid] = task
                if task.ppid:
                    self.children.setdefault(task.ppid, []).append(task)


def _family(kernel: Kernel) -> _Family:
    return _Family(all_tasks(kernel))


def task_facts(kernel: Kernel, address: int) -> TaskFacts:
    """Return what is known of the task whose struct is at an address."""
    family = kernel.cached(_family)
    task = family.tasks.get(address)
    if task is None:
        return TaskFacts((), (), 0, (), 0, ())
    threads = [t for t in family.threads.get(task.tgid or 0, ()) if t.address != address] if task.pid else []
    children = family.children.get(task.tgid, []) if task.tgid else []
    return TaskFacts(
        tuple(_parents(family, task)),
        tuple(Relative(t.pid, t.comm) for t in threads[:MAX_LISTED]),
        len(threads),
        tuple(Relative(t.pid, t.comm) for t in children[:MAX_LISTED]),
        len(children),
        tuple(_facts(kernel, address)),
    )


def _parents(family: _Family, task: Task) -> Iterator[Relative]:
    seen, pid = {task.tgid}, task.ppid
    while pid and pid not in seen and len(seen) < MAX_PARENTS:
        seen.add(pid)
        parent = family.leaders.get(pid)
        yield Relative(pid, parent.comm if parent else None)
        pid = parent.ppid if parent else None


def _facts(kernel: Kernel, address: int) -> Iterator[Fact]:
    struct = kernel.cached(task_structs).get(address)
    row = _details(kernel, address)

    def attempt(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (OopscopeError, TypeError, AttributeError):  # of a number or a struct that is None
            return None

    if struct is not None and struct.flags & PF_WQ_WORKER:
        yield from _work(kernel, row.worker)
    yield Fact("flags", "Flags", "list", attempt(lambda: _flags(struct, row)))
    yield _scheduling(row)
    yield Fact("cpus_allowed", "CPUs allowed", "text", attempt(lambda: _cpus(kernel, row.cpus_mask)))
    yield Fact("started", "Started", "seconds", attempt(lambda: row.start_boottime / 1e9))
    yield Fact("user_time", "User time", "seconds", attempt(lambda: row.utime / 1e9))
    yield Fact("system_time", "System time", "seconds", attempt(lambda: row.stime / 1e9))
    yield _sum("switches", "Switches", ("voluntary", row.nvcsw), ("nonvoluntary", row.nivcsw))
    yield _sum("faults", "Page faults", ("minor", row.min_flt), ("major", row.maj_flt))
    if struct is not None and struct.exit_state:
        yield attempt(lambda: _exit(row.exit_code)) or Fact("exit_status", "Exit", "int")
    signals: Any = attempt(lambda: kernel.bind(SIGNALS_OF).row(struct.signal)) if struct is not None else None
    pending = attempt(lambda: _word(row.pending) | (_word(signals.pending) if signals else 0))
    yield Fact("pending", "Signals pending", "list", attempt(lambda: _signals(pending)))
    yield Fact("blocked", "Signals blocked", "list", attempt(lambda: _signals(_word(row.blocked))))
    rights: Any = attempt(lambda: kernel.bind(RIGHTS).row(struct.real_cred)) if struct is not None else None
    yield _ids(rights)
    yield Fact("capabilities", "Capabilities", "list", attempt(lambda: _capabilities(kernel, _word(rights.effective))))
    yield Fact("oom_score_adj", "OOM score adj", "int", attempt(lambda: signals.oom_score_adj))
    yield Fact("cgroup", "Control group", "text", attempt(lambda: cgroup_of(kernel, row.cgroups)))
    yield Fact("namespaces", "Own namespaces", "list", attempt(lambda: _namespaces(kernel, row.nsproxy)))
    inside = attempt(lambda: _pid_inside(kernel, row.thread_pid))
    if inside is not None:
        yield Fact("inner_pid", "PID inside", "int", inside)


def _sum(key: str, title: str, *parts: tuple[str, int | None]) -> Fact:
    """Return counters that are told together, by the names that /proc/PID/status and stat have for them."""
    return Fact(key, title, parts=tuple(Fact(f"{name}_{key}", name, "int", number) for name, number in parts))


def _details(kernel: Kernel, address: int) -> Details:
    """Read what of the struct is in the dump; the rest is None."""
    bound = kernel.bind(DETAILS)
    try:
        return bound.row(address)
    except OopscopeError:
        there = bound.partly(address)
        values: list[Any] = [there.get(name) for name in Details._fields]
        return Details._make(values)


def _word(raw: Any) -> int:
    """A mask of 64 bits, be it a number or an array of longs or words."""
    if isinstance(raw, tuple):
        return sum(part << (64 // len(raw)) * at for at, part in enumerate(raw)) if raw else 0
    number: int = raw + 0
    return number


def _work(kernel: Kernel, worker: int | None) -> Iterator[Fact]:
    """Say what a kworker is busy with; nothing for an idle one."""
    try:
        data = kernel.memory.word((worker or 0) + kernel.types.member("kthread", "data").offset)
        row = kernel.bind(WORKER).row(data)
    except OopscopeError:
        return
    if row.function:
        name = kernel.name_of(row.function)
        function = name.symbol if name else f"{row.function:#x}"
        yield Fact("work", "Work function", "symbol", function, Link("symbol", function))
        yield Fact("workqueue", "Workqueue", "text", decode_comm(row.desc))


def _flags(struct: TaskStruct | None, row: Details) -> tuple[str, ...]:
    bits = ((PF_EXITING, "exiting"), (PF_MEMALLOC, "reclaiming memory"), (PF_FROZEN, "frozen"))
    words = tuple(word for bit, word in bits if struct is not None and struct.flags & bit)
    return (
        *words,
        *(("waits for I/O",) if row.in_iowait else ()),
        *(("on a CPU",) if struct and struct.on_cpu else ()),
    )


def _scheduling(row: Details) -> Fact:
    """Return the policy with its nice value or real-time priority, and a priority that was inherited (rt_mutex)."""
    number: int | None = row.policy
    if number is None:
        return Fact("policy", "Scheduling")
    policy = POLICIES.get(number & 0xFF, f"policy {number}")
    if number in REAL_TIME:
        return Fact(
            "policy", "Scheduling", "text", policy, parts=(Fact("priority", "priority", "int", row.rt_priority),)
        )
    static: int | None = row.static_prio
    parts = [Fact("nice", "nice", "int", static - 120 if static is not None else None)]
    if row.prio is not None and row.prio < 100 and number != 6:
        parts.append(Fact("boosted_priority", "boosted to", "int", row.prio))
    return Fact("policy", "Scheduling", "text", policy, parts=tuple(parts))


def _cpus(kernel: Kernel, mask: int) -> str:
    """The CPUs of a mask, as ranges."""
    possible = kernel.cached(_possible)
    words = kernel.memory.words(mask, max(possible, default=0) // 64 + 1)
    chosen = [cpu for cpu in possible if words[cpu // 64] >> cpu % 64 & 1]
    if chosen == possible:
        return "all"
    ranges: list[list[int]] = []
    for cpu in chosen:
        if ranges and ranges[-1][1] == cpu - 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges) or "none"


def _possible(kernel: Kernel) -> list[int]:
    return cpu_mask(kernel, "__cpu_possible_mask", "cpu_possible_mask")


def _exit(code: int) -> Fact:
    """Return the signal that killed it, else the status that it exited with."""
    number = code & 0x7F
    if number:
        return Fact("exit_signal", "Killed by", "text", _signal(number))
    return Fact("exit_status", "Exit", "int", code >> 8 & 0xFF)


def _signal(number: int) -> str:
    return "SIG" + SIGNALS[number - 1] if 0 < number <= len(SIGNALS) else f"real-time signal {number}"


def _signals(mask: int) -> tuple[str, ...]:
    if mask == (1 << 64) - 1:
        return ("all",)
    found = [_signal(at + 1) for at in range(len(SIGNALS)) if mask >> at & 1]
    others = (mask >> len(SIGNALS)).bit_count()
    return (*found, *((f"{others} real-time signals",) if others else ()))


def _ids(rights: Rights | None) -> Fact:
    """Return the real IDs and, where they differ, the effective ones."""
    if rights is None:
        return Fact("ids", "User, group")
    real, effective = (rights.uid, rights.gid), (rights.euid, rights.egid)
    parts = [Fact("uid", "uid", "int", real[0]), Fact("gid", "gid", "int", real[1])]
    if effective != real:
        parts += [Fact("euid", "euid", "int", effective[0]), Fact("egid", "egid", "int", effective[1])]
    return Fact("ids", "User, group", parts=tuple(parts))


def _capabilities(kernel: Kernel, mask: int) -> tuple[str, ...]:
    """Return the effective capabilities by name: `all` alone for all that this kernel knows, `none` for none."""
    last = kernel.find_symbol("cap_last_cap")
    known = (1 << (kernel.memory.u32(last) % 64 + 1 if last else len(CAPABILITIES))) - 1
    if mask & known == known:
        return ("all",)
    return tuple(name for at, name in enumerate(CAPABILITIES) if mask >> at & 1) or ("none",)


def cgroup_of(kernel: Kernel, css_set: int) -> str:
    """Return the path in the one hierarchy of cgroup v2, given a struct css_set; ReadError."""
    members, memory = kernel.types.member, kernel.memory
    cgroup = memory.word(css_set + members("css_set", "dfl_cgrp").offset)
    node, names = memory.word(cgroup + members("cgroup", "kn").offset), list[str]()
    for _ in range(MAX_CGROUPS):
        row = kernel.bind(NODE).row(node)
        if not row.parent:
            break
        names.append(decode_comm(memory.cstring(row.name, 256)))
        node = row.parent
    return "/" + "/".join(reversed(names))


def _namespaces(kernel: Kernel, nsproxy: int) -> tuple[str, ...]:
    """The namespaces that are not PID 1's."""
    first = next((t.address for t in kernel.cached(task_structs).values() if t.pid == 1), kernel.symbol("init_task"))
    memory, found = kernel.memory, []
    theirs = memory.word(first + kernel.types.member("task_struct", "nsproxy").offset)
    if not nsproxy or not theirs:
        raise Absent("it has exited, and given its namespaces back")
    for name, member in NAMESPACES.items():
        if nsproxy != theirs and kernel.types.has_member("nsproxy", member):
            at = kernel.types.member("nsproxy", member).offset
            if memory.word(nsproxy + at) != memory.word(theirs + at):
                found.append(name)
    return tuple(found)


def _pid_inside(kernel: Kernel, pid: int) -> int | None:
    """The PID in the task's own PID namespace; None where that is the machine's."""
    level = kernel.memory.u32(pid + kernel.types.member("pid", "level").offset)
    if not 0 < level <= 32:
        return None
    at = pid + kernel.types.member("pid", "numbers").offset + level * kernel.types.sizeof("upid")
    return kernel.memory.u32(at + kernel.types.member("upid", "nr").offset)
