"""How a kernel of each architecture maps itself, and where its stacks are: what page tables alone do not say."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from oopscope.arch import Arch
from oopscope.errors import Unsupported
from oopscope.machine.common.wordings import Wordings
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

PhysBase = Callable[[], int | None]  # what the container says, asked only where VMCOREINFO does not


class Machine(Protocol):
    """The kernel-dependent part of an architecture, as a module of this folder provides it."""

    def kernel_memory(self, arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
        """Return the kernel's address space."""
        ...


# The key, and the folder here that has it: `arch` has ARCH, `memory` what Machine asks, `wordings` WORDINGS.
MACHINES: tuple[tuple[str, str], ...] = (
    ("x86_64", "oopscope.machine.x86_64"),
    ("i386", "oopscope.machine.i386"),
    ("aarch64", "oopscope.machine.aarch64"),
    ("s390x", "oopscope.machine.s390x"),
    ("powerpc", "oopscope.machine.powerpc"),
    ("riscv64", "oopscope.machine.riscv64"),
)


def _archs() -> dict[str, str]:
    """Return the machines whose dumps can be read; of the others only the words of an oops are known."""
    return {key: folder for key, folder in MACHINES if find_spec(f"{folder}.arch")}


def arch(key: str) -> Arch:
    """Return an architecture by its key; Unsupported for one that is not in the table."""
    known = _archs()
    if key not in known:
        raise Unsupported(f"machine {key!r} is not supported yet; known: {', '.join(known)}")
    found: Arch = import_module(f"{known[key]}.arch").ARCH
    return found


def arch_of_machine(machine: str) -> Arch:
    """Return the architecture of a utsname machine name."""
    return next((a for key in _archs() if machine in (a := arch(key)).machines), None) or arch(machine)


def wordings(key: str) -> Wordings:
    """Return how the kernel of a machine words an oops, by its key."""
    found: Wordings = import_module(f"{dict(MACHINES)[key]}.wordings").WORDINGS
    return found


def all_wordings() -> tuple[Wordings, ...]:
    """Return every machine's wordings, for a log whose machine is not known."""
    return tuple(wordings(key) for key, _folder in MACHINES)


def machine(arch: Arch) -> Machine:
    """Import the machine module of an architecture."""
    found: Machine = import_module(arch.module)
    return found
