"""Errors of disks and of file systems that the log tells of."""

import re
from collections.abc import Iterator

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.triage.findings.of_log import age, by_rows, marked

MAX_SHOWN = 8
DISK_WORDS = (
    "I/O error", "critical medium error", "critical target error", "timing out command", "rejecting I/O",
    "failed command: ", "I/O timeout", "controller is down", "Sense Key : Medium", "Sense Key : Hardware",
    "link is slow to respond", "Device offlined", "md/raid", " timeout, aborting", " timeout, reset controller",
    " timeout, completion polled", "Device not ready; aborting", "attempting task abort",
)  # fmt: skip
DISK = lazy_re(
    r".*?(?:I/O error,? ?(?:on )?dev(?:ice)? (?P<dev>[\w!-]+)|error, dev (?P<dev2>[\w!-]+)|"
    r"\[(?P<dev3>[a-z]+)\]|"
    r"(?P<dev4>nvme\d+|ata\d+)|md/raid\w*:(?P<dev5>\w+))"
)
# What the same words begin where all is well, or of no disk that anybody misses: no floppy is there, no disc is in.
WELL = lazy_re(r"md/raid\S*: ?(?!.*(?:fail|[Ee]rror|cannot|[Nn]ot |faulty))|.*\bdev (?:fd|sr)\d")
FS_WORDS = (
    "EXT4-fs error", "EXT3-fs error", "EXT2-fs error", "EXT4-fs warning", "Remounting filesystem read-only",
    "XFS (", "BTRFS error", "BTRFS critical", "BTRFS warning", "JBD2: ", "Aborting journal", "F2FS-fs", "FAT-fs",
    "SQUASHFS error", "nfs: server",
)  # fmt: skip
FS = lazy_re(
    r"(?:EXT[234]-fs (?:error|warning)|(?:EXT4-fs|BTRFS|XFS|FAT-fs|F2FS-fs|JBD2|SQUASHFS).{0,40}"
    r"(?:[Ee]rror|critical|[Cc]orrupt|Aborting|[Ss]hut|read-only|Internal)|"
    r"Aborting journal|nfs: server .* not responding)"
)
FS_DEVICE = lazy_re(r".*?(?:\((?:device )?(?P<dev>[\w!.-]+)\)|on (?P<dev2>[\w!-]+)|server (?P<dev3>\S+))")


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for each disk, and one for each file system, that failed."""
    own = {row for report in death.end.chain for row in report.rows}
    disks: dict[str, list[int]] = {}
    systems: dict[str, list[int]] = {}
    for row, text in marked(death, *DISK_WORDS, *FS_WORDS):
        if row in own:
            continue
        if FS.match(text):
            systems.setdefault(_device(FS_DEVICE, text), []).append(row)
        elif any(word in text for word in DISK_WORDS) and not WELL.match(text):
            disks.setdefault(_device(DISK, text), []).append(row)
    for kind, what, groups in (("io-error", "I/O", disks), ("filesystem-error", "the file system", systems)):
        for device, rows in list(groups.items())[:MAX_SHOWN]:
            on = f" on {device}" if device else ""
            times = f" {len(rows)} times" if len(rows) > 1 else ""
            said = death.lines[rows[0]].text.strip()[:200].rstrip(".")
            text = f"{what}{on} failed{times}: {said}"
            yield Finding(kind, "error", text, age(death, death.log.ns(rows[0])), by_rows(death, rows))


def failed_disks(death: Death) -> list[Finding]:
    """Return those of disks alone: for a rule, which need not wait for all that was wrong."""
    return [one for one in find(death) if one.id == "io-error"]


def _device(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return next((value for value in found.groups() if value), "") if found else ""
