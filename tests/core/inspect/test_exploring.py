"""Names, registers, code, structs and words of memory, as someone who looks around asks for them."""

import pytest

from cases import NAMES, case_of
from oopscope.errors import Implausible, NoMember, NoSymbol, NotMapped, NoType
from oopscope.inspect.code import code, registers
from oopscope.inspect.look_up import address_of, look_up, prototype
from oopscope.inspect.struct import struct
from oopscope.inspect.words import CHUNK, memory, words
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import task_structs
from oopscope.stacks.cpus import all_cpus


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return case_of("6.1-null").kernel


def test_addresses_as_people_type_them(kernel: Kernel) -> None:
    schedule = kernel.symbol("schedule")
    assert address_of(kernel, "schedule") == schedule
    assert address_of(kernel, "schedule+0x1a") == schedule + 0x1A
    assert address_of(kernel, f"{schedule:#x}") == address_of(kernel, f"{schedule:x}") == schedule
    assert [address_of(kernel, f"runqueues:{cpu}") for cpu in (0, 1)] == [
        kernel.per_cpu("runqueues", n) for n in (0, 1)
    ]
    assert struct(kernel, "rq@runqueues:1").meaning.words == "runqueues of CPU 1"
    for text in ("runqueues:99", "runqueues:x", "runqueues:"):
        with pytest.raises(Implausible):
            address_of(kernel, text)
    assert address_of(kernel, "0") == 0 and address_of(kernel, "FF") == 0xFF
    frame = all_cpus(kernel)[0].frames[0]
    assert address_of(kernel, "lab_read_balance.isra.0") == frame.address - frame.offset  # a module's
    for text, error in (("no_such_name", NoSymbol), ("0x1" + "0" * 16, Implausible), ("schedule+x", Implausible)):
        with pytest.raises(error):
            address_of(kernel, text)


def test_symbols(kernel: Kernel) -> None:
    read = look_up(kernel, "vfs_read")
    assert read.address == kernel.symbol("vfs_read")
    assert read.prototype.startswith("ssize_t vfs_read(struct file *file")
    assert str(look_up(kernel, "init_task").meaning) == "task_struct of swapper/0 (0)"
    assert str(look_up(kernel, "0x28").meaning) == "40, or NULL + 0x28 ?"
    with pytest.raises(NoSymbol, match="nothing"):
        look_up(kernel, "nothing")
    assert prototype(kernel, "do_exit.cold", None) == "void do_exit(long code) (the compiler made do_exit.cold of it)"
    assert prototype(kernel, "no_such_function", None) is None


@pytest.mark.parametrize("name", NAMES)
def test_registers_of_every_cpu(name: str) -> None:
    dump = case_of(name).kernel
    for cpu in all_cpus(dump):
        found = {register.name: register for register in registers(dump, cpu.cpu)}
        assert {one: register.value for one, register in found.items()} == (cpu.registers or {})
        if found and not found["cs"].value & 3:
            assert found["rsp"].meaning.kind in ("stack", "data")
            assert found["eflags"].meaning.words.endswith(("interrupts on", "interrupts off"))
            assert found["cs"].meaning is None


def test_code_of_a_frame(kernel: Kernel) -> None:
    frames = all_cpus(kernel)[0].frames
    found = code(kernel, f"{frames[0].address:#x}@{frames[0].sp:#x}")
    assert found.deed.accesses[0].address == 0x28 and found.context.cpu == all_cpus(kernel)[0].cpu
    caller = code(kernel, f"{frames[1].address:#x}@{frames[1].sp:#x}")
    assert caller.deed is None and caller.address == frames[1].address
    assert caller.code.line == code(kernel, f"{frames[1].address:#x}").code.line
    user = code(kernel, "0x6b6b6b6b6b6b6b6b@0x10")
    assert user.code is None and "not canonical" in user.why and user.meaning.kind == "poison"


def test_a_call_that_never_returns_is_in_its_own_function() -> None:
    """The return address of a function's last call lies beyond it."""
    dump = case_of("6.1-panic").kernel
    for frame in all_cpus(dump)[0].frames:
        if frame.kind != "user" and frame.reliable:
            found = code(dump, f"{frame.address:#x}@{frame.sp:#x}")
            assert found.code is None or found.code.name.symbol == frame.symbol


