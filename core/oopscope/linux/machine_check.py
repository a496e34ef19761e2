"""Machine checks that were recorded and not yet handed on: memory, caches, buses that failed.

Follows arch/x86/kernel/cpu/mce/{genpool.c,internal.h} and arch/x86/include/{asm,uapi/asm}/mce.h. A record's bank is
valid, its number one that exists, and its CPU one of the machine.
"""

from typing import NamedTuple

from oopscope.errors import NoSymbol
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain
from oopscope.structs.plan import Plan

MAX_RECORDS, MAX_BANKS = 10_000, 64
VALID, HAS_ADDRESS = 1 << 63, 1 << 58
STATUS = (
    (1 << 61, "uncorrected"), (1 << 57, "context corrupt"), (1 << 62, "overflow"), (1 << 56, "to be signalled"),
    (1 << 55, "action required"), (1 << 44, "deferred"), (1 << 43, "poison"),
)  # fmt: skip


class RecordStruct(NamedTuple):
    """struct mce_evt_llist."""

    address: int
    status: int
    misc: int
    addr: int
    ip: int
    time: int
    bank: int
    cpu: int


# In a struct mce_hw_err of its own since 750fd23926f1 "x86/mce: Add wrapper for struct mce to export vendor specific
# info", 6.13.
RECORD = Plan(
    "mce_evt_llist", RecordStruct,
    **{name: (f"err.m.{member}", f"mce.{member}") for name, member in (
        ("status", "status"), ("misc", "misc"), ("addr", "addr"), ("ip", "ip"), ("time", "time"), ("bank", "bank"),
        ("cpu", "extcpu"))},
)  # fmt: skip


class MachineCheck(NamedTuple):
    """A record of a machine check."""

    cpu: int
    bank: int
    status: int
    kind: tuple[str, ...]
    code: int
    at: int | None  # the physical address that it is of
    ip: int | None
    time: int
    address: int


@once
def machine_checks(kernel: Kernel) -> list[MachineCheck]:
    """Return the records that wait, the newest first; none of a kernel without CONFIG_X86_MCE.

    NoSymbol where the kernel does not name its data: then it may have some.
    """
    try:
        head = kernel.symbol("mce_event_llist")
    except NoSymbol as e:
        if e.unnamed:
            raise
        return []
    bound, found = kernel.bind(RECORD), list[MachineCheck]()
    lost = kernel.problems.lost("machinechecks", "a machine check")
    cpus = set(present_cpus(kernel))
    for row in bound.rows(for_each_chain(kernel.memory, head, 0, 0, lost), lost):
        if len(found) >= MAX_RECORDS:
            kernel.problems.add("machinechecks", f"more than {MAX_RECORDS:,} machine checks: the others are left out")
            break
        if not row.status & VALID or row.bank >= MAX_BANKS or row.cpu not in cpus:
            kernel.problems.add("machinechecks", "what should be a machine check is none", row.address)
            continue
        corrected = () if row.status & 1 << 61 else ("corrected",)
        found.append(
            MachineCheck(
                row.cpu, row.bank, row.status, corrected + tuple(word for bit, word in STATUS if row.status & bit),
                row.status & 0xFFFF, row.addr if row.status & HAS_ADDRESS else None, row.ip or None, row.time,
                row.address,
            )
        )  # fmt: skip
    return found
