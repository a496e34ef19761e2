"""What machine and kernel this was: names, times, load, taint, command line."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from oopscope.decode import decoded
from oopscope.dumps import ERASED
from oopscope.errors import Implausible, NoTypes, OopscopeError
from oopscope.kernel.clock import MICRO, SECOND, iso
from oopscope.kernel.kernel import ONLINE_MASKS, Kernel, online_cpus, present_cpus
from oopscope.kernel.kinds import Shown, told
from oopscope.kernel.once import once
from oopscope.linux.printk import log
from oopscope.linux.taint import taint_letters
from oopscope.linux.task import all_tasks_known, lost_tasks, nr_threads, task_structs
from oopscope.structs.plan import Plan

T = TypeVar("T")
FSHIFT = 11  # load averages are fixed-point, include/linux/sched/loadavg.h
MAX_COMMAND_LINE = 16384
COMMAND_LINE = "Kernel command line: "
UTS_LENGTH = 65  # of each string in struct new_utsname


class System(NamedTuple):
    """The fields of REPORT's `system`; None where the dump does not hold them."""

    nodename: str | None
    release: str | None
    version: str | None
    machine: str | None
    crash_time: str | None
    boot_time: str | None
    uptime_seconds: float | None
    load_average: tuple[float, float, float] | None
    cpus_online: int | None
    cpus_present: int | None
    memory_bytes: int | None
    task_count: int | None
    tainted: int | None
    taint: str | None
    command_line: str | None
    kaslr_offset: int | None
    page_table_levels: int | None
    boot_ns: int | None  # since 1970
    log_epoch_ns: int | None  # since 1970, of the log's 0


class UtsName(NamedTuple):
    """struct new_utsname."""

    nodename: bytes
    release: bytes
    version: bytes
    machine: bytes


class Timekeeper(NamedTuple):
    """struct timekeeper: the wall clock, what takes it to the monotonic clock, and how long the machine slept."""

    xtime_sec: int
    xtime_nsec: int | None  # shifted left by `shift`
    shift: int | None
    mono_sec: int
    mono_nsec: int
    offs_boot: int | None


UTS = Plan("uts_namespace", UtsName, **{f: f"name.{f}" for f in UtsName._fields})
TIMEKEEPER = Plan(
    "timekeeper",
    Timekeeper,
    # 876e78818def "time: Rename timekeeper::tkr to timekeeper::tkr_mono", 4.1
    xtime_nsec=("tkr_mono.xtime_nsec", "tkr.xtime_nsec"),
    shift=("tkr_mono.shift", "tkr.shift"),
    mono_sec="wall_to_monotonic.tv_sec",
    mono_nsec="wall_to_monotonic.tv_nsec",
    offs_boot=("offs_boot.tv64", "offs_boot"),  # a number since 2456e8553544 "ktime: Get rid of the union", 4.10
)


def _timekeeper(kernel: Kernel) -> Timekeeper:
    """Read tk_core: a seqcount, then the timekeeper (3.17); struct tk_data by name since 6.13."""
    base = kernel.symbol("tk_core", "timekeeper_data")  # an array of struct tk_data since 6.17
    offset = kernel.types.member("tk_data", "timekeeper").offset if kernel.types.has("tk_data") else 8
    return kernel.bind(TIMEKEEPER).row(base + offset)


class Clock(NamedTuple):
    """Nanoseconds since 1970 of the boot, of the log's 0 and of the end, and those between boot and end.

    The log's clock stands still while the machine sleeps: its 0 is later than the boot by all sleeps.
    """

    boot: int | None
    log: int | None
    crash: int | None
    uptime: int | None


@once
def the_clock(kernel: Kernel) -> Clock:
    """Return when the machine booted and died, by its own clock."""
    crashed = (kernel.info.plain("CRASHTIME") or 0) * SECOND or None
    try:
        keeper = _timekeeper(kernel)
    except OopscopeError as e:
        kernel.problems.lost("system", "clock")(e)
        written = kernel.facts.timestamp
        return Clock(None, None, crashed or (written * SECOND if written else None), None)
    now = keeper.xtime_sec * SECOND + ((keeper.xtime_nsec or 0) >> min(keeper.shift or 0, 63))
    awake = now + keeper.mono_sec * SECOND + keeper.mono_nsec
    uptime = awake + (keeper.offs_boot or 0)
    if not 0 <= awake <= uptime < SECOND << 34:
        kernel.problems.add("system", "the clock makes no sense")
        return Clock(None, None, crashed, None)
    return Clock(now - uptime, now - awake, crashed or now, uptime)


def _names(kernel: Kernel) -> UtsName:
    """Read init_uts_ns; without types its strings of 65 bytes, behind a kref (up to 5.10) or where VMCOREINFO says."""
    address = kernel.symbol("init_uts_ns")
    try:
        return kernel.bind(UTS).row(address)
    except NoTypes:
        at = kernel.info.offset("uts_namespace.name")
        raw = kernel.memory.read(address + (4 if at is None else at), 6 * UTS_LENGTH)
        if not raw.startswith(b"Linux\0"):
            raise
        _sysname, node, release, version, machine = (
            raw[n * UTS_LENGTH : (n + 1) * UTS_LENGTH].split(b"\0")[0] for n in range(5)
        )
        return UtsName(node, release, version, machine)


