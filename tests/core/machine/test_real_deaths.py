"""Deaths of guests of other machines, made by the module that makes them on x86_64: the same cause, as far as it goes.

`machines/NAME.patch` is a difference against the dump of that kernel beside it, distilled for its verdict alone.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict
from oopscope.waits.build import wait_graph
from stored import STORE, put_together

DEATHS = {
    "6.12-ppc64le-null": ("null-pointer-dereference", "lab_read_balance.isra.0+0x0", "labcrash"),
    "6.12-riscv64-null": ("null-pointer-dereference", "lab_read_balance.isra.0+0x10", "labcrash"),
    "6.12-s390x-deadlock": ("deadlock", "lab_transfer+0x46", "labcrash"),
}


@cache
def death(name: str, twentieths: int = 20) -> tuple[Kernel, Verdict]:
    """Open a dump, or so many twentieths of its file, and judge it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.kdump"
        data = put_together(STORE / "machines" / f"{name}.patch", STORE / "machines")
        path.write_bytes(data[: len(data) * twentieths // 20])
        kernel = open_kernel([path])  # whose file stays open
        return kernel, verdict(kernel)


@pytest.mark.parametrize("name", DEATHS)
def test_the_cause_and_the_function(name: str) -> None:
    _, found = death(name)
    assert (found.cause, found.symbol, found.module) == DEATHS[name]
    assert found.confidence == "certain"


def test_a_fault_that_came_before_an_interrupt_into_panic_is_told_to_its_end() -> None:
    """When the dump was taken an interrupt had just come in, behind which panic() stood."""
    _, found = death("6.12-riscv64-null")
    fault = found.fault
    assert fault is not None
    assert (fault.instruction, fault.formula, fault.address, fault.value) == ("c.ld a5,0x28(a0)", "a0 + 0x28", 0x28, 0)
    assert fault.passed_by == "labcrash_init+0xaa [labcrash]: what a call returned: jalr ra,ra,0x578 (strcmp)"


def test_panic_is_not_to_blame_where_a_cut_lost_the_rest_of_its_stack() -> None:
    _, found = death("6.12-riscv64-null", 17)
    assert (found.cause, found.confidence) == ("null-pointer-dereference", "likely")
    assert found.symbol == "lab_read_balance.isra.0+0x10"


def test_who_passed_the_pointer_is_told_on_powerpc() -> None:
    fault = death("6.12-ppc64le-null")[1].fault
    assert fault is not None
    assert (fault.instruction, fault.formula, fault.address, fault.value) == ("ld r9,0x28(r3)", "gpr3 + 0x28", 0x28, 0)
    assert fault.passed_by == "labcrash_init+0xbc [labcrash]: NULL, written in the code: li r3,0"


def test_who_waits_is_found_where_addresses_of_the_kernel_are_low() -> None:
    """s390's kernel has an address space of its own, and its module's symbols are big-endian."""
    kernel, _ = death("6.12-s390x-deadlock")
    graph = wait_graph(kernel)
    held = {
        (graph.nodes[e.source].name, graph.nodes[e.target].name): [
            graph.nodes[h.target].name for h in graph.out[e.target]
        ]
        for e in graph.edges
        if e.kind == "waits_for" and graph.nodes[e.target].kind == "mutex"
    }
    assert held == {
        ("lab-teller-ab", "lab_b [labcrash]"): ["lab-teller-ba"],
        ("lab-teller-ba", "lab_a [labcrash]"): ["lab-teller-ab"],
    }
