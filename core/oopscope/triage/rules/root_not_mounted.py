"""The root file system could not be mounted, or no init was found. Follows init/do_mounts.c and init/main.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"VFS: Unable to mount root fs|No working init found|VFS: .*root device|No init found|Requested init \S+ failed"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not re.search(SAID, death.panic_message or "") or death.panic_line is None:
        return None
    evidence = [death.from_log(death.lines[death.panic_line])]
    device = death.lately(r"VFS: Cannot open root device (.*)")
    if device:
        evidence.append(death.from_log(device[0]))
    return death.verdict(
        "software",
        "root-not-mounted",
        "No root file system",
        f"The kernel could not start user space: {(death.panic_message or '').rstrip('.')}.",
        "certain",
        evidence,
        ("Check root= on the command line, and that the initramfs is there and holds the storage driver.",),
    )
