"""Expressions over a real dump: what they come to, and that what is no expression says so and runs nothing."""

import pytest

from cases import case_of
from oopscope.errors import OopscopeError
from oopscope.inspect.expression import (
    ExpressionError,
    Pointer,
    Several,
    Unread,
    Word,
    evaluate,
    tokens,
    value_of,
)
from oopscope.inspect.expression_parts import LONGEST
from oopscope.inspect.expression_walks import MOST
from oopscope.kernel.kernel import Kernel
from oopscope.report.card import card_data, card_text
from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems.cards import card


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return case_of("6.1-null").kernel


def test_numbers_as_c_counts(kernel: Kernel) -> None:
    for text, value in (("1+2*3", 7), ("(1+2)*3<<2", 36), ("0x10|1", 17), ("-5 & 0xff", 251), ("7/2%2", 1),
                        ("10-3-2", 5), ("~0 & 0xf", 15), ("1 << 1 + 1", 4), ("6 ^ 3", 5)):  # fmt: skip
        assert evaluate(kernel, text) == value, text


def test_tasks_members_and_pointers(kernel: Kernel) -> None:
    init = next(task for task in all_tasks(kernel) if task.pid == 1)
    page = kernel.memory.page_size
    assert evaluate(kernel, "task(1).mm.total_vm") * page == init.vsz_bytes
    assert evaluate(kernel, "task(1).pid + task(1).tgid") == 2
    assert evaluate(kernel, "task(1).comm").startswith(b"init\0")
    assert evaluate(kernel, "task(1)->parent->comm").startswith(b"swapper/0")
    assert evaluate(kernel, "task(1).comm[0]") == ord("i")
    assert evaluate(kernel, f"(*(struct task_struct *){init.address:#x}).pid") == 1
    assert evaluate(kernel, f"((struct task_struct *){init.address:#x})->pid") == 1
    assert evaluate(kernel, f"task({init.address:#x}).pid") == 1
    assert evaluate(kernel, "init_task.tasks.next") == Pointer(kernel.view("task_struct", kernel.symbol(
        "init_task")).tasks.next, "list_head")  # fmt: skip
    assert evaluate(kernel, "task(1).signal.rlim[0].rlim_max") > 0


def test_per_cpu_variables_types_and_offsets(kernel: Kernel) -> None:
    clock = kernel.view("rq", kernel.per_cpu("runqueues", 1)).clock
    assert evaluate(kernel, "per_cpu(runqueues, 1).clock") == evaluate(kernel, "runqueues:1.clock") == clock
    assert evaluate(kernel, "sizeof(struct page)") == kernel.types.sizeof("page") == evaluate(kernel, "sizeof(page)")
    offset = kernel.types.member("task_struct", "se.vruntime").offset
    assert evaluate(kernel, "offsetof(struct task_struct, se.vruntime)") == offset
    size = kernel.types.sizeof("page")
    assert evaluate(kernel, "(struct page *)0x1000 + 2") == Pointer(0x1000 + 2 * size, "page")


def test_what_a_variable_is(kernel: Kernel) -> None:
    assert evaluate(kernel, "nr_threads") == kernel.memory.u32(kernel.symbol("nr_threads"))
    assert evaluate(kernel, "&jiffies") == Pointer(kernel.symbol("jiffies"))
    assert evaluate(kernel, "schedule") == Pointer(kernel.symbol("schedule"))
    name = next(one for one in ("init_uts_ns", "system_state", "init_stack", "panic_on_oops") if _is_word(kernel, one))
    guess = evaluate(kernel, name)
    assert isinstance(guess, Word) and guess.address == kernel.symbol(name)
    told = card_data(card(kernel, "value", name))
    assert told["problems"] == [{"section": "value", "message": "nothing says what type it is of: read as a word"}]


def _is_word(kernel: Kernel, name: str) -> bool:
    try:
        return isinstance(evaluate(kernel, name), Word)
    except OopscopeError:
        return False


