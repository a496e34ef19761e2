"""The table `virtqueues`: the queues between a virtual machine and its host."""

from oopscope.linux.virtqueue import virtqueues
from oopscope.subsystems import Column, Table

TABLE = Table(
    "virtqueues",
    "virtio queues",
    (
        Column("device", "Device", help="virtio0 and so on, as below /sys/bus/virtio."),
        Column("driver", "Driver", help="Whose it is: virtio_blk, virtio_net ...; none is bound to it otherwise."),
        Column("queue", "Queue", help="The queue, by the driver's name for it."),
        Column("state", "State", help="broken: the driver gave it up; the device answers nothing any more."),
        Column("with_host", "Host has", "int", "Buffers that the host was given and did not give back."),
        Column("unseen", "Unseen", "int", "Buffers that the host gave back and the driver did not look at yet."),
        Column("free", "Free", "int", "Descriptors that are free."),
        Column("entries", "Of", "int", "How many entries the ring has."),
        Column("number", "#", "int", "The queue's number in its device.", brief=False),
        Column("address", "Address", "address", "Its struct virtqueue.", brief=False),
    ),
    virtqueues,
    "io",
    ("device", "number"),
    asked=True,
    when_opened=True,
)
