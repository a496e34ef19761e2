"""PCI devices, disks, what drivers keep of them, virtio queues and interrupts, against sysfs and /proc of the guest."""

import re
from typing import Any

from life.tally import Account, Tally
from oopscope.api import OpenDump

SECTOR = 512
LINE = re.compile(r" *(\w+): +((?:\d+ +){1,2})(.*)")
BUSY = re.compile(r"\.op=(\w+).*\.state=(\w+), \.tag=(\d+)")
QUEUE = re.compile(r"(virtio\d+)-(\S+)$")


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the guest told of devices."""
    _pci(dump, account, tally)
    files = dict(line.split(" = ", 1) for line in account["devices"] if " = " in line)
    _disks(dump, account, files, tally)
    _requests(dump, account, tally)
    _drives(dump, files, tally)
    _interrupts(dump, account, tally)


def _pci(dump: OpenDump, account: Account, tally: Tally) -> None:
    ours, at, regions = {row.slot: row for row in dump.table("pci")}, "", dict[str, list[tuple[int, int]]]()
    for line in account["pci"]:
        if line.startswith("  ") and at:
            start, end, _ = (int(word, 16) for word in line.split())
            regions[at].append((start, end))
        elif line.strip():
            at, vendor, device, _, own_vendor, own_device, irq, enabled, driver, *_ = line.split(" ")
            regions[at], row = [], ours.get(at)
            if tally.same("pci", at, row is not None, True) and row is not None:
                tally.same("pci", (at, "id"), row.id, f"{vendor[2:]}:{device[2:]}")
                tally.same("pci", (at, "subsystem"), row.subsystem, f"{own_vendor[2:]}:{own_device[2:]}")
                tally.same("pci", (at, "irq"), row.irq, int(irq))
                tally.same("pci", (at, "enabled"), "not enabled" not in row.state, enabled != "0")
                tally.same("pci", (at, "driver"), row.driver or "", driver)
    for slot, spans in regions.items():
        told = [f"{start:#x}-{end:#x}" for start, end in spans[:6] if start]
        if slot in ours:
            tally.same("pci", (slot, "regions"), [one.split()[1] for one in ours[slot].regions], told)
    tally.same("pci", "number", len(ours), len(regions))


def _disks(dump: OpenDump, account: Account, files: dict[str, str], tally: Tally) -> None:
    ours = {row.name: row for row in dump.table("disks")}
    for line in account["/proc/partitions"]:
        words = line.split()
        if len(words) == 4 and words[0].isdigit():
            row = ours.get(words[3])
            tally.same("disks", (words[3], "bytes"), row.bytes if row else None, int(words[2]) << 10)
    for path, value in files.items():
        if match := re.search(r"/(?:block/|(?=nvme\dn\d/))(\w+)/(inflight|size|queue/scheduler)$", path):
            name, what = match[1], match[2]
            row = ours.get(name)
            if not tally.same("disks", name, row is not None, True) or row is None:
                continue
            if what == "inflight":
                tally.same("disks", (name, what), row.in_flight, sum(map(int, value.split())))
            elif what == "size":
                tally.same("disks", (name, what), row.bytes, int(value) * SECTOR)
            else:
                chosen = re.search(r"\[(\S+)\]", value)
                tally.same("disks", (name, what), row.scheduler, chosen[1] if chosen else value.strip())


def _requests(dump: OpenDump, account: Account, tally: Tally) -> None:
    """The throttled disk's requests, as blk-mq tells of them in debugfs: none of them ever ends."""
    ours = {(row.queue, row.tag): row for row in dump.table("requests") if row.disk == "vdb"}
    told = {
        (queue, int(match[3])): match
        for queue in (0, 1)
        for line in account.get(f"/sys/kernel/debug/block/vdb/hctx{queue}/busy", ())
        if (match := BUSY.search(line))
    }
    tally.same("requests", "which", set(ours), set(told))
    for key in ours.keys() & told.keys():
        row, match = ours[key], told[key]
        tally.same("requests", (key, "operation"), row.operation.split()[0].upper(), match[1])
        tally.same("requests", (key, "state"), row.state.replace(" ", "_"), match[2])


