"""Modules that are being loaded, and who loads them. Follows kernel/module/main.c (kernel/module.c before 5.19).

Who loads a module of a name that is being loaded sleeps in module_wq; the same file's second load waits for the first
(9b9879fc0327 "modules: catch concurrent module loads, treat them as idempotent", 6.5), which is in one hash chain with
it. The loader is the task in its init function that has the module's address among its words.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.stack import task_stack
from oopscope.kernel.walk import for_each_list
from oopscope.linux.task import task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node, thing
from oopscope.waits.offsets import lowest, offset, offsets
from oopscope.waits.sleepers import Sleeper, completion_of, heads_of, sleepers, within

QUEUE = "module_wq"
LIVE = 0  # MODULE_STATE_LIVE; COMING, GOING and UNFORMED are others
MAX_MODULES = 1 << 16
MAX_CHAIN = 1 << 12
MAX_NAME = 56  # MODULE_NAME_LEN
LOADS = ("do_init_module", "load_module", "do_one_initcall")


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits until a module is loaded."""
    for one in unlocked(kernel):
        if not one.places or not (one.entries or one.completion):
            continue
        try:
            if not any("module" in function for function in one.functions):
                continue
            if any(_is_queue(kernel, head) for head in heads_of(one)):
                yield from _by_name(kernel, one)
            elif (completion := completion_of(one)) is not None and completion in one.stack:
                yield from _same(kernel, one, completion)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"the module that {one.pid} waits for")(error)


def _is_queue(kernel: Kernel, head: int) -> bool:
    named = kernel.name_of(head)
    return named is not None and named.symbol == QUEUE


@once
def _loading(kernel: Kernel) -> dict[str, int]:
    """Return the modules that are not live, by name."""
    shape, head = offsets(kernel, "module", "list", "name", "state"), kernel.find_symbol("modules")
    if shape is None or head is None:
        return {}
    found = {}
    for module in for_each_list(kernel.memory, head, shape[0], lambda _error: None, MAX_MODULES):
        if kernel.memory.u32(module + shape[2]) != LIVE:
            found[kernel.memory.text(module + shape[1], MAX_NAME)] = module
    return found


def _by_name(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    """By a copy of the module that it wants to load, whose name is that of one that is being loaded."""
    at = offset(kernel, "module", "name") or 0
    floor = lowest(kernel)
    for word in dict.fromkeys(one.words):
        if word < floor or word in one.stack or word in _loading(kernel).values():
            continue
        try:
            name = kernel.memory.text(word + at, MAX_NAME)
        except OopscopeError:
            continue
        module = _loading(kernel).get(name)
        if module is not None:
            text = "it waits in module_wq with a module of that name among its words"
            node = thing("module", module, name, "is being loaded")
            yield Claim(task_node(kernel, one.address), node, "waits_for", "inferred", one.since, text)
            yield from _loader(kernel, node, module)
            return


def _loader(kernel: Kernel, node: Node, module: int) -> Iterator[Claim]:
    for one in sleepers(kernel):
        if module in one.words and one.functions and within(one.functions, LOADS[0]):
            text = "it is in the module's init function, with the module among its words"
            yield Claim(node, task_node(kernel, one.address), "held_by", "inferred", None, text)


def _same(kernel: Kernel, one: Sleeper, completion: int) -> Iterator[Claim]:
    """By struct idempotent on its stack: the chain's last of the same file is whose load it waits for."""
    shape = offsets(kernel, "idempotent", "complete", "cookie", "entry")
    if shape is None:
        return
    memory, own = kernel.memory, completion - shape[0]
    cookie, at, first = memory.word(own + shape[1]), memory.word(own + shape[2]), 0
    for _ in range(MAX_CHAIN):
        if not at:
            break
        if memory.word(at - shape[2] + shape[1]) == cookie:
            first = at
        at = memory.word(at)
    task = _on_whose_stack(kernel, first) if first else None
    if task is None or not cookie:
        return
    loader = next((other for other in sleepers(kernel) if other.address == task), None)
    name = next((n for n, module in _loading(kernel).items() if loader is not None and module in loader.words), "")
    node = Node(f"module:{cookie:#x}", "module", name or f"file of inode {cookie:#x}", cookie, None, "is being loaded")
    text = "its struct idempotent is in one chain with the loader's, for the same file"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    yield Claim(node, task_node(kernel, task), "held_by", "recorded", None, "the chain's first entry is on its stack")


def _on_whose_stack(kernel: Kernel, address: int) -> int | None:
    tasks = kernel.cached(task_structs).values()
    return next((task.address for task in tasks if task.stack and address in task_stack(kernel, task.stack)), None)
