"""The log: from one error or oops to the next."""

from typing import Any

import pytest

from oopscope.klog.trouble import Troubles
from oopscope_tui.panes.log.survey import Survey
from oopscope_tui.places import Place
from stored import DUMPS
from tui.driving import LARGE, enter, lines, press, running, text
from tui.fake import Fake, Record, log

OOPS = [
    (1, "BUG: kernel NULL pointer dereference, address: 0000000000000018"),
    (1, "#PF: supervisor read access in kernel mode"),
    (4, "Oops: 0000 [#1] PREEMPT SMP NOPTI"),
    (4, "CPU: 1 PID: 241 Comm: insmod"),
    (4, "Call Trace:"),
    (4, " <TASK>"),
    (4, " lab_init+0x30/0x40 [labcrash]"),
    (4, "---[ end trace 0000000000000000 ]---"),
]
HUNG = [(3, "INFO: task lab-teller:238 blocked for more than 8 seconds."), (6, "Call Trace:"), (6, " schedule+0x5a")]
FINE = [(6, "eth0: link up"), (6, "random: crng init done")]


def records(*parts: Any, step: int = 1_000_000) -> Any:
    pairs = [pair for part in parts for pair in part]
    return [Record(at, at * step, level, 0, None, words) for at, (level, words) in enumerate(pairs)]


def starts(rows: Any) -> Any:
    troubles = Troubles()
    for at in range(len(rows)):
        troubles.take(rows, at, at + 1)
    return troubles.starts


def test_a_block_counts_once() -> None:
    assert starts(records(FINE, OOPS, FINE)) == [2]
    assert starts(records(FINE, HUNG, HUNG, FINE)) == [2, 5]
    assert starts(records(OOPS, FINE, OOPS)) == [0, 10]
    assert starts(records(FINE, [(4, "Call Trace:"), (4, " a+0x1"), (4, "Call Trace:")])) == [2]


def test_errors_count_where_no_block_is_open() -> None:
    error = [(3, "usb 1-1: device not accepting address 2, error -71")]
    assert starts(records(error, error, FINE, error)) == [0, 4]
    assert starts(records(HUNG, error, step=1_000_000_000)) == [0, 1, 3]  # each after a pause
    assert starts(records([(4, "WARNING: CPU: 0 PID: 1 at a.c:1 b+0x1")], error)) == [0]
    assert starts(records(FINE)) == starts([]) == []
    assert starts(records([(4, "watchdog: BUG: soft lockup - CPU#1 stuck for 11s!")])) == [0]


def test_rows_without_level_time_or_text() -> None:
    assert starts([Record(0, None, None, 0, None, None), Record(1, None, None, 0, None, "Oops: 0000")]) == [1]


def test_rows_that_come_later_are_looked_at() -> None:
    rows = records(FINE, OOPS)
    troubles = Troubles()
    survey = Survey(rows, [troubles])
    assert not survey.work()
    rows.extend(record._replace(index=len(rows) + at) for at, record in enumerate(records(FINE, OOPS)))
    assert survey.behind
    assert not survey.work()
    assert troubles.starts == [2, 12]


def test_a_survey_stops_when_its_time_is_up() -> None:
    rows = records(FINE * 2000)
    survey = Survey(rows, [Troubles()])
    assert survey.work(0.0)
    assert 0 < survey.seen < len(rows)
    while survey.work():
        pass
    assert survey.seen == len(rows)


@pytest.mark.parametrize(
    ("name", "first"),
    [("6.1-deadlock", ["INFO: task lab-teller-ab", "INFO: task lab-teller-ba"]),
     ("6.1-null", ["BUG: kernel NULL"]), ("6.12-overflow", ["BUG: TASK stack guard page"])],
)  # fmt: skip
def test_logs_of_real_machines(name: str, first: list[str]) -> None:
    path = DUMPS / f"{name}.dmesg.txt"
    rows = []
    for at, words in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        stamp, _, rest = words.partition("] ")
        rest = rest.lstrip().removeprefix("[").partition("] ")[2] if rest.lstrip().startswith("[ ") else rest
        try:
            ns = int(float(stamp.strip("[ ")) * 1_000_000_000)
        except ValueError:
            ns = None
        rows.append(Record(at, ns, 6, 0, None, rest.strip()))
    found = [rows[at].text for at in starts(rows)]
    for words in first:
        assert sum(text.startswith(words) for text in found) == 1
    assert "Call Trace:" not in found
    assert not any(text.startswith("Oops") for text in found)


def many() -> Any:
    return records(FINE, HUNG, FINE, OOPS, FINE * 40, [(3, "ext4: a [red]bad[/red] block")], FINE, step=20_000_000)


async def test_brackets_go_from_error_to_error() -> None:
    async with running(Fake(rows={"log": many}, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "g", "right_square_bracket")
        assert app.pane.main.row.text.startswith("INFO: task")
        assert "error 1 of 3" in lines(app)[-2]
        await press(app, pilot, "right_square_bracket")
        assert app.pane.main.row.text.startswith("BUG:")
        await press(app, pilot, "right_square_bracket")
        assert app.pane.main.row.text.startswith("ext4")
        assert "a [red]bad[/red] block" in text(app)
        await press(app, pilot, "right_square_bracket")
        assert app.pane.main.row.text.startswith("ext4")
        assert "no error after this" in lines(app)[-2]
        await press(app, pilot, "k", "k", "left_square_bracket", "left_square_bracket")
        assert app.pane.main.row.text.startswith("INFO: task")
        await press(app, pilot, "left_square_bracket")
        assert "no error before this" in lines(app)[-2]


async def test_a_filter_hides_errors_from_the_brackets_too() -> None:
    async with running(Fake(rows={"log": many}, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "5")
        await enter(app, pilot, "f", "-BUG")
        await press(app, pilot, "g", "right_square_bracket", "right_square_bracket")
        assert app.pane.main.row.text.startswith("ext4")


async def test_a_link_to_a_record_whose_level_is_hidden_shows_all_levels() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "l", "l")
        assert len(app.pane.main.view) == 2
        await app.go(Place("log", 7))
        await press(app, pilot)
        assert app.pane.main.row.index == 7
        assert len(app.pane.main.view) == 60
        assert "errors and worse" not in text(app)


async def test_the_keys_are_said() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "5")
        assert "] [ errors" in lines(app)[-1]
    async with running(Fake(rows={"log": lambda: log(0)}), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "right_square_bracket", "left_square_bracket", "question_mark")
        assert "to the next error or oops" in text(app)
        assert "to the previous one" in text(app)
