"""Futexes: who waits for which word of a program, and who holds it. Follows kernel/futex/ and the ABI of futex(2).

The waiter's struct futex_q stands on its stack, names it and hangs in a bucket. Where the program's page is in the dump
its word tells the owner of a PI or robust futex (the thread's ID, with the waiters' bit). Of a plain mutex of glibc the
word is only 2; the owner stands 8 bytes behind it, and is believed only as likely: nothing says that the word is one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.arch import ByteOrder, Mapping
from oopscope.errors import OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.task import TaskStruct, all_tasks_known, task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import lowest, offset, offsets
from oopscope.waits.sleepers import Sleeper, is_linked, within

WAITERS, TID = 0x80000000, 0x3FFFFFFF
INODE, SHARED = 1, 2  # FUT_OFF_INODE, FUT_OFF_MMSHARED: the low bits of futex_key.both.offset
CONTENDED = 2  # glibc's lock word of a mutex that somebody waits for
OWNER = 8  # bytes from a glibc mutex's lock word to its owner's thread ID
ASLEEP = ("futex_wait", "__futex_wait", "futex_lock_pi", "do_futex")


class _Key(NamedTuple):
    """Which word: the address in the program, 0 where it is not known; the mm by which it is read."""

    name: str
    address: int
    mm: int


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for a futex."""
    shape = offsets(kernel, "futex_q", "task", "list.node_list")
    if shape is None:
        return
    for one in unlocked(kernel):
        if not one.task.mm:
            continue
        for place in one.places:
            base = place - shape[0]
            try:
                key = _key(kernel, one, base) if one.may_link(base + shape[1]) else None
                if key is not None and within(one.functions, ASLEEP):
                    yield from _of(kernel, one, key)
                    break
            except OopscopeError as error:
                kernel.problems.lost("waits", f"the futex that {one.pid} waits for")(error)


def _key(kernel: Kernel, one: Sleeper, base: int) -> _Key | None:
    """Return the key of a futex_q that hangs in a bucket; None where none stands there."""
    shape = offsets(kernel, "futex_q", "list.node_list", "key", "lock_ptr")
    parts = offsets(kernel, "futex_key", "both.ptr", "both.word", "both.offset")
    if shape is None or parts is None:
        return None
    memory = kernel.memory
    try:
        if one.word(base + shape[2]) < lowest(kernel):
            return None
        held, word = one.word(base + shape[1] + parts[0]), one.word(base + shape[1] + parts[1])
        flags = memory.u32(base + shape[1] + parts[2])
        if not flags & INODE and held != one.task.mm:
            return None
    except ReadError:
        return None
    if not is_linked(kernel, base + shape[0]):
        return None
    within = flags & memory.page_size - 1 & ~3
    if not flags & INODE:
        return _Key(f"private:{held:#x}:{word + within:#x}", word + within, held)
    return _Key(f"shared:{held:#x}:{word:#x}:{within:#x}", _address(kernel, one, within), one.task.mm)


def _address(kernel: Kernel, one: Sleeper, within: int) -> int:
    """Return the program's address of a shared futex: the only word of the stack that lies so far within a page.

    Of several the only one at which a futex can be that somebody waits for.
    """
    top, page = 1 << 47, kernel.memory.page_size
    found = {word for word in one.words if page <= word < top and word & page - 1 == within}
    if len(found) > 1:
        read = {word: _words(kernel, _Key("", word, one.task.mm)) for word in found}
        found = {word for word, values in read.items() if values and (values[0] & WAITERS or values[0] == CONTENDED)}
    return found.pop() if len(found) == 1 else 0


def _of(kernel: Kernel, one: Sleeper, key: _Key) -> Iterator[Claim]:
    words = _words(kernel, key)
    owner, note = _owner(kernel, one, words) if words is not None else (None, "its page is not in the dump")
    place = f"{key.address:#x}" if key.address else "shared"
    node = Node(f"futex:{key.name}", "futex", f"{place} of {one.comm}", key.address or None, None, note)
    text = "futex_q on its own stack hangs in a bucket and names the word"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    if owner is None:
        return
    task, sure = owner
    if task.address != one.address:
        text = "the futex word is its thread ID" if sure else "a mutex of glibc names it as its owner"
        yield Claim(node, task_node(kernel, task.address), "held_by", "recorded" if sure else "likely", None, text)


def _words(kernel: Kernel, key: _Key) -> tuple[int, int, int] | None:
    """Return the futex word and the two that a mutex has behind it; None where the page is not to be had."""
    pgd = offset(kernel, "mm_struct", "pgd")
    if not key.address or key.address % 4 or pgd is None:
        return None
    memory, physical = kernel.memory, kernel.memory.physical
    try:
        paging, root = kernel.machine.user_paging(kernel), memory.translate(memory.word(key.mm + pgd))
        order: ByteOrder = "little" if kernel.endian == "<" else "big"
        mask = kernel.info.number("sme_mask") or 0
        values, pages = [], dict[int, Mapping]()  # nearly always one page
        for address in (key.address, key.address + 4, key.address + OWNER):
            page = pages.get(address // memory.page_size)
            if page is None:
                page = paging.translate(root, address, physical.read, mask, physical.place)
                pages[address // memory.page_size] = page
            raw = physical.read(page.start + (address & page.size - 1), 4)
            values.append(int.from_bytes(raw, order))
    except OopscopeError:
        return None
    return values[0], values[1], values[2]


def _owner(kernel: Kernel, one: Sleeper, words: tuple[int, int, int]) -> tuple[tuple[TaskStruct, bool] | None, str]:
    """Return the thread that holds it, and whether the word itself says so; a note where none does."""
    word, _, owner = words
    if word & WAITERS and word & TID:
        found = _thread(kernel, word & TID)
        if found is not None:
            return (found, True), ""
        return None, "its owner has ended" if all_tasks_known(kernel) else "its owner is no task that could be read"
    if word == CONTENDED:
        found = _thread(kernel, owner)
        shares = found is not None and bool(found.mm) and found.address != one.address
        return ((found, False), "") if found is not None and shares else (None, "")
    return None, ""


def _thread(kernel: Kernel, number: int) -> TaskStruct | None:
    return _by_pid(kernel).get(number)


@once
def _by_pid(kernel: Kernel) -> dict[int, TaskStruct]:
    """Return the tasks by their PID; of one that several have the first."""
    return {task.pid: task for task in reversed(kernel.cached(task_structs).values()) if task.pid}
