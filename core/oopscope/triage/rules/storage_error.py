"""A pool, array or verified device failed, and is set to stop the machine then. OpenZFS, dm-verity, md, dm."""

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"Pool '.*' has encountered an uncorrectable I/O failure|(?:dm-verity|device-mapper: verity).*|"
    r"md[:/].*(?:failed|Not enough)|"
    r"(?:Disk|I/O) error.*|blk_update_request: .*|.*uncorrectable I/O (?:error|failure).*"
)
BEFORE = r"(?:WARNING: Pool |device-mapper: |.*I/O error|Buffer I/O error|blk_update_request|ata\d|sd \d|nvme )"
LEAST = 2  # lines: one alone may be of anything
CAUSES = {
    "io-error": ("storage-error", "A disk failed"),
    "filesystem-error": ("filesystem-error", "A file system failed"),
}


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words; of a log that tells of no death, on what it tells of storage."""
    if death.only_log and death.cause is None:
        return _trouble(death)
    if death.panic is None or not SAID.match(death.panic_message or ""):
        return None
    evidence = [death.from_log(death.lines[death.panic.row])]
    before = death.lately(BEFORE)
    if before:
        evidence.append(death.from_log(before[0]))
    pool = "failure mode" in (death.panic_message or "")
    how = "; its failmode is panic" if pool else ""
    return death.verdict(
        "storage",
        "storage-error",
        "Storage failed, and that is set to be fatal",
        f"{(death.panic_message or '').rstrip('.')}{how}.",
        "certain",
        evidence,
        (
            "See which device failed, earlier in the log: cabling, controller or disk.",
            "What stops the machine then is a setting (failmode of a pool, panic_on_corruption of dm-verity).",
        ),
    )


def _trouble(death: Death) -> Verdict | None:
    """Judge a log that tells of no death by its errors of storage, the disk's before the file system's."""
    found = [one for one in death.findings if one.id in CAUSES and len(one.evidence) >= LEAST]
    first = min(found, key=lambda one: list(CAUSES).index(one.id), default=None)
    if first is None:
        return None
    cause, title = CAUSES[first.id]
    others = [one for one in found if one is not first]
    also = f"; {others[0].text}" if others else ""
    return death.verdict(
        "storage",
        cause,
        title,
        f"The log tells of no death; it tells of this: {first.text}{also}.",
        "possible",
        [piece for one in found for piece in one.evidence[:2]],
        (
            "Look at the disk, its cable, its controller, its path or host; then check what stands on it.",
            "If the machine died, the end of its log is missing: look for the console's, netconsole's or pstore's.",
        ),
        blame=False,
    )