def test_lists_trees_and_a_member_of_each(kernel: Kernel) -> None:
    leaders = {task.address for task in all_tasks(kernel) if task.pid == task.tgid and task.pid}
    walked = evaluate(kernel, "list(init_task.tasks, task_struct, tasks)")
    assert isinstance(walked, Several) and not walked.why
    assert {one.address for one in walked.values} == leaders
    assert evaluate(kernel, "count(list(init_task.tasks, task_struct, tasks))") == len(leaders)
    assert evaluate(kernel, "list(init_task.tasks, task_struct, tasks)[0].comm").startswith(b"init\0")
    names = evaluate(kernel, "list(modules, module, list).name").values
    assert {name.split(b"\0")[0].decode() for name in names} == {
        m["name"] for m in case_of("6.1-null").report["modules"]
    }
    children = evaluate(kernel, "list(task(1).children, task_struct, sibling).pid").values
    assert set(children) == {t["pid"] for t in case_of("6.1-null").report["tasks"] if t["ppid"] == 1 and t["tgid"] ==
                             t["pid"] and t["pid"]}  # fmt: skip
    areas = evaluate(kernel, "tree(vmap_area_root, vmap_area, rb_node).va_start").values
    assert list(areas) == sorted(areas) and len(areas) > 10
    assert evaluate(kernel, "container_of(init_task.tasks.next, task_struct, tasks).pid") == 1
    told = card_data(card(kernel, "value", "list(init_task.tasks, task_struct, tasks)"))
    assert told["value"]["count"] == len(told["elements"]) == len(leaders)
    assert told["elements"][0]["meaning"] == "task_struct of init (1)"


def test_a_walk_over_what_is_no_list_ends_and_says_so(kernel: Kernel) -> None:
    with pytest.raises(OopscopeError):
        evaluate(kernel, "list(0, task_struct, tasks)")
    head = evaluate(kernel, "init_task.tasks")
    walked = evaluate(kernel, f"list({head.address + 8:#x}, task_struct, tasks)")  # the links run backwards there
    assert isinstance(walked, Several) and len(walked.values) <= MOST
    read = evaluate(kernel, f"list({head.address:#x}, vm_struct, next).caller").values
    assert all(isinstance(one, Unread | Pointer | int) for one in read)


def test_from_one_entry_a_list_is_gone_round(kernel: Kernel) -> None:
    whole = {one.address for one in evaluate(kernel, "list(init_task.tasks, task_struct, tasks)").values}
    init = evaluate(kernel, "init_task").address
    for first, begins in (("task(1)", evaluate(kernel, "task(1)").address), ("init_task", init)):
        ring = evaluate(kernel, f"ring({first}, task_struct, tasks)")
        assert (
            not ring.why and ring.values[0].address == begins and {one.address for one in ring.values} == whole | {init}
        )
    names = evaluate(kernel, "list(modules, module, list).name").values
    assert evaluate(kernel, "ring(modules, module, list).name").values == names  # a head after all


def test_a_chain_of_plain_pointers() -> None:
    kernel = case_of("6.1-life").kernel
    types = evaluate(kernel, "list(file_systems, file_system_type, next)")
    assert not types.why and len(types.values) == 22
    first = types.values[0].address
    for text in (f"list({first:#x}, file_system_type, next)", "ring(file_systems, file_system_type, next)"):
        assert evaluate(kernel, text).values == types.values
    rows = card_data(card(kernel, "value", "list(file_systems, file_system_type, next).name"))["elements"]
    assert 'string "proc"' in [row["meaning"] for row in rows]


def test_a_per_cpu_variable_without_a_cpu_is_every_cpus(kernel: Kernel) -> None:
    every = evaluate(kernel, "runqueues").values
    assert [one.address for one in every] == [kernel.per_cpu("runqueues", cpu) for cpu in range(len(every))]


def test_comparisons_and_texts(kernel: Kernel) -> None:
    for text, value in (("1 < 2", 1), ("2 <= 1", 0), ("1 + 1 == 2", 1), ("1 != 1 || 3 > 2 && 0", 0), ("!0", 1),
                        ('task(1).comm == "init"', 1), ('task(1).comm != "init"', 0)):  # fmt: skip
        assert evaluate(kernel, text) == value, text


def test_names_of_ones_own_need_no_kernel() -> None:
    parts = tokens('rss > 2 * vsz && state == "D"')
    assert value_of(None, parts, {"rss": 5, "vsz": 2, "state": b"D"}) == 1
    with pytest.raises(ExpressionError, match="only columns are known here: rss"):
        value_of(None, tokens("task(1).pid"), {"rss": 5})


