"""Control groups: each one's processes, and what it uses of memory and PIDs against its limits.

Follows include/linux/{cgroup-defs.h,memcontrol.h,page_counter.h} and kernel/cgroup/{cgroup.c,pids.c}. The unified
hierarchy (v2) first, then those of v1 that are mounted. A controller's state must name the group that it hangs on.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.task import has_every_task, task_structs
from oopscope.structs.plan import Plan

MAX_GROUPS = 100_000
MAX_DEPTH = 128
MAX_NAME = 256
CSS_ONLINE, NO_LIMIT_BITS = 1 << 1, 40
UNIFIED = "unified"


class CgroupStruct(NamedTuple):
    """struct cgroup; its first member is the cgroup_subsys_state that the tree is made of."""

    address: int
    css_flags: int
    children: int
    flags: int
    kn: int
    subsys: tuple[int, ...]


class Root(NamedTuple):
    """struct cgroup_root: one hierarchy."""

    address: int
    mask: int
    name: bytes
    cgrp: int
    link: int


class Node(NamedTuple):
    """struct kernfs_node."""

    name: int


class MemCgroup(NamedTuple):
    """struct mem_cgroup: page counters of memory and swap, and the events of it."""

    cgroup: int
    usage: int
    max: int
    high: int
    swap: int
    swap_max: int
    events: tuple[int, ...]


class PidsCgroup(NamedTuple):
    """struct pids_cgroup."""

    cgroup: int
    running: int
    limit: int


CGROUP = Plan("cgroup", CgroupStruct, css_flags="self.flags", children="&self.children")
ROOT = Plan("cgroup_root", Root, mask="subsys_mask", cgrp="&cgrp", link="&root_list")
NODE = Plan("kernfs_node", Node)
MEMCG = Plan(
    "mem_cgroup", MemCgroup, cgroup="css.cgroup", usage="memory.usage.counter", max="memory.max", high="memory.high",
    swap="swap.usage.counter", swap_max="swap.max", events="memory_events",
)  # fmt: skip
PIDS = Plan("pids_cgroup", PidsCgroup, cgroup="css.cgroup", running="counter.counter", limit="limit.counter")


class Cgroup(NamedTuple):
    """A group; None where its controller is not turned on, or of a limit where there is none."""

    hierarchy: str
    path: str
    processes: int | None  # that are in it itself; None in v1
    memory: int | None
    memory_max: int | None
    memory_high: int | None
    memory_share: float | None  # percent of the limit
    swap: int | None
    swap_max: int | None
    pids: int | None
    pids_max: int | None
    oom_kills: int | None
    state: str
    address: int


class _Groups:
    """The groups of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.bound = kernel.bind(CGROUP)
        self.sibling = kernel.types.member("cgroup_subsys_state", "sibling").offset
        ids = kernel.types.enum("cgroup_subsys_id")
        self.memory_id, self.pids_id = ids.get("memory_cgrp_id"), ids.get("pids_cgrp_id")
        self.names = {number: name.removesuffix("_cgrp_id") for name, number in ids.items()}
        self.lost = kernel.problems.lost("cgroups", "a group")
        self.seen = set[int]()
        self.oom = kernel.types.enum("memcg_memory_event").get("MEMCG_OOM_KILL")
        bit = kernel.types.constant("CGRP_FROZEN")
        self.frozen = 1 << bit if bit is not None else 0

    def roots(self) -> Iterator[tuple[str, int]]:
        """Yield the name of each hierarchy, and its first group."""
        own, bound = self.kernel.symbol("cgrp_dfl_root"), self.kernel.bind(ROOT)
        yield UNIFIED, own + bound.offset("cgrp")
        head = self.kernel.find_symbol("cgroup_roots")
        walk = for_each_list(self.memory, head, bound.offset("link"), self.lost, MAX_DEPTH) if head else iter(())
        for root in bound.rows(walk, self.lost):
            if root.address != own:
                controllers = [name for number, name in sorted(self.names.items()) if root.mask >> number & 1]
                name = decoded(root.name)
                yield ",".join(controllers) or f"name={name}", root.cgrp

    def below(self, address: int, path: str, depth: int = 0) -> Iterator[tuple[str, CgroupStruct]]:
        """Yield a group and all below it, each before its children."""
        if address in self.seen:
            raise Implausible("a control group that is below itself, or in two places", address)
        self.seen.add(address)
        row = self.bound.row(address)
        yield path or "/", row
        if depth >= MAX_DEPTH:
            return
        for child in for_each_list(self.memory, row.children, self.sibling, self.lost, MAX_GROUPS):
            try:
                yield from self.below(child, f"{path}/{self._name(child)}", depth + 1)
            except OopscopeError as e:
                self.lost(e)

    def _name(self, address: int) -> str:
        kn = self.memory.word(address + self.bound.offset("kn"))
        return self.memory.text(self.kernel.bind(NODE).row(kn).name, MAX_NAME)

    def row(self, hierarchy: str, path: str, group: CgroupStruct, processes: int | None) -> Cgroup:
        """Return the row of a group."""
        page = self.memory.page_size
        # The counters of the first group count only what is charged to groups: the kernel shows none of them.
        memcg, pids = (self._memory(group), self._pids(group)) if path != "/" else (None, None)
        most = _limit(memcg.max) if memcg else None
        state = "dying" if not group.css_flags & CSS_ONLINE else "frozen" if group.flags & self.frozen else "live"
        kills = memcg.events[self.oom] if memcg and self.oom is not None and self.oom < len(memcg.events) else None

        def size(pages: int | None) -> int | None:
            return pages * page if pages is not None else None

        return Cgroup(
            hierarchy, path, processes, size(memcg.usage if memcg else None), size(most),
            size(_limit(memcg.high) if memcg else None),
            round(100 * memcg.usage / most, 1) if memcg and most else None,
            size(memcg.swap if memcg else None), size(_limit(memcg.swap_max) if memcg else None),
            pids.running if pids else None, pids.limit if pids and pids.limit <= 1 << 22 else None, kills, state,
            group.address,
        )  # fmt: skip

    def _css(self, group: CgroupStruct, number: int | None) -> int:
        return group.subsys[number] if number is not None and number < len(group.subsys) else 0

    def _memory(self, group: CgroupStruct) -> MemCgroup | None:
        css = self._css(group, self.memory_id)
        row = self.kernel.bind(MEMCG).row(css) if css else None
        return row if row is not None and self._owns(row.cgroup, group) else None

    def _pids(self, group: CgroupStruct) -> PidsCgroup | None:
        css = self._css(group, self.pids_id)
        row = self.kernel.bind(PIDS).row(css) if css else None
        return row if row is not None and self._owns(row.cgroup, group) else None

    def _owns(self, cgroup: int, group: CgroupStruct) -> bool:
        if cgroup != group.address:
            self.kernel.problems.add("cgroups", "a controller's state is of another group", group.address)
        return cgroup == group.address


