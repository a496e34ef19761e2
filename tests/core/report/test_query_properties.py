"""Filters and searches of any text: a row passes or fails, or the text is refused; never anything else."""

from typing import NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from oopscope.report.query import Field, QueryError, Test, parse_filter, search_pattern
from properties import ANY, few, text


class Row(NamedTuple):
    """A row with each kind of value, and with none."""

    pid: int
    comm: str | None
    rss_bytes: int | None
    since_seconds: float | None


KINDS = {"pid": "int", "comm": "text", "rss_bytes": "bytes", "since_seconds": "seconds"}
FIELDS = [Field(key, key.title(), kind, lambda row, key=key: getattr(row, key)) for key, kind in KINDS.items()]  # type: ignore[misc]
ROWS = st.builds(
    Row,
    st.integers(0, 1 << 22),
    st.none() | text(ANY, max_size=16),
    st.none() | st.integers(0, 1 << 40),
    st.none() | st.floats(0, 1e7, allow_nan=False),
)
WORD = text([char for char in ANY if char.isprintable() and char not in ' "'], min_size=1, max_size=6)
TERM = st.one_of(
    WORD,
    st.builds(
        "{}{}{}".format,
        st.sampled_from(list(KINDS)),
        st.sampled_from(["!=", "!~", "<=", ">=", ":", "=", "~", "<", ">"]),
        st.one_of(st.sampled_from(["1", "4k", "1.5M", "0x10", "5m", ".*", "D,R", "(", ""]), WORD),
    ),
)


def words(row: Row) -> str:
    return f"{row.pid} {row.comm} {row.rss_bytes} {row.since_seconds}"


def parsed(text: str) -> Test:
    """The test of a text; one that is refused is no example."""
    try:
        found = parse_filter(text, FIELDS, words)
    except QueryError:
        assume(False)
    return found or (lambda _row: True)


@few
@given(text(ANY) | TERM, ROWS)
def test_any_text_is_a_test_or_is_refused(text: str, row: Row) -> None:
    try:
        found = parse_filter(text, FIELDS, words)
    except QueryError as error:
        assert str(error)
    else:
        assert found is None or found(row) in (True, False)


@few
@given(TERM, ROWS)
def test_not_is_the_contrary(term: str, row: Row) -> None:
    assume(not term.startswith(("-", "!")))
    plain = parsed(term)(row)
    assert parsed(f"-{term}")(row) is parsed(f"!{term}")(row) is (not plain)


@few
@given(st.lists(TERM, min_size=1, max_size=4), ROWS)
def test_all_terms_must_hold(terms: list[str], row: Row) -> None:
    assert parsed(" ".join(terms))(row) is all(parsed(term)(row) for term in terms)


@few
@given(text(ANY.replace('"', ""), min_size=1, max_size=8), ROWS)
def test_what_is_quoted_is_looked_for_as_it_stands(text: str, row: Row) -> None:
    shown = words(row) if any(char.isupper() for char in text) else words(row).lower()
    assert parsed(f'"{text}"')(row) is (text in shown)


@few
@given(st.integers(0, 1 << 40), ROWS)
def test_less_equal_and_more_are_three(limit: int, row: Row) -> None:
    outcomes = [parsed(f"rss_bytes{op}{limit}")(row) for op in ("<", "=", ">")]
    assert outcomes.count(True) == (row.rss_bytes is not None)


@few
@given(text(ANY, min_size=1), text(ANY))
def test_any_search_finds_itself_or_is_a_pattern(text: str, where: str) -> None:
    pattern = search_pattern(text)
    assert pattern is not None
    pattern.search(where)
    if text.isalnum():
        assert pattern.search(where + text)
