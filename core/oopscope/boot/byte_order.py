"""The kernel's own word for its machine, which tells its byte order, whatever the dump's container is written in.

QEMU writes a big-endian ELF around a little-endian ppc64 kernel, and a distilled s390x dump is little-endian around a
big-endian one: a container's order says nothing of the kernel's. utsname.machine does ("ppc64le", "ppc64"), and being
text it reads the same in both orders.
"""

from importlib import import_module

from oopscope.arch import Arch
from oopscope.errors import OopscopeError, Unsupported
from oopscope.kernel.kernel import Kernel
from oopscope.linux.system import UTS_LENGTH

MACHINE = 4  # sysname, nodename, release, version, machine


def in_its_order(kernel: Kernel) -> Arch:
    """Return the kernel's architecture in the byte order that init_uts_ns tells, where the machine has both."""
    if not kernel.arch.other:
        return kernel.arch
    other: Arch = import_module(kernel.arch.other).ARCH
    return other if _machine(kernel) in other.machines else kernel.arch


def hold_byte_order(kernel: Kernel) -> None:
    """Raise Unsupported where init_uts_ns names the machine in the other byte order; its words would be misread."""
    name = _machine(kernel)
    if name is None or name in kernel.arch.machines:
        return
    from oopscope.elf import other_order

    if name in (other_order(known) for known in kernel.arch.machines):
        order = "big" if kernel.arch.byteorder == "little" else "little"
        raise Unsupported(f"a {order}-endian kernel ({name}) is not supported yet")


def _machine(kernel: Kernel) -> str | None:
    """Return utsname.machine by VMCOREINFO's own address; None where it says none, or the page is not there."""
    address, offset = kernel.info.symbol("init_uts_ns"), kernel.info.offset("uts_namespace.name")
    if address is None or offset is None:
        return None
    try:
        raw = kernel.memory.read(address + offset + MACHINE * UTS_LENGTH, UTS_LENGTH)
    except OopscopeError:
        return None
    return raw.partition(b"\0")[0].decode("ascii", "replace")
