"""Workqueues, RCU and timers of a guest with a stuck work item, and what a grace period waits for."""

import re

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.rcu import NODE, STATE_PLAN, grace_periods, rcu_cpus
from oopscope.linux.timer import HRTIMER, timers
from oopscope.linux.workqueue import POOL, WORKER, pools, workers, workqueues, works
from oopscope.subsystems import table

LIFE = "6.1-life"
EXPIRES = re.compile(r" # expires at \d+-(\d+) nsecs")


def kernel() -> Kernel:
    return case_of(LIFE).kernel


def test_a_stuck_work_and_those_behind_it() -> None:
    rows = [row for row in works(kernel()) if row.workqueue == "lablife"]
    assert [(row.state, row.function, row.cpu) for row in rows] == [
        ("running", "lablife_stuck [lablife]", 1),
        ("inactive", "lablife_later [lablife]", 1),
        ("inactive", "lablife_later [lablife]", 1),
    ]
    (queue,) = [row for row in workqueues(kernel()) if row.name == "lablife"]
    assert (queue.active, queue.inactive, queue.max_active, queue.flags) == (1, 2, 1, "mem reclaim")
    assert case_of(LIFE).tasks[queue.rescuer]["comm"] == "lablife"
    (busy,) = [row for row in workers(kernel()) if row.state == "busy"]
    assert (busy.pid, busy.workqueue, busy.work) == (rows[0].pid, "lablife", rows[0].address)
    assert busy.asleep_seconds is not None and busy.asleep_seconds > 60


def test_every_kworker_is_a_worker_of_a_pool() -> None:
    found = [row for row in workers(kernel()) if row.state != "rescuer"]
    tasks = case_of(LIFE).tasks.values()
    assert sorted(row.pid or 0 for row in found) == [t["pid"] for t in tasks if t["comm"].startswith("kworker/")]
    for pool in pools(kernel()):
        mine = [row for row in found if row.pool == pool.id]
        assert (len(mine), sum(row.state == "idle" for row in mine)) == (pool.workers, pool.idle)
        assert (pool.pending, pool.stalled_seconds) == (0, None)


def test_a_pool_of_another_number_and_a_worker_of_another_pool_are_said() -> None:
    def number(kernel: Kernel) -> tuple[int, bytes]:
        return pools(kernel)[0].address + kernel.bind(POOL).offset("id"), (77).to_bytes(4, "little")

    def elsewhere(kernel: Kernel) -> tuple[int, bytes]:
        idle = next(row for row in workers(kernel) if row.pool == 2 and row.state == "idle")
        return idle.address + kernel.bind(WORKER).offset("pool"), bytes(8)

    found = changed(LIFE, number, elsewhere)
    assert [pool.id for pool in pools(found)] == [1, 2, 3, 4, 5]
    said = [problem.message for problem in found.problems if problem.section == "works"]
    assert said[0] == "what should be pool 0 calls itself 77"
    assert "what should be a worker of pool 2 is none" in said
    assert "2 workers were found of pool 2, of 3 that it counts" in said
    assert table("pools").counted(found, 5).complete is table("works").counted(found, 3).complete is False


def test_no_grace_period_runs() -> None:
    (row,) = grace_periods(kernel())
    assert (row.name, row.running, row.age_seconds, row.cpus, row.tasks) == ("rcu_preempt", False, None, None, ())
    assert row.callbacks == sum(cpu.callbacks for cpu in rcu_cpus(kernel()))
    assert case_of(LIFE).tasks[row.pid]["comm"] == "rcu_preempt"
    assert [cpu.holds_up for cpu in rcu_cpus(kernel())] == [False, False]


def test_who_holds_a_grace_period_up() -> None:
    def runs(kernel: Kernel) -> tuple[int, bytes]:
        state, plan = kernel.symbol("rcu_state"), kernel.bind(STATE_PLAN)
        return state + plan.offset("gp_seq"), (plan.row(state).gp_seq | 1).to_bytes(8, "little")

    def waits(kernel: Kernel) -> tuple[int, bytes]:
        leaf = kernel.symbol("rcu_state")  # the only node of a tree for two CPUs comes first
        return leaf + kernel.bind(NODE).offset("qsmask"), (2).to_bytes(8, "little")

    (row,) = grace_periods(changed(LIFE, runs, waits))
    assert (row.running, row.cpus) == (True, "1")
    assert row.age_seconds is not None and row.age_seconds >= 0


def test_timers_that_a_module_set_and_those_that_proc_told() -> None:
    rows = {row.function.partition(" ")[0]: row for row in timers(kernel()) if "lablife" in row.function}
    wheel, fine = rows["lablife_timer"], rows["lablife_hrtimer"]
    assert (wheel.kind, fine.kind) == ("timer", "monotonic")
    assert wheel.due_seconds is not None and fine.due_seconds is not None
    assert abs(fine.due_seconds - wheel.due_seconds - 1000) < 1  # set together, for 6,000 s and 5,000 s
    assert "lablife_later [lablife]" in [row.owner for row in timers(kernel())]
    told = {int(found[1]) for line in account(LIFE)["timer_list"] if (found := EXPIRES.match(line))}
    far = {number for number in told if number > 4_000_000_000_000}
    assert far <= {row.expires for row in timers(kernel())}


def test_a_timer_of_another_clock_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> tuple[int, bytes]:
        row = next(row for row in timers(kernel) if row.function.startswith("lablife_hrtimer"))
        return row.address + kernel.bind(HRTIMER).offset("base"), bytes(8)

    found = changed(LIFE, moved)
    assert not [row for row in timers(found) if row.function.startswith("lablife_hrtimer")]
    assert "is of another clock" in next(iter(found.problems)).message
