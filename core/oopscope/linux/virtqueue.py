"""virtio: the queues between a virtual machine and its host, what the host has and what it gave back.

Follows drivers/virtio/virtio_ring.c and include/uapi/linux/virtio_ring.h. A queue must name the device in whose list it
hangs. The host writes the index of what it gave back; what the guest did not look at yet waits for an interrupt that
was lost, or for a CPU that takes none.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Implausible, NoType, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.device import Device, Devices
from oopscope.linux.module_types import module_types
from oopscope.structs.plan import Bound, Plan

MAX_QUEUES, MAX_ENTRIES = 4096, 1 << 15
MODULE = "virtio_ring"  # whose types the ring is of, where it is not built in
USED_INDEX = 2  # vring_used.idx


class Virtqueue(NamedTuple):
    """struct virtqueue."""

    address: int
    link: int
    name: int
    device: int
    number: int
    free: int
    most: int | None  # a member since 6.0


class RingStruct(NamedTuple):
    """struct vring_virtqueue, as far as a split ring goes."""

    broken: int
    seen: int
    entries: int
    used: int
    handed: int
    packed: int | None


VIRTQUEUE = Plan("virtqueue", Virtqueue, link="&list", device="vdev", free="num_free", most="num_max", number="index")
RING = Plan(
    "vring_virtqueue", RingStruct, seen="last_used_idx", entries="split.vring.num", used="split.vring.used",
    handed="split.avail_idx_shadow", packed="packed_ring",
)  # fmt: skip


class VirtioQueue(NamedTuple):
    """A queue of a virtio device; None where the ring's types are not in this kernel, or it is a packed one."""

    device: str
    driver: str | None
    queue: str
    state: str
    entries: int | None
    free: int
    with_host: int | None  # buffers that the host has
    unseen: int | None  # that it gave back and the driver did not look at
    number: int
    address: int


class _Queues:
    """The queues of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.lost = kernel, kernel.problems.lost("virtqueues", "a queue")
        self.devices, self.bound = Devices(kernel, self.lost), kernel.bind(VIRTQUEUE)
        self.inside = kernel.types.member("virtio_device", "dev").offset
        self.head = kernel.types.member("virtio_device", "vqs").offset
        self.offset, self.ring = self._ring(kernel)

    def _ring(self, kernel: Kernel) -> tuple[int, Bound[RingStruct] | None]:
        """Return where in a vring_virtqueue the virtqueue is, and its plan; None where nothing has its types."""
        try:
            types = kernel.types if kernel.types.has_member("vring_virtqueue", "vq") else module_types(kernel, MODULE)
            return types.member("vring_virtqueue", "vq").offset, RING.bind(types, kernel.memory, kernel.endian)
        except NoType:
            kernel.problems.add("virtqueues", f"the types of module {MODULE} are not in this kernel")
            return 0, None

    def of(self, device: Device) -> Iterator[VirtioQueue]:
        """Yield the queues of a device."""
        own = device.address - self.inside
        walk = for_each_list(self.kernel.memory, own + self.head, self.bound.offset("link"), self.lost, MAX_QUEUES)
        for row in self.bound.rows(walk, self.lost):
            if row.device != own:
                raise Implausible("what should be a queue is of another device", row.address)
            yield self._row(device, row)

    def _row(self, device: Device, row: Virtqueue) -> VirtioQueue:
        name = self.devices.text(row.name)
        if self.ring is None:
            return VirtioQueue(
                device.name, device.driver, name, "", row.most, row.free, None, None, row.number, row.address
            )
        ring = self.ring.row(row.address - self.offset)
        split = not ring.packed and 0 < ring.entries <= MAX_ENTRIES
        with_host = unseen = None
        if split:
            used = int.from_bytes(self.kernel.memory.read(ring.used + USED_INDEX, 2), self.kernel.arch.byteorder)
            with_host, unseen = (ring.handed - used) & 0xFFFF, (used - ring.seen) & 0xFFFF
            if with_host > ring.entries or unseen > ring.entries:
                raise Implausible("a ring whose indices are further apart than it is long", row.address)
        return VirtioQueue(
            device.name, device.driver, name, "broken" if ring.broken else "", ring.entries if split else row.most,
            row.free, with_host, unseen, row.number, row.address,
        )  # fmt: skip


@once
def virtqueues(kernel: Kernel) -> list[VirtioQueue]:
    """Return the queues of all virtio devices; none on a machine without."""
    if not kernel.types.has_member("virtio_device", "vqs"):
        return []
    reader, found = _Queues(kernel), list[VirtioQueue]()
    for device in reader.devices.on("virtio"):
        try:
            found += reader.of(device)
        except OopscopeError as e:
            reader.lost(e)
    return sorted(found, key=lambda one: (one.device, one.number))
