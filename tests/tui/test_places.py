"""What a line after `:` means."""

import pytest

from oopscope_tui.places import Act, Place
from oopscope_tui.prompt.acts import ACTS
from oopscope_tui.prompt.commands import COMMANDS, is_guess, understand
from oopscope_tui.prompt.completing import SOURCES

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
        ("bt -c", Place("tasks")),
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
def test_understood(text, place):
    assert understand(text, PANES) == place


def test_only_what_is_nothing_else_is_a_guess():
    assert is_guess("schedule", PANES)
    assert is_guess("bt insm", PANES)  # a name that may be the beginning of one
    assert not any(is_guess(text, PANES) for text in ("", "bt 241", "bt -a", "0x10", "241", "mem", "quit", "c1"))


def test_the_table_of_commands_is_whole():
    words = [word for command in COMMANDS for word in command.words]
    assert len(words) == len(set(words))
    for command in COMMANDS:
        assert not command.takes or command.takes in SOURCES
        target = command.target([])
        assert not isinstance(target, Act) or target.name in ACTS
