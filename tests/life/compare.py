"""Hold every table against what a fuller guest said of itself: `python tests/life/compare.py DUMP ...`.

Beside each dump lies DUMP.console, which guest.sh printed on. For each table it is said how many fields were compared
and agree, and each that differs. The guest: `gcc -O1 -static -pthread -o more guest.c`, an ext4 disk as /dev/vda, one
that QEMU stops as /dev/vdb once the guest says so, one of xfs as /dev/vdc, a virtio network interface, a SCSI and an
NVMe disk, the modules in modules/ (leaks, a workqueue that hangs, a live patch); `audit=1 audit_backlog_limit=64 psi=1
delayacct` on its command line. leaks.sh is another guest, of 2.4 GB, that loses memory and tells how much.
"""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import oopscope
from life.tally import Account, Tally, account_of
from oopscope.api import OpenDump

PARTS = ("of_tasks", "of_files", "of_network", "of_devices", "of_memory", "of_system", "of_servers")


def compare(dump: OpenDump, account: Account) -> Tally:
    """Compare all that the guest told of."""
    tally = Tally()
    for part in ("of_leaks",) if "leaks" in account else PARTS:
        import_module(f"life.{part}").compare(dump, account, tally)
    return tally


def main() -> int:
    """Print the counts of each dump; the status says whether nothing differs."""
    differ = 0
    for path in map(Path, sys.argv[1:]):
        tally = compare(oopscope.open(path), account_of(path.with_name(f"{path.name}.console")))
        print(path.name, *tally.lines(), sep="\n")
        differ += tally.differ.total()
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