@pytest.mark.parametrize("text", [
    "list()", "list(1", "list(init_task.tasks)", "list(init_task.tasks, task_struct)", "count(1)", "count(init_task)",
    "list(init_task.tasks, nothing, tasks)", "list(init_task.tasks, task_struct, nothing)", "container_of(1, x, y)",
    "list(init_task.tasks, task_struct, tasks) + 1", "list(init_task.tasks, task_struct, tasks)[99999]", '"', '"a" + 1',
    "tree(8, vmap_area, rb_node)", "1 ! 2", "1 = 2", "hlist(8, task_struct, tasks)", "runqueues + 1",
    "", "1 +", "(1", "1)", "1 $ 2", "1/0", "5 % 0", "foo(1)", "system(1)", "init_task", "*init_task", "task(1).nothing",
    "task(123456)", "sizeof(nothing)", "sizeof(1)", "offsetof(struct rq, nothing)", "no_such_symbol", "1.x", "1[0]",
    "task(1).comm[99]", "task(1).comm[-1]", "task(1).signal.rlim", "runqueues:99.clock", "per_cpu(runqueues, 99)",
    "*(struct task_struct *)8 + 1", "((struct task_struct *)0)->pid", "&1", "__import__('os')", "a" * (LONGEST + 1),
    "(" * 100 + "1", "-" * 200 + "1", "1" + "+1" * 100 + "+", "\x00", "task(1).pid.pid",
])  # fmt: skip
def test_what_is_none_is_said(kernel: Kernel, text: str) -> None:
    with pytest.raises(OopscopeError) as caught:
        value = evaluate(kernel, text)
        if text in ("init_task",):  # a struct is a value, but no number
            raise ExpressionError(str(value))
    assert str(caught.value)


def test_a_value_is_a_card(kernel: Kernel) -> None:
    told = card_data(card(kernel, "value", "task(1).pid"))["value"]
    assert (told["value"], told["hex"]) == (1, "0x1")
    struct = card_data(card(kernel, "value", "task(1).mm[0]"))
    assert struct["value"]["type"] == "mm_struct"
    assert any(one["name"] is None or one["name"] for one in struct["members"])
    assert card_data(card(kernel, "value", "task(1).comm"))["value"]["text"] == "init"
    assert card_data(card(kernel, "value", "schedule"))["value"]["meaning"].startswith("schedule")


def test_members_of_each_of_several_things(kernel: Kernel) -> None:
    first, *others = evaluate(kernel, "ring(init_task, task_struct, tasks).{pid, comm}").values
    assert [first.names, first.values[0], first.address] == [("pid", "comm"), 0, kernel.symbol("init_task")]
    assert others == list(evaluate(kernel, "list(init_task.tasks, task_struct, tasks).{pid, comm}").values)
    told = card_data(card(kernel, "value", "list(init_task.tasks, task_struct, tasks).{pid,comm}"))["elements"]
    assert told[0]["text"] == "pid 1  comm init" and told[0]["address"].startswith("0x")
    assert "not mapped" in card_text(card(kernel, "value", "init_task.{pid,mm.pgd}"))  # the other is there


def test_where_a_member_lies_is_not_read(kernel: Kernel) -> None:
    offset = kernel.types.member("task_struct", "comm").offset
    assert evaluate(kernel, "&((struct task_struct *)0)->comm").address == offset
    assert evaluate(kernel, "&init_task.comm").address == kernel.symbol("init_task") + offset


def test_cs_own_types(kernel: Kernel) -> None:
    assert evaluate(kernel, "(unsigned int)-1") == (1 << 32) - 1 and evaluate(kernel, "(s8)255") == -1
    address = kernel.symbol("linux_banner")
    assert evaluate(kernel, f"*(u8 *){address:#x}") == ord("L")
    assert evaluate(kernel, "(char *)&linux_banner").startswith(b"Linux version")
    with pytest.raises(ExpressionError, match="no type"):
        evaluate(kernel, "(unsigned bool)1")


def test_a_variable_that_its_neighbours_point_back_at_is_a_list(kernel: Kernel) -> None:
    assert evaluate(kernel, "modules").name == "list_head"
    assert "Linux version" in card_text(card(kernel, "value", "linux_banner"))


def test_structs_that_point_to_the_next_one(kernel: Kernel) -> None:
    walked = evaluate(kernel, "list(init_task, task_struct, group_leader)")  # it points to itself
    assert [one.address for one in walked.values] == [kernel.symbol("init_task")]


def test_a_per_cpu_variable_that_btf_does_not_name() -> None:
    kernel = case_of("5.10-sysrq").kernel
    assert "runqueues" not in kernel.types.btf.variables()
    found = evaluate(kernel, "runqueues").values
    assert len(found) == 2 and found[1] == Pointer(kernel.per_cpu(kernel.symbol("runqueues"), 1), "rq")
