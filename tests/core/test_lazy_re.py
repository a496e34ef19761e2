"""Lazy patterns are the compiled ones, later: nothing of a table is compiled before it is used."""

import re
import subprocess
import sys

import pytest

from oopscope.lazy_re import compiled, lazy_re

IMPORTS = """
import re, re._compiler as c
found, compile = [], c.compile
def seen(p, flags=0):
    found.append(p); return compile(p, flags)
c.compile = seen
import oopscope.klog.parse, oopscope.klog.end, oopscope.kernel.functions, oopscope.triage.death
from oopscope.klog.detail import WHO
before = set(found)
assert WHO.match("CPU: 3 PID: 12 Comm: bash Not tainted 6.1.0 #1")["comm"] == "bash"
has = ("Comm: " in str(sorted(map(str, before))), "panic" in str(before), "Comm: " in str(found))
print(*has)
"""


def test_a_table_of_patterns_is_compiled_when_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


@pytest.mark.parametrize("text", ["panic: dead", "a panic: b", ""])
def test_a_lazy_pattern_answers_as_a_compiled_one(text: str) -> None:
    lazy, real = lazy_re(r"PANIC: (?P<why>\w+)", re.IGNORECASE), re.compile(r"PANIC: (?P<why>\w+)", re.IGNORECASE)
    for method in ("match", "search", "fullmatch"):
        assert str(getattr(lazy, method)(text)) == str(getattr(real, method)(text))
    assert [m["why"] for m in lazy.finditer(text)] == [m["why"] for m in real.finditer(text)]
    assert lazy.sub("x", text) == real.sub("x", text)
    assert lazy.groupindex == real.groupindex


def test_bytes_and_what_a_pattern_has_not() -> None:
    assert lazy_re(rb"\0a").search(b"\0a") is not None
    with pytest.raises(AttributeError):
        lazy_re("a").nothing  # type: ignore[attr-defined]  # noqa: B018


def test_a_bad_pattern_says_so_at_its_first_use() -> None:
    with pytest.raises(re.error):
        lazy_re("(").match("x")


def test_a_pattern_or_its_text() -> None:
    lazy = lazy_re("a")
    assert compiled(lazy) is lazy
    assert compiled("a").match("a")
