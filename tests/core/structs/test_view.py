"""A struct by hand: the same values as plans read, spelt as C, holes member by member."""

from typing import Any

import pytest

from cases import NAMES, case_of
from oopscope.errors import MissingPage, NoMember, NoType
from oopscope.linux.task import task_structs
from oopscope.memory.virtual import Memory


def items(view: Any) -> Any:
    return {item.member.name: item for item in view.items()}


@pytest.mark.parametrize("name", ["5.10-sysrq", "6.1-null", "6.12-nmi", "7.3-oom"])
def test_as_plans_read(name: str) -> None:
    """Every task of a dump: numbers, a pointer, a name, what lies deeper."""
    kernel = case_of(name).kernel
    for address, task in list(kernel.cached(task_structs).items())[:8]:
        view = kernel.view("task_struct", address)
        assert (view.pid, view.tgid, view.stack, view["thread.sp"]) == (task.pid, task.tgid, task.stack, task.sp)
        assert view.comm.split(b"\0")[0] == task.comm
        assert view.thread.sp == task.sp
        shown = items(view)
        assert shown["pid"].number == task.pid
        assert shown["comm"].text == f'"{task.comm.decode()}"'
        assert shown["stack"].text == hex(task.stack) if task.stack else "NULL"


@pytest.mark.parametrize("name", NAMES)
def test_every_member_has_a_line(name: str) -> None:
    view = case_of(name).kernel.view("task_struct")
    shown = view.items()
    assert len(shown) > 150
    assert all(item.declaration and item.text is None and not item.why for item in shown)
    assert all(item.member.offset + item.member.size <= view.size for item in shown)


def test_c() -> None:
    kernel = case_of("6.1-null").kernel
    shown = items(kernel.view("task_struct", kernel.symbol("init_task")))
    assert shown["comm"].declaration == "char comm[16]" and shown["comm"].text == '"swapper/0"'
    assert shown["sched_reset_on_fork"].declaration == "unsigned int sched_reset_on_fork : 1"
    assert shown["mm"].declaration == "struct mm_struct *mm" and shown["mm"].target == "mm_struct"
    assert shown["mm"].text == "NULL" and shown["mm"].number == 0
    assert shown["exit_code"].text == "0" and shown["prio"].text == "120 (0x78)"
    assert shown["usage"].text == "{counter = 2}"
    assert shown["children"].text.startswith("{next = 0xffff")
    assert shown["se"].text == "{…}"


def test_inside_and_arrays() -> None:
    kernel = case_of("6.12-nmi").kernel
    module = kernel.view("module")
    part = kernel.view("module.mem[2]", 0x1000)
    inner = module.layout.member("mem[2]")
    assert part.address == 0x1000 + inner.offset and part.size == inner.size
    assert kernel.view("module.mem", 0x1000).address == 0x1000 + module.layout.member("mem").offset
    assert [item.member.name for item in part.items()][:2] == ["base", "is_rox"] or part.items()[
        0
    ].member.name == "base"
    assert items(module)["mem"].target is None


def test_unknown_names() -> None:
    kernel = case_of("6.1-null").kernel
    with pytest.raises(NoType):
        kernel.view("no_such_struct")
    with pytest.raises(NoMember):
        kernel.view("task_struct.nothing")
    with pytest.raises(NoType):
        kernel.view("task_struct.pid")
    with pytest.raises(AttributeError):
        _ = kernel.view("task_struct", 0).nothing
    with pytest.raises(ValueError):
        _ = kernel.view("task_struct").pid


def test_a_hole_costs_its_members_only() -> Any:
    """The second page of a struct that spans three is not there."""
    kernel = case_of("6.1-null").kernel
    start = 0xFFFF000000000000

    class Holed(Memory):
        def page(self, number: int) -> Any:
            if number == (start >> 12) + 1:
                raise MissingPage(number << 12, "excluded")
            return b"\1" * 4096

    memory = Holed(kernel.memory.physical, lambda address: None, 12, kernel.arch.word)  # type: ignore[return-value]
    from oopscope.structs.view import view

    shown = view(kernel.types, memory, "task_struct", start).items()
    there = [item for item in shown if item.member.offset + item.member.size <= 4096]
    gone = [item for item in shown if 4096 <= item.member.offset < 8192 and item.member.size]
    assert there and all(item.text is not None and not item.why for item in there)
    assert gone and all(item.number is None and ("not in the dump" in item.why or item.text) for item in gone)


def test_prototypes() -> None:
    types = case_of("6.1-null").kernel.types
    assert (
        types.btf.prototype("vfs_read") == "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)"
    )
    assert types.btf.prototype("schedule") == "void schedule(void)"
    assert types.btf.prototype("_printk") == "int _printk(const char *fmt, ...)"
    assert types.btf.prototype("task_struct") is None and types.btf.prototype("no_such_function") is None
