"""What addresses point at: numbers by hand, and every kind of memory in real dumps."""

from types import SimpleNamespace

import pytest

from cases import NAMES, Case, case_of
from core.kernel.fakes import Ram, memory_of
from oopscope.errors import OopscopeError
from oopscope.inspect.address_space import address_space, canonical, stack_map
from oopscope.inspect.describe import describe, slab_object
from oopscope.inspect.meaning import errno_name, number_meaning
from oopscope.inspect.struct import struct
from oopscope.kernel.kernel import Kernel
from oopscope.linux import page as struct_page
from oopscope.linux.page_types import PageStruct, head_of, page_types
from oopscope.linux.task import task_structs

TOP = 1 << 64
BASE = 0x100000


@pytest.mark.parametrize(
    "value, kind, words, sure",
    [
        (0, "null", "NULL", True),
        (0x28, "null", "40, or NULL + 0x28", False),
        (TOP - 14, "error", "-EFAULT (-14)", True),
        (TOP - 512, "error", "-ERESTARTSYS (-512)", True),
        (TOP - 1000, "error", "-1000", False),
        (0xFFFFFFF2, "error", "in 32 bits -EFAULT (-14)", False),
        (0xDEAD000000000100, "poison", "LIST_POISON1: the next of a list entry that was deleted", True),
        (0xDEAD000000000122, "poison", "LIST_POISON2: the prev of a list entry that was deleted", True),
        (0xDEAD000000000108, "poison", "LIST_POISON1 + 0x8", False),
        (0x6B6B6B6B6B6B6B6B, "poison", "POISON_FREE: memory of a freed object", True),
        (0x6B6B6B6B6B6B6B83, "poison", "POISON_FREE +0x18", False),
        (0x5A5A5A5A5A5A5A5A, "poison", "POISON_INUSE: memory of an object that was never written", True),
        (0x57AC6E9D, "poison", "STACK_END_MAGIC: the far end of a stack", True),
        (int.from_bytes(b"insmod\0\0", "little"), "ascii", 'text "insmod"', False),
    ],
)
def test_numbers(value: int, kind: str, words: str, sure: bool) -> None:
    meaning = number_meaning(value)
    assert (meaning.kind, meaning.words, meaning.sure) == (kind, words, sure)


def test_what_only_memory_tells() -> None:
    for value in (0xFFFFFFFF81000000, 0xFFFF888000001000, 0x7FFE8A57E428, 0x100CCA, 0xFFFF9C00000002):
        assert number_meaning(value) is None
    assert number_meaning(0xFFFFFFF2, 32).words == "-EFAULT (-14)"


def test_names_of_errors() -> None:
    known = {1: "EPERM", 11: "EAGAIN", 35: "EDEADLK", 42: "ENOMSG", 61: "ENODATA", 110: "ETIMEDOUT", 133: "EHWPOISON"}
    assert {number: errno_name(number) for number in known} == known
    assert [errno_name(number) for number in (0, 41, 58, 134, 4095)] == [None] * 5


def test_canonical() -> None:
    space = address_space(case_of("6.1-null").kernel)
    assert canonical(space, 0xFFFF888000000000) and canonical(space, 0x7FFFFFFFFFFF)
    assert not canonical(space, 0x0000800000000000) and not canonical(space, 0xC0000000FFFFEFFF)


def test_code_data_stacks_and_tasks(case: Case) -> None:
    """In each of the kernels: init_task, its stack, the text that a CPU ran, its own per-CPU variables."""
    kernel = case.kernel
    init = kernel.symbol("init_task")
    assert str(describe(kernel, init + 0x10)) == "task_struct of swapper/0 (0) +0x10"
    assert describe(kernel, init).struct == ("task_struct", init)
    stack = kernel.cached(task_structs)[init].stack
    meaning = describe(kernel, stack + 0x3F00)
    assert (meaning.kind, meaning.pid) == ("stack", 0) and meaning.words.startswith("stack of swapper/0 (0) +0x3f00")
    assert str(describe(kernel, kernel.symbol("schedule") + 4)).startswith("schedule+0x4")
    for cpu, offset in enumerate(kernel.cached(_offsets)):
        meaning = describe(kernel, (kernel.symbol("runqueues") + offset) % TOP + 8)
        assert (meaning.kind, meaning.words.partition(" ·")[0]) == ("percpu", f"runqueues+0x8 of CPU {cpu}")
    irq = next(owned for owned in kernel.cached(stack_map).owned if owned.cpu == 1)
    assert describe(kernel, irq.stack.start + 8).words.endswith("stack of CPU 1 +0x8")


def _offsets(kernel: Kernel) -> list[int]:
    from oopscope.kernel.kernel import per_cpu_offsets

    return per_cpu_offsets(kernel)


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_any_number_gets_an_answer(name: str) -> None:
    """Whatever the address, no error comes out, and nothing is said of memory that does not exist."""
    kernel = case_of(name).kernel
    space = address_space(kernel)
    edges = [space.direct.start, space.direct.stop, space.vmalloc.start, space.vmemmap.start, space.vmemmap.stop]
    for base in (*edges, kernel.symbol("_text"), kernel.symbol("_end"), 0xFFFFFE0000001000, 1 << 47):
        for address in (base - 1, base, base + 1):
            describe(kernel, address % TOP)


def test_every_task_struct_is_its_task(case: Case) -> None:
    kernel = case.kernel
    for address, task in kernel.cached(task_structs).items():
        meaning = describe(kernel, address + 8)
        assert (meaning.kind, meaning.pid, meaning.struct) == ("task", task.pid, ("task_struct", address))


