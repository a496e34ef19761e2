"""A log's lines, looked through for words."""

from dataclasses import dataclass

from oopscope.klog.parse import Lines


@dataclass
class Entry:
    """A record, of one line or several."""

    text: str


LINES = Lines([Entry("a word"), Entry("more\na word, and a word\n"), Entry(""), Entry("the last of all")])


def test_lines_that_hold_one_of_some_words() -> None:
    assert LINES.holding(("word",)) == [0, 2]
    assert LINES.holding(("word", "last", "more")) == [0, 1, 2, 4]
    assert LINES.holding(("word",), first=1) == [2]
    assert LINES.holding(("last",), first=len(LINES)) == LINES.holding(("none",)) == LINES.holding(()) == []


def test_no_word_is_found_across_two_lines() -> None:
    assert LINES.holding(("wordmore",)) == []


def test_an_empty_log_holds_nothing() -> None:
    assert Lines([]).holding(("word",)) == []
