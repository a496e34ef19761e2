"""What sysctl prints: the kernel's settings below /proc/sys, each with its value.

Follows fs/proc/proc_sysctl.c and kernel/sysctl.c. Directories are red-black trees of entries; those of the first
network, user, IPC and PID namespace are sets of their own. A value is read as the entry's handler would print it; one
whose handler is not known here is none. An entry's node must lie in the array of its header.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_rbtree
from oopscope.linux.sysctl_special import HANDLERS, Asked, special
from oopscope.linux.ticks import hz
from oopscope.structs.plan import Plan

MAX_ENTRIES, MAX_DEPTH, MAX_NUMBERS, MAX_TEXT = 200_000, 16, 64, 4096
S_IFMT, S_IFDIR, S_IFLNK = 0o170000, 0o040000, 0o120000
USER_HZ = 100
# Sets beside the root's own: the symbol of what has it, its type, and the member.
SETS = (
    ("init_net", "net", "sysctls"), ("init_user_ns", "user_namespace", "set"),
    ("init_ipc_ns", "ipc_namespace", "ipc_set"), ("init_ipc_ns", "ipc_namespace", "mq_set"),
    ("init_pid_ns", "pid_namespace", "set"),  # 7863dcc72d0f "pid: allow pid_max to be set per pid namespace", 6.14
)  # fmt: skip


class Header(NamedTuple):
    """struct ctl_table_header."""

    address: int
    table: int
    nodes: int


class Entry(NamedTuple):
    """struct ctl_table."""

    address: int
    name: int
    data: int
    length: int
    mode: int
    handler: int


HEADER = Plan("ctl_table_header", Header, table="ctl_table", nodes="node")
ENTRY = Plan("ctl_table", Entry, name="procname", length="maxlen", handler="proc_handler")


class Setting(NamedTuple):
    """A file below /proc/sys."""

    name: str  # kernel.panic, as sysctl writes it
    value: str | None
    mode: str  # octal
    handler: str | None  # the function that prints it
    address: int


class _Tree:
    """The settings of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.types, self.memory = kernel, kernel.types, kernel.memory
        self.header, self.entry = kernel.bind(HEADER), kernel.bind(ENTRY)
        self.lost = kernel.problems.lost("sysctls", "a setting")
        self.root = self.types.member("ctl_dir", "root").offset
        self.own = self.types.member("ctl_node", "header").offset
        self.node, self.size = self.types.sizeof("ctl_node"), self.types.sizeof("ctl_table")
        self.inside = self.types.member("ctl_dir", "header").offset
        self.seen = set[int]()
        self.left = MAX_ENTRIES

    def below(self, directory: int, path: str, depth: int = 0) -> Iterator[Setting]:
        """Yield the settings in a struct ctl_dir and in those below it."""
        if directory in self.seen or depth > MAX_DEPTH:
            raise Implausible("a directory of settings that is below itself", directory)
        self.seen.add(directory)
        lost = self.lost if depth else None  # without the uppermost there is nothing to show, which is no empty table
        for node in for_each_rbtree(self.memory, directory + self.root, 0, lost):
            self.left -= 1
            if self.left < 0:
                raise Implausible(f"more than {MAX_ENTRIES:,} settings", directory)
            try:
                header = self.header.row(self.memory.word(node + self.own))
                entry = self._entry(header, node)
                word = self.memory.text(entry.name, 256)
                name = f"{path}{word.replace('.', '/')}"  # as sysctl writes the dot of an interface's name
                if entry.mode & S_IFMT == S_IFDIR:
                    yield from self.below(header.address - self.inside, f"{name}.", depth + 1)
                elif entry.mode & S_IFMT != S_IFLNK:  # which leads to a set of its own
                    yield self._setting(name, entry)
            except OopscopeError as e:
                self.lost(e)

    def _entry(self, header: Header, node: int) -> Entry:
        number, past = divmod(node - header.nodes, self.node)
        if past or not 0 <= number < MAX_ENTRIES:
            raise Implausible("what should be a setting is none of its header's", node)
        return self.entry.row(header.table + number * self.size)

    def _setting(self, name: str, entry: Entry) -> Setting:
        known = self.kernel.name_of(entry.handler) if entry.handler else None
        handler = known.symbol if known is not None and not known.offset else None
        try:
            asked = Asked(name, entry.data, entry.length)
            known_form = handler in HANDLERS
            value = special(self.kernel, handler or "", asked) if known_form else self._value(entry, handler or "")
        except OopscopeError as e:
            self.lost(e)
            value = None
        return Setting(name, value, f"{entry.mode & 0o777:03o}", handler, entry.address)

    def _value(self, entry: Entry, handler: str) -> str | None:
        """Return a value as its handler prints it; None where the handler is not known, or there is nothing."""
        if not entry.data or entry.length <= 0:
            return None
        if "dostring" in handler or handler in TEXTS:
            raw = self.memory.cstring(entry.data, min(entry.length, MAX_TEXT))
            return decoded(raw).rstrip("\n")
        if "dobool" in handler:  # one, whatever length is said
            return str(self.memory.u8(entry.data))
        found = _form(handler)
        if found is None:
            return None
        size, signed, shown = found
        size = size or self.memory.word_size
        count = min(entry.length // size, MAX_NUMBERS)
        raw = self.memory.read(entry.data, count * size)
        values = (int.from_bytes(raw[at : at + size], self.kernel.arch.byteorder, signed=signed)
                  for at in range(0, len(raw), size))  # fmt: skip
        return "\t".join(shown(self.kernel, value) for value in values) or None


Shown = Callable[[Kernel, int], str]


def _plain(_kernel: Kernel, value: int) -> str:
    return str(value)


def _ticks(kernel: Kernel, per_second: int, value: int) -> str:
    """Return ticks as so many units a second, rounded down to 0 as the kernel does."""
    units = abs(value) * per_second // hz(kernel)
    return str(units if value >= 0 else -units)


# Words of a handler's name, the longer first: bytes of a number (0: a word's), whether it has a sign, how it is shown.
NUMBERS: tuple[tuple[str, int, bool, Shown], ...] = (
    ("dointvec_userhz_jiffies", 4, True, lambda kernel, value: _ticks(kernel, USER_HZ, value)),
    ("dointvec_ms_jiffies", 4, True, lambda kernel, value: _ticks(kernel, 1000, value)),
    ("dointvec_jiffies", 4, True, lambda kernel, value: _ticks(kernel, 1, value)),
    ("doulongvec_ms_jiffies", 0, False, lambda kernel, value: _ticks(kernel, 1000, value)),
    ("douintvec", 4, False, _plain),
    ("dointvec", 4, True, _plain),
    ("doulongvec", 0, False, _plain),
    ("dou8vec", 1, False, _plain),
)
# Handlers that do something when a setting is written, and print it as the plain ones do; held against guests.
INTS = frozenset({
    "bpf_unpriv_handler", "compaction_proactiveness_sysctl_handler", "devinet_conf_proc", "devinet_sysctl_forward",
    "addrconf_sysctl_disable", "addrconf_sysctl_disable_policy", "addrconf_sysctl_forward", "addrconf_sysctl_mtu",
    "addrconf_sysctl_ignore_routes_with_linkdown", "addrconf_sysctl_proxy_ndp", "dirty_background_ratio_handler",
    "dirty_ratio_handler", "dirty_writeback_centisecs_handler", "dirtytime_interval_handler", "ftrace_enable_sysctl",
    "ipv4_doint_and_flush", "min_free_kbytes_sysctl_handler", "overcommit_policy_handler", "overcommit_ratio_handler",
    "percpu_pagelist_fraction_sysctl_handler", "percpu_pagelist_high_fraction_sysctl_handler",
    "perf_cpu_time_max_percent_handler", "perf_event_max_stack_handler", "perf_proc_update_handler",
    "proc_watchdog_thresh", "sched_energy_aware_handler", "sched_proc_update_handler", "sched_rr_handler",
    "sched_rt_handler", "stack_trace_sysctl", "sysctl_min_slab_ratio_sysctl_handler",
    "sysctl_min_unmapped_ratio_sysctl_handler", "sysctl_vm_numa_stat_handler", "timer_migration_handler",
    "tracepoint_printk_sysctl", "watermark_scale_factor_sysctl_handler",
})  # fmt: skip
LONGS = frozenset({
    "dirty_background_bytes_handler", "dirty_bytes_handler", "mmap_min_addr_handler", "overcommit_kbytes_handler",
    "proc_dohung_task_timeout_secs",
})  # fmt: skip
TEXTS = frozenset({"devkmsg_sysctl_set_loglvl", "numa_zonelist_order_handler", "proc_do_uts_string"})


def _form(handler: str) -> tuple[int, bool, Shown] | None:
    """Return how the numbers that a handler prints lie in memory; None for one that is not known here."""
    if handler in INTS:
        return 4, True, _plain
    if handler in LONGS:
        return 0, False, _plain
    return next(((size, signed, shown) for words, size, signed, shown in NUMBERS if words in handler), None)


def _sets(kernel: Kernel) -> Iterator[int]:
    """Yield the struct ctl_table_set of the root and of the first namespaces."""
    yield kernel.symbol("sysctl_table_root") + kernel.types.member("ctl_table_root", "default_set").offset
    for symbol, struct, member in SETS:
        at = kernel.find_symbol(symbol)
        if at is not None and kernel.types.has_member(struct, member):
            yield at + kernel.types.member(struct, member).offset


@once
def settings(kernel: Kernel) -> list[Setting]:
    """Return the settings by name; none for a kernel without /proc/sys."""
    if kernel.find_symbol("sysctl_table_root") is None:
        return []
    tree, found = _Tree(kernel), dict[str, Setting]()
    inside = kernel.types.member("ctl_table_set", "dir").offset
    for one in _sets(kernel):
        try:
            for row in tree.below(one + inside, ""):
                found.setdefault(row.name, row)
        except OopscopeError as e:
            if not found:
                raise
            tree.lost(e)
    return [found[name] for name in sorted(found)]
