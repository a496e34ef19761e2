"""A file system found itself damaged, and errors=panic (or its kin) stops the machine then: ext4, XFS, btrfs ...

Of a log without a death it may be what that tells of: the file system gives up, and what stands on it.
"""

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_dying, is_helper
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.findings.of_log import marked
from oopscope.triage.findings.storage import failed_disks

FS = (
    r"(?:EXT[234]-fs|JBD2?|XFS|BTRFS|GFS2|OCFS2|ocfs2|F2FS-fs|REISERFS|JFS|UBIFS|FAT-fs|NILFS|UDF-fs|UFS|HFS|NTFS|"
    r"bcachefs|EROFS)"
)
SAID = lazy_re(rf"{FS}\b.*(?:panic|error|corrupt|fatal)|.*panic forced after error|(?:gfs2|btrfs) panic|{FS} panic")
ERROR = lazy_re(rf"{FS}\b[^:]*(?:error|corruption|critical|fatal)[^:]*: (?:comm \S+: )?(?P<function>\w+)?")
NAMED = lazy_re(rf"{FS} error \(device (?P<device>[^)]+)\)(?: in)?:? (?P<function>[a-z_]\w+)[:]")


END_WORDS = (
    "hut down",
    "hutting down",
    "emounting filesystem",
    "forced readonly",
    "Transaction ab",
    "Aborting journal",
)
GAVE_UP = lazy_re(
    rf"{FS}\b.*(?:[Ss]hut(?:ting)? ?down|[Rr]emounting filesystem read-only|forced readonly|Transaction aborted)|"
    r"Aborting journal on device"
)
# What a file system calls to say what it found.
SAYS = lazy_re(r"xfs_(?:corruption_error|error_report|buf_\w+|verifier_error|force_shutdown|do_force_shutdown)|"
               r"__?ext[234]_(?:error|std_error|abort)\w*|btrfs_(?:handle_fs_error|abort_transaction)\w*")  # fmt: skip


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or where a log without a death ends with such an error."""
    if death.lived and death.cause is not None and death.cause.kind == "filesystem":
        return _damaged(death, death.cause)
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


def _damaged(death: Death, report: Report) -> Verdict:
    """Return the verdict of a file system that found itself damaged, and gave up or went on."""
    line = death.lines[report.row]
    evidence = [death.from_log(line)]
    gave_up = next((row for row, text in marked(death, *END_WORDS) if row >= report.row and GAVE_UP.match(text)), None)
    if gave_up not in (None, report.row):
        evidence.append(death.from_log(death.lines[gave_up]))
    disks = failed_disks(death)
    evidence += [piece for one in disks for piece in one.evidence[:1]]
    frames = [f for f in report.frames if f.reliable and not (f.symbol and SAYS.match(f.symbol))]
    culprit = first_not(frames, is_dying, is_helper)
    end = " It gave up and lets nothing be written any more." if gave_up is not None else ""
    before = f" There {disks[0].text}." if disks else ""
    first = "See whether the disk failed first: look at it, its cable, its path, its host." if disks else ""
    return death.verdict(
        "storage",
        "filesystem-error",
        "File system damaged",
        f"A file system found itself damaged: {line.text.strip().rstrip('.')}.{end}{before}",
        "likely",
        evidence,
        (
            *filter(None, [first]),
            "Check the file system offline (xfs_repair, e2fsck, btrfs check) on a copy or with a backup.",
            "What damaged it came before: memory, the disk, a lost write, or a bug of the file system.",
        ),
        culprit=culprit,
        blame=False,
    )
