"""What drives each disk and how it is: SCSI devices, NVMe controllers, device-mapper, loop and md devices.

Follows drivers/{scsi,nvme/host,md,block/loop.c}. A driver is known by the operations of its disks, its structs by the
kernel's own types or by its module's; where a module's are not in the kernel, that is said. What hangs on a disk must
name that disk or its queue.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.block import Disk, disks
from oopscope.linux.device import Devices
from oopscope.linux.open_by import files_of_first
from oopscope.linux.optional_module import types_of
from oopscope.structs.layout import Types
from oopscope.structs.plan import Bound, Plan

MAX_TARGETS = 64
# drivers/md/dm.h and dm-core.h: bits of mapped_device.flags
DM_FLAGS = {0: "I/O held back", 1: "suspended", 2: "frozen", 3: "being freed", 4: "being deleted", 6: "to be removed"}


class Drive(NamedTuple):
    """What drives a disk."""

    disk: str
    kind: str
    identity: str  # who made it, or what it is made of
    state: str
    notes: tuple[str, ...]
    address: int  # of the driver's own struct


class ScsiDevice(NamedTuple):
    """struct scsi_device."""

    host: int
    queue: int
    channel: int
    id: int
    lun: int
    vendor: int | tuple[int, ...]  # where that is; by 7.2 the text itself
    model: int | tuple[int, ...]
    revision: int | tuple[int, ...]
    state: int
    depth: int
    blocked: int
    requested: int
    done: int
    errors: int
    timeouts: int | None


class ScsiHost(NamedTuple):
    """struct Scsi_Host."""

    number: int
    state: int
    failed: int
    blocked: int


class NvmeSpace(NamedTuple):
    """struct nvme_ns."""

    ctrl: int
    queue: int
    head: int


class NvmeCtrl(NamedTuple):
    """struct nvme_ctrl."""

    state: int
    instance: int
    queues: int
    subsystem: int
    resets: int | None


class NvmeSubsystem(NamedTuple):
    """struct nvme_subsystem, whose texts have blanks at their ends."""

    model: bytes
    serial: bytes
    firmware: bytes


class MappedDevice(NamedTuple):
    """struct mapped_device."""

    disk: int
    flags: int
    opened: int
    cell: int
    table: int


class HashCell(NamedTuple):
    """struct hash_cell: a mapped device by its name."""

    name: int


class MapTable(NamedTuple):
    """struct dm_table."""

    number: int
    targets: int


class MapTarget(NamedTuple):
    """struct dm_target."""

    type: int


class LoopDevice(NamedTuple):
    """struct loop_device."""

    disk: int
    state: int
    file: int
    offset: int


class RaidDevice(NamedTuple):
    """struct mddev."""

    disk: int
    level: int
    disks: int
    degraded: int
    read_only: int


SCSI = Plan(
    "scsi_device", ScsiDevice, queue="request_queue", revision="rev", state="sdev_state", depth="queue_depth",
    blocked="device_blocked.counter", requested="iorequest_cnt.counter", done="iodone_cnt.counter",
    errors="ioerr_cnt.counter", timeouts="iotmo_cnt.counter",
)  # fmt: skip
HOST = Plan("Scsi_Host", ScsiHost, number="host_no", state="shost_state", failed="host_failed",
            blocked="host_blocked.counter")  # fmt: skip
NVME = Plan("nvme_ns", NvmeSpace)
CTRL = Plan("nvme_ctrl", NvmeCtrl, queues="queue_count", subsystem="subsys", resets="nr_reset.counter")
SUBSYSTEM = Plan("nvme_subsystem", NvmeSubsystem, firmware="firmware_rev")
MAPPED = Plan("mapped_device", MappedDevice, opened="open_count.counter", cell="interface_ptr", table="map")
CELL = Plan("hash_cell", HashCell)
MAP_TABLE = Plan("dm_table", MapTable, number="num_targets")
MAP_TARGET = Plan("dm_target", MapTarget)
LOOP = Plan("loop_device", LoopDevice, disk="lo_disk", state="lo_state", file="lo_backing_file", offset="lo_offset")
RAID = Plan("mddev", RaidDevice, disk="gendisk", disks="raid_disks", read_only="ro")


class _Reader:
    """The drivers' structs of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.devices, self.files = Devices(kernel), files_of_first(kernel)

    def bind(self, plan: Plan[Any], types: Types) -> Bound[Any]:
        """Bind a plan to a driver's types."""
        return plan.bind(types, self.memory, self.kernel.endian)

    def scsi(self, name: str, disk: int, queue: int) -> Drive:
        """Return the row of a SCSI disk, whose queue leads to its device."""
        types = types_of(self.kernel, "scsi_mod", "scsi_device")
        at = self.devices.follow(queue, "request_queue", "queuedata")
        row = self.bind(SCSI, types).row(at)
        host = self.bind(HOST, types).row(row.host)
        if row.queue != queue:
            raise Implausible(f"what should be the SCSI device of {name} has another queue", at)
        words = (self.devices.text(one, most).strip() for one, most in
                 ((row.vendor, 8), (row.model, 16), (row.revision, 4)))  # fmt: skip
        notes = [f"{host.number}:{row.channel}:{row.id}:{row.lun}", f"depth {row.depth}", f"{row.requested} commands",
                 f"{(row.requested - row.done) & 0xFFFFFFFF} not done", f"{row.errors} errors"]  # fmt: skip
        notes += [f"{row.timeouts} timed out"] if row.timeouts is not None else []
        notes += [f"host {_named(types, 'scsi_host_state', host.state, 'SHOST_')}"]
        notes += [f"{host.failed} commands failed on the host"] if host.failed else []
        notes += ["device blocked"] if row.blocked else []
        notes += ["host blocked"] if host.blocked else []
        state = _named(types, "scsi_device_state", row.state, "SDEV_")
        return Drive(name, "SCSI", " ".join(words), state, tuple(notes), at)

    def nvme(self, name: str, disk: int, queue: int) -> Drive:
        """Return the row of an NVMe namespace: that of its controller."""
        types = types_of(self.kernel, "nvme_core", "nvme_ns")
        at = self.devices.follow(disk, "gendisk", "private_data")
        row = self.bind(NVME, types).row(at)
        if row.queue != queue:
            raise Implausible(f"what should be the namespace of {name} has another queue", at)
        ctrl = self.bind(CTRL, types).row(row.ctrl)
        made = self.bind(SUBSYSTEM, types).row(ctrl.subsystem)
        texts = (decoded(one).strip() for one in made)
        notes = [f"nvme{ctrl.instance}", f"{ctrl.queues} queues"]
        notes += [f"{ctrl.resets} resets"] if ctrl.resets is not None else []
        state = _named(types, "nvme_ctrl_state", ctrl.state, "NVME_CTRL_")
        return Drive(name, "NVMe", " ".join(texts), state, tuple(notes), row.ctrl)

    def mapped(self, name: str, disk: int, _queue: int) -> Drive:
        """Return the row of a device-mapper device."""
        types = types_of(self.kernel, "dm_mod", "mapped_device")
        at = self.devices.follow(disk, "gendisk", "private_data")
        row = self.bind(MAPPED, types).row(at)
        if row.disk != disk:
            raise Implausible(f"what should be the mapped device of {name} is another's", at)
        called = self.devices.text(self.bind(CELL, types).row(row.cell).name, 128) if row.cell else ""
        notes = [f"opened {row.opened} times", *self._targets(types, row.table)]
        state = ", ".join(words for bit, words in DM_FLAGS.items() if row.flags >> bit & 1) or "live"
        return Drive(name, "device-mapper", called, state, tuple(notes), at)

    def _targets(self, types: Types, table: int) -> list[str]:
        if not table:
            return ["no table"]
        row = self.bind(MAP_TABLE, types).row(table)
        if row.number > 1 << 16:
            raise Implausible(f"a table of {row.number} targets", table)
        names = list[str]()
        for target in self.bind(MAP_TARGET, types).array(row.targets, min(row.number, MAX_TARGETS)):
            kind = self.devices.text(self.memory.word(target.type + types.member("target_type", "name").offset), 32)
            names += [kind] if kind not in names else []
        return [f"{row.number} x {', '.join(names)}" if row.number else "no targets"]

    def loop(self, name: str, disk: int, _queue: int) -> Drive:
        """Return the row of a loop device."""
        types = types_of(self.kernel, "loop", "loop_device")
        at = self.devices.follow(disk, "gendisk", "private_data")
        row = self.bind(LOOP, types).row(at)
        if row.disk != disk:
            raise Implausible(f"what should be the loop device of {name} is another's", at)
        path = self.files.path_of_file(row.file) if row.file and self.files is not None else ""
        notes = (f"from byte {row.offset}",) if row.offset else ()
        state = LOOP_STATES[row.state] if 0 <= row.state < len(LOOP_STATES) else f"state {row.state}"
        return Drive(name, "loop", path, state, notes, at)

    def raid(self, name: str, disk: int, _queue: int) -> Drive:
        """Return the row of an md device."""
        types = types_of(self.kernel, "md_mod", "mddev")
        at = self.devices.follow(disk, "gendisk", "private_data")
        row = self.bind(RAID, types).row(at)
        if row.disk != disk:
            raise Implausible(f"what should be the array of {name} is another's", at)
        state = "degraded" if row.degraded else "read-only" if row.read_only else "live"
        notes = (f"{row.disks} disks", *((f"{row.degraded} missing",) if row.degraded else ()))
        return Drive(name, "md", f"raid level {row.level}", state, notes, at)