def test_structs(kernel: Kernel) -> None:
    init = kernel.symbol("init_task")
    found = struct(kernel, "task_struct@init_task")
    rows = {row.item.member.name: row for row in found.rows}
    assert found.address == init and found.meaning.pid == 0
    assert rows["comm"].item.text == '"swapper/0"' and rows["mm"].meaning is None
    assert rows["real_parent"].meaning.words == "task_struct of swapper/0 (0)"
    inside = struct(kernel, f"task_struct.se@{init:#x}")
    assert inside.address == init + rows["se"].item.member.offset and inside.size < found.size
    bare = struct(kernel, "struct task_struct")
    assert bare.address is None and all(row.item.text is None and row.meaning is None for row in bare.rows)
    (pointer,) = struct(kernel, f"task_struct.real_parent@{init:#x}").rows  # as crash: the pointer itself
    assert pointer.item.number == init and pointer.meaning.words == "task_struct of swapper/0 (0)"
    assert struct(kernel, "rq.curr").rows[0].item.target == "task_struct"
    assert struct(kernel, "kmem_cach").like[:2] == ("kmem_cache", "kmem_cache_cpu")
    for key, error in (
        ("no_such_at_all", NoType),
        ("task_struct.no_such", NoMember),
        ("task_struct@no_such", NoSymbol),
    ):
        with pytest.raises(error):
            struct(kernel, key)


def test_words_of_a_stack(kernel: Kernel) -> None:
    cpu = all_cpus(kernel)[0]
    frame = cpu.frames[1]
    start = frame.sp - 8 & -8 * CHUNK
    found = {word.address: word for word in words(kernel, start)}
    assert len(found) == CHUNK
    slot = found[frame.sp - 8]
    assert slot.value == frame.address and slot.meaning.kind == "code"
    task = kernel.cached(task_structs)[cpu.task]
    pieces = memory(kernel, f"{frame.sp:#x}")
    inside = next(piece for piece in pieces.pieces if piece.start <= frame.sp < piece.end)
    assert inside.why == "" and inside.end <= task.stack + 0x4000  # beyond it lies a page that is not mapped
    assert all(a.end == b.start and a.why != b.why for a, b in zip(pieces.pieces, pieces.pieces[1:], strict=False))


def test_words_at_the_ends_of_memory(kernel: Kernel) -> None:
    assert [word.value for word in words(kernel, 0)] == [None] * CHUNK
    last = words(kernel, kernel.memory.top - 8)
    assert [word.address for word in last] == [kernel.memory.top - 8]
    assert memory(kernel, "0x0").pieces[0].start == 0
    assert memory(kernel, f"{kernel.memory.top - 1:#x}").pieces[-1].end == kernel.memory.top


def test_an_address_that_is_none_shows_nothing_of_its_alias() -> None:
    kernel = case_of("6.1-null").kernel
    task = kernel.symbol("init_task")
    alias = task & ~(1 << 62)  # all that page tables look at is the same
    assert kernel.memory.word(task) is not None
    with pytest.raises(NotMapped, match="not canonical"):
        kernel.memory.read(alias, 8)
    shown = struct(kernel, f"task_struct@{alias:#x}")
    assert all(row.item.number is None for row in shown.rows)
    assert all("not canonical" in row.item.why for row in shown.rows if row.item.member.name in ("pid", "comm"))
    assert not any(piece.why == "" for piece in memory(kernel, f"{alias:#x}").pieces)


def test_a_struct_of_several_definitions_says_so_and_offers_each() -> None:
    kernel = case_of("6.1-null").kernel
    found = struct(kernel, "irq_info")
    assert found.size == 136 and sorted(one.size for one in found.definitions) == [16, 32, 136]
    assert [one.shown for one in found.definitions].count(True) == 1
    for one in found.definitions:
        other = struct(kernel, one.key)
        assert other.size == one.size and [o.key for o in other.definitions if o.shown] == [one.key]
    assert struct(kernel, "task_struct").definitions == ()
    for none in ("irq_info#4", "irq_info#0", "irq_info#x"):
        with pytest.raises(NoType):
            struct(kernel, none)
