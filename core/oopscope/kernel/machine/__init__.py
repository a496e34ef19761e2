"""How a kernel of each architecture maps itself, and where its stacks are: what page tables alone do not say."""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from oopscope.arch import Arch
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

PhysBase = Callable[[], int | None]  # what the container says, asked only where VMCOREINFO does not


class Machine(Protocol):
    """The kernel-dependent part of an architecture, as a module of this folder provides it."""

    def kernel_memory(self, arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
        """Return the kernel's address space."""
        ...


def machine(arch: Arch) -> Machine:
    """Import the machine module of an architecture."""
    found: Machine = import_module(arch.module)
    return found
