"""What a line after `:` means."""

from typing import Any

import pytest

from oopscope_tui.places import Act, Place
from oopscope_tui.prompt.acts import ACTS
from oopscope_tui.prompt.commands import COMMANDS, is_guess, target_of, understand
from oopscope_tui.prompt.completing import sources

PANES = [
    (key, key.capitalize()) for key in ("overview", "cpus", "tasks", "memory", "log", "modules", "mounts", "meminfo")
]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", None),
        ("  ", None),
        ("tasks", Place("tasks")),
        ("mem", Place("memory")),
        ("dmesg", Place("log")),
        ("241", Place("tasks", 241, True)),
        ("bt 241", Place("tasks", 241, True)),
        ("bt -c 1", Place("cpus", 1, True)),
        ("bt -a", Place("cpus")),
        ("bt", Place("tasks", None, True)),
        ("ps -k", Place("tasks", None, False, "kernel_thread:yes")),
        ("ps -m", Place("tasks", None, False, "", "since_last_run_seconds")),
        ("foreach UN bt", Place("card", "each:state:D|stack")),
        ("struct task_struct.pid,comm init_task", Place("card", "struct:task_struct.pid,comm@init_task")),
        ("dis -r schedule+4", Place("card", "code:schedule+4/to")),
        ("rd -8 jiffies", Place("card", "memory:jiffies/16/8")),
        ("mod -t", Place("modules", None, False, "taint~.")),
        ("files 241", Place("tasks", 241, True)),
        ("sys", Place("overview")),
        ("struct rq.clock runqueues:0", Place("struct", "rq.clock@runqueues:0")),
        ("rd jiffies 4", Place("words", "jiffies")),
        ("p task(1).mm.total_vm", Place("card", "value:task(1).mm.total_vm")),
        ("kmem ffff888003a4c000", Place("symbol", "ffff888003a4c000")),
        ("explain Call Trace", Act("explain", "Call Trace")),
        ("help ps", Act("help", "ps")),
        ("ps insmod", Place("tasks", "insmod", True)),
        ("cpu 1", Place("cpus", 1, True)),
        ("c0", Place("cpus", 0, True)),
        ("cpu1", Place("cpus", 1, True)),
        ("modules labcrash", Place("modules", "labcrash", True)),
        ("log 370", Place("log", 370, True)),
        ("kmem -s", Place("slabs")),
        ("kmem -s dentry", Place("slabs", "dentry", True)),
        ("kmem -z", Place("zones")),
        ("kmem", Place("memory")),
        ("sym schedule", Place("symbol", "schedule")),
        ("schedule", Place("symbol", "schedule")),
        ("0xffffffff81000000", Place("symbol", "0xffffffff81000000")),
        ("theme dark", Act("theme", "dark")),
        ("write a file.txt", Act("write", "a file.txt")),
        ("q!", Act("quit")),
        ("9" * 10_000, Place("symbol", "9" * 10_000)),
    ],
)
def test_understood(text: str, place: Any) -> None:
    assert understand(text, PANES) == place


@pytest.mark.parametrize("line", ["gdb", "tree", "dev", "irq -b", "ps -y", "log -d", "kmem -F", "runq -t",
                                  "bt -c", "foreach UN"])  # fmt: skip
def test_what_is_not_there_is_said_and_is_never_something_else(line: str) -> None:
    """Once `:p jiffies` opened Problems, `:net` a module, `:tree` a slab; `:dis -l` took the option for a name."""
    target = understand(line, [*PANES, ("problems", "Problems"), ("net", "Net"), ("trees", "Trees")])
    assert isinstance(target, Act) and target.name == "say" and line.split()[0] in target.argument
    assert not is_guess(line, PANES)


def test_only_what_is_nothing_else_is_a_guess() -> None:
    assert is_guess("schedule", PANES)
    assert is_guess("bt insm", PANES)  # a name that may be the beginning of one
    assert not any(is_guess(text, PANES) for text in ("", "bt 241", "bt -a", "0x10", "241", "mem", "quit", "c1"))


def test_the_table_of_commands_is_whole() -> None:
    words = [word for command in COMMANDS for word in command.words]
    assert len(words) == len(set(words))
    for command in COMMANDS:
        assert not command.takes or command.takes in sources() or command.takes in ("type", "number", "file")
        target = target_of(command.ask([]))
        assert not isinstance(target, Act) or target.name in ACTS
