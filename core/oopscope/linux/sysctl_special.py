"""Settings below /proc/sys that are printed in a form of their own, or lie elsewhere than their entry says.

Follows kernel/{sysctl.c,watchdog.c,fork.c}, drivers/tty/sysrq.c, drivers/char/random.c, mm/hugetlb.c,
net/ipv4/sysctl_net_ipv4.c and net/core/neighbour.c: a function for each handler, by its name.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from oopscope.kernel.kernel import Kernel
from oopscope.linux.ticks import hz

MAX_BITS = 1 << 16
NMI_WATCHDOG, SOFT_WATCHDOG = 1, 2  # WATCHDOG_{HARDLOCKUP,SOFTOCKUP}_ENABLED
ETH_FRAME_LEN, CACHE_LINE = 1514, 64


class Asked(NamedTuple):
    """A setting whose value is asked for: members of its struct ctl_table."""

    name: str
    data: int
    length: int


Shown = Callable[[Kernel, Asked], str | None]


def special(kernel: Kernel, handler: str, asked: Asked) -> str | None:
    """Return what a handler prints; None for one that is not known here."""
    shown = HANDLERS.get(handler)
    return shown(kernel, asked) if shown is not None else None


def _int(symbol: str) -> Shown:
    """Show the int of a symbol."""

    def shown(kernel: Kernel, _asked: Asked) -> str | None:
        at = kernel.find_symbol(symbol)
        return str(kernel.memory.u32(at)) if at is not None else None

    return shown


def _own_ints(kernel: Kernel, asked: Asked) -> str | None:
    """Show the numbers that an entry points at: one byte, or some of four."""
    if not asked.data or not 0 < asked.length <= 64:
        return None
    if asked.length == 1:
        return str(kernel.memory.u8(asked.data))
    return "\t".join(str(kernel.memory.u32(asked.data + at)) for at in range(0, asked.length // 4 * 4, 4)) or None


def _own_key(kernel: Kernel, asked: Asked) -> str | None:
    """Show whether the static key that an entry points at is on."""
    return str(int(kernel.memory.u32(asked.data) != 0)) if asked.data else None


def _key(symbol: str) -> Shown:
    def shown(kernel: Kernel, asked: Asked) -> str | None:
        at = kernel.find_symbol(symbol)
        return _own_key(kernel, asked._replace(data=at)) if at is not None else None

    return shown


def _sysrq(kernel: Kernel, asked: Asked) -> str | None:
    always = kernel.find_symbol("sysrq_always_enabled")
    if always is not None and kernel.memory.u8(always):
        return "1"
    return _int("sysrq_enabled")(kernel, asked)


def _tainted(kernel: Kernel, _asked: Asked) -> str | None:
    at = kernel.find_symbol("tainted_mask")
    return str(kernel.memory.word(at)) if at is not None else None


def _watchdog(which: int) -> Shown:
    def shown(kernel: Kernel, _asked: Asked) -> str | None:
        at = kernel.find_symbol("watchdog_enabled")
        return str(int(bool(kernel.memory.word(at) & which))) if at is not None else None

    return shown


def ranges(bits: int) -> str:
    """Return the numbers of the bits that are set, as the kernel prints a list: 0-1,3."""
    found = list[tuple[int, int]]()
    for bit in _set(bits):
        if found and found[-1][1] == bit - 1:
            found[-1] = found[-1][0], bit
        else:
            found.append((bit, bit))
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in found)


def _set(bits: int) -> Iterator[int]:
    at = 0
    while bits >> at:
        at += ((bits >> at) & -(bits >> at)).bit_length() - 1
        yield at
        at += 1


def _bitmap(kernel: Kernel, asked: Asked) -> str | None:
    """Show the bitmap that an entry's pointer leads to."""
    if not asked.data or not 0 < asked.length <= MAX_BITS:
        return None
    at = kernel.memory.word(asked.data)
    if not at:
        return ""
    return ranges(int.from_bytes(kernel.memory.read(at, (asked.length + 7) // 8), kernel.arch.byteorder))


def _ports(kernel: Kernel, asked: Asked) -> str | None:
    """Show the range of local ports: two numbers, in one since 6.8."""
    found = kernel.types.member("net", "ipv4.ip_local_ports.range")
    at = kernel.symbol("init_net") + found.offset
    if found.size == 4:
        both = kernel.memory.u32(at)
        return f"{both & 0xFFFF}\t{both >> 16}"
    return _own_ints(kernel, Asked(asked.name, at, 8))


def _uuid(kernel: Kernel, asked: Asked) -> str | None:
    """Show the ID of this boot; another file gives a new one whenever it is read."""
    return str(UUID(bytes=bytes(kernel.memory.read(asked.data, 16)))) if asked.data else None


def _congestion(kernel: Kernel, asked: Asked) -> str | None:
    at = kernel.memory.word(asked.data) if asked.data else 0
    if not at:
        return None
    found = kernel.types.member("tcp_congestion_ops", "name")
    return kernel.memory.text(at + found.offset, 16)


def _qdisc(kernel: Kernel, _asked: Asked) -> str | None:
    at = kernel.memory.word(kernel.symbol("default_qdisc_ops"))
    found = kernel.types.member("Qdisc_ops", "id")
    return kernel.memory.text(at + found.offset, 16) if at else None


def _neighbour_time(kernel: Kernel, asked: Asked) -> str | None:
    """Show a time of neighbours: in milliseconds or seconds, or, of probes, in ticks."""
    if not asked.data:
        return None
    ticks = kernel.memory.u32(asked.data)
    if asked.name.endswith("_ms"):
        return str(ticks * 1000 // hz(kernel))
    return str(ticks if asked.name.endswith(".retrans_time") else ticks // hz(kernel))


def _waiting(kernel: Kernel, asked: Asked) -> str | None:
    """Show how many packets may wait for a neighbour: kept in bytes, of packets with all that belongs to them."""
    if not asked.data:
        return None
    whole = ETH_FRAME_LEN + sum(-(-kernel.types.sizeof(name) // CACHE_LINE) * CACHE_LINE for name in SKB)
    return str(kernel.memory.u32(asked.data) // whole)


SKB = ("sk_buff", "skb_shared_info")


def _huge_pages(member: str) -> Shown:
    """Show a count of huge pages of the size that is used where none is asked for."""

    def shown(kernel: Kernel, _asked: Asked) -> str | None:
        number = kernel.memory.u32(kernel.symbol("default_hstate_idx"))
        if number >= 16:  # HUGE_MAX_HSTATE is smaller everywhere
            return None
        at = kernel.symbol("hstates") + number * kernel.types.sizeof("hstate")
        return str(kernel.memory.word(at + kernel.types.member("hstate", member).offset))

    return shown


HANDLERS: dict[str, Shown] = {
    **dict.fromkeys((
        "addrconf_sysctl_addr_gen_mode", "flow_limit_table_len_sysctl", "ipv4_fwd_update_priority",
        "ipv4_ping_group_range", "lowmem_reserve_ratio_sysctl_handler", "proc_do_dev_weight", "proc_do_rointvec",
        "proc_dopipe_max_size", "proc_fib_multipath_hash_fields", "proc_fib_multipath_hash_policy",
        "proc_rt6_multipath_hash_fields", "proc_rt6_multipath_hash_policy", "proc_tfo_blackhole_detect_timeout",
        "ipv4_privileged_ports",
    ), _own_ints),
    "bpf_stats_handler": _own_key,
    "hugetlb_mempolicy_sysctl_handler": _huge_pages("max_huge_pages"),
    "hugetlb_overcommit_handler": _huge_pages("nr_overcommit_huge_pages"),
    "hugetlb_sysctl_handler": _huge_pages("max_huge_pages"),
    "ipv4_local_port_range": _ports,
    "ndisc_ifinfo_sysctl_change": _neighbour_time,
    "neigh_proc_base_reachable_time": _neighbour_time,
    "neigh_proc_dointvec_unres_qlen": _waiting,
    "proc_do_large_bitmap": _bitmap,
    "proc_do_static_key": _own_key,
    "proc_do_uuid": _uuid,
    "proc_nmi_watchdog": _watchdog(NMI_WATCHDOG),
    "proc_soft_watchdog": _watchdog(SOFT_WATCHDOG),
    "proc_taint": _tainted,
    "proc_tcp_congestion_control": _congestion,
    "proc_watchdog": _watchdog(NMI_WATCHDOG | SOFT_WATCHDOG),
    "proc_watchdog_cpumask": _bitmap,
    "set_default_qdisc": _qdisc,
    "sysctl_delayacct": _int("delayacct_on"),
    "sysctl_max_threads": _int("max_threads"),
    "sysctl_numa_balancing": _int("sysctl_numa_balancing_mode"),
    "sysctl_schedstats": _key("sched_schedstats"),
    "sysrq_sysctl_handler": _sysrq,
}  # fmt: skip
