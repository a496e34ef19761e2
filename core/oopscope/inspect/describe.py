"""What an address points at: code, data, a stack, a CPU's area, an object of a slab cache, a page, and whose it is.

Every way of looking is bounded, and one that fails leaves the next its turn: an address always gets the best words
that this dump allows. What is only likely is marked.
"""

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from oopscope.decode import decoded
from oopscope.dumps import ERASED
from oopscope.errors import Implausible, MissingPage, NotMapped, OopscopeError
from oopscope.inspect.address_space import address_space, canonical, stack_map
from oopscope.inspect.meaning import Meaning, number_meaning
from oopscope.kernel.kernel import Kernel, Name
from oopscope.kernel.machine import Space
from oopscope.kernel.per_cpu import per_cpu_name, per_cpu_of
from oopscope.linux.module import Region, in_text, module_map, text_regions
from oopscope.linux.struct_pages import struct_pages
from oopscope.linux.task import TaskStruct, task_structs

if TYPE_CHECKING:
    from oopscope.linux.page import SlabObject

LOWEST_GUESSED = 1 << 32  # below it, numbers are likelier than a program's memory
SHOWN_TEXT = 48
KERN_SOH = b"\x01"
MIN_TEXT = 4
# What an object of a cache is, where the cache's name is not its type's.
TYPE_OF_CACHE = {
    "filp": "file", "cred_jar": "cred", "signal_cache": "signal_struct", "sighand_cache": "sighand_struct",
    "files_cache": "files_struct", "fs_cache": "fs_struct", "inode_cache": "inode", "sock_inode_cache": "socket_alloc",
    "proc_inode_cache": "proc_inode", "shmem_inode_cache": "shmem_inode_info", "ext4_inode_cache": "ext4_inode_info",
    "xfs_inode": "xfs_inode", "btrfs_inode": "btrfs_inode", "bdev_cache": "bdev_inode", "kernfs_node_cache":
    "kernfs_node", "radix_tree_node": "xa_node", "mnt_cache": "mount", "skbuff_head_cache": "sk_buff",
    "sigqueue": "sigqueue", "anon_vma": "anon_vma", "maple_node": "maple_node", "blkdev_ioc": "io_context",
    "nsproxy": "nsproxy", "pid": "pid", "request_queue": "request_queue", "TCP": "tcp_sock", "UDP": "udp_sock",
    "UNIX": "unix_sock", "RAW": "raw_sock",
}  # fmt: skip

Look = Callable[[Kernel, int], Meaning | None]


