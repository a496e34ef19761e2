"""The machines whose kernels are known, a folder each: processor, memory, stacks, unwinding, the words of an oops."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from oopscope.arch import Arch
from oopscope.errors import Unsupported

if TYPE_CHECKING:
    from oopscope.machine.common.wordings import Wordings


class Line(NamedTuple):
    """A machine: its key, its folder (`arch` has ARCH, `machine` MACHINE, `wordings` WORDINGS), and what tells it."""

    key: str
    folder: str
    told_by: tuple[str, ...]  # keys that only its kernels' VMCOREINFO has
    # Where no key tells it:
    root: range = range(0)  # addresses that only its kernels' swapper_pg_dir has
    below_text: bool = False  # swapper_pg_dir lies below the text, as on no other machine of 32 bits


MACHINES: tuple[Line, ...] = (
    Line(
        "x86_64",
        "oopscope.machine.x86_64",
        ("NUMBER(pgtable_l5_enabled)", "SYMBOL(init_top_pgt)", "NUMBER(KERNEL_IMAGE_SIZE)"),
    ),
    Line("i386", "oopscope.machine.i386", ("CONFIG_X86_PAE",)),
    Line("arm", "oopscope.machine.arm", ("CONFIG_ARM_LPAE",), below_text=True),
    Line("aarch64", "oopscope.machine.aarch64", ("NUMBER(kimage_voffset)",)),
    Line("s390x", "oopscope.machine.s390x", ("SYMBOL(lowcore_ptr)",)),
    Line("powerpc", "oopscope.machine.powerpc", ("SYMBOL(mmu_psize_defs)",)),
    Line("riscv64", "oopscope.machine.riscv64", ("NUMBER(va_kernel_pa_offset)",)),
    Line("loongarch64", "oopscope.machine.loongarch64", (), root=range(9 << 60, 0xA << 60)),
    Line("mips", "oopscope.machine.mips", ()),
    Line("sparc64", "oopscope.machine.sparc64", ()),
)


def readable() -> dict[str, str]:
    """Return the machines whose dumps can be read, and their folders; of the others only an oops's words are known."""
    return {line.key: line.folder for line in MACHINES if find_spec(f"{line.folder}.arch")}


def arch(key: str) -> Arch:
    """Return an architecture by its key; Unsupported for one that is not in the table."""
    folder = next((line.folder for line in MACHINES if line.key == key), None)
    if folder is None or not find_spec(f"{folder}.arch"):
        raise Unsupported(f"machine {key!r} is not supported yet; known: {', '.join(readable())}")
    found: Arch = import_module(f"{folder}.arch").ARCH
    return found


def arch_of_machine(machine: str) -> Arch:
    """Return the architecture of a utsname machine name; Unsupported for one that is not in the table."""
    return next((a for key in readable() if machine in (a := arch(key)).machines), None) or arch(machine)


def arch_of_info(info: Mapping[str, str]) -> Arch | None:
    """Return the architecture that VMCOREINFO tells: by a key, else by where the tables lie; None where by neither."""
    found = next((line for line in MACHINES if any(key in info for key in line.told_by)), None)
    root, text = (_address(info.get(f"SYMBOL({name})")) for name in ("swapper_pg_dir", "_stext"))
    below = 0 <= root < text < 1 << 32
    found = found or next((line for line in MACHINES if root in line.root or (below and line.below_text)), None)
    return arch(found.key) if found is not None else None


def _address(text: str | None) -> int:
    """Return a hexadecimal number; -1 where there is none."""
    try:
        return int(text or "", 16)
    except ValueError:
        return -1


def wordings(key: str) -> "Wordings":
    """Return how the kernel of a machine words an oops, by its key."""
    found: Wordings = import_module(f"{next(line.folder for line in MACHINES if line.key == key)}.wordings").WORDINGS
    return found


def all_wordings() -> "tuple[Wordings, ...]":
    """Return every machine's wordings, for a log whose machine is not known."""
    return tuple(wordings(line.key) for line in MACHINES)
