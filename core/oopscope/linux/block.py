"""Disks, their queues, and the requests that they have been given and not answered.

Follows block/{genhd.c,blk-mq.c,blk-mq-tag.c} and lib/sbitmap.c. Devices hang in the list of block_class, whose private
part is found by its class (2df418cf4b72 "driver core: class: remove subsystem private pointer from struct class", 6.4).
A request counts as in flight when its tag's bit is set, it belongs to the queue by which it was reached, and its state
is not idle.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.cgroup import path_of
from oopscope.linux.sched import runqueues
from oopscope.linux.task import task_structs
from oopscope.linux.xarray import entries
from oopscope.structs.plan import Plan

SECTOR = 512
SECOND = 1e9
MAX_QUEUES = 8192
MAX_TAGS = 1 << 16
IDLE = 0  # MQ_RQ_IDLE
STATES = {1: "in flight", 2: "complete"}
OPERATIONS = {
    0: "read", 1: "write", 2: "flush", 3: "discard", 5: "secure erase", 9: "write zeroes", 10: "zone open",
    11: "zone close", 12: "zone finish", 13: "zone append", 15: "zone reset", 34: "driver in", 35: "driver out",
}  # fmt: skip  # enum req_opf, enum req_op since 6.1


class Disk(NamedTuple):
    """A disk or a partition; counts of a partition are its disk's."""

    name: str
    kind: str  # disk or partition
    driver: str | None
    bytes: int | None
    in_flight: int | None
    oldest_seconds: float | None
    state: str | None  # live, frozen, quiesced
    scheduler: str | None
    queues: int | None
    address: int  # of its struct gendisk


class Request(NamedTuple):
    """A request that a driver has, or is about to have."""

    disk: str
    age_seconds: float | None
    operation: str
    sector: int
    bytes: int
    tag: int
    state: str
    queue: int  # the hardware queue
    pid: int | None
    comm: str | None
    address: int
    cgroup: str | None = None  # path of the control group that it is charged to


class Queue(NamedTuple):
    """struct request_queue."""

    nr_hw_queues: int
    elevator: int
    mq_freeze_depth: int
    quiesce_depth: int | None
    hw_ctx: int | None
    hctx_table: int | None


class Hardware(NamedTuple):
    """struct blk_mq_hw_ctx."""

    tags: int
    queue_num: int


class Tags(NamedTuple):
    """struct blk_mq_tags."""

    nr_tags: int
    nr_reserved_tags: int
    bitmap_tags: int
    breserved_tags: int
    rqs: int


class Bits(NamedTuple):
    """struct sbitmap."""

    depth: int
    shift: int
    map_nr: int
    map: int


class Word(NamedTuple):
    """struct sbitmap_word: bits that are set, less those to be cleared."""

    word: int
    cleared: int


class InFlight(NamedTuple):
    """struct request."""

    q: int
    cmd_flags: int
    tag: int
    length: int
    sector: int
    bio: int
    start: int
    io_start: int
    state: int


QUEUE = Plan("request_queue", Queue, hw_ctx="queue_hw_ctx", hctx_table="&hctx_table")
HARDWARE = Plan("blk_mq_hw_ctx", Hardware)
TAGS = Plan("blk_mq_tags", Tags, bitmap_tags="&bitmap_tags", breserved_tags="&breserved_tags")
BITS = Plan("sbitmap", Bits)
WORD = Plan("sbitmap_word", Word)
REQUEST = Plan(
    "request", InFlight, length="__data_len", sector="__sector", start="start_time_ns", io_start="io_start_time_ns"
)  # fmt: skip


