"""The driver model: the devices of a bus, by its name, and the driver of each.

Follows drivers/base/{bus.c,base.h} and include/linux/device.h. A device must name its own private part, by which it
hangs in the bus's list.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import Lost, for_each_list

MAX_DEVICES, MAX_BUSES = 100_000, 1000


class Device(NamedTuple):
    """A struct device."""

    address: int
    name: str
    driver: str | None


class Devices:
    """The devices of one kernel."""

    def __init__(self, kernel: Kernel, lost: Lost = None) -> None:
        self.kernel, self.memory, self.types, self.lost = kernel, kernel.memory, kernel.types, lost

    def at(self, struct: str, path: str) -> int:
        """Return a member's offset."""
        return self.types.member(struct, path).offset

    def follow(self, address: int, struct: str, path: str) -> int:
        """Return the pointer that a member holds."""
        return self.memory.word(address + self.at(struct, path))

    def text(self, address: int | tuple[int, ...], most: int = 64) -> str:
        """Return a string; nothing for no address. A member that is an array of bytes itself is given as it is."""
        if isinstance(address, tuple):
            return decoded(bytes(address[:most]).partition(b"\0")[0])
        return self.memory.text(address, most) if address else ""

    def bus(self, name: str) -> int | None:
        """Return the struct subsys_private of a bus; None where there is none of that name."""
        kset = self.memory.word(self.kernel.symbol("bus_kset"))
        entry = self.at("subsys_private", "subsys.kobj") + self.at("kobject", "entry")
        for private in for_each_list(self.memory, kset + self.at("kset", "list"), entry, self.lost, MAX_BUSES):
            if self.text(self.follow(private, "subsys_private", "subsys.kobj.name")) == name:
                return private
        return None

    def on(self, bus: str) -> Iterator[Device]:
        """Yield the devices of a bus; none where there is no such bus."""
        private = self.bus(bus)
        if private is None:
            return
        head = private + self.at("subsys_private", "klist_devices") + self.at("klist", "k_list")
        node = self.at("device_private", "knode_bus") + self.at("klist_node", "n_node")
        for own in for_each_list(self.memory, head, node, self.lost, MAX_DEVICES):
            device = self.follow(own, "device_private", "device")
            if self.follow(device, "device", "p") != own:
                raise Implausible("what should be a device has another's private part", device)
            driver = self.follow(device, "device", "driver")
            name = self.text(self.follow(driver, "device_driver", "name")) if driver else None
            yield Device(device, self.text(self.follow(device, "device", "kobj.name")), name)
