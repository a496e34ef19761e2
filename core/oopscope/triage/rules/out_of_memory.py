"""Memory ran out, and the kernel was told to panic over it, or found nothing to kill. Follows mm/oom_kill.c.

Who asked last is chance. Who took it is told by shares: of the dump's own counters, else of the OOM killer's report.
"""

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_allocator, is_dying
from oopscope.klog.oom import Oom, read
from oopscope.lazy_re import lazy_re
from oopscope.linux.memory_shares import memory_shares
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope.triage.shares import GREAT, STEPS, largest_cache

SAID = lazy_re(r".*[Oo]ut of memory|System is deadlocked on memory|.*panic_on_oom")
ASKED = r"(?:sysrq: )?(?:SysRq : )?Manual OOM execution|sysrq: SysRq : Manual OOM"
KILLED = r"Kill(?:ed)? process (?P<pid>\d+),? (?:UID \d+,? )?\((?P<comm>.+?)\)"
NAMES = {
    "slab_unreclaimable": "the kernel's own objects (unreclaimable slab)",
    "slab_reclaimable": "reclaimable slab",
    "shmem": "shared memory and tmpfs",
    "pagetables": "page tables",
    "anon": "programs",
    "cache": "the file cache",
    "unclaimed": "what no counter claims (drivers, leaked pages)",
}


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or where a log without a death ends with the OOM killer's report."""
    killed = death.lived and death.cause is not None and death.cause.kind == "oom"
    if not killed and (death.panic is None or not SAID.match(death.panic_message or "")):
        return None
    report = death.before("oom")
    oom = read(report.lines) if report else read(())
    evidence = [death.from_log(death.lines[death.panic.row])] if death.panic else []
    if report:
        evidence.insert(0, death.from_log(death.lines[report.row]))
    by_hand = death.lately(ASKED) or (death.on_stack("moom_callback") is not None)
    if by_hand:
        if not isinstance(by_hand, bool):
            evidence.insert(0, death.from_log(by_hand[0]))
        return _by_hand(death, evidence)
    taken = _taken(death, oom, evidence)
    asked = f"{oom.comm} asked for memory that was not there" if oom.comm else "Memory ran out"
    why = _why(death, oom)
    return death.verdict(
        "memory",
        "out-of-memory",
        "Out of memory",
        f"{asked}{_constraint(oom)}{taken}{why}.",
        "certain",
        evidence,
        STEPS,
        culprit=_asker(death),
        blame=False,
    )


def _by_hand(death: Death, evidence: list[Evidence]) -> Verdict:
    handler = death.on_stack("moom_callback")
    fatal = "" if death.lived else ", and vm.panic_on_oom=2 made that fatal"
    return death.verdict(
        "memory",
        "out-of-memory",
        "OOM killer called by hand (SysRq-f)",
        f"Somebody called the OOM killer by SysRq-f{fatal}: no shortage is proven.",
        "certain" if handler else "likely",
        evidence,
        ("Ask who pressed SysRq-f or wrote f to /proc/sysrq-trigger.", "vm.panic_on_oom=2 panics even then."),
        culprit=handler,
        blame=False,
    )


def _why(death: Death, oom: Oom) -> str:
    message = death.panic_message or ""
    if death.lived:
        killed = death.cause.find(KILLED) if death.cause is not None else None
        return f", and the OOM killer killed {killed[1]['comm']} (PID {killed[1]['pid']})" if killed else ""
    if "deadlocked" in message or "no killable" in message:
        return ", and no process was left that could be killed"
    if "compulsory" in message:
        return " and vm.panic_on_oom is set (to 2: also within a cgroup, cpuset or policy)"
    return " and vm.panic_on_oom is set" if "panic_on_oom" in message else ""


