"""What a line after `:` means."""

import pytest

from oopscope_tui.places import Place, understand

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
        ("cpu 1", Place("cpus", 1, True)),
        ("c0", Place("cpus", 0, True)),
        ("cpu1", Place("cpus", 1, True)),
        ("modules labcrash", Place("modules", "labcrash", True)),
        ("log 370", Place("log", 370, True)),
        ("schedule", Place("symbol", "schedule")),
        ("0xffffffff81000000", Place("symbol", "0xffffffff81000000")),
    ],
)
def test_understood(text, place):
    assert understand(text, PANES) == place