def _limit(pages: int) -> int | None:
    """Return a limit in pages; None for PAGE_COUNTER_MAX, which is none."""
    return pages if pages < 1 << NO_LIMIT_BITS else None


def _processes(kernel: Kernel) -> Counter[int] | None:
    """Count the processes of each group of the unified hierarchy; None where not all tasks are there."""
    css_set, group = (kernel.types.member(*of).offset for of in (("task_struct", "cgroups"), ("css_set", "dfl_cgrp")))
    found, known = Counter[int](), dict[int, int]()
    tasks = task_structs(kernel).values()
    if not has_every_task(kernel):
        return None
    for task in tasks:
        if task.pid != task.tgid or not task.pid:
            continue
        try:
            where = kernel.memory.word(task.address + css_set)
            if where and where not in known:
                known[where] = kernel.memory.word(where + group)
        except OopscopeError:
            continue
        if where:
            found[known[where]] += 1
    return found


@once
def cgroups(kernel: Kernel) -> list[Cgroup]:
    """Return every group, hierarchy by hierarchy, each before those below it; Absent without CONFIG_CGROUPS."""
    groups, processes, found = _Groups(kernel), _processes(kernel), list[Cgroup]()
    for hierarchy, root in groups.roots():
        for path, group in groups.below(root, ""):
            if len(found) >= MAX_GROUPS:
                kernel.problems.add("cgroups", f"more than {MAX_GROUPS} groups: the others are not listed")
                return found
            count = processes[group.address] if hierarchy == UNIFIED and processes is not None else None
            try:
                found.append(groups.row(hierarchy, path, group, count))
            except Absent:
                raise
            except OopscopeError as e:
                groups.lost(e)
    return found


def path_of(kernel: Kernel, address: int) -> str | None:
    """Return a group's path in its hierarchy (address: struct cgroup *); None where no hierarchy has it."""
    return _paths(kernel).get(address)


@once
def _paths(kernel: Kernel) -> dict[int, str]:
    return {one.address: one.path for one in cgroups(kernel)}
