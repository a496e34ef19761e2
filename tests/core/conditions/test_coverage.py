"""What a dump holds and lacks is counted by its own bitmaps, and what was asked for in vain is listed."""

import pytest

from oopscope.boot.attach import attach
from oopscope.dumps import open_path
from oopscope.errors import MissingPage
from oopscope.memory.coverage import failures, ranges
from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems import table
from stored import DUMPS


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
    lines = list(table("coverage").rows(kernel))
    assert lines[0].what == "all RAM"
    assert any(line.what == "asked for in vain" for line in lines)


def test_kinds_of_page_add_up_and_what_is_not_known_is_said() -> None:
    kernel = attach(open_path(DUMPS / "6.1-irq.kdump"), print)
    lines = list(table("coverage").rows(kernel))
    kinds = [line for line in lines if line.what.endswith(" pages")]
    assert sum(line.size for line in kinds) == lines[0].size
    assert sum(line.saved or 0 for line in kinds) == lines[0].saved
    assert all(line.lacking == line.size - (line.saved or 0) for line in kinds)
    (unknown,) = (line for line in kinds if line.what == "unknown pages")  # a distilled dump keeps few struct pages
    assert "struct pages" in unknown.note


def test_counting_kinds_asks_nobody_else_in_vain() -> None:
    """Nor does the search for symbols, which in 5.10 looks all over the image."""
    for name in ("5.10-sysrq", "6.1-null"):
        kernel = attach(open_path(DUMPS / f"{name}.kdump"), print)
        lines = list(table("coverage").rows(kernel))
        assert failures(kernel.memory.physical) == []
        assert all(line.what != "asked for in vain" for line in lines)