LOOP_STATES = ("not bound", "bound", "being unbound", "being deleted")  # enum of drivers/block/loop.c
Make = Callable[[_Reader, str, int, int], Drive]
# By the symbol of a disk's operations.
DRIVERS: dict[str, Make] = {
    "sd_fops": _Reader.scsi, "sr_bdops": _Reader.scsi, "nvme_bdev_ops": _Reader.nvme, "nvme_fops": _Reader.nvme,
    "dm_blk_dops": _Reader.mapped, "dm_rq_blk_dops": _Reader.mapped, "lo_fops": _Reader.loop, "md_fops": _Reader.raid,
}  # fmt: skip


def _named(types: Types, enum: str, value: int, prefix: str) -> str:
    """Return the name of an enumerator in small letters."""
    found = next((name for name, number in types.enum(enum).items() if number == value), None)
    return found.removeprefix(prefix).replace("_", " ").lower() if found else f"state {value}"


@once
def drives(kernel: Kernel) -> list[Drive]:
    """Return what drives each disk whose driver is known here; a loop device without a file is none."""
    reader, found = _Reader(kernel), list[Drive]()
    with kernel.problems.counted("drives", "disks") as note:
        for disk in disks(kernel):
            try:
                row = _drive(kernel, reader, disk) if disk.kind == "disk" else None
            except OopscopeError as e:
                note(disk.name, e)
                continue
            if row is not None and (row.kind != "loop" or row.state != LOOP_STATES[0]):
                found.append(row)
    return found


def _drive(kernel: Kernel, reader: _Reader, disk: Disk) -> Drive | None:
    known = kernel.name_of(reader.devices.follow(disk.address, "gendisk", "fops"))
    make = DRIVERS.get(known.symbol) if known is not None and not known.offset else None
    if make is None:
        return None
    return make(reader, disk.name, disk.address, reader.devices.follow(disk.address, "gendisk", "queue"))
