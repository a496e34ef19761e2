"""What holds of any input, tried on a few inputs, which are the same in every run."""

from collections.abc import Iterable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

few = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # of a machine that does other things as well
)

# Letters of one byte and of more, wide ones, marks, what a terminal or a page takes for more than text, half a pair.
ANY = (
    "aAbB zZ09_-!:=~<>%()[]{}*+?.,;|&'`\\/#@\"\0\t\n\r\x1b\x7f\x9b"
    "\u00e9\u0301\u200b\u202e\u2028\ufeff\u4e16\U0001f600\udc80"
)


def text(letters: Iterable[str] = ANY, min_size: int = 0, max_size: int = 12) -> st.SearchStrategy[str]:
    """Return texts of some letters; st.text would first reckon with all of Unicode, which takes a second."""
    return st.lists(st.sampled_from(list(letters)), min_size=min_size, max_size=max_size).map("".join)


def _none() -> Constants:
    """Return no constants: by itself it would read the source of every module that is loaded, in each run others."""
    return Constants()


providers._get_local_constants = _none
