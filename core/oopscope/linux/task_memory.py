"""A process's memory: how much of which kind, its mappings, its arguments. One task at a time, and in no report.

Follows fs/proc/task_mmu.c and fs/proc/base.c.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, NotMapped, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.file import Files
from oopscope.linux.mm import pages_of
from oopscope.linux.path import place_at
from oopscope.linux.task import PF_KTHREAD, lost_tasks, task_structs
from oopscope.linux.vma import AreaStruct, areas_of
from oopscope.structs.plan import Plan

MAX_SHOWN = 4096  # mappings
MAX_ARGUMENTS = 4096  # bytes
MAX_ENVIRONMENT = 32_768  # bytes
MAX_REASONS = 8
VM_READ, VM_WRITE, VM_EXEC, VM_SHARED = 1, 2, 4, 8
VM_LOCKED, VM_HUGETLB = 0x2000, 0x400000


class MmStruct(NamedTuple):
    """struct mm_struct, as far as it counts and says where things are."""

    total_vm: int
    locked_vm: int
    data_vm: int
    exec_vm: int
    stack_vm: int
    hiwater_rss: int
    pgtables_bytes: int | None
    pgd: int
    start_brk: int
    brk: int
    start_stack: int
    arg_start: int
    arg_end: int
    env_start: int
    env_end: int
    vdso: int | None
    users: int


MM = Plan("mm_struct", MmStruct, pgtables_bytes="pgtables_bytes.counter", vdso="context.vdso", users="mm_users.counter")


class Size(NamedTuple):
    """One counter of an mm, in bytes."""

    name: str
    bytes: int


class Area(NamedTuple):
    """One line of /proc/PID/maps; name is a path, or what the kernel calls it."""

    start: int
    end: int
    perms: str
    offset: int
    name: str | None
    address: int


class TaskMemory(NamedTuple):
    """The memory of a task: counters, mappings, arguments; the `why`s say what is missing."""

    mm: int
    sizes: tuple[Size, ...]
    areas: tuple[Area, ...]
    area_count: int
    users: int | None  # tasks that use it, threads among them
    arguments: str | None
    arguments_why: str
    why: str


def task_memory(kernel: Kernel, task: int, arguments: bool = True) -> TaskMemory:
    """Return the memory of the task whose struct is at an address; what cannot be read is said.

    arguments: read them, from the program's own pages; nothing else here reads any.
    """
    nothing = TaskMemory(0, (), (), 0, None, None, "", "")
    if task not in kernel.cached(task_structs) and task not in kernel.cached(lost_tasks):
        return nothing._replace(why="no such task")
    try:
        address = kernel.memory.word(task + kernel.types.member("task_struct", "mm").offset)
        if not address:
            return nothing._replace(why=f"{_without_mm(kernel, task)} has none of its own")
        mm = kernel.bind(MM).row(address)
        sizes = _sizes(kernel, address, mm)
    except OopscopeError as e:
        return nothing._replace(why=str(e))
    areas, count, why = _areas(kernel, task, address, mm)
    words, lacking = _arguments(kernel, mm) if arguments else (None, "not asked for")
    return TaskMemory(address, sizes, areas, count, mm.users, words, lacking, why)


def _without_mm(kernel: Kernel, task: int) -> str:
    struct = kernel.cached(task_structs).get(task)
    return "a kernel thread" if struct is not None and struct.flags & PF_KTHREAD else "a task that has exited"


def _sizes(kernel: Kernel, address: int, mm: MmStruct) -> tuple[Size, ...]:
    page, pages = kernel.memory.page_size, pages_of(kernel, address)
    found = [
        ("Resident", pages.resident), ("anonymous", pages.anonymous), ("files", pages.file), ("shared", pages.shared),
        ("at its most", max(mm.hiwater_rss, pages.resident)), ("Swapped", pages.swap), ("Virtual", mm.total_vm),
        ("data", mm.data_vm), ("stack", mm.stack_vm), ("code", mm.exec_vm), ("locked", mm.locked_vm),
    ]  # fmt: skip
    tables = [] if mm.pgtables_bytes is None else [Size("Page tables", mm.pgtables_bytes)]
    return (*(Size(name, count * page) for name, count in found), *tables)


def _areas(kernel: Kernel, task: int, address: int, mm: MmStruct) -> tuple[tuple[Area, ...], int, str]:
    reasons: list[str] = []

    def lost(error: OopscopeError) -> None:
        if len(reasons) < MAX_REASONS:
            reasons.append(str(error))

    try:
        found = areas_of(kernel, address, lost)
        names = _Names(kernel, task, mm)
        shown = tuple(
            Area(a.vm_start, a.vm_end, _perms(a.vm_flags), a.vm_pgoff * kernel.memory.page_size if a.vm_file else 0,
                 names.of(a), a.address)
            for a in found[:MAX_SHOWN]
        )  # fmt: skip
    except OopscopeError as e:
        return (), 0, str(e)
    return shown, len(found), "; ".join(reasons)


def _perms(flags: int) -> str:
    letters = "".join(c if flags & bit else "-" for bit, c in ((VM_READ, "r"), (VM_WRITE, "w"), (VM_EXEC, "x")))
    return letters + ("s" if flags & VM_SHARED else "p")


class _Names:
    """What the mappings of one process are called."""

    def __init__(self, kernel: Kernel, task: int, mm: MmStruct) -> None:
        self._kernel, self._mm = kernel, mm
        self._known: dict[int, str | None] = {}  # by struct file: many mappings are of one
        fs = kernel.memory.word(task + kernel.types.member("task_struct", "fs").offset)
        root = fs + kernel.types.member("fs_struct", "root").offset
        self._files = Files(kernel, place_at(kernel, root)) if fs else None

    def of(self, area: AreaStruct) -> str | None:
        """Return a mapping's name; None for anonymous memory, `?` for one that cannot be read."""
        try:
            return self._file(area.vm_file) if area.vm_file else self._special(area)
        except OopscopeError:
            return "?"

    def _file(self, file: int) -> str | None:
        if file not in self._known and self._files is not None:
            self._known[file] = self._files.path_of_file(file)
        return self._known.get(file, "?")

    def _special(self, area: AreaStruct) -> str | None:
        mm, memory, types = self._mm, self._kernel.memory, self._kernel.types
        if area.vm_start < mm.brk and area.vm_end > mm.start_brk:
            return "[heap]"
        if area.vm_start <= mm.start_stack < area.vm_end:
            return "[stack]"
        known = self._kernel.name_of(area.vm_ops) if area.vm_ops else None
        if known is not None and known.symbol == "special_mapping_vmops" and area.vm_private_data:
            name = memory.word(area.vm_private_data + types.member("vm_special_mapping", "name").offset)
            return memory.text(name, 64)
        if area.vm_start == mm.vdso:
            return "[vdso]"
        if area.anon_name:
            name = area.anon_name + types.member("anon_vma_name", "name").offset
            return f"[anon:{memory.text(name, 80)}]"
        return None


