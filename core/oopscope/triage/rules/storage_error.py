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


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
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
