"""Tasks by their stacks: identical ones once, who has them in few words, and what a filter keeps."""

from core.triage.fakes import stack, task
from oopscope.stacks.groups import folded, grouped, passes
from oopscope.stacks.tasks import Task

SPIN = stack("__schedule+0x1", "txg_wait_open+0x2 [zfs]", "zfs_write+0x3 [zfs]", "0x7f0000000000 <user>")
READ = stack("__schedule+0x1", "do_poll+0x2", "0x7f0000001234 <user>")


def workers(count: int) -> list[Task]:
    return [task(100 + number, f"w-{number}", "D", since_last_run_seconds=float(number)) for number in range(count)]


def test_identical_stacks_are_one_with_the_longest_wait() -> None:
    other = stack("__schedule+0x1", "do_poll+0x2", "0x7f0000009999 <user>")  # the same, but for the program's own place
    found = grouped([*((one, SPIN) for one in workers(2400)), (task(7, "sshd"), READ), (task(8, "cron"), other)])
    assert [(group.tasks, group.who, group.states) for group in found] == [
        (2400, "2,400 of w-*", "D"),
        (2, "sshd, cron", "S"),
    ]
    assert (found[0].longest_seconds, found[0].pid, found[0].modules) == (2399.0, 2499, ("zfs",))


def test_of_many_names_those_that_differ_in_a_number_are_one() -> None:
    names = [*(f"w-{n}" for n in range(2400)), *(f"many{n}" for n in range(20)), "many"]
    assert folded(names) == "2,400 of w-*, 20 of many*, many"
    assert folded([*"abcdefg"]) == "a, b, c, d and 3 more"


def test_filters_by_function_and_module() -> None:
    assert passes(SPIN, ["zfs_write"])
    assert passes(SPIN, ["txg_*"], ["zfs"])
    assert not passes(SPIN, ["txg"])
    assert not passes(READ, (), ["zfs"])
    assert not passes(SPIN, ["do_poll"], ["zfs"])
    assert passes(READ, ["a.b", "do_p*l"])
