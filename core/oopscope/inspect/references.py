"""Who points at an object: the words of all memory that lead into it, and what each of them lies in.

A word is no proof: what lies below a stack's end, in a free object or a free page is left over from before, and is
marked. Memory that is mapped twice is told by its own place: a stack, a module, the kernel's image, else the map of
all memory. It ends after so many bytes or finds, and says so.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.address_space import stack_map
from oopscope.inspect.describe import describe, slab_object
from oopscope.inspect.meaning import Meaning
from oopscope.inspect.member_at import member_at
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import module_list
from oopscope.linux.task import task_structs
from oopscope.linux.vmalloc import area_map
from oopscope.stacks.of_task import running_on

FINDS = 1000
BYTES = 4 << 30  # that are gone through
MAX_SIZE = 1 << 20  # of what is looked for
MAX_PAGES = 1 << 18  # whose place beside the map of all memory is kept
SAID = 64 << 20  # bytes between two words of how far it is


class Target(NamedTuple):
    """What is looked for: from the first byte to the one behind the last."""

    start: int
    end: int
    what: str | None


class Reference(NamedTuple):
    """A word that leads into the object."""

    address: int | None  # where it lies
    physical: int
    value: int
    past: int  # bytes from the object's begin
    where: str | None  # what it lies in
    stale: str  # why it may be left over; empty where nothing says so
    meaning: Meaning | None


class References(NamedTuple):
    """What was found, in how many bytes, and why there may be more."""

    target: Target
    rows: list[Reference]
    looked: int
    why: str


def target_at(kernel: Kernel, address: int) -> Target:
    """Return the object that an address lies in: a slab's, a task, a struct page; else the address alone."""
    meaning = describe(kernel, address)
    words = meaning.words if meaning is not None else None
    found = slab_object(kernel, address)
    if found is not None:
        return Target(found.base, found.base + found.size, words)
    if meaning is not None and meaning.struct is not None and meaning.kind in ("task", "struct page"):
        name, base = meaning.struct
        return Target(base, base + min(kernel.types.sizeof(name), MAX_SIZE), words)
    return Target(address, address + 1, words)


def references(kernel: Kernel, address: int) -> References:
    """Look through all memory that the dump holds for words that lead into the object at an address."""
    target, places, why = target_at(kernel, address), _Places(kernel), ""
    rows, looked, said = list[Reference](), 0, 0
    for start, block in kernel.dump.blocks():
        if looked >= BYTES:
            why = f"ended after {BYTES >> 30:,} GiB: the dump holds more"
            break
        looked += len(block)
        if looked - said >= SAID:
            said = looked
            kernel.on_progress(f"{looked >> 20:,} MiB searched, {len(rows)} found")
        room = FINDS - len(rows)
        found = list(islice(_words(kernel, target, block), room + 1))
        rows += [places.reference(target, start + at, value) for at, value in found[:room]]
        if len(found) > room:
            why = f"ended after {FINDS:,} places: there are more"
            break
    return References(target, rows, looked, why)


def _words(kernel: Kernel, target: Target, block: bytes) -> Iterator[tuple[int, int]]:
    """Yield (offset, value) of the aligned words of a block that lie in the target, lowest offset first."""
    size, order = kernel.memory.word_size, kernel.arch.byteorder
    low, high = target.start, target.end - 1
    same = size  # bytes at the upper end that all addresses of the target share
    while same and low >> 8 * (size - same) != high >> 8 * (size - same):
        same -= 1
    if not same:
        return
    upper = (low >> 8 * (size - same)).to_bytes(same, order)
    lead = size - same if order == "little" else 0
    at = block.find(upper)
    while at >= 0:
        place = at - lead
        if place >= 0 and place % size == 0 and place + size <= len(block):
            value = int.from_bytes(block[place : place + size], order)
            if low <= value <= high:
                yield place, value
        at = block.find(upper, at + 1)


class _Places:
    """Where physical memory is mapped, and what lies there."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.page = kernel, kernel.memory.page_size
        self.base = kernel.machine.direct_base(kernel)
        self.elsewhere = kernel.cached(_mapped_elsewhere)

    def reference(self, target: Target, physical: int, value: int) -> Reference:
        """Return a word that leads into the target, with what it lies in."""
        address = self._address(physical)
        meaning = describe(self.kernel, address) if address is not None else None
        where = None if meaning is None else _spelt(self.kernel, address or 0, meaning)
        stale = "" if meaning is None else _stale(self.kernel, address or 0, meaning)
        return Reference(address, physical, value, value - target.start, where, stale, meaning)

    def _address(self, physical: int) -> int | None:
        number, past = divmod(physical, self.page)
        virtual = self.elsewhere.get(number)
        if virtual is not None:
            return virtual + past
        return None if self.base is None else (self.base + physical) % self.kernel.memory.top


def _mapped_elsewhere(kernel: Kernel) -> dict[int, int]:
    """Return by frame where pages lie that have a place of their own: stacks, vmalloc, modules, the kernel's image."""
    found, size, memory = dict[int, int](), kernel.memory.page_size, kernel.memory
    for start, end in _own_ranges(kernel):
        for address in range(start & -size, min(end, start + MAX_PAGES * size), size):
            if len(found) >= MAX_PAGES:
                return found
            try:
                found.setdefault(memory.translate(address) // size, address)
            except OopscopeError:
                continue
    return found


def _own_ranges(kernel: Kernel) -> Iterator[tuple[int, int]]:
    first, last = kernel.find_symbol("_text") or kernel.find_symbol("_stext"), kernel.find_symbol("_end")
    if first is not None and last is not None and first < last:
        yield first, last
    for read in (_stacks, _modules, _vmalloc):
        try:
            yield from read(kernel)
        except OopscopeError:
            continue


def _modules(kernel: Kernel) -> Iterator[tuple[int, int]]:
    for module in kernel.cached(module_list):
        yield from ((region.start, region.start + region.size) for region in module.regions)


def _vmalloc(kernel: Kernel) -> Iterator[tuple[int, int]]:
    yield from ((area.va_start, area.va_end) for area in kernel.cached(area_map).areas)


def _stacks(kernel: Kernel) -> Iterator[tuple[int, int]]:
    yield from ((owned.stack.start, owned.stack.end) for owned in kernel.cached(stack_map).owned)


def _spelt(kernel: Kernel, address: int, meaning: Meaning) -> str:
    """Return what an address lies in, with the member of a struct where its type is known."""
    words = str(meaning._replace(why=""))
    if meaning.struct is None or meaning.kind not in ("slab", "task", "struct page"):
        return words
    name, base = meaning.struct
    try:
        member = member_at(kernel.types.btf, kernel.types.layout(name).type, address - base, kernel.memory.word_size)
    except OopscopeError:
        return words
    return f"{words}: {name}.{member.path}" if member is not None else words


def _stale(kernel: Kernel, address: int, meaning: Meaning) -> str:
    """Tell why a word may be left over from before; empty where nothing says so."""
    if meaning.kind == "slab":
        found = slab_object(kernel, address)
        return "the object is free" if found is not None and found.free else ""
    if meaning.kind == "page" and meaning.words.startswith("free page"):
        return "the page is free"
    if meaning.kind != "stack" or meaning.pid is None:
        return ""
    owned = kernel.cached(stack_map).at(address)
    task = owned.task if owned is not None else None
    if task is None or task.address not in kernel.cached(task_structs) or task.address in running_on(kernel):
        return ""
    return "below the stack's end" if task.sp and address < task.sp else ""
