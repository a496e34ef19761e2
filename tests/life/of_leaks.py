"""A guest of leaks.sh: what a module lost, by the hundred thousand, is found where it was lost, and by whom."""

import re

from life.tally import Account, Tally
from oopscope.api import OpenDump
from oopscope.linux.memory_shares import memory_shares

PAGE = 4096
MODULE, HOLDER = "lablife", "lablife_hoard"


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the module said that it lost of objects, areas of vmalloc and pages."""
    told = {match[2]: int(match[1]) for line in account["leaks"] if (match := re.search(r"lost (\d+) (\w+)", line))}
    rows = [row for row in dump.table("vmallocs") if str(row.caller).startswith(HOLDER)]
    tally.same("vmallocs", "areas", sum(row.areas for row in rows), told["areas"])
    tally.same("vmallocs", "pages", sum(row.pages for row in rows), told["areas"])
    tally.same("vmallocs", "module", {row.module for row in rows}, {MODULE})
    row = tally.one("slabpointers", "one points there", [
        one for one in dump.table("slabpointers") if one.symbol == "lablife_ops"])  # fmt: skip
    if row is not None:
        tally.same("slabpointers", "cache", row.name, "kmalloc-256")
        tally.near("slabpointers", "objects", row.estimate, told["objects"], 0.02)
    shares = {share.name: share.bytes for share in memory_shares(dump.kernel).shares}
    tally.near("memory", "pages that nobody claims", shares["Other kernel"], told["pages"] * PAGE, 0.02)
    slabs = {row.name: row.active for row in dump.table("slabs")}
    tally.near("slabs", "kmalloc-256", slabs["kmalloc-256"], told["objects"], 0.01, 1500)
