"""Logs that lost something on their way: a cut weakens a verdict and never makes another cause certain; two lines that
were exchanged, and lines without times among those that have them, change nothing."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict

LOGS = Path(__file__).parents[2] / "logs"
RANK = {"possible": 0, "likely": 1, "certain": 2}
# Each log with twentieths at which it is cut: + keeps its beginning, - loses it.
CUTS = {
    "03_hyperv_49_null.txt": (17,),
    "04_hp_hpwdt_iock.txt": (5, 13),
    "08_zfs_double_free.txt": (13, -2),
    "09_kfree_bad_pointer.txt": (2, -2),
    "28_aer_ghes_fatal.txt": (-8,),
    "30_aiee.txt": (11,),
    "35_falcon_pf.txt": (18,),
    "45_btrfs_bug.txt": (7, 16, -7),
    "49_sbd_fencing.txt": (5,),
    "51_i386_oops.txt": (5,),
    "57_retpoline_gpf.txt": (10,),
}


def judged(tmp_path: Path, text: bytes) -> Verdict:
    """Judge a log of these words."""
    path = tmp_path / "dmesg.txt"
    path.write_bytes(text)
    return verdict(open_kernel([path]))


@pytest.mark.parametrize(("name", "at"), [(name, at) for name, cuts in CUTS.items() for at in cuts])
def test_a_cut_log_makes_no_other_cause_certain(name: str, at: int, tmp_path: Path) -> None:
    raw = (LOGS / name).read_bytes()
    whole = verdict(open_kernel([LOGS / name]))
    part = raw[: len(raw) * at // 20] if at > 0 else raw[len(raw) * -at // 20 :]
    found = judged(tmp_path, part)
    if found.cause == whole.cause:
        assert RANK[found.confidence] <= RANK[whole.confidence]
    else:
        assert found.confidence != "certain"
        assert found.cause != "kernel-warning"


def test_neighbours_that_were_exchanged(tmp_path: Path) -> None:
    whole = verdict(open_kernel([LOGS / "45_btrfs_bug.txt"]))
    lines = (LOGS / "45_btrfs_bug.txt").read_bytes().splitlines()
    for at in range(1, len(lines) - 1, 5):
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    found = judged(tmp_path, b"\n".join(lines) + b"\n")
    assert (found.cause, found.symbol) == (whole.cause, whole.symbol)


def test_a_line_without_the_kernels_time_is_of_its_report(tmp_path: Path) -> None:
    lines = (LOGS / "04_hp_hpwdt_iock.txt").read_bytes().splitlines()
    text = b"\n".join(b"Nov 30 02:00:%02d host kernel: %s" % (at, line) for at, line in enumerate(lines))
    assert judged(tmp_path, text).cause == "nmi-io-check"


def test_an_oops_that_does_not_say_where_it_stood_is_not_certain(tmp_path: Path) -> None:
    lines = (LOGS / "30_aiee.txt").read_bytes().splitlines()
    assert judged(tmp_path, b"\n".join(line for line in lines if b"RIP: " not in line)).confidence == "likely"


def test_lines_that_two_consoles_wrote(tmp_path: Path) -> None:
    whole = verdict(open_kernel([LOGS / "45_btrfs_bug.txt"]))
    lines = (LOGS / "45_btrfs_bug.txt").read_bytes().splitlines()
    found = judged(tmp_path, b"".join(line + b"\n" + line + b"\n" for line in lines))
    assert (found.cause, found.symbol) == (whole.cause, whole.symbol)
