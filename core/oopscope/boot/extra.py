"""What a user can add to a dump that lacks it: VMCOREINFO's text, the kernel's types, its vmlinux, its symbols.

Each is a file, named by an option of the command line, which hands it on through the environment, so that the screen
and the workers of a fleet see it too. Nothing of a file is believed before it has been held against the dump.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from oopscope.errors import FormatError
from oopscope.sources.file import FileSource
from oopscope.symbols.vmcoreinfo import VmcoreInfo

OPTIONS = ("vmcoreinfo", "btf", "vmlinux", "symbols")
MAX_TEXT = 1 << 20


class Extra(NamedTuple):
    """The files given; None for one that was not."""

    vmcoreinfo: Path | None = None
    btf: Path | None = None
    vmlinux: Path | None = None
    symbols: Path | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Extra":
        """Return what OOPSCOPE_VMCOREINFO, OOPSCOPE_BTF, OOPSCOPE_VMLINUX and OOPSCOPE_SYMBOLS name."""
        paths = (environ.get(variable(name)) for name in OPTIONS)
        return cls(*(Path(p).expanduser() if p else None for p in paths))

    def has_types(self) -> bool:
        """Tell whether types come from a file."""
        return bool(self.btf or self.vmlinux)

    def is_at_fault(self, error: FormatError) -> bool:
        """Tell whether an error is one of these files."""
        return any(path is not None and str(error).startswith(f"{path}: ") for path in self)


def variable(option: str) -> str:
    """Return the environment variable that stands for an option."""
    return f"OOPSCOPE_{option.upper()}"


def open_file(path: Path) -> FileSource:
    """Open a file that a user gave; FormatError says why it cannot be."""
    try:
        return FileSource(path)
    except OSError as e:
        raise FormatError(f"{path}: {e.strerror or e}") from None


def info_of(path: Path) -> VmcoreInfo:
    """Read VMCOREINFO's text from a file, with or without the note around it; FormatError where there is none."""
    raw = open_file(path).read_at(0, MAX_TEXT)
    at = raw.find(b"OSRELEASE=")
    info = VmcoreInfo.parse(raw[at:]) if at >= 0 else VmcoreInfo({})
    if info.symbol("init_uts_ns") is None or not info.get("OSRELEASE"):
        raise FormatError(f"{path}: not VMCOREINFO's text, which has OSRELEASE= and SYMBOL(init_uts_ns)=")
    return info
