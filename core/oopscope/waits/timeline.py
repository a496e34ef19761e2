"""What happened when, by the kernel's own clocks, on one axis that ends with the dump.

The log's times and the run queues' clocks are sched_clock()'s, so a record, a task's last run and the end are on one
scale; a CPU's clock stands still while it idles, by up to the age of its last tick. Requests are timed by ktime, which
runs beside it; a grace period and timers by jiffies, to one tick; a watchdog's touch by a count of 2^30 ns. Each row
says how far its time can be off.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, online_cpus
from oopscope.kernel.once import once
from oopscope.klog.trouble import is_report
from oopscope.linux.printk import log
from oopscope.linux.sched import runqueues
from oopscope.linux.ticks import hz, seconds_since
from oopscope.linux.timer import timers
from oopscope.stacks.tasks import Task, all_tasks
from oopscope.waits.build import wait_graph
from oopscope.waits.disks import in_flight
from oopscope.waits.graph import Graph, Node, is_any_child
from oopscope.waits.offsets import offset
from oopscope.waits.workers import workers

SECOND = 1e9
TOUCH = 1 << 30  # ns, in which the watchdog counts (kernel/watchdog.c: get_timestamp)
ERROR = 3  # a record's level: error, or graver
OVERDUE = 0.2  # seconds: no CPU that takes its ticks is so late
LISTENS = ("socket", "eventfd")  # things for which most wait without harm
MAX_ROWS = 2000  # of a kind
CELLS = 40  # of the drawn axis
LEAST = 0.01  # seconds at its right end


class Moment(NamedTuple):
    """Something that happened, or began, so long before the end."""

    before_seconds: float
    within_seconds: float  # how far that can be off
    kind: str
    what: str
    pid: int | None
    record: int | None  # of the log
    axis: str


@once
def timeline(kernel: Kernel) -> list[Moment]:
    """Return what happened when, the oldest first; a kind that cannot be read is a problem, and the others go on."""
    end = _end(kernel)
    found: list[Moment] = []
    for name, kind in KINDS.items():
        try:
            found += [moment for moment, _ in zip(kind(kernel, end), range(MAX_ROWS), strict=False)]
        except OopscopeError as error:
            kernel.problems.lost("timeline", name)(error)
    found.sort(key=lambda moment: -moment.before_seconds)
    longest = max((moment.before_seconds for moment in found), default=1.0)
    return [moment._replace(axis=axis(moment.before_seconds, longest)) for moment in found]


def axis(before: float, longest: float) -> str:
    """Draw a time as a mark from the longest ago, on the left, to the end: each step is a like share of the rest."""
    scale = math.log(max(longest, 2 * LEAST) / LEAST)
    share = math.log(max(min(before, longest), LEAST) / LEAST) / scale
    at = round((1 - share) * (CELLS - 1))
    return "·" * at + "●" + "·" * (CELLS - 1 - at)


def _end(kernel: Kernel) -> int:
    """Return the end on sched_clock's scale, in nanoseconds; 0 where no run queue can be read."""
    return max((queue.clock for queue in kernel.cached(runqueues)), default=0)


def _tick(kernel: Kernel) -> float:
    try:
        return 1 / hz(kernel)
    except OopscopeError:
        return 0.01


def _moment(
    before: float, within: float, kind: str, what: str, pid: int | None = None, record: int | None = None
) -> Moment:
    return Moment(round(max(before, 0.0), 6), round(within, 6), kind, what, pid, record, "")


def _of_log(kernel: Kernel, end: int) -> Iterator[Moment]:
    """Yield the log's errors and reports."""
    for record in reversed(log(kernel)):
        if record.ns is None or not end:
            continue
        if (record.level is not None and record.level <= ERROR) or is_report(record.text):
            text = record.text.partition("\n")[0].strip()
            yield _moment((end - record.ns) / SECOND, 1e-6, "log", text[:200], None, record.index)


def _called(thing: Node) -> str:
    return thing.name if is_any_child(thing) else f"the {thing.kind} {thing.name}"


