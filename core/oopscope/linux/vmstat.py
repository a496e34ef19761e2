"""The counters of /proc/vmstat, in its order and under its names. Follows mm/vmstat.c.

The kernel has the names as text (vmstat_text): zone counters, NUMA events, node counters, two thresholds and by 6.12
more of the kind, then events. How many there are of each say the enumerations.
"""

from typing import NamedTuple

from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.once import once
from oopscope.linux.zone import node_structs
from oopscope.structs.plan import Plan

MAX_NAMES = 1024
MAX_NAME = 64
HALVED = ("pgpgin", "pgpgout")  # counted in sectors, told in kilobytes
THRESHOLDS = ("nr_dirty_threshold", "nr_dirty_background_threshold")
# Kept in pages since 5.11 and told in huge pages, as before: the last of a series of changes is bf9ecead53c8 "mm:
# memcontrol: convert NR_FILE_THPS account to pages".
IN_HUGE_PAGES = {
    "nr_anon_transparent_hugepages", "nr_file_hugepages", "nr_shmem_hugepages", "nr_shmem_pmdmapped",
    "nr_file_pmdmapped",
}  # fmt: skip


class VmStat(NamedTuple):
    """One line of /proc/vmstat; the value is None where it cannot be read."""

    name: str
    value: int | None
    kind: str  # zone, numa, node, threshold, event


class ZoneNuma(NamedTuple):
    """struct zone: where its CPUs keep NUMA events that are not added up yet.

    f19298b9516c "mm/vmstat: convert NUMA statistics to basic NUMA counters", 5.14.
    """

    managed: int
    zonestats: int | None


class ZoneStat(NamedTuple):
    """struct per_cpu_zonestat."""

    events: tuple[int, ...]


ZONE = Plan(
    "zone", ZoneNuma, managed=("managed_pages.counter", "managed_pages"), zonestats="per_cpu_zonestats"
)  # fmt: skip
ZONE_STAT = Plan("per_cpu_zonestat", ZoneStat, events="vm_numa_event")