def test_a_page_that_is_not_in_the_dump_says_so() -> None:
    kernel = case_of("6.1-null").kernel
    space = address_space(kernel)
    for address in range(space.direct.start, space.direct.start + (64 << 20), 1 << 16):
        try:
            kernel.memory.read(address, 1)
        except OopscopeError:
            meaning = describe(kernel, address)
            if meaning.why == "excluded: not in the dump":
                assert meaning.kind in ("page", "slab")
                return
    raise AssertionError("this dump holds all")


def test_a_list_of_free_objects_stays_in_its_slab() -> None:
    """A damaged list leads to other memory, or round and round: it ends there."""
    slab, base = struct_page.SlabStruct(0, 0, BASE + 64, 8, None, None), BASE
    cache = struct_page.CacheStruct(0, 0, 64, 64, 0, None, None, 0, None, None)
    memory = range(base, base + 8 * 64, 64)
    ram = Ram()
    for address, follows in ((64, base + 128), (128, base + 64), (192, 0xDEAD0000), (256, 0)):
        ram.words(base + address, follows)
    kernel = SimpleNamespace(memory=memory_of(ram), cached=lambda read: [0])
    for first, found in ((64, [64, 128]), (192, [192]), (256, [256])):
        walk = struct_page.free_objects(kernel, slab._replace(freelist=base + first), cache, memory)
        assert [address - base for address in walk] == found


def test_hidden_pointers_of_a_free_list() -> None:
    """CONFIG_SLAB_FREELIST_HARDENED: the pointer, the cache's number and the place's own address, swapped."""
    random, ram = 0x1122334455667788, Ram()
    swapped = int.from_bytes((BASE + 32).to_bytes(8, "little"), "big")
    ram.words(BASE + 32, (BASE + 64) ^ random ^ swapped)
    ram.words(BASE + 96, random ^ int.from_bytes((BASE + 96).to_bytes(8, "little"), "big"))
    cache = struct_page.CacheStruct(0, 0, 64, 64, 32, None, random, 0, None, None)
    slab = struct_page.SlabStruct(0, 0, BASE, 4, None, None)
    kernel = SimpleNamespace(memory=memory_of(ram), cached=lambda read: [0])
    assert list(struct_page.free_objects(kernel, slab, cache, range(BASE, BASE + 256, 64))) == [BASE, BASE + 64]


def test_free_objects_of_a_slab_of_config_slab() -> None:
    """Behind the first `active` numbers of its list are those of free objects; it may begin anywhere in its page."""
    ram = Ram()
    ram.put(BASE + 0x100, bytes([3, 0, 2, 1]))
    slab = struct_page.SlabStruct(0, 0, BASE + 0x100, None, BASE + 0x40, 2)
    cache = struct_page.CacheStruct(0, 0, 96, 90, None, 4, None, None, None, None)
    kernel = SimpleNamespace(
        memory=memory_of(ram), types=SimpleNamespace(sizeof=lambda _name: 1), arch=SimpleNamespace(byteorder="little")
    )
    places = struct_page.objects_of(slab, cache, BASE)
    assert list(places) == [BASE + 0x40 + 96 * n for n in range(4)]
    assert list(struct_page.free_objects(kernel, slab, cache, places)) == [places[2], places[1]]


def test_heads_of_compound_pages() -> None:
    """A pointer to the head with bit 0 set; since 7.1 it may be a mask of the tail's own address."""
    at, page = 0xFFFFEA0000000440, PageStruct(0, 0, 0, 0, 0, 0)
    assert head_of(at, page) == at
    assert head_of(at, page._replace(compound=0xFFFFEA0000000401)) == 0xFFFFEA0000000400
    assert head_of(at, page._replace(compound=(1 << 64) - 0x400 + 1)) == 0xFFFFEA0000000400


def test_a_large_kmalloc_is_not_free() -> None:
    """Its pages have no reference: only their type says that they are used."""
    kernel = case_of("7.2-sysrq").kernel
    large = kernel.types.enum("pagetype")["PGTY_large_kmalloc"] << 24
    kind = kernel.cached(page_types).of_type(PageStruct(0, 0, 0, 0, large, 0))
    assert kind == "other kernel"


@pytest.mark.parametrize("name", ["6.1-null"])
def test_a_task_struct_ends_where_its_slab_object_does(name: str) -> None:
    """The type is longer than the object, by what other processors' registers would need."""
    kernel = case_of(name).kernel
    starts = sorted(kernel.cached(task_structs))
    init = kernel.symbol("init_task")
    lengths = []
    for start in (one for one in starts if one != init):
        found = slab_object(kernel, start)
        if found is None:
            continue
        lengths.append(found.size)
        assert found.base == start and found.cache == "task_struct"
        for past in (found.size, found.size + 64, kernel.types.sizeof("task_struct") - 8):
            meaning = describe(kernel, start + past)
            assert meaning is None or meaning.struct != ("task_struct", start), past
    assert lengths


def test_a_struct_that_is_longer_than_its_object_shows_nothing_of_the_next() -> None:
    kernel = case_of("6.1-null").kernel
    task = next(one for one in kernel.cached(task_structs) if slab_object(kernel, one))
    at = task + 0x1000  # not where it begins, so that its last members would lie in the next object
    room = slab_object(kernel, task).size - 0x1000
    rows = struct(kernel, f"task_struct@{at:#x}").rows
    beyond = [row.item for row in rows if row.item.member.offset >= room]
    assert beyond
    assert all(item.number is None and "behind the end of this task_struct" in item.why for item in beyond)
    assert any(row.item.number is not None for row in rows)
