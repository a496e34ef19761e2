"""A file system found itself damaged, and errors=panic (or its kin) stops the machine then: ext4, XFS, btrfs ..."""

from oopscope.kernel.frame import Frame
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.findings.storage import failed_disks

FS = (
    r"(?:EXT[234]-fs|JBD2?|XFS|BTRFS|GFS2|OCFS2|ocfs2|F2FS-fs|REISERFS|JFS|UBIFS|FAT-fs|NILFS|UDF-fs|UFS|HFS|NTFS|"
    r"bcachefs|EROFS)"
)
SAID = lazy_re(rf"{FS}\b.*(?:panic|error|corrupt|fatal)|.*panic forced after error|(?:gfs2|btrfs) panic|{FS} panic")
ERROR = lazy_re(rf"{FS}\b[^:]*(?:error|corruption|critical|fatal)[^:]*: (?:comm \S+: )?(?P<function>\w+)?")
NAMED = lazy_re(rf"{FS} error \(device (?P<device>[^)]+)\)(?: in)?:? (?P<function>[a-z_]\w+)[:]")


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if death.panic is None or not SAID.match(death.panic_message or ""):
        return None
    evidence = [death.from_log(death.lines[death.panic.row])]
    error = death.lately(ERROR, within=3600 * 1_000_000_000)
    if error:
        evidence.insert(0, death.from_log(error[0]))
    named = NAMED.match(error[0].text) if error else None
    name = named["function"] if named else None
    culprit = next((f for f in death.frames if f.symbol == name), None) if name else None
    if culprit is None and name:
        culprit = Frame(0, name, 0, None, "task", True)
    what = f": {error[0].text.strip()}" if error else f": {death.panic_message}"
    disks = failed_disks(death)
    evidence += [piece for one in disks for piece in one.evidence[:1]]
    before = f" Before that {disks[0].text}." if disks else ""
    first = "The disk failed first: look at it, its cable, its path, its host." if disks else ""
    return death.verdict(
        "storage",
        "filesystem-error",
        "File system damaged, and that is set to be fatal",
        f"A file system found an error and is mounted to panic then{what.rstrip('.')}.{before}",
        "certain",
        evidence,
        (
            *filter(None, [first]),
            "Check the file system offline, and read what the log says of its disk before the error.",
            "errors=panic is a mount option or a setting in the superblock.",
        ),
        culprit=culprit,
    )