def _constraint(oom: Oom) -> str:
    """Return in words what held the request to a part of memory, or made it a hard one."""
    if oom.constraint == "MEMCG":
        limit = f" of {oom.limit >> 20} MiB" if oom.limit else ""
        return f" within a memory cgroup{f' ({oom.memcg})' if oom.memcg else ''}, which was at its limit{limit}"
    if oom.constraint == "CPUSET":
        return " within its cpuset's memory nodes"
    if oom.constraint == "MEMORY_POLICY":
        return " within its memory policy's nodes"
    if oom.order is not None and oom.order > 3:
        return f", {1 << oom.order} pages in one piece (order {oom.order})"
    return ""


def _taken(death: Death, oom: Oom, evidence: list[Evidence]) -> str:
    """Return in words who took most of the memory, and add what says so to the evidence."""
    shares = _of_dump(death) or _of_log(oom)
    total = sum(shares.values())
    if not shares or not total:
        return ""
    name, most = max(shares.items(), key=lambda share: share[1])
    words = ", ".join(
        f"{NAMES.get(k, k)} {100 * v // total} %" for k, v in sorted(shares.items(), key=lambda s: -s[1])[:4]
    )
    evidence.append(Evidence(f"memory was divided so: {words}", Source("table", "meminfo")))
    hungry = _hungry(death, oom)
    if hungry and name in ("anon", "Anonymous"):
        evidence.append(hungry)
    if most < GREAT * total:
        return ""
    whose = f"; {NAMES.get(name, name)} held {100 * most // total} % of it"
    cache = largest_cache(death) if "slab" in name.lower() and not death.only_log else None
    if cache is not None:
        whose += f", mostly the cache {cache[0]}"
        evidence.append(cache[1])
    return whose + (f" ({hungry.text})" if hungry and name in ("anon", "Anonymous") else "")


def _of_dump(death: Death) -> dict[str, int]:
    """Return the dump's own shares, without what was free; empty where they cannot be read."""
    if death.only_log:
        return {}
    try:
        found = memory_shares(death.kernel).shares
    except (OopscopeError, AttributeError):
        return {}
    return {s.name: s.bytes for s in found if s.bytes and not s.name.startswith("Free")}


def _of_log(oom: Oom) -> dict[str, int]:
    """Return the shares of the OOM killer's report; empty where it has no counters."""
    c = oom.counters
    if not c:
        return {}
    found: dict[str, int] = {
        key: c[key] for key in ("slab_unreclaimable", "slab_reclaimable", "shmem", "pagetables") if key in c
    }
    shmem = c.get("shmem", 0)
    anon = c.get("active_anon", 0) + c.get("inactive_anon", 0) + c.get("isolated_anon", 0)
    found["anon"] = max(anon - shmem, 0)
    found["cache"] = c.get("active_file", 0) + c.get("inactive_file", 0)
    if oom.total:
        free = c.get("free", 0) + c.get("free_pcp", 0)
        found["unclaimed"] = max(oom.total - free - sum(found.values()) - c.get("unevictable", 0), 0)
    return found


def _hungry(death: Death, oom: Oom) -> Evidence | None:
    """Return the process that held most memory."""
    tasks = [t for t in death.tasks if t.rss_bytes and t.pid == t.tgid]
    if tasks:
        task = max(tasks, key=lambda t: t.rss_bytes or 0)
        text = f"{task.who} held most memory of all processes: {(task.rss_bytes or 0) >> 20} MiB"
        return Evidence(text, Source("task", str(task.pid), task.address))
    if oom.largest is None:
        return None
    one = oom.largest
    text = f"{one.comm} (PID {one.pid}) held most memory of all processes: {one.rss >> 20} MiB"
    return Evidence(text, Source("task", str(one.pid)))


def _asker(death: Death) -> Frame | None:
    """Return who asked the allocator for the pages: the frame behind the outermost of its functions."""
    asker = None
    for frame, behind in zip(death.sure, death.sure[1:], strict=False):
        if is_allocator(frame.symbol) and not is_allocator(behind.symbol) and not is_dying(behind.symbol):
            asker = behind if behind.kind != "user" else asker
    return asker
