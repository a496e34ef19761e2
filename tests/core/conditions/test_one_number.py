"""One number of a dump is wrong: what is wrong is said, and nothing but our own errors leaves the core."""

from types import SimpleNamespace
from typing import Any

import pytest

from builders.altered import stored
from oopscope.boot.attach import attach
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import ModuleMap
from oopscope.report import build as building
from oopscope.report import html, markdown, text
from oopscope.subsystems import TABLES, Table
from oopscope.symbols.vmcoreinfo import VmcoreInfo


def a_module(name: str, start: int) -> SimpleNamespace:
    region = SimpleNamespace(start=start, size=0x1000)
    return SimpleNamespace(name=name, regions=[region])


def test_two_modules_at_one_address() -> None:
    found = ModuleMap([a_module("a", 0x1000), a_module("b", 0x1000)])  # type: ignore[list-item]
    assert found.at(0x1800).name in ("a", "b") and found.at(0x2000) is None


def test_no_possible_cpu() -> None:
    kernel = attach(stored("6.1-null.kdump"), lambda _text: None)
    with pytest.raises(Implausible, match="no per-CPU area"):
        kernel.per_cpu("runqueues", 500)
    with pytest.raises(Implausible):
        kernel.per_cpu("runqueues", -1)


@pytest.mark.parametrize("number", ["-64", "1048576", "9" * 40, "x", ""])
def test_an_offset_of_vmcoreinfo_that_can_be_none(number: str) -> None:
    info = VmcoreInfo({"OFFSET(prb_desc.state_var)": number, "SIZE(prb_desc)": number, "SYMBOL(prb)": "-5"})
    assert info.offset("prb_desc.state_var") is None and info.size("prb_desc") is None
    assert info.symbol("prb") is None


@pytest.mark.parametrize("fault", [TypeError, IndexError, KeyError, ValueError, RecursionError, MemoryError,
                                   AttributeError, OverflowError, ZeroDivisionError, UnicodeError])  # fmt: skip
def test_whatever_is_thrown_in_a_section_costs_that_section(fault: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = attach(stored("6.1-null.kdump"), lambda _text: None)

    def throw(*_args: Kernel | Table) -> None:
        raise fault("of a test")

    monkeypatch.setattr(building, "rows", throw)
    for key in building.SPECIAL:
        monkeypatch.setitem(building.SPECIAL, key, throw)
    report = building.build(kernel)
    for key, _module in TABLES:
        assert report.get(key) is None
    said = [p["message"] for p in report["problems"]]
    assert any(fault.__name__ in message for message in said)
    for form in (text, markdown, html):
        form.render(report)
    assert not issubclass(fault, OopscopeError)