def _idles(graph: Graph, thing: Node) -> bool:
    """Tell whether who waits for a thing merely listens: nobody is known who is to do anything about it."""
    return thing.kind in LISTENS and not graph.out[thing.id]


def _of_tasks(kernel: Kernel, _end_ns: int) -> Iterator[Moment]:
    """Yield since when tasks are blocked or wait for something that is known, and what runs."""
    graph, tick = wait_graph(kernel), _tick(kernel)
    waits = {graph.nodes[e.source].address: graph.nodes[e.target] for e in graph.edges if e.kind == "waits_for"}
    for task in all_tasks(kernel):
        since = task.since_last_run_seconds
        thing = waits.get(task.address)
        if since is None or (task.state != "D" and (thing is None or _idles(graph, thing))):
            continue
        what = f"waits for {_called(thing)}" if thing is not None else f"is blocked in {task.wait or '?'}"
        yield _moment(since, tick, "task", f"{task.comm} {what}", task.pid)


def _of_requests(kernel: Kernel, _end_ns: int) -> Iterator[Moment]:
    """Yield when the requests in flight were sent."""
    for request in in_flight(kernel):
        if request.age_seconds is not None:
            what = f"{request.disk}: {request.operation} of {request.bytes} bytes at sector {request.sector} was sent"
            yield _moment(request.age_seconds, _tick(kernel), "request", what, request.pid)


def _of_works(kernel: Kernel, _end_ns: int) -> Iterator[Moment]:
    """Yield what workers do, by when they last ran: the work began no later."""
    tasks: dict[int, Task] = {task.address: task for task in all_tasks(kernel)}
    for worker in workers(kernel):
        task = tasks.get(worker.task)
        if worker.current_work and task is not None and task.since_last_run_seconds is not None:
            name = kernel.name_of(worker.function)
            what = f"{task.comm} last ran within {name.symbol if name is not None else 'unknown work'}"
            yield _moment(task.since_last_run_seconds, _tick(kernel), "work", what, task.pid)


def _of_rcu(kernel: Kernel, _end_ns: int) -> Iterator[Moment]:
    """Yield when the grace period that is in progress began."""
    state = kernel.find_symbol("rcu_state")
    sequence, start = offset(kernel, "rcu_state", "gp_seq"), offset(kernel, "rcu_state", "gp_start")
    if state is None or sequence is None or start is None:
        return
    if kernel.memory.word(state + sequence) & 3:
        before = seconds_since(kernel, kernel.memory.word(state + start))
        yield _moment(before, _tick(kernel), "grace period", "RCU began the grace period that is in progress")


def _of_watchdog(kernel: Kernel, end: int) -> Iterator[Moment]:
    """Yield when each CPU's soft-lockup watchdog was last touched."""
    symbol = kernel.find_symbol("watchdog_touch_ts")
    if symbol is None or not end:
        return
    for cpu in online_cpus(kernel):
        count = kernel.memory.word(kernel.per_cpu(symbol, cpu))
        before = (end - count * TOUCH) / SECOND
        if count and count * TOUCH <= end + TOUCH:  # all ones: touched, to be set at the next tick
            yield _moment(before, TOUCH / SECOND, "watchdog", f"CPU {cpu} touched its soft-lockup watchdog")


def _of_timers(kernel: Kernel, _end_ns: int) -> Iterator[Moment]:
    """Yield when timers were due that have not gone off; those that may wait until their CPU wakes are none of them."""
    tick = _tick(kernel)
    for timer in timers(kernel):
        due = timer.due_seconds
        if due is not None and due < -OVERDUE and "deferrable" not in timer.flags:
            owner = f" of {timer.owner}" if timer.owner else ""
            yield _moment(-due, tick, "timer", f"{timer.function}{owner} was due on CPU {timer.cpu}", timer.pid)


KINDS = {
    "log": _of_log, "task": _of_tasks, "request": _of_requests, "work": _of_works, "grace period": _of_rcu,
    "watchdog": _of_watchdog, "timer": _of_timers,
}  # fmt: skip
