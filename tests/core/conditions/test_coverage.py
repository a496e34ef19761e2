"""What a dump holds and lacks is counted by its own bitmaps, and what was asked for in vain is listed."""

from pathlib import Path

import pytest

from oopscope.dumps import open_path
from oopscope.errors import MissingPage
from oopscope.kernel.boot import attach
from oopscope.memory.coverage import failures, ranges
from oopscope.subsystems import table
from oopscope.subsystems.tasks import all_tasks

DUMPS = Path(__file__).parents[2] / "dumps"


def test_ranges_add_up_to_what_the_container_says() -> None:
    for path in DUMPS.glob("*.kdump"):
        dump = open_path(path)
        facts, found = dump.facts(), ranges(dump)
        assert facts.pages_saved and facts.pages_total
        assert sum(r.saved or 0 for r in found) == facts.pages_saved * dump.page_size
        assert sum(r.size for r in found) == facts.pages_total * dump.page_size


def test_failed_reads_are_counted_by_reason() -> None:
    kernel = attach(open_path(DUMPS / "7.2-sysrq.kdump"), print)
    all_tasks(kernel)
    memory = kernel.memory.physical
    before = {f.why: f.pages for f in failures(memory)}
    for _ in range(3):
        for pfn in (0, 1 << 40):
            with pytest.raises(MissingPage):
                memory.page(pfn)
    after = {f.why: f for f in failures(memory)}
    assert after["never-saved"].pages == before.get("never-saved", 0) + 2
    assert after["never-saved"].reads >= 6
    lines = list(table("coverage").rows(kernel))
    assert lines[0].what == "all RAM"
    assert any(line.what == "asked for in vain" for line in lines)
