"""Searches and filters over rows of any table, as typed after `/` and `f` on the screen.

A search is a regular expression, without case unless it holds a capital (smart case). A filter is words and terms,
all of which must hold: `insmod`, `state:D,R`, `rss>100M`, `comm~^kworker`, `-idle`, `"two words"`. A term's name is
the beginning of a column's key or title; `state:D` is equality, `comm:work` contains, `~` is a regular expression.
A comparison in parentheses is an expression over the columns, `(rss > vsz / 2)`, and with a kernel over it too:
`(task(pid).mm.total_vm > 1000)`.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oopscope.errors import Implausible, OopscopeError, ReadError
from oopscope.lazy_re import lazy_re
from oopscope.report.cells import cell

if TYPE_CHECKING:
    from oopscope.kernel.kernel import Kernel

Test = Callable[[Any], bool]
WORDS = ("symbol", "state", "bool", "frames", "registers")  # kinds that have no order


class QueryError(ValueError):
    """What was typed cannot be understood; the message says where."""


class Field(NamedTuple):
    """A column as the filter sees it."""

    key: str
    title: str
    kind: str
    value: Callable[[Any], Any]


_INNER = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"  # parentheses within each other, three deep
_TERM = lazy_re(
    rf'(?P<not>[-!]?)(?:"(?P<quoted>[^"]*)"?|\((?P<expression>{_INNER}[=<>]{_INNER})\)(?!\S)|(?P<word>\S+))'
)
_COMPARE = lazy_re(r"(?P<key>[A-Za-z_][\w -]*?)(?P<op>!=|!~|<=|>=|:|=|~|<|>)(?P<value>.*)", re.DOTALL)
_SIZE = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIME = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_AMOUNT = lazy_re(r"(-?(?:0x[0-9a-f]+|\d+(?:\.\d+)?))\s*([a-z]*)")


def search_pattern(text: str) -> re.Pattern[str] | None:
    """Compile a search; None for an empty one; what is no regular expression is taken literally."""
    if not text:
        return None
    flags = 0 if any(char.isupper() for char in re.sub(r"\\.", "", text)) else re.IGNORECASE
    try:
        return re.compile(text, flags)
    except re.error:
        return re.compile(re.escape(text), flags)


def parse_filter(
    text: str, fields: Sequence[Field], words: Callable[[Any], str], kernel: "Kernel | None" = None
) -> Test | None:
    """Return the test that a row must pass, `words` giving the text of a whole row; None where nothing is asked."""
    tests: list[Test] = []
    for match in _TERM.finditer(text):
        if match["expression"] is not None:
            test = _expression(match["expression"], fields, kernel)
            tests.append(_not(test) if match["not"] else test)
        else:
            tests.append(_term(match, fields, words))
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _not(test: Test) -> Test:
    return lambda row: not test(row)


def _expression(text: str, fields: Sequence[Field], kernel: "Kernel | None") -> Test:
    """Return the test of an expression over columns; a row in which it has no value does not pass."""
    from oopscope.inspect.expression import ExpressionError, number_of, tokens, value_of  # not before the first paint

    try:
        parts = tokens(text)
        used = {part for part in parts if part[0].isalpha() or part[0] == "_"}
        found = {name: field for name in used if (field := _field(name, fields)) is not None}
        value_of(kernel, parts, dict.fromkeys(found, 1))  # what is wrong with it is said now
    except ExpressionError as error:
        if "is no number" not in str(error) and "division" not in str(error):
            raise QueryError(f"({text[:60]}): {error}") from error
    except OopscopeError as error:
        if not isinstance(error, ReadError | Implausible):
            raise QueryError(f"({text[:60]}): {error}") from error

    def test(row: Any) -> bool:
        values = {name: _operand(field.value(row)) for name, field in found.items()}
        if None in values.values():
            return False
        try:
            return bool(number_of(value_of(kernel, parts, values)))  # type: ignore[arg-type]
        except OopscopeError:
            return False

    return test


def _operand(value: Any) -> int | bytes | None:
    """Return a cell as an expression takes it; None for what is none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return value if isinstance(value, int) else int(value) if isinstance(value, float) else None


