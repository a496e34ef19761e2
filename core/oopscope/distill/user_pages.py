"""What `distill --user` keeps of programs: the top of each thread's user stack, and the code that it stood in.

Found through the thread's own page tables (mm_struct.pgd), so that a user stack can be looked at later. That is
somebody's data: nothing here is read unless asked for.
"""

from oopscope.arch import Paging
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import task_structs
from oopscope.stacks.tasks import stack

PAGE = 4096
STACK_PAGES = 16


def touch_user_pages(kernel: Kernel) -> int:
    """Read the user pages of every thread that the dump holds; return how many there were."""
    paging = kernel.machine.user_paging(kernel)
    pgd = kernel.types.member("mm_struct", "pgd").offset
    seen: set[int] = set()
    for task in kernel.cached(task_structs).values():
        user = next((f for f in stack(kernel, task.address) if f.kind == "user"), None)
        if task.mm and user is not None:
            addresses = [user.address, *range(user.sp, user.sp + STACK_PAGES * PAGE, PAGE)]
            seen.update(_touch(kernel, paging, task.mm + pgd, addresses))
    return len(seen)


def _touch(kernel: Kernel, paging: Paging, pgd: int, addresses: list[int]) -> list[int]:
    """Read the pages behind user addresses of one address space; return the physical ones that are there."""
    read, place, found = kernel.memory.physical.read, kernel.memory.physical.place, []
    try:
        root = kernel.memory.translate(kernel.memory.word(pgd))
    except OopscopeError:
        return []
    for address in addresses:
        try:
            mapping = paging.translate(root, address, read, kernel.info.number("sme_mask") or 0, place)
            physical = mapping.start + (address & mapping.size - 1 & -PAGE)
            read(physical, PAGE)
        except OopscopeError:  # not mapped, or left out of the dump
            continue
        found.append(physical)
    return found
