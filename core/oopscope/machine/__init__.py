"""The machines whose kernels are known, a folder each: processor, memory, stacks, unwinding, the words of an oops."""

from importlib import import_module
from importlib.util import find_spec

from oopscope.arch import Arch
from oopscope.errors import Unsupported
from oopscope.machine.common.wordings import Wordings

# The key, and the folder here that has it: `arch` has ARCH, `machine` MACHINE, `wordings` WORDINGS.
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
