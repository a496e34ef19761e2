"""How a kernel of each architecture maps itself, and where its stacks are: what page tables alone do not say."""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from oopscope.arch import Arch
from oopscope.errors import Unsupported
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

PhysBase = Callable[[], int | None]  # what the container says, asked only where VMCOREINFO does not


class Machine(Protocol):
    """The kernel-dependent part of an architecture, as a module of this folder provides it."""

    def kernel_memory(self, arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
        """Return the kernel's address space."""
        ...


# The key, and the folder here that has it: its `arch` has ARCH, its `memory` what Machine asks.
MACHINES: tuple[tuple[str, str], ...] = (
    ("x86_64", "oopscope.machine.x86_64"),
    ("i386", "oopscope.machine.i386"),
)


def arch(key: str) -> Arch:
    """Return an architecture by its key; Unsupported for one that is not in the table."""
    try:
        module = dict(MACHINES)[key]
    except KeyError:
        raise Unsupported(f"machine {key!r} is not supported yet; known: {', '.join(k for k, _ in MACHINES)}") from None
    found: Arch = import_module(f"{module}.arch").ARCH
    return found


def arch_of_machine(machine: str) -> Arch:
    """Return the architecture of a utsname machine name."""
    return next((a for key, _ in MACHINES if machine in (a := arch(key)).machines), None) or arch(machine)


def machine(arch: Arch) -> Machine:
    """Import the machine module of an architecture."""
    found: Machine = import_module(arch.module)
    return found