def _load(kernel: Kernel) -> tuple[float, float, float]:
    a, b, c = kernel.memory.words(kernel.symbol("avenrun"), 3)
    return tuple(round(x / (1 << FSHIFT), 2) for x in (a, b, c))  # type: ignore[return-value]


def _command_line(kernel: Kernel) -> str:
    address = kernel.find_symbol("saved_command_line")
    if address is None:  # no CONFIG_KALLSYMS_ALL
        said = next((r.text for r in log(kernel)[:200] if r.text.startswith(COMMAND_LINE)), None)
        if said is not None:
            return said.removeprefix(COMMAND_LINE)
    at = kernel.memory.word(kernel.symbol("saved_command_line"))
    raw = kernel.memory.cstring(at, MAX_COMMAND_LINE)
    if kernel.facts.erased and raw and not raw.strip(ERASED):
        raise Implausible("it was erased when the dump was written")
    return decoded(raw)


def memory_bytes(kernel: Kernel) -> int:
    """Return MemTotal: _totalram_pages (5.0), totalram_pages before."""
    return kernel.memory.word(kernel.symbol("_totalram_pages", "totalram_pages")) * kernel.memory.page_size


def _online(kernel: Kernel) -> int | None:
    """Return how many CPUs were online; None where nothing names the kernel's mask: notes are of all CPUs."""
    found = online_cpus(kernel)
    return len(found) if any(kernel.find_symbol(name) is not None for name in ONLINE_MASKS) else None


def _task_count(kernel: Kernel) -> int | None:
    """Threads but the idle ones, also those whose struct is not in the dump; None where some are lost uncounted.

    The kernel's own count where it is more, or without types.
    """
    try:
        kernel.types.sizeof("task_struct")
    except NoTypes:
        return kernel.memory.u32(kernel.symbol("nr_threads"))
    lost = sum(1 for t in kernel.cached(lost_tasks).values() if t.pid != 0)
    found = sum(1 for t in kernel.cached(task_structs).values() if t.pid) + lost
    counted = nr_threads(kernel)
    if counted is not None and counted > found:
        return counted
    return found if counted is not None or all_tasks_known(kernel) else None


def _levels(kernel: Kernel) -> int:
    return len(kernel.machine.user_paging(kernel).levels)


def _text(raw: bytes | None) -> str | None:
    return decoded(raw) if raw is not None else None


@once
def the_system(kernel: Kernel) -> System:
    """Return the system's facts; one that cannot be read is None and a problem."""
    attempt = partial(_attempt, kernel)
    uts = attempt("names", lambda: _names(kernel))
    when = the_clock(kernel)
    tainted = attempt("taint", lambda: kernel.memory.word(kernel.symbol("tainted_mask")))
    return System(
        nodename=_text(uts.nodename) if uts else kernel.facts.nodename,
        release=_text(uts.release) if uts else kernel.info.get("OSRELEASE"),
        version=_text(uts.version) if uts else None,
        machine=_text(uts.machine) if uts else kernel.arch.name,
        crash_time=iso(when.crash) if not kernel.facts.live else None,  # nothing crashed
        boot_time=iso(when.boot),
        uptime_seconds=when.uptime // MICRO / 1e6 if when.uptime is not None else None,
        load_average=attempt("load average", lambda: _load(kernel)),
        cpus_online=attempt("CPUs", lambda: _online(kernel)),
        cpus_present=attempt("CPUs", lambda: len(present_cpus(kernel))),
        memory_bytes=attempt("memory", lambda: memory_bytes(kernel)),
        task_count=attempt("tasks", lambda: _task_count(kernel)),
        tainted=tainted,
        taint=taint_letters(tainted) if tainted is not None else None,
        command_line=attempt("command line", lambda: _command_line(kernel)),
        kaslr_offset=kernel.info.kernel_offset,
        page_table_levels=_levels(kernel),
        boot_ns=when.boot,
        log_epoch_ns=when.log,
    )


def _attempt(kernel: Kernel, what: str, read: Callable[[], T]) -> T | None:
    """Return what a read gives; None where it fails, and a problem that names it."""
    try:
        return read()
    except OopscopeError as e:
        kernel.problems.lost("system", what)(e)
        return None


class Fact(NamedTuple):
    """One fact, for a table of two columns."""

    name: str
    value: object


# How numbers among the facts are shown; as data they are numbers.
KINDS: dict[str, Shown] = {"memory_bytes": "bytes", "uptime_seconds": "seconds", "kaslr_offset": "address",
                          "boot_ns": "epoch", "log_epoch_ns": "epoch"}  # fmt: skip


def system_rows(kernel: Kernel) -> list[Fact]:
    """Return the system's facts, a row each."""
    facts = the_system(kernel)._asdict().items()
    return [Fact(name, told(value, KINDS[name]) if name in KINDS else value) for name, value in facts]
