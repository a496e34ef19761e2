"""poll, select and epoll: the files that a task waits for any of, and who has their other ends.

Follows fs/select.c and fs/eventpoll.c. A poll_wqueues on the sleeper's own stack names its task and, in its entries,
the files. Of epoll the wait queue entry leads to the eventpoll, whose tree holds a file each. Any of them ends the
wait, as may a timeout, so that who has another end is likely at most; a wait of which nobody is known is left out.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_rbtree
from oopscope.waits.ends import ends_of
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import offset, offsets, size
from oopscope.waits.sleepers import Sleeper, head_of, within

MAX_FILES = 64  # of one wait
EPOLL = ("ep_autoremove_wake_function", "autoremove_wake_function", "default_wake_function")
ENTRY = ("wait.private", "wait.func")
MAX_PAGES = 16  # of further entries


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who polls files of which somebody else has the other end."""
    for one in unlocked(kernel):
        try:
            if one.places and one.task.mm:
                yield from _of(kernel, one)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"the files that {one.pid} polls")(error)


def _of(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    epoll = any(entry.function in EPOLL for entry in one.entries)
    if epoll and within(one.functions, ("ep_poll", "do_epoll")):
        for entry in one.entries:
            head = head_of(kernel, entry.node)
            at = offset(kernel, "eventpoll", "wq.head")
            if head is not None and at is not None:
                files = list(_of_epoll(kernel, head - at))
                text = "a wait queue entry of its own leads to the eventpoll"
                yield from _claims(kernel, one, Node(f"epoll:{head - at:#x}", "epoll", "", head - at), files, text)
        return
    table = _poll_table(kernel, one)
    if table is not None:
        text = "poll_wqueues on its own stack names the files"
        yield from _claims(
            kernel, one, Node(f"poll:{table:#x}", "poll", "", table), list(_of_poll(kernel, table)), text
        )


def _claims(kernel: Kernel, one: Sleeper, node: Node, files: list[int], text: str) -> Iterator[Claim]:
    found = {file: ends for file in files if (ends := ends_of(kernel, file, one.task.tgid)) is not None and ends.tasks}
    if not found:
        return
    names = ", ".join(f"{'pipe ' if ends.name[:2] == '0x' else ''}{ends.name}" for ends in list(found.values())[:2])
    name = f"of {names}" if len(files) <= 2 and len(files) == len(found) else f"of {len(files)} files"
    rest = len(files) - len(found)
    note = f"of {rest} files nobody has another end" if rest > 1 else "of 1 file nobody has another end" if rest else ""
    node = node._replace(name=name, note=note, any=True)
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    for ends in found.values():
        for task in ends.tasks:
            yield Claim(node, task_node(kernel, task), "held_by", "likely", None, ends.text)


def _poll_table(kernel: Kernel, one: Sleeper) -> int | None:
    """Return the struct poll_wqueues on a task's stack: it names the task, its first entry names it and pollwake."""
    task = offset(kernel, "poll_wqueues", "polling_task")
    first, entry = offset(kernel, "poll_wqueues", "inline_entries"), offsets(kernel, "poll_table_entry", *ENTRY)
    if task is None or first is None or entry is None:
        return None
    for place in one.places:
        base = place - task
        if base < one.task.sp or one.word(base + first + entry[0]) != base:
            continue
        named = kernel.name_of(one.word(base + first + entry[1]))
        if named is not None and not named.offset and named.symbol == "pollwake":
            return base
    return None


def _of_poll(kernel: Kernel, table: int) -> Iterator[int]:
    """Yield the files of a poll_wqueues: its own entries, then those of further pages."""
    shape = offsets(kernel, "poll_wqueues", "inline_index", "inline_entries", "table")
    each, file = size(kernel, "poll_table_entry"), offset(kernel, "poll_table_entry", "filp")
    page = offsets(kernel, "poll_table_page", "next", "entry", "entries")
    if shape is None or each is None or file is None:
        return
    seen = set[int]()
    for number in range(min(kernel.memory.u32(table + shape[0]), MAX_FILES)):
        seen.add(kernel.memory.word(table + shape[1] + number * each + file))
    at = kernel.memory.word(table + shape[2])
    for _ in range(MAX_PAGES if page is not None else 0):
        if not at or page is None:
            break
        first, end = at + page[2], kernel.memory.word(at + page[1])
        for number in range(min(max(end - first, 0) // each, MAX_FILES)):
            seen.add(kernel.memory.word(first + number * each + file))
        at = kernel.memory.word(at + page[0])
    yield from list(seen - {0})[:MAX_FILES]


def _of_epoll(kernel: Kernel, address: int) -> Iterator[int]:
    """Yield the files of an eventpoll whose own file leads back to it, and whose items name it."""
    shape = offsets(kernel, "eventpoll", "file", "rbr.rb_root")
    item = offsets(kernel, "epitem", "rbn", "ffd.file", "ep")
    private = offset(kernel, "file", "private_data")
    if shape is None or item is None or private is None:
        return
    memory = kernel.memory
    if memory.word(memory.word(address + shape[0]) + private) != address:
        return
    for number, at in enumerate(for_each_rbtree(memory, address + shape[1], item[0])):
        if number >= MAX_FILES:
            return
        if memory.word(at + item[2]) == address:
            yield memory.word(at + item[1])