class _Blocks:
    """The block devices of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types
        self.clock = max((queue.clock for queue in runqueues(kernel)), default=0)

    def at(self, struct: str, path: str) -> int:
        """Return a member's offset."""
        return self.types.member(struct, path).offset

    def follow(self, address: int, struct: str, path: str) -> int:
        """Return the pointer that a member holds."""
        return self.memory.word(address + self.at(struct, path))

    def text(self, address: int, most: int = 32) -> str:
        """Return a string."""
        return self.memory.text(address, most)

    def devices(self) -> Iterator[int]:
        """Yield the address of each struct device of block_class."""
        class_ = self.kernel.symbol("block_class")
        head = self._private(class_) + self.at("subsys_private", "klist_devices") + self.at("klist", "k_list")
        node = self.at("klist_node", "n_node") + self.at("device_private", "knode_class")
        for private in for_each_list(self.memory, head, node, self.kernel.problems.lost("disks", "block_class")):
            yield self.follow(private, "device_private", "device")

    def _private(self, class_: int) -> int:
        if self.types.has_member("class", "p"):
            return self.follow(class_, "class", "p")
        head = self.memory.word(self.kernel.symbol("class_kset")) + self.at("kset", "list")
        kobject = self.at("kobject", "entry") + self.at("subsys_private", "subsys.kobj")
        for private in for_each_list(self.memory, head, kobject):
            if self.follow(private, "subsys_private", "class") == class_:
                return private
        return 0

    def disk(self, device: int) -> Disk:
        """Return the row of a device."""
        name = self.text(self.follow(device, "device", "kobj.name"))
        # 0d02129e76ed "block: merge struct block_device and struct hd_struct", 5.11: a block_device for each
        if self.types.has_member("block_device", "bd_device"):
            part = device - self.at("block_device", "bd_device")
            sectors = self.memory.word(part + self.at("block_device", "bd_nr_sectors"))
            gendisk = self.follow(part, "block_device", "bd_disk")
            whole = self.follow(gendisk, "gendisk", "part0") == part
        else:
            part = device - self.at("hd_struct", "__dev")
            sectors = self.memory.word(part + self.at("hd_struct", "nr_sects"))
            whole = self.memory.u32(part + self.at("hd_struct", "partno")) == 0
            owner = device if whole else self.follow(device, "device", "parent")
            gendisk = owner - self.at("hd_struct", "__dev") - self.at("gendisk", "part0")
        address = self.follow(gendisk, "gendisk", "queue")
        queue = self.kernel.bind(QUEUE).row(address)
        ages = [row.age_seconds for row in self.requests(name, address)] if whole else []
        known = [age for age in ages if age is not None]
        oldest = max(known) if known and len(known) == len(ages) else None
        state = "frozen" if queue.mq_freeze_depth else "quiesced" if queue.quiesce_depth else "live"
        return Disk(
            name, "disk" if whole else "partition", self._driver(device, gendisk), sectors * SECTOR,
            len(ages) if whole else None, oldest, state if whole else None,
            self._scheduler(queue.elevator) if whole else None, queue.nr_hw_queues if whole else None, gendisk,
        )  # fmt: skip

    def _driver(self, device: int, gendisk: int) -> str | None:
        """Return the driver of the device that it hangs on; of one that hangs on none what its operations are of."""
        parent = self.follow(device, "device", "parent")
        driver = self.follow(parent, "device", "driver") if parent else 0
        if driver:
            return self.text(self.follow(driver, "device_driver", "name"), 64)
        found = self.kernel.name_of(self.follow(gendisk, "gendisk", "fops"))
        return (found.module or found.symbol) if found is not None else None

    def _scheduler(self, elevator: int) -> str:
        if not elevator:
            return "none"
        kind, member = (
            self.follow(elevator, "elevator_queue", "type"),
            self.types.member("elevator_type", "elevator_name"),
        )
        place = kind + member.offset
        return self.text(self.memory.word(place) if member.kind == "ptr" else place, 16)

    def hardware(self, address: int) -> Iterator[int]:
        """Yield the hardware queues of a request queue.

        An array; from 5.18 (4e5cc99e1e48 "blk-mq: manage hctx map via xarray") to 6.18 an xarray.
        """
        queue = self.kernel.bind(QUEUE).row(address)
        count = min(queue.nr_hw_queues, MAX_QUEUES)
        if queue.hctx_table is not None:
            yield from (entry for _, entry in entries(self.kernel, queue.hctx_table))
        elif queue.hw_ctx:
            yield from self.memory.words(queue.hw_ctx, count)

    def requests(self, name: str, address: int) -> Iterator[Request]:
        """Yield what a request queue's driver has been given and has not answered."""
        bound = self.kernel.bind(REQUEST)
        seen: set[int] = set()
        for context in self.hardware(address):
            hardware = self.kernel.bind(HARDWARE).row(context)
            if not hardware.tags:
                continue
            tags = self.kernel.bind(TAGS).row(hardware.tags)
            for tag in self._set(tags):
                request = self.memory.word(tags.rqs + self.memory.word_size * tag) if tag < tags.nr_tags else 0
                if not request or request in seen:
                    continue
                found = bound.row(request)
                if found.q != address or found.state == IDLE or found.tag != tag:
                    continue
                seen.add(request)
                yield self._request(name, request, found, hardware.queue_num)

    def _set(self, tags: Tags) -> Iterator[int]:
        """Yield the tags whose bit is set; the reserved ones come first in number."""
        pointer = self.types.member("blk_mq_tags", "bitmap_tags").kind == "ptr"  # until 5.16 they could be shared
        for place, first in ((tags.breserved_tags, 0), (tags.bitmap_tags, tags.nr_reserved_tags)):
            queue = self.memory.word(place) if pointer else place
            bits = self.kernel.bind(BITS).row(queue + self.at("sbitmap_queue", "sb"))
            if not bits.map or bits.shift > 6 or bits.map_nr > MAX_TAGS or bits.depth > MAX_TAGS:
                continue
            words = self.kernel.bind(WORD)
            for number in range(bits.map_nr):
                word = words.row(bits.map + words.size * number)
                left = word.word & ~word.cleared
                for bit in range(1 << bits.shift):
                    tag = (number << bits.shift) + bit
                    if left >> bit & 1 and tag < bits.depth:
                        yield first + tag

    def _request(self, name: str, address: int, found: InFlight, queue: int) -> Request:
        began = found.io_start or found.start  # neither where the queue keeps no statistics
        age = max(self.clock - began, 0) / SECOND if began and self.clock else None
        operation = found.cmd_flags & 0xFF
        pid, comm = self._waits(found.bio)
        return Request(
            name, age, OPERATIONS.get(operation, f"operation {operation}"), found.sector, found.length, found.tag,
            STATES.get(found.state, f"state {found.state}"), queue, pid, comm, address, self._cgroup(found.bio),
        )  # fmt: skip

    def _cgroup(self, bio: int) -> str | None:
        """Return the path of the group that a bio is charged to (bi_blkg); None where none is noted."""
        if not bio or not self.types.has_member("bio", "bi_blkg"):
            return None
        try:
            blkg = self.follow(bio, "bio", "bi_blkg")
            blkcg = self.follow(blkg, "blkcg_gq", "blkcg") if blkg else 0
            group = self.memory.word(blkcg + self.at("blkcg", "css.cgroup")) if blkcg else 0
            return path_of(self.kernel, group) if group else None
        except OopscopeError:
            return None

    def _waits(self, bio: int) -> tuple[int | None, str | None]:
        """Return the task that waits for a bio: its private pointer is the task, leads to it, or is on its stack."""
        if not bio:
            return None, None
        try:
            private = self.follow(bio, "bio", "bi_private")
            tasks = task_structs(self.kernel)
            task = tasks.get(private) or tasks.get(self.memory.word(private) if private else 0)
        except OopscopeError:
            return None, None
        if task is None:
            size = 1 << 14
            task = next((one for one in tasks.values() if one.stack and one.stack <= private < one.stack + size), None)
        return (task.pid, decoded(task.comm)) if task is not None else (None, None)


@once
def disks(kernel: Kernel) -> list[Disk]:
    """Return every disk and partition."""
    blocks, found = _Blocks(kernel), []
    for device in blocks.devices():
        try:
            found.append(blocks.disk(device))
        except OopscopeError as e:
            kernel.problems.lost("disks", f"the disk of device {device:#x}")(e)
    return found


@once
def requests(kernel: Kernel) -> list[Request]:
    """Return every request in flight, the oldest first."""
    blocks, found = _Blocks(kernel), list[Request]()
    for disk in disks(kernel):
        if disk.kind != "disk":
            continue
        try:
            found += blocks.requests(disk.name, blocks.follow(disk.address, "gendisk", "queue"))
        except OopscopeError as e:
            kernel.problems.lost("requests", f"the requests of {disk.name}")(e)
    return sorted(found, key=lambda row: -(row.age_seconds or 0))
