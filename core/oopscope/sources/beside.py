"""The log that was saved beside a dump: by kdump, by a distribution's tools, or under the dump's own name.

It knows names and folders, and no content.
"""

import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# What the kernel that saved a dump, and kdump in it, said of the saving: kdump's own names.
SAVING, STATUS = "kexec-dmesg.log", "vmcore-creation.status"


def log_beside(path: Path) -> Path | None:
    """Return the text of the log that was saved with a dump: by kdump, by Debian's or SUSE's, or under its name."""
    names = [f"{path.name}-dmesg.txt", f"{path.name}.dmesg.txt", f"{path.stem}.dmesg.txt"]
    if path.name.startswith("vmcore"):
        names += ["vmcore-dmesg.txt", "vmcore-dmesg-incomplete.txt", "dmesg.txt"]
    if path.name == "dump-incomplete":
        names.append(f"dmesg.{path.parent.name}")
    elif path.name.startswith("dump."):
        names.append(f"dmesg.{path.name[5:]}")
    with suppress(OSError):
        for name in names:
            found = path.with_name(name)
            if found.is_file() and stat.S_ISREG(found.stat().st_mode):
                return found
    return None


def belongs(log: Path, dumps: Iterable[Path]) -> bool:
    """Tell whether a log was saved with one of some dumps: then it is that one's, and no death of its own."""
    for dump in dumps:
        if log.parent == dump.parent and (
            log.name == SAVING
            or log_beside(dump) == log
            or log.name.startswith((f"{dump.name}.", f"{dump.name}-", f"{dump.stem}."))
        ):
            return True
    return False
