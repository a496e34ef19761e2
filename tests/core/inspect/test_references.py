"""Who points at an object: what the kernel's own links say must be found, and each find must be there."""

from cases import case_of
from oopscope.commands.command import CardOf, Say
from oopscope.commands.register import request
from oopscope.inspect.references import FINDS, references, target_at
from oopscope.linux.task import task_structs
from oopscope.report.card import card_data
from oopscope.subsystems.cards import card

LIFE = "6.1-life"


def test_who_points_at_a_task() -> None:
    kernel = case_of(LIFE).kernel
    init = next(task for task in kernel.cached(task_structs).values() if task.pid == 1)
    found = references(kernel, init.address + 0x10)
    assert found.target.start == init.address and not found.why
    for row in found.rows:
        assert row.address is not None and kernel.memory.word(row.address) == row.value
        assert found.target.start <= row.value < found.target.end
    parents = [row.address for row in found.rows if row.where and row.where.endswith("task_struct.real_parent")]
    offset = kernel.types.member("task_struct", "real_parent").offset
    children = [one for one in kernel.cached(task_structs) if kernel.memory.word(one + offset) == init.address]
    assert children and set(children) <= {(address or 0) - offset for address in parents}


def test_what_is_left_over_is_marked() -> None:
    kernel = case_of(LIFE).kernel
    rows = references(kernel, kernel.symbol("init_task")).rows
    old = [row for row in rows if row.stale == "below the stack's end"]
    assert old
    for row in old:
        assert row.where is not None and row.where.startswith("stack of ")
    assert all("free" in (row.where or "") for row in rows if row.stale == "the object is free")


def test_of_what_is_no_object_the_address_alone() -> None:
    kernel = case_of(LIFE).kernel
    at = kernel.symbol("linux_banner")
    assert target_at(kernel, at)[:2] == (at, at + 1)


def test_the_card_and_its_words() -> None:
    for line in ("refs init_task", "whatis --refs init_task", "whatis init_task --refs"):
        assert request(line) == CardOf("references", "init_task")
    assert isinstance(request("whatis --refs"), Say)
    told = card_data(card(case_of(LIFE).kernel, "references", "init_task"))
    assert 2 < told["references"]["found"] == len(told["places"]) <= FINDS
