"""/proc/meminfo of a kernel whose symbols do not name its data: what a counter lacks is said, or found otherwise."""

import pytest

from cases import DUMPS
from oopscope.boot.attach import open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.linux.meminfo import _reserved, all_counters


def without(name: str) -> Kernel:
    """Return a kernel that does not know a symbol."""
    kernel = open_kernel([DUMPS / "6.1-null.kdump"])
    kernel._addresses[name] = None
    return kernel


def test_what_is_reserved_is_known_without_its_symbol() -> None:
    """Each node tells its part of totalreserve_pages."""
    assert _reserved(without("totalreserve_pages")) == _reserved(without("vm_committed_as")) > 0


def test_counters_that_nothing_names_are_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Committed_AS" not in {counter.name for counter in without("vm_committed_as").cached(all_counters)}
    monkeypatch.setattr(Kernel, "names_data", False)
    kernel = without("vm_committed_as")
    assert ("Committed_AS", None) in kernel.cached(all_counters)
    (said,) = [p.message for p in kernel.problems if p.section == "meminfo" and "does not name" in p.message]
    assert "Committed_AS" in said.partition(":")[0]