def describe(kernel: Kernel, address: int, task: TaskStruct | None = None) -> Meaning | None:
    """Return what a number points at, or what it is if it is no address; None where nothing at all is known.

    task: whose stack or registers it is from; then user addresses are looked up among its mappings.
    """
    if kernel.facts.erased and address == int.from_bytes(ERASED * (kernel.arch.bits // 8), "little"):
        return Meaning("poison", "erased when the dump was written")
    found = number_meaning(address, kernel.arch.bits, kernel.arch.byteorder)
    if found is not None:
        return found
    if address < _user_end(kernel):
        return _user(kernel, address, task)
    found = next((meaning for look in LOOKS if (meaning := _tried(look, kernel, address)) is not None), None)
    return found if found is None or found.kind == "nothing" else _read(kernel, address, found)


def _tried(look: Look, kernel: Kernel, address: int) -> Meaning | None:
    try:
        return look(kernel, address)
    except OopscopeError:  # this way cannot be gone in this dump
        return None


def _space(kernel: Kernel) -> Space | None:
    return kernel.cached(address_space)


def _impossible(kernel: Kernel, address: int) -> Meaning | None:
    space = _space(kernel)
    if space is not None and not canonical(space, address):
        return Meaning("nothing", "no address: not canonical")
    return None


def _user_end(kernel: Kernel) -> int:
    space = _space(kernel)
    return 1 << space.bits - 1 if space is not None else 0xC0000000 if kernel.arch.bits == 32 else 0


def _user(kernel: Kernel, address: int, task: TaskStruct | None) -> Meaning | None:
    """Look a user address up; without a task, what has a number's size is taken for a number."""
    mapped = None
    if task is not None:
        from oopscope.linux.vma import user_map  # what few addresses need is imported for the first that does

        mapped = user_map(kernel, task.mm)
    if mapped is not None:
        words = mapped.at(address)
        return Meaning("user", f"user: {words}") if words else None
    if address < LOWEST_GUESSED or address & 0xFFFFFFFF < 1 << 16:
        return None
    return Meaning("user", "user address", False)


def _symbol(kernel: Kernel, address: int) -> Meaning | None:
    """Name code and data of the kernel and its modules; a return address by the call before it."""
    name = kernel.name_of(address)
    if name is None:
        return _in_module(kernel, address)
    if not _is_code(kernel, address):
        return _tried(_task, kernel, address) or Meaning("data", _spelt(name))
    if name.offset == 0:
        target = kernel.machine.call_target(kernel, address)
        before = kernel.name_of(address - 1) if target is not None and in_text(kernel, target) else None
        if before is not None:  # the last instruction of a function, a call of what never returns
            back = before._replace(offset=before.offset + 1)
            return Meaning("code", f"{_spelt(name)}, or the return to {back}", False)
    return Meaning("code", _spelt(name))


def _is_code(kernel: Kernel, address: int) -> bool:
    """Tell code from data; of a module, whose data lies among the same symbols, by its own ranges of text."""
    module = kernel.cached(module_map).at(address)
    if module is None:
        return in_text(kernel, address)
    known = kernel.cached(_module_texts)
    if module.row.address not in known:
        try:
            known[module.row.address] = text_regions(kernel, module.row.address)
        except OopscopeError:
            known[module.row.address] = module.regions
    return any(region.start <= address < region.start + region.size for region in known[module.row.address])


def _module_texts(kernel: Kernel) -> dict[int, list[Region]]:
    return {}


def _spelt(name: Name) -> str:
    module = f" [{name.module}]" if name.module else ""
    return str(name) if name.offset else f"{name.symbol}{module}"


def _in_module(kernel: Kernel, address: int) -> Meaning | None:
    module = kernel.cached(module_map).at(address)
    return Meaning("data", f"memory of module {module.name}") if module else None


def _per_cpu(kernel: Kernel, address: int) -> Meaning | None:
    found = per_cpu_of(kernel, address)
    if found is None:
        return None
    name = per_cpu_name(kernel, found)
    what = name[0] + (f"+{name[1]:#x}" if name[1] else "") if name else "per-CPU memory"
    return Meaning("percpu", f"{what} of CPU {found.cpu}", found.static)


def _stack(kernel: Kernel, address: int) -> Meaning | None:
    owned = kernel.cached(stack_map).at(address)
    if owned is None:
        return None
    past = address - owned.stack.start
    if past < 0 and not _overflown(kernel, address):
        return None
    whose = f"CPU {owned.cpu}" if owned.task is None else _called(owned.task.pid, owned.task.comm)
    kind = f"{owned.stack.kind} stack of" if owned.task is None else "stack of"
    where = f"{kind} {whose} +{past:#x}" if past >= 0 else f"guard page below the {kind} {whose}"
    return Meaning("stack", where, pid=owned.task.pid if owned.task is not None else None)


def _overflown(kernel: Kernel, address: int) -> bool:
    """Tell whether nothing is mapped just below a stack; where stacks are not in vmalloc space, other memory is."""
    try:
        kernel.memory.translate(address)
    except NotMapped:
        return True
    return False


def _task(kernel: Kernel, address: int) -> Meaning | None:
    """Name a task_struct by its task."""
    starts = kernel.cached(_task_starts)
    at = bisect_right(starts, address) - 1
    if at < 0 or address >= starts[at] + kernel.cached(_task_size):
        return None
    task, past = kernel.cached(task_structs)[starts[at]], address - starts[at]
    words = f"task_struct of {_called(task.pid, task.comm)}" + (f" +{past:#x}" if past else "")
    return Meaning("task", words, pid=task.pid, struct=("task_struct", starts[at]))


def _task_size(kernel: Kernel) -> int:
    """Return how long a task_struct is: by its slab cache, for the type's last member is as long as the FPU's most."""
    from oopscope.linux.page import CACHE

    size = kernel.types.sizeof("task_struct")
    try:
        cache = kernel.bind(CACHE).row(kernel.memory.word(kernel.symbol("task_struct_cachep")))
        return min(size, cache.object_size)
    except OopscopeError:
        starts = kernel.cached(_task_starts)
        return min((b - a for a, b in pairwise(starts)), default=size) if len(starts) > 1 else size


def _task_starts(kernel: Kernel) -> list[int]:
    return sorted(kernel.cached(task_structs))


def _called(pid: int, comm: bytes) -> str:
    return f"{decoded(comm)} ({pid})"


def _struct_page(kernel: Kernel, address: int) -> Meaning | None:
    space = _space(kernel)
    if space is None or not space.page_struct or address not in space.vmemmap:
        return None
    number, past = divmod(address - space.vmemmap.start, space.page_struct)
    words = f"struct page of frame {space.first_frame + number:#x}" + (f" +{past:#x}" if past else "")
    return Meaning("struct page", words, struct=("page", address - past))


def _direct(kernel: Kernel, address: int) -> Meaning | None:
    """Look at the struct page of an address of the map of all memory."""
    space = _space(kernel)
    if space is None or address not in space.direct:
        return None
    from oopscope.linux.page import page_of

    frame = (address - space.direct.start) // kernel.memory.page_size + space.first_frame
    try:
        page = page_of(kernel, kernel.cached(struct_pages).of(frame))
        if page.kind == "slab":
            return _in_slab(kernel, page.head, _memory_of(kernel, space, page.head, frame), address)
    except OopscopeError:
        return Meaning("page", f"memory of frame {frame:#x}")
    if page.kind == "cache":
        return Meaning("page", f"page of the page cache, frame {frame:#x}", struct=("address_space", page.owner))
    if page.kind == "other kernel":
        return Meaning("page", f"memory of frame {frame:#x}")
    words = {"free": "free page", "anonymous": "anonymous page of a program"}.get(page.kind, f"page: {page.kind}")
    return Meaning("page", f"{words}, frame {frame:#x}")


def _memory_of(kernel: Kernel, space: Space, head: int, frame: int) -> int:
    """Return where the memory of a compound page's first page is mapped, given a frame of it; Implausible."""
    first = kernel.cached(struct_pages).frame_of(head, frame)
    if first is None:
        raise Implausible("a compound page that begins at no struct page", head)
    return space.direct.start + (first - space.first_frame) * kernel.memory.page_size


def slab_object(kernel: Kernel, address: int) -> "SlabObject | None":
    """Return the slab object that an address lies in; None where it lies in none, or nothing tells."""
    space = _space(kernel)
    if space is None or address not in space.direct:
        return None
    from oopscope.linux.page import object_at, page_of

    try:
        frame = (address - space.direct.start) // kernel.memory.page_size + space.first_frame
        page = page_of(kernel, kernel.cached(struct_pages).of(frame))
        if page.kind != "slab":
            return None
        found = object_at(kernel, page.head, _memory_of(kernel, space, page.head, frame), address)
    except OopscopeError:
        return None
    return found if found is not None and found.base <= address < found.base + found.size else None


def _in_slab(kernel: Kernel, slab: int, memory: int, address: int) -> Meaning | None:
    """Name an object of a slab cache."""
    from oopscope.linux.page import object_at

    found = object_at(kernel, slab, memory, address)
    if found is None:
        return None
    if not found.base:
        return Meaning("slab", f"slab of {found.cache}, behind its last object")
    past = address - found.base
    if not 0 <= past < max(found.size, 1):
        return Meaning("slab", f"slab of {found.cache}, between objects")
    of_type = _type_of(kernel, found.cache, found.size)
    state = "" if found.free is None else ", free" if found.free else ""
    struct = (of_type, found.base) if of_type else None
    return Meaning("slab", f"{found.cache} object" + (f" +{past:#x}" if past else "") + state, struct=struct)


def _type_of(kernel: Kernel, cache: str, size: int) -> str | None:
    """Return the struct that a cache's objects are, if the kernel has one of that name that fits.

    A task_struct's cache has objects shorter than the type, whose last member is as long as the FPU needs.
    """
    name = TYPE_OF_CACHE.get(cache.split("(")[0], cache)
    try:
        return name if kernel.types.layout(name).size <= size or name == "task_struct" else None
    except OopscopeError:
        return None


def _vmalloc(kernel: Kernel, address: int) -> Meaning | None:
    space = _space(kernel)
    if space is None or address not in space.vmalloc:
        return None
    from oopscope.linux.vmalloc import area_at

    area = area_at(kernel, address)
    if area is None:
        return Meaning("vmalloc", "vmalloc space, of no area")
    caller = kernel.name_of(area.caller) if area.caller else None
    by = f" by {caller.symbol}" if caller else ""
    guard = ", its guard page" if address >= area.end - kernel.memory.page_size else ""
    return Meaning("vmalloc", f"vmalloc area{by} +{address - area.start:#x}{guard}")


def _fixed(kernel: Kernel, address: int) -> Meaning | None:
    space = _space(kernel)
    if space is None:
        return None
    words = next((area.words for area in space.fixed if address in area.where), None)
    return Meaning("nothing", words) if words else None


def _mapped(kernel: Kernel, address: int) -> Meaning | None:
    """Where the areas are not known, say at least that there is memory."""
    if _space(kernel) is not None:
        return None
    kernel.memory.translate(address)
    return Meaning("page", "kernel memory", False)


LOOKS: tuple[Look, ...] = (
    _impossible, _stack, _symbol, _per_cpu, _task, _struct_page, _direct, _vmalloc, _fixed, _mapped,
)  # fmt: skip


def _read(kernel: Kernel, address: int, meaning: Meaning) -> Meaning:
    """Add the text that lies there, or why nothing can be read."""
    try:
        raw = kernel.memory.cstring(address, SHOWN_TEXT + 1)
    except MissingPage as e:
        return meaning._replace(why=f"{e.reason}: not in the dump" if e.reason != "corrupt" else "damaged in the dump")
    except NotMapped:
        return meaning._replace(why="not mapped")
    except OopscopeError as e:
        return meaning._replace(why=str(e))
    raw = raw[2:] if raw[:1] == KERN_SOH else raw  # the level before printk's text
    line = raw[:SHOWN_TEXT].partition(b"\n")[0]
    if meaning.kind == "code" or len(line) < MIN_TEXT or not all(0x20 <= byte < 0x7F for byte in line):
        return meaning
    text = line.decode("ascii") + ("…" if len(line) == SHOWN_TEXT < len(raw) else "")
    unnamed = meaning.kind == "data" and _in_rodata(kernel, address)  # the last symbol before a string is not its
    return meaning._replace(words=f'string "{text}"' if unnamed else f'{meaning.words} "{text}"')


def _in_rodata(kernel: Kernel, address: int) -> bool:
    start, end = kernel.find_symbol("__start_rodata"), kernel.find_symbol("__end_rodata")
    return bool(start and end and start <= address < end)
