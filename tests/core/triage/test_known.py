"""Known bugs: which entries fit, which files are refused and how, and where a match is shown."""

import json
from pathlib import Path

import pytest

from cases import DUMPS
from core.cli.runner import oopscope_run
from oopscope.triage.finding import Bug, Verdict
from oopscope.triage.known import Bugs, known_bugs, matching, read, release_of

VERDICT = Verdict(
    "software", "null-pointer-dereference", "NULL", "x", "certain", symbol="lab_read.isra.0+0x5", module="lab_crash",
    signature="null-pointer-dereference:lab_read:0123",
)  # fmt: skip


@pytest.mark.parametrize(
    "fields, fits",
    [
        ({"signature": "null-pointer-dereference:lab_read:0123"}, True),
        ({"signature": "null-pointer-dereference:lab_read:9999"}, False),
        ({"cause": "null-pointer-dereference"}, True),
        ({"cause": "kernel-bug"}, False),
        ({"symbol": "lab_read"}, True),
        ({"symbol": "lab_*"}, True),
        ({"symbol": "lab"}, False),
        ({"module": "lab-crash"}, True),
        ({"module": "zfs"}, False),
        ({"symbol": "lab_read", "since": "6.1", "before": "6.1.50"}, True),
        ({"symbol": "lab_read", "before": "6.1.20"}, False),
        ({"symbol": "lab_read", "since": "6.2"}, False),
        ({"symbol": "lab_read", "module": "zfs"}, False),
    ],
)
def test_an_entry_fits_by_all_that_it_names(fields: dict[str, str], fits: bool) -> None:
    found = matching(Bugs((Bug("mended", **fields),), ()), VERDICT, "6.1.20-3-amd64")
    assert [bug.text for bug in found] == ["mended"] * fits


def test_a_release_that_is_not_known_lies_in_no_range() -> None:
    bugs = Bugs((Bug("t", symbol="lab_read", since="1.0"),), ())
    assert matching(bugs, VERDICT, None) == ()


def test_releases_are_numbers() -> None:
    assert release_of("6.1.176-1-amd64") == (6, 1, 176, 1)
    assert release_of("6.10") > release_of("6.9.99")
    assert release_of("nightly") == ()


@pytest.mark.parametrize(
    "text, said",
    [
        ("[[bug]]\ntext = 'x'\n", "it would fit every dump"),
        ("[[bug]]\ncause = 'x'\n", "no text"),
        ("[[bug]]\ntext = 'x'\ncause = 1\n", "every field has to be a string"),
        ("[[bug]]\ntext = 'x'\ncause = 'y'\ncolour = 'red'\n", "no field colour"),
        ("[[bug]]\ntext = 'x'\ncause = 'y'\nsince = 'new'\n", "since has to be a release"),
        ("bug = 3\n", "array of tables"),
        ("[[bug\n", "not TOML"),
    ],
)
def test_what_is_wrong_costs_a_line_and_the_rest_counts(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    assert [said in line for line in read(path).problems] == [True]
    if "[[bug]]" in text:
        path.write_text(text + "[[bug]]\ntext = 'good'\ncause = 'y'\n")
        assert [bug.text for bug in read(path).bugs] == ["good"]


def test_no_file_is_one_line_and_no_option_is_nothing(tmp_path: Path) -> None:
    assert known_bugs({}) == Bugs((), ())
    assert len(known_bugs({"OOPSCOPE_KNOWN": str(tmp_path / "none")}).problems) == 1


def test_a_match_is_in_the_report_in_triage_and_for_people(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(
        "[[bug]]\nsymbol = 'lab_read_balance'\nmodule = 'labcrash'\ntext = 'a <b>lab</b> bug'\n"
        "link = 'https://example.org/1'\nfixed_in = '6.1.200'\n[[bug]]\ntext = 'other'\ncause = 'kernel-bug'\n"
    )
    dump = DUMPS / "6.1-null.kdump"
    wanted = [{"text": "a <b>lab</b> bug", "link": "https://example.org/1", "fixed_in": "6.1.200"}]
    report = oopscope_run("report", dump, "--known", path, "--format", "json", "--sections", "verdict")
    assert json.loads(report.stdout)["known"] == wanted
    assert json.loads(oopscope_run("triage", dump, "--known", path).stdout)["known"] == wanted
    said = oopscope_run("report", dump, "--known", path, "--sections", "verdict").stdout.decode()
    assert "Known bugs that match" in said
    assert "fixed in 6.1.200" in said
    page = oopscope_run("report", dump, "--known", path, "--sections", "verdict", "--format", "html").stdout.decode()
    assert "a &lt;b&gt;lab&lt;/b&gt; bug" in page
    assert "Known bugs" not in oopscope_run("report", dump, "--sections", "verdict").stdout.decode()