def _term(match: re.Match[str], fields: Sequence[Field], words: Callable[[Any], str]) -> Test:
    test: Test | None = None
    word = match["quoted"] if match["quoted"] is not None else match["word"]
    if match["quoted"] is None and (compare := _COMPARE.fullmatch(word)):
        field = _field(compare["key"], fields)
        if field is not None:
            test = _comparison(field, compare["op"], compare["value"])
        elif fields and compare["op"][0] in "<>" and _AMOUNT.fullmatch(compare["value"].lower()):
            known = ", ".join(field.key for field in fields)
            raise QueryError(f"no column {compare['key']}; there are {known}; in quotes it is a text to look for")
    if test is None:
        test = _contains(words, word)
    return _not(test) if match["not"] else test


def _field(name: str, fields: Sequence[Field]) -> Field | None:
    name = name.lower()
    for field in fields:
        if name in (field.key.lower(), field.title.lower()):
            return field
    found = [f for f in fields if f.key.lower().startswith(name) or f.title.lower().startswith(name)]
    return found[0] if found else None


def _contains(words: Callable[[Any], str], word: str) -> Test:
    if any(char.isupper() for char in word):
        return lambda row: word in words(row)
    return lambda row: word in words(row).lower()


def _comparison(field: Field, op: str, text: str) -> Test:
    value = field.value
    if op in ("~", "!~"):
        pattern = _regular(text)
        kind, wanted = field.kind, op == "~"
        return lambda row: (pattern.search(_text(value(row), kind)) is not None) == wanted
    if op in ("<", "<=", ">", ">="):
        return _ordered(field, op, text)
    equal = _equal(field, op, text)
    return equal if op != "!=" else lambda row: not equal(row)


def _text(value: Any, kind: str) -> str:
    """Return what a pattern is held against: a value that is not there has no text, whatever sign stands for it."""
    return "" if value is None or value == "" else cell(value, kind)


def _regular(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, 0 if any(char.isupper() for char in text) else re.IGNORECASE)
    except re.error as error:
        raise QueryError(f"not a regular expression: {text} ({error})") from error


def _ordered(field: Field, op: str, text: str) -> Test:
    if field.kind in WORDS:
        raise QueryError(f"{field.key} is no number: {field.key}:{text or 'word'} looks for a word in it")
    limit = amount(field.kind, text)
    if limit is None:
        raise QueryError(f"{field.key} {op} wants a number, such as 100 or 1.5M, not {text or 'nothing'}")
    value, number = field.value, limit
    compare: dict[str, Callable[[float], bool]] = {
        "<": lambda got: got < number,
        "<=": lambda got: got <= number,
        ">": lambda got: got > number,
        ">=": lambda got: got >= number,
    }
    holds = compare[op]

    def test(row: Any) -> bool:
        got = value(row)
        return isinstance(got, (int, float)) and holds(got)

    return test


def _equal(field: Field, op: str, text: str) -> Test:
    value, kind = field.value, field.kind
    choices = [word.lower() for word in text.split(",")]
    numbers = {number for word in choices if (number := amount(kind, word)) is not None}

    def test(row: Any) -> bool:
        got = value(row)
        if isinstance(got, (int, float)) and not isinstance(got, bool):
            return got in numbers
        shown = cell(got, kind).lower()
        if op == ":" and kind not in ("state", "bool"):
            return any(choice in shown for choice in choices)
        return shown in choices

    return test


def amount(kind: str, text: str) -> float | None:
    """Return a typed number with its unit: 100M of bytes, 5m of seconds; None for what is no number."""
    match = _AMOUNT.fullmatch(text.strip().lower())
    if match is None:
        return None
    digits, unit = match.groups()
    number: float = int(digits, 16) if "x" in digits else float(digits)
    units: dict[str, float] = {**_TIME} if kind == "seconds" else {**_SIZE}
    unit = unit.removesuffix("ib").removesuffix("b") if kind != "seconds" else unit
    return number * units[unit] if unit in units else None
