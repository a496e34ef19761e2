"""Expressions over a real dump: what they come to, and that what is no expression says so and runs nothing."""

import pytest

from cases import case_of
from oopscope.errors import OopscopeError
from oopscope.inspect.expression import LONGEST, ExpressionError, Pointer, Word, evaluate
from oopscope.report.card import card_data
from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems.cards import card


@pytest.fixture(scope="module")
def kernel():
    return case_of("6.1-null").kernel


def test_numbers_as_c_counts(kernel):
    for text, value in (("1+2*3", 7), ("(1+2)*3<<2", 36), ("0x10|1", 17), ("-5 & 0xff", 251), ("7/2%2", 1),
                        ("10-3-2", 5), ("~0 & 0xf", 15), ("1 << 1 + 1", 4), ("6 ^ 3", 5)):  # fmt: skip
        assert evaluate(kernel, text) == value, text


def test_tasks_members_and_pointers(kernel):
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


def test_per_cpu_variables_types_and_offsets(kernel):
    clock = kernel.view("rq", kernel.per_cpu("runqueues", 1)).clock
    assert evaluate(kernel, "per_cpu(runqueues, 1).clock") == evaluate(kernel, "runqueues:1.clock") == clock
    assert evaluate(kernel, "sizeof(struct page)") == kernel.types.sizeof("page") == evaluate(kernel, "sizeof(page)")
    offset = kernel.types.member("task_struct", "se.vruntime").offset
    assert evaluate(kernel, "offsetof(struct task_struct, se.vruntime)") == offset
    size = kernel.types.sizeof("page")
    assert evaluate(kernel, "(struct page *)0x1000 + 2") == Pointer(0x1000 + 2 * size, "page")


def test_what_a_variable_is(kernel):
    assert evaluate(kernel, "nr_threads") == kernel.memory.u32(kernel.symbol("nr_threads"))
    assert evaluate(kernel, "&jiffies") == Pointer(kernel.symbol("jiffies"))
    assert evaluate(kernel, "schedule") == Pointer(kernel.symbol("schedule"))
    name = next(one for one in ("init_uts_ns", "system_state", "init_stack", "panic_on_oops") if _is_word(kernel, one))
    guess = evaluate(kernel, name)
    assert isinstance(guess, Word) and guess.address == kernel.symbol(name)
    told = card_data(card(kernel, "value", name))
    assert told["problems"] == [{"section": "value", "message": "nothing says what type it is of: read as a word"}]


def _is_word(kernel, name):
    try:
        return isinstance(evaluate(kernel, name), Word)
    except OopscopeError:
        return False


@pytest.mark.parametrize("text", [
    "", "1 +", "(1", "1)", "1 $ 2", "1/0", "5 % 0", "foo(1)", "system(1)", "init_task", "*init_task", "task(1).nothing",
    "task(123456)", "sizeof(nothing)", "sizeof(1)", "offsetof(struct rq, nothing)", "no_such_symbol", "1.x", "1[0]",
    "task(1).comm[99]", "task(1).comm[-1]", "task(1).signal.rlim", "runqueues:99.clock", "per_cpu(runqueues, 99)",
    "*(struct task_struct *)8 + 1", "((struct task_struct *)0)->pid", "&1", "__import__('os')", "a" * (LONGEST + 1),
    "(" * 100 + "1", "-" * 200 + "1", "1" + "+1" * 100 + "+", "\x00", "task(1).pid.pid",
])  # fmt: skip
def test_what_is_none_is_said(kernel, text):
    with pytest.raises(OopscopeError) as caught:
        value = evaluate(kernel, text)
        if text in ("init_task",):  # a struct is a value, but no number
            raise ExpressionError(str(value))
    assert str(caught.value)


def test_a_value_is_a_card(kernel):
    told = card_data(card(kernel, "value", "task(1).pid"))["value"]
    assert (told["value"], told["hex"]) == (1, "0x1")
    struct = card_data(card(kernel, "value", "task(1).mm[0]"))
    assert struct["value"]["type"] == "mm_struct"
    assert any(one["name"] is None or one["name"] for one in struct["members"])
    assert card_data(card(kernel, "value", "task(1).comm"))["value"]["text"] == "init"
    assert card_data(card(kernel, "value", "schedule"))["value"]["meaning"].startswith("schedule")
