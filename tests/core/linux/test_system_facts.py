"""The table of the system's facts: as data the numbers, as text with units."""

import json

from cases import case_of
from oopscope.commands.command import TableOf
from oopscope.report.answer import rows_of
from oopscope.report.cells import cell


def test_sizes_addresses_and_times_have_their_units_in_a_text_and_are_numbers_as_data() -> None:
    rows = rows_of(case_of("6.1-null").kernel, TableOf("system")).rows
    shown = {row.name: cell(row.value) for row in rows}
    assert shown["memory_bytes"] == "184M" and shown["uptime_seconds"] == "14s"
    assert shown["kaslr_offset"].startswith("0x") and int(shown["kaslr_offset"], 16) % (1 << 21) == 0
    assert shown["boot_ns"].startswith("2026-") and shown["boot_ns"].endswith("Z")
    assert {row.name: row.value for row in rows}["memory_bytes"] == json.loads(
        json.dumps({row.name: row.value for row in rows})
    )["memory_bytes"]
