"""The objects beside one in its slab, on a real dump."""

from cases import Case
from oopscope.errors import OopscopeError
from oopscope.inspect.neighbours import neighbours
from oopscope.linux.task import task_structs

KEPT = 0xFFFF8AD297D75170  # what the module allocated for its parameters


def test_neighbours_and_what_they_hold() -> None:
    rows = neighbours(Case("6.1-null").kernel, KEPT + 4)
    assert [(row.place, row.base, row.state) for row in rows] == [
        ("before", KEPT - 16, "free"), ("it", KEPT, "in use"), ("behind", KEPT + 16, "free"),
    ]  # fmt: skip
    assert rows[1].holds is not None and "[labcrash]" in rows[1].holds
    assert rows[0].holds is None


def test_the_first_of_a_slab_has_none_before_it() -> None:
    kernel = Case("6.1-null").kernel
    firsts = [rows for address in kernel.cached(task_structs) if (rows := neighbours(kernel, address))
              and rows[0].place == "it"]  # fmt: skip
    assert firsts
    assert all([row.place for row in rows] == ["it", "behind"] for rows in firsts)


def test_what_lies_in_no_slab_has_no_neighbours() -> None:
    kernel = Case("6.1-null").kernel
    for address in (0, 0x28, kernel.symbol("init_task"), (1 << 64) - 8):
        try:
            assert neighbours(kernel, address) == []
        except OopscopeError as error:
            raise AssertionError(f"{address:#x}: {error}") from error