def _drives(dump: OpenDump, files: dict[str, str], tally: Tally) -> None:
    ours = {row.disk: row for row in dump.table("drives")}
    problems = " ".join(problem.message for problem in dump.problems)

    def value(pattern: str) -> str | None:
        return next((found.strip() for path, found in files.items() if re.search(pattern, path)), None)

    for name in ("sda", "nvme0n1", "dm-0"):
        ours_is = name in ours or (None if "the types of module" in problems else False)  # 5.10 keeps none of modules
        tally.same("drives", name, ours_is, any(f"/{name}/" in path for path in files) or None)
    if nvme := ours.get("nvme0n1"):
        told = " ".join(value(rf"nvme/nvme0/{word}$") or "" for word in ("model", "serial", "firmware_rev"))
        tally.same("drives", ("nvme0n1", "identity"), nvme.identity, told)
        tally.same("drives", ("nvme0n1", "state"), nvme.state, value(r"nvme/nvme0/state$"))
    if sda := ours.get("sda"):
        told = " ".join(value(rf"0:0:0:0/{word}$") or "" for word in ("vendor", "model", "rev"))
        tally.same("drives", ("sda", "identity"), sda.identity, told)
        tally.same("drives", ("sda", "state"), sda.state, value("0:0:0:0/state$"))
        commands = int(value("iorequest_cnt$") or "0", 16)
        notes = (f"depth {value('queue_depth$')}", f"{commands} commands",
                 f"{commands - int(value('iodone_cnt$') or '0', 16)} not done",
                 f"{int(value('ioerr_cnt$') or '0', 16)} errors",
                 f"host {value('scsi_host/host0/state$')}")  # fmt: skip
        for note in notes:
            tally.same("drives", ("sda", note), note in sda.notes, True)
    if dm := ours.get("dm-0"):
        tally.same("drives", ("dm-0", "name"), dm.identity.split()[0], value("dm-0/dm/name$"))
        tally.same("drives", ("dm-0", "state"), dm.state == "suspended", value("dm-0/dm/suspended$") == "1")


def _interrupts(dump: OpenDump, account: Account, tally: Tally) -> None:
    numbered = {row.irq: row for row in dump.table("interrupts") if row.irq is not None}
    named = {row.name.upper(): row for row in dump.table("interrupts") if row.irq is None}
    queues = {(row.device, row.queue) for row in dump.table("virtqueues")}
    for line in account["/proc/interrupts"]:
        match = LINE.match(line)
        if match is None or not match[1].isdigit():
            continue
        row = numbered.get(int(match[1]))
        if tally.same("interrupts", match[1], row is not None, True) and row is not None:
            tally.same("interrupts", (match[1], "name"), row.name, match[3].split()[-1])
            tally.same("interrupts", (match[1], "chip"), (row.chip or "").split("-0000")[0], _chip(match[3]))
            _counts(row, match, tally)
        if (one := QUEUE.search(match[3])) and one[2] != "config":
            tally.same("virtqueues", one[0], (one[1], one[2]) in queues, True)
    for line in account["/proc/softirqs"]:
        if (match := LINE.match(line)) and (row := named.get(match[1])):
            _counts(row, match, tally)


def _chip(text: str) -> str:
    """Return the chip of a line of /proc/interrupts; newer kernels add the device that a PCI-MSI chip is of."""
    return re.split(r" {2,}|-\d{4}:| +\d+-(?:edge|fasteoi|level)", text)[0].strip()


def _counts(row: Any, match: re.Match[str], tally: Tally) -> None:
    for cpu, (ours, told) in enumerate(zip(row.counts or (), map(int, match[2].split()), strict=False)):
        name = (match[1], cpu)
        if match[1].isdigit() and match[1] != "4":  # 4: the console, on which the guest told
            tally.near("interrupts", name, ours, told, 0.1, 60)
        else:  # they went on: never less, and not out of all proportion
            tally.same("interrupts", name, told <= ours <= told + 40_000, True)
