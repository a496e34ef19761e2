"""One or more small whole dumps of every container, as files by name, for the tests that every container must pass."""

from collections.abc import Callable

from builders import noise_page, text_page
from builders.elf import Elf, Load
from builders.flattened import flatten
from builders.gcore import gcore
from builders.guestdump import guestdump
from builders.images import avml, lime, raw
from builders.kdump import EXCLUDED, Kdump
from builders.migration import Migration, Piece, arm_cpu, libvirt, x86_cpu
from builders.notes import VMCOREINFO, note, qemu_cpu, vmcoreinfo
from builders.vmware import cpu_tags, memory_tags, vmss
from builders.xen import context, dump_core

REGIONS = [(0, 0, 5), (5, 0x100000, 3)]
Files = dict[str, bytes]

PAGES = {1: text_page(1), 2: bytes(4096), 3: noise_page(3), 4: EXCLUDED, 40: text_page(40)}
NOTES = note("CORE", 1, bytes(336)) + vmcoreinfo()
RAM = b"".join(text_page(n) for n in range(1, 9))


def _split() -> Files:
    return {f"vmcore.{a}": Kdump(PAGES, split=(a, b), notes=NOTES).build() for a, b in ((0, 3), (3, 41))}


def _sent() -> list[Piece]:
    return [("pc.ram", n, noise_page(n) if n % 4 else 0) for n in range(20)]


FIXTURES: dict[str, dict[str, Callable[[], Files]]] = {
    "kdump": {
        "zlib": lambda: {"vmcore": Kdump(PAGES, notes=NOTES, vmcoreinfo=VMCOREINFO).build()},
        "zstd-64k": lambda: {
            "vmcore": Kdump({1: text_page(1, 65536), 9: noise_page(1, 65536)}, codec="zstd", block=65536).build()
        },
        "s390x": lambda: {
            "vmcore": Kdump(
                PAGES, endian=">", machine="s390x", notes=vmcoreinfo(endian=">"), vmcoreinfo=VMCOREINFO
            ).build()
        },
        "i686-v3": lambda: {
            "vmcore": Kdump(PAGES, bits=32, machine="i686", version=3, notes=NOTES, vmcoreinfo=VMCOREINFO).build()
        },
        "qemu-flattened": lambda: {"vmcore": flatten(Kdump(PAGES, codec="lzo", notes=qemu_cpu(0)).build(), 700, 5)},
        "split": _split,
    },
    "elf": {
        "vmcore": lambda: {
            "vmcore": Elf([Load(0x1000, RAM[:9000], memsz=0x6000), Load(0x100000, RAM)], [NOTES]).build()
        },
        "qemu": lambda: {"vmcore": Elf([Load(0, RAM)], [NOTES + qemu_cpu(0) + qemu_cpu(1)], xnum=True).build()},
        "big-endian-32": lambda: {
            "vmcore": Elf([Load(0x1000, RAM)], [vmcoreinfo(endian=">")], bits=32, endian=">", machine=20).build()
        },
        "flattened": lambda: {"vmcore": flatten(Elf([Load(0x1000, RAM)], [NOTES]).build(), 3000, 2)},
    },
    "gcore": {"q35": lambda: {"core": gcore(RAM * 256, "qemu-system-x86_64 -M q35 -m 8")}},
    "migration": {
        "stream": lambda: {"vm": Migration({"pc.ram": 20, "pc.bios": 2}, _sent(), cpus=[x86_cpu(0)]).build()},
        "libvirt": lambda: {"vm": libvirt(Migration({"pc.ram": 20, "pc.bios": 2}, _sent(), cpus=[x86_cpu(0)]).build())},
        "mapped": lambda: {
            "vm": Migration({"pc.ram": 20}, _sent(), cpus=[x86_cpu(0)], capabilities=["mapped-ram"]).build()
        },
        "aarch64": lambda: {
            "vm": Migration({"mach-virt.ram": 9}, [("mach-virt.ram", 1, RAM[:4096])], "virt-9.1", [arm_cpu(0)]).build()
        },
    },
    "vmware": {
        "inside": lambda: {"vm.vmss": vmss({"memory": memory_tags(REGIONS, RAM), "cpu": cpu_tags(2, blocks=True)})},
        "beside": lambda: {
            "vm.vmsn": vmss({"memory": memory_tags(REGIONS), "cpu": cpu_tags(1, blocks=False)}),
            "vm.vmem": RAM,
        },
    },
    "guestdump": {"beside": lambda: {"debug.guest": guestdump(8, [(5, 0xFFFFB)], 2), "debug.vmem": RAM}},
    "xen": {
        "hvm": lambda: {"core": dump_core({1: RAM[:4096], 2: RAM[4096:8192], 9: RAM[8192:12288]}, [context(0)])},
        "pv": lambda: {
            "core": dump_core({n: RAM[n : n + 4096] for n in range(9)}, [context(0)], host=lambda n: 90 - n)
        },
    },
    "lime": {"ranges": lambda: {"memory.lime": lime([(0x1000, RAM), (0x100000, RAM)])}},
    "avml": {
        "packed": lambda: {"memory.avml": avml([(0x1000, RAM), (0x100000, RAM)])},
        "plain": lambda: {"memory.avml": avml([(0x1000, RAM), (0x100000, RAM)], plain=True)},
    },
    "raw": {"note": lambda: {"memory.raw": raw({100: vmcoreinfo(), 1: text_page(1)})}},
}
