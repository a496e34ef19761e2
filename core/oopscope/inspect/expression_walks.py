"""What an expression knows of the kernel: variables' types, tasks by PID, ways through lists and trees."""

from collections.abc import Callable, Iterator
from itertools import chain, takewhile

from oopscope.errors import Implausible, OopscopeError
from oopscope.inspect.expression_parts import (
    ExpressionError,
    Pointer,
    Several,
    Unread,
    Value,
    Word,
    number_of,
    place_of,
)
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_chain, for_each_hlist, for_each_list, for_each_rbtree
from oopscope.linux.task import lost_tasks, task_structs
from oopscope.memory.virtual import Memory
from oopscope.structs.layout import Member
from oopscope.structs.view import View

MOST = 10_000  # things of a list or a tree
NODES = ("list_head", "hlist_node")  # what links point to, where they do not point to the next thing itself
WALKS = {"list": for_each_list, "ring": for_each_list, "hlist": for_each_hlist, "tree": for_each_rbtree}
# Ordinary variables of which the type is known, though BTF does not say it.
STRUCTS = {"init_task": "task_struct", "init_mm": "mm_struct", "init_net": "net", "init_pid_ns": "pid_namespace",
           "init_user_ns": "user_namespace", "init_uts_ns": "uts_namespace", "init_cred": "cred",
           "init_css_set": "css_set", "iomem_resource": "resource", "init_nsproxy": "nsproxy",
           "runqueues": "rq"}  # fmt: skip
INTS = {"panic_cpu": 4, "nr_threads": 4, "nr_cpu_ids": 4, "total_forks": 8, "tainted_mask": 8, "jiffies": 8,
        "jiffies_64": 8, "panic_timeout": 4, "max_pfn": 8, "page_offset_base": 8, "vmalloc_base": 8, "vmemmap_base": 8,
        "phys_base": 8}  # fmt: skip


def task_at(kernel: Kernel, pid: int) -> int:
    """Return the address of the task_struct of a PID, or that address itself where a task has it; Implausible."""
    whole, lost = kernel.cached(task_structs).values(), kernel.cached(lost_tasks).values()
    known = [*((t.pid, t.address) for t in whole), *((t.pid, t.address) for t in lost)]
    address = next((address for number, address in known if pid in (number, address)), None)
    if address is None:
        raise Implausible(f"no task {pid:#x}" if pid > 1 << 32 else f"no task {pid}")
    return address


def fitted(number: int, size: int) -> int:
    """Return a number as a type of C's holds it; a size below zero is that of a signed type."""
    bits = abs(size) * 8
    kept = number % (1 << bits)
    return kept - (1 << bits) if size < 0 and kept >> (bits - 1) else kept


def is_per_cpu(kernel: Kernel, address: int) -> bool:
    """Tell whether a symbol lies in the template of per-CPU variables; BTF of older kernels names none of them."""
    start, end = kernel.find_symbol("__per_cpu_start"), kernel.find_symbol("__per_cpu_end")
    return start is not None and end is not None and start <= address < end


def is_linked(memory: Memory, node: int) -> bool:
    """Tell whether something is a struct list_head in a list: its neighbours on both sides name it."""
    try:
        following, before = memory.words(node, 2)
        return node not in (following, before) and (
            memory.words(following, 2)[1] == node and memory.word(before) == node
        )
    except OopscopeError:
        return False


def walk_of(
    kernel: Kernel, name: str, first: Value, link: tuple[str, Member], lost: Callable[[OopscopeError], None]
) -> Iterator[int]:
    """Walk from a head, or from one of the entries where it is `ring`; by pointers where the member is one.

    link: the type of the entries, and the member by which they are linked.
    """
    (outer, member), memory, at = link, kernel.memory, place_of(first)
    target = kernel.view(outer, at).target(member)
    if name in ("list", "ring") and member.kind == "ptr" and target not in NODES:
        if isinstance(first, Word) and name == "list":  # a variable that holds the first one
            return for_each_chain(memory, at, member.offset, 0, lost)
        start = number_of(first) if isinstance(first, Word) else at
        others = for_each_chain(memory, start + member.offset, member.offset, 0, lost)
        return chain([start], takewhile(lambda one: one != start, others))
    if name != "ring":
        return WALKS[name](memory, at, member.offset, lost)
    if (isinstance(first, View) and first.name != outer) or not is_linked(memory, at + member.offset):
        return for_each_list(memory, at, member.offset, lost)  # the head after all
    return chain([at], for_each_list(memory, at + member.offset, member.offset, lost))


def element_of(kernel: Kernel, value: Value, index: int) -> Value:
    """Return one of several things, of an array, or of what a pointer to a struct points at."""
    if isinstance(value, Several):
        if not 0 <= index < len(value.values):
            raise ExpressionError(f"no element {index}: there are {len(value.values):,}")
        return value.values[index]
    if isinstance(value, bytes) or (
        isinstance(value, tuple) and not isinstance(value, Pointer | Word | Unread | Several)
    ):
        if not 0 <= index < len(value):
            raise ExpressionError(f"no element {index}: there are {len(value)}")
        found = value[index]
        assert isinstance(found, int)
        return found
    if isinstance(value, Pointer) and value.type is not None:
        size = kernel.types.sizeof(value.type)
        return kernel.view(value.type, (value.address + index * size) % kernel.memory.top)
    raise ExpressionError("only arrays and pointers to structs have elements")
