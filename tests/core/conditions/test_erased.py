"""A dump from which makedumpfile erased something: what was erased reads as that, and is no value."""

from builders.altered import Altered, stored
from oopscope.boot.attach import attach
from oopscope.dumps import Facts
from oopscope.inspect.describe import describe
from oopscope.report.build import build


class Erased(Altered):
    """Says of itself what was erased."""

    def facts(self) -> Facts:
        facts = super().facts()
        facts.erased = ("erase saved_command_line",)
        return facts


def test_an_erased_command_line_is_none() -> None:
    dump = stored("6.1-null.kdump")
    kernel = attach(dump, lambda _text: None)
    at = kernel.memory.word(kernel.symbol("saved_command_line"))
    length = len(kernel.memory.cstring(at))
    physical = kernel.memory.translate(at)
    pfn, offset = physical >> 12, physical & 4095
    page = dump.page(pfn)
    page = page[:offset] + b"X" * length + page[offset + length :]
    erased = attach(Erased(dump, pages={pfn: page}), lambda _text: None)
    report = build(erased, ["dump", "system"])
    assert report["dump"]["erased"] == ["erase saved_command_line"]
    assert report["system"]["command_line"] is None
    assert any("erased" in p["message"] for p in report["problems"])
    assert describe(erased, 0x5858585858585858).words == "erased when the dump was written"
    assert describe(kernel, 0x5858585858585858).words != "erased when the dump was written"
