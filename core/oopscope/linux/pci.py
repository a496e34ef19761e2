"""PCI devices: what each is, which driver has it, in which state it is, what errors it reported (AER).

Follows include/linux/pci.h, drivers/pci/{probe.c,pcie/aer.c}. A device's name must agree with its bus and its number.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan

MAX_BUSES, MAX_DEVICES = 4096, 65_536
POWER = ("D0", "D1", "D2", "D3hot", "D3cold", "unknown")
CHANNEL = {1: "", 2: "frozen", 3: "failed for good"}  # pci_channel_state_t
IORESOURCE_IO, IORESOURCE_MEM = 0x100, 0x200
STANDARD = 6  # BARs
# Classes of include/linux/pci_ids.h, by their upper byte, and those of subclasses that say more.
CLASSES = {
    0x00: "old device", 0x01: "storage", 0x02: "network", 0x03: "display", 0x04: "multimedia", 0x05: "memory",
    0x06: "bridge", 0x07: "communication", 0x08: "system", 0x09: "input", 0x0A: "docking station", 0x0B: "processor",
    0x0C: "serial bus", 0x0D: "wireless", 0x0E: "intelligent controller", 0x0F: "satellite", 0x10: "encryption",
    0x11: "signal processing", 0x12: "accelerator", 0x13: "instrumentation", 0xFF: "other",
}  # fmt: skip
SUBCLASSES = {
    0x0100: "SCSI", 0x0101: "IDE", 0x0104: "RAID", 0x0106: "SATA", 0x0107: "SAS", 0x0108: "NVMe", 0x0200: "Ethernet",
    0x0207: "InfiniBand", 0x0300: "VGA", 0x0302: "3D", 0x0600: "host bridge", 0x0601: "ISA bridge",
    0x0604: "PCI bridge", 0x0C03: "USB", 0x0C04: "Fibre Channel", 0x0C05: "SMBus", 0x0403: "audio",
}  # fmt: skip
AER = ("dev_total_cor_errs", "dev_total_nonfatal_errs", "dev_total_fatal_errs")


class Bus(NamedTuple):
    """struct pci_bus."""

    address: int
    children: int
    devices: int
    number: int
    node: int


class Device(NamedTuple):
    """struct pci_dev."""

    address: int
    bus: int
    devfn: int
    vendor: int
    device: int
    subsystem_vendor: int
    subsystem_device: int
    kind: int
    driver: int
    power: int
    channel: int
    irq: int
    enabled: int
    name: int
    aer: int | None  # a struct of its own (CONFIG_PCIEAER), renamed by 7.0
    resources: int
    link: int


class Resource(NamedTuple):
    """struct resource: a range of addresses, its end included."""

    start: int
    end: int
    flags: int


BUS = Plan("pci_bus", Bus, children="&children", devices="&devices", node="&node")
DEVICE = Plan(
    "pci_dev", Device, kind="class", power="current_state", channel="error_state", enabled="enable_cnt.counter",
    name="dev.kobj.name", aer=("aer_info", "aer_stats"), resources="&resource", link="&bus_list",
)  # fmt: skip
RESOURCE = Plan("resource", Resource)


class PciDevice(NamedTuple):
    """A PCI device."""

    slot: str  # domain:bus:device.function
    kind: str
    id: str  # vendor:device, hexadecimal
    subsystem: str
    driver: str | None
    state: str
    irq: int
    correctable: int | None  # errors that it reported, where it can
    nonfatal: int | None
    fatal: int | None
    regions: tuple[str, ...]
    address: int


def _buses(kernel: Kernel) -> Iterator[Bus]:
    """Yield every bus, from the roots down."""
    bound, seen = kernel.bind(BUS), set[int]()
    lost = kernel.problems.lost("pci", "a bus")
    heads = [kernel.symbol("pci_root_buses")]
    while heads:
        for bus in bound.rows(for_each_list(kernel.memory, heads.pop(), bound.offset("node"), lost, MAX_BUSES), lost):
            if bus.address not in seen and len(seen) < MAX_BUSES:
                seen.add(bus.address)
                yield bus
                heads.append(bus.children)


def _row(kernel: Kernel, device: Device, slot: str) -> PciDevice:
    driver = None
    if device.driver:
        name = kernel.memory.word(device.driver + kernel.types.member("pci_driver", "name").offset)
        driver = kernel.memory.text(name, 64)
    power = "" if not device.power or device.power == 5 else POWER[device.power] if device.power < 5 else "?"
    words = ["enabled" if device.enabled > 0 else "not enabled", power, CHANNEL.get(device.channel, "")]
    counts = _errors(kernel, device)
    known = CLASSES.get(device.kind >> 16, f"class {device.kind >> 16:#04x}")
    kind = SUBCLASSES.get(device.kind >> 8, known)
    return PciDevice(
        slot, kind, f"{device.vendor:04x}:{device.device:04x}",
        f"{device.subsystem_vendor:04x}:{device.subsystem_device:04x}", driver,
        ", ".join(word for word in words if word), device.irq, *counts, tuple(_regions(kernel, device)),
        device.address,
    )  # fmt: skip


def _errors(kernel: Kernel, device: Device) -> tuple[int | None, int | None, int | None]:
    """Return how many correctable, non-fatal and fatal errors a device reported; None for one that cannot."""
    if not device.aer:
        return None, None, None
    struct = "aer_info" if kernel.types.has_member("pci_dev", "aer_info") else "aer_stats"
    one, two, three = (
        int.from_bytes(kernel.memory.read(device.aer + kernel.types.member(struct, name).offset, 8),
                       kernel.arch.byteorder) for name in AER
    )  # fmt: skip
    return one, two, three


def _regions(kernel: Kernel, device: Device) -> Iterator[str]:
    for row in kernel.bind(RESOURCE).array(device.resources, STANDARD):
        if row.start and row.end >= row.start:
            kind = "I/O" if row.flags & IORESOURCE_IO else "memory" if row.flags & IORESOURCE_MEM else "?"
            yield f"{kind} {row.start:#x}-{row.end:#x}"


@once
def pci_devices(kernel: Kernel) -> list[PciDevice]:
    """Return the PCI devices by their place; a kernel without PCI has none."""
    found, bound, lost = list[PciDevice](), kernel.bind(DEVICE), kernel.problems.lost("pci", "a device")
    for bus in _buses(kernel):
        walk = for_each_list(kernel.memory, bus.devices, bound.offset("link"), lost, MAX_DEVICES)
        for device in bound.rows(walk, lost):
            try:
                slot = kernel.memory.text(device.name, 32)
                place = f"{bus.number:02x}:{device.devfn >> 3:02x}.{device.devfn & 7}"
                if device.bus != bus.address or not slot.endswith(place):
                    kernel.problems.add("pci", f"what should be the device {place} is another", device.address)
                    continue
                found.append(_row(kernel, device, slot))
            except Absent:
                raise
            except OopscopeError as e:
                lost(e)
    return sorted(found, key=lambda one: one.slot)
