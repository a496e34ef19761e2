"""Which lines of a log begin a trouble."""

import pytest

from oopscope.klog.trouble import first_trouble, is_report, trouble_in


class Row:
    def __init__(self, text: str) -> None:
        self.text = text


@pytest.mark.parametrize(("text", "report", "trouble"), [
    ("BUG: kernel NULL pointer dereference, address: 0000000000000028", True, True),
    ("Oops: 0000 [#1] PREEMPT SMP NOPTI", True, True),
    ("CR2: 0000000000000028", False, False),  # the last line of that oops, no trouble of its own
    ("WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2", True, False),
    ("sysrq: Trigger a crash", True, True),
    ("sysrq: Show Blocked State", False, False),
    ("eth0: link up", False, False),
])  # fmt: skip
def test_what_begins_with_a_line(text: str, report: bool, trouble: bool) -> None:
    assert (is_report(text), trouble_in(text)) == (report, trouble)


def test_the_first_trouble_is_no_line_that_ends_one() -> None:
    rows = [Row("CR2: 0000000000000028"), Row("fine"), Row("Oops: 0000 [#1] SMP")]
    assert first_trouble(rows) == 2