def _arguments(kernel: Kernel, mm: MmStruct) -> tuple[str | None, str]:
    """Read the arguments from the program's own pages, which most dumps leave out; (None, why) where they cannot be."""
    raw, why = _own_bytes(kernel, mm.pgd, mm.arg_start, min(mm.arg_end - mm.arg_start, MAX_ARGUMENTS))
    return None if raw is None else " ".join(_texts(raw)), why


def environment(kernel: Kernel, task: int) -> tuple[tuple[str, ...] | None, str]:
    """Return the environment that a task's program began with, NAME=VALUE each; (None, why) where it cannot be read."""
    address = kernel.memory.word(task + kernel.types.member("task_struct", "mm").offset)
    if not address:
        return None, f"{_without_mm(kernel, task)} has none"
    mm = kernel.bind(MM).row(address)
    size = mm.env_end - mm.env_start
    raw, why = _own_bytes(kernel, mm.pgd, mm.env_start, min(size, MAX_ENVIRONMENT))
    more = f"{size - MAX_ENVIRONMENT:,} bytes more are not read" if raw and size > MAX_ENVIRONMENT else why
    return None if raw is None else tuple(_texts(raw)), more


def _texts(raw: bytes) -> list[str]:
    return [decoded(word) for word in raw.rstrip(b"\0").split(b"\0")]


def _own_bytes(kernel: Kernel, pgd: int, at: int, size: int) -> tuple[bytes | None, str]:
    """Read bytes of a program's own memory; (None, why) where they cannot be."""
    paging = kernel.machine.user_paging(kernel)
    if size <= 0:
        return None, "none recorded"
    physical, raw = kernel.memory.physical, b""
    try:
        root = kernel.memory.translate(pgd)
        while size > 0:
            page = paging.translate(root, at, physical.read, kernel.info.number("sme_mask") or 0, physical.place)
            within = at & page.size - 1
            part = min(size, page.size - within, kernel.memory.page_size - (at & kernel.memory.page_size - 1))
            raw += physical.read(page.start + within, part)
            at, size = at + part, size - part
    except ReadError as e:
        swapped = isinstance(e, NotMapped) and e.why == "not mapped"
        return None, "not in memory when it died" if swapped else "pages of programs are not in the dump"
    except (OopscopeError, Absent) as e:
        return None, str(e)
    return raw, ""