class _Counters:
    """The counters of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.enums = {name: kernel.types.enum(name) for name in ("zone_stat_item", "node_stat_item", "vm_event_item")}

    def size(self, enum: str, *ends: str) -> int:
        """Return how many items an enumeration has, by the one that ends it."""
        found = self.kernel.types.enum(enum)
        for end in ends:
            if end in found:
                return found[end]
        raise Absent(f"enum {enum} has no end")

    def words(self, symbol: str, count: int) -> list[int]:
        """Return global counters; one that is less than 0, for the CPUs' own parts are not in it, counts as 0."""
        found = self.memory.words(self.kernel.symbol(symbol), count)
        return [max(self.memory.signed(word), 0) for word in found]

    def numa(self, count: int) -> list[int]:
        """Return the NUMA events: reading them adds up what the CPUs have; before 5.14 a file read showed the sums."""
        if self.kernel.find_symbol("vm_numa_event") is None:
            return self.words("vm_numa_stat", count)
        found, bound, rows = self.words("vm_numa_event", count), self.kernel.bind(ZONE), self.kernel.bind(ZONE_STAT)
        zones = self.kernel.types.member("pglist_data", "node_zones")
        for _node, base in node_structs(self.kernel):
            for number in range(min(zones.count, 16)):
                zone = bound.row(base + zones.offset + number * bound.size)
                if not zone.managed or not zone.zonestats:
                    continue
                for offset in self.kernel.cached(per_cpu_offsets):
                    events = rows.row((zone.zonestats + offset) % self.memory.top).events
                    found = [a + b for a, b in zip(found, events[:count], strict=True)]
        return found

    def node(self, count: int, names: list[str]) -> list[int]:
        """Return the node counters; those of huge pages in huge pages."""
        found = self.words("vm_node_stat", count)
        if "NR_SWAPCACHE" not in self.enums["node_stat_item"]:  # 5.12, the release after the change
            return found
        each = self.memory.page_size // self.memory.word_size
        return [value // each if name in IN_HUGE_PAGES else value for name, value in zip(names, found, strict=True)]

    def thresholds(self) -> list[int]:
        """Return global_dirty_limits(): how many dirty pages make writers wait, and how many the flushers begin at."""
        memory, symbol = self.memory, self.kernel.symbol
        free = self.words("vm_zone_stat", 1)[0] if self.enums["zone_stat_item"].get("NR_FREE_PAGES") == 0 else 0
        node = self.enums["node_stat_item"]
        stats = self.words("vm_node_stat", max(node["NR_INACTIVE_FILE"], node["NR_ACTIVE_FILE"]) + 1)
        usable = max(free - memory.word(symbol("totalreserve_pages")), 0)
        usable += stats[node["NR_INACTIVE_FILE"]] + stats[node["NR_ACTIVE_FILE"]] + 1

        def limit(name: str) -> int:
            exact = memory.word(symbol(f"{name}_bytes"))
            if exact:
                return -(-exact // memory.page_size)
            ratio = memory.u32(symbol(f"{name}_ratio")) * memory.page_size // 100
            return ratio * usable // memory.page_size

        hard, soft = limit("vm_dirty"), limit("dirty_background")
        return [hard, soft if soft < hard else hard // 2]

    def events(self, count: int) -> list[int]:
        """Return the events of all CPUs together (vm_event_states)."""
        first = self.kernel.symbol("vm_event_states")
        found = [0] * count
        for offset in self.kernel.cached(per_cpu_offsets):
            words = self.memory.words((first + offset) % self.memory.top, count)
            found = [(a + b) % (1 << 64) for a, b in zip(found, words, strict=True)]
        return found

    def names(self, count: int) -> list[str]:
        """Return the first names of vmstat_text."""
        pointers = self.memory.words(self.kernel.symbol("vmstat_text"), count)
        return [self.memory.text(at, MAX_NAME) for at in pointers]

    def more(self, names: list[str]) -> list[int | None]:
        """Return what stands beside the thresholds: how much the array of struct pages takes.

        9d8573111024 "mm: don't account memmap per-node", 6.12.
        """
        symbols = [self.kernel.find_symbol(name) for name in names]  # nr_memmap_pages, nr_memmap_boot_pages
        return [self.memory.word(at) if at else None for at in symbols]


@once
def vmstat(kernel: Kernel) -> list[VmStat]:
    """Return every line; a part that cannot be read has no values, and a problem says so."""
    counters = _Counters(kernel)
    numa = ("numa_stat_item", "NR_VM_NUMA_EVENT_ITEMS", "NR_VM_NUMA_STAT_ITEMS")
    is_numa = kernel.types.has_enum("numa_stat_item")
    sizes = {
        "zone": counters.size("zone_stat_item", "NR_VM_ZONE_STAT_ITEMS"),
        "numa": counters.size(*numa) if is_numa else 0,
        "node": counters.size("node_stat_item", "NR_VM_NODE_STAT_ITEMS"),
        "threshold": kernel.types.constant("NR_VM_STAT_ITEMS") or len(THRESHOLDS),
        "event": counters.size("vm_event_item", "NR_VM_EVENT_ITEMS"),
    }
    if sum(sizes.values()) > MAX_NAMES:
        raise Implausible(f"{sum(sizes.values())} counters in /proc/vmstat")
    names, found = counters.names(sum(sizes.values())), list[VmStat]()
    for kind, size in sizes.items():
        mine, names = names[:size], names[size:]
        try:
            values = _values(counters, kind, mine)
        except OopscopeError as e:
            kernel.problems.lost("vmstat", f"the {kind} counters")(e)
            values = [None] * size
        found += [VmStat(name, value, kind) for name, value in zip(mine, values, strict=True)]
    if found and found[-1].name != "nr_unstable":
        # 8d92890bd6b8 "mm/writeback: discard NR_UNSTABLE_NFS, use NR_WRITEBACK instead", 5.8: a line that is always 0
        found.append(VmStat("nr_unstable", 0, "node"))
    return [row._replace(value=row.value // 2) if row.name in HALVED and row.value else row for row in found]


def _values(counters: _Counters, kind: str, names: list[str]) -> list[int | None]:
    """Return the values of one part."""
    if kind == "zone":
        return [*counters.words("vm_zone_stat", len(names))]
    if kind == "numa":
        return [*counters.numa(len(names))]
    if kind == "node":
        return [*counters.node(len(names), names)]
    if kind == "threshold":
        return [*counters.thresholds(), *counters.more(names[len(THRESHOLDS) :])]
    return [*counters.events(len(names))]
