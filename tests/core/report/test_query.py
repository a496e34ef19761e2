"""Searches and filters, as they are typed."""

from typing import NamedTuple

import pytest

from oopscope.report.query import Field, QueryError, amount, parse_filter, search_pattern


class Row(NamedTuple):
    pid: int
    comm: str
    state: str
    rss_bytes: int | None
    since_last_run_seconds: float | None


ROWS = [
    Row(1, "init", "S", 4 << 20, 1.0),
    Row(241, "insmod", "D", 120 << 20, 400.0),
    Row(7, "kworker/0:1", "I", None, None),
    Row(8, "Xorg", "R", 300 << 20, 0.0),
]
FIELDS = [
    Field("pid", "PID", "int", lambda row: row.pid),
    Field("comm", "Command", "text", lambda row: row.comm),
    Field("state", "S", "state", lambda row: row.state),
    Field("rss_bytes", "RSS", "bytes", lambda row: row.rss_bytes),
    Field("since_last_run_seconds", "Last ran", "seconds", lambda row: row.since_last_run_seconds),
]


def found(text: str) -> list[int]:
    test = parse_filter(text, FIELDS, lambda row: f"{row.pid}  {row.comm}  {row.state}")
    return [row.pid for row in ROWS if test is None or test(row)]


@pytest.mark.parametrize(
    ("text", "pids"),
    [
        ("", [1, 241, 7, 8]),
        ("   ", [1, 241, 7, 8]),
        ("ins", [241]),
        ("xorg", [8]),
        ("Xorg", [8]),
        ("INSMOD", []),
        ("-kworker", [1, 241, 8]),
        ("!kworker", [1, 241, 8]),
        ("state:D", [241]),
        ("state:d,r", [241, 8]),
        ("state!=S", [241, 7, 8]),
        ("rss>100M", [241, 8]),
        ("rss>=120MiB", [241, 8]),
        ("rss<100m", [1]),
        ("comm~^k", [7]),
        ("comm!~^k", [1, 241, 8]),
        ("rss~.", [1, 241, 8]),
        ("rss!~.", [7]),
        ("comm:work", [7]),
        ("comm=init", [1]),
        ("pid:241", [241]),
        ("pid=0xf1", [241]),
        ("last>5m", [241]),
        ("Command:init", [1]),
        ("state:D rss>100M", [241]),
        ("state:D init", []),
        ("nosuch:thing", []),
        ('"1  init"', [1]),
        ('"rsss>100M"', []),
        ("ins->mod", []),
        ('"unclosed', []),
        ("-", []),
        ("(pid < 10)", [1, 7, 8]),
        ("(rss > 100*1024*1024 && pid != 8)", [241]),
        ("-(pid < 10)", [241]),
        ('(state == "D") ins', [241]),
        ("(rss / pid > 1<<20)", [1, 8]),
        ("(sd-pam)", []),
    ],
)
def test_filters(text: str, pids: list[int]) -> None:
    assert found(text) == pids


NONSENSE = (
    "rss>lots", "comm~(", "pid<", "last>5parsecs", "rsss>100M", "state>3", "(nosuch > 1)", "(pid >)",
    "(pid > task(1).pid)",
)  # fmt: skip


@pytest.mark.parametrize("text", NONSENSE)
def test_what_cannot_be_understood_says_so(text: str) -> None:
    with pytest.raises(QueryError):
        found(text)


def test_smart_case_and_literal_fallback() -> None:
    assert search_pattern("") is None
    assert search_pattern("bug").search("BUG: x")
    assert not search_pattern("BUG").search("bug: x")
    assert search_pattern(r"\Wx").search("BUG X")
    assert search_pattern("[mem").search("at [mem 0x1]")


def test_amounts() -> None:
    assert amount("bytes", "1.5k") == 1536
    assert amount("seconds", "90ms") == 0.09
    assert amount("int", "0x10") == 16
    assert amount("int", "ten") is None
