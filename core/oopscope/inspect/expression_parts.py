"""What an expression is made of: its signs and names one after another, and the kinds of value that it may come to."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.structs.view import View

LONGEST = 400  # characters
TOKEN = lazy_re(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_][\w.]*?(?=\.[A-Za-z_]|\W|$)(?::\d+)?"
    r'|"[^"]*"|->|<<|>>|&&|\|\||[=!<>]=|[-+*/%&|^~!<>().,\[\]{}])'
)
BINARY: dict[str, tuple[int, Callable[[int, int], int]]] = {
    "||": (1, lambda a, b: int(bool(a or b))), "&&": (2, lambda a, b: int(bool(a and b))),
    "|": (3, lambda a, b: a | b), "^": (4, lambda a, b: a ^ b), "&": (5, lambda a, b: a & b),
    "==": (6, lambda a, b: int(a == b)), "!=": (6, lambda a, b: int(a != b)),
    "<": (7, lambda a, b: int(a < b)), "<=": (7, lambda a, b: int(a <= b)),
    ">": (7, lambda a, b: int(a > b)), ">=": (7, lambda a, b: int(a >= b)),
    "<<": (8, lambda a, b: a << min(b, 64) if b >= 0 else a), ">>": (8, lambda a, b: a >> min(b, 64) if b >= 0 else a),
    "+": (9, lambda a, b: a + b), "-": (9, lambda a, b: a - b), "*": (10, lambda a, b: a * b),
    "/": (10, lambda a, b: _divided(a, b)[0]), "%": (10, lambda a, b: _divided(a, b)[1]),
}  # fmt: skip


# C's own types, with their bytes; those below zero are signed.
BASIC = {
    "char": 1, "unsigned char": 1, "signed char": -1, "bool": 1, "_Bool": 1, "u8": 1, "s8": -1, "short": -2,
    "unsigned short": 2, "u16": 2, "s16": -2, "int": -4, "unsigned int": 4, "unsigned": 4, "u32": 4, "s32": -4,
    "long": -8, "unsigned long": 8, "long long": -8, "unsigned long long": 8, "u64": 8, "s64": -8, "size_t": 8,
    "uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8, "ulong": 8, "uint": 4, "void": 8,
}  # fmt: skip
BASIC_WORDS = {word for name in BASIC for word in name.split()}


def _divided(a: int, b: int) -> tuple[int, int]:
    if not b:
        raise ExpressionError("division by zero")
    return divmod(a, b)


class Pointer(NamedTuple):
    """An address, and the struct that lies there, where that is known."""

    address: int
    type: str | None = None


class Word(NamedTuple):
    """What was read of a variable whose type nobody knows: a guess."""

    value: int
    address: int


class Unread(NamedTuple):
    """One of several things that cannot be read."""

    why: str


class Several(NamedTuple):
    """What a list or a tree holds, or a member of each of those; `why` where the walk ended early."""

    values: "tuple[Value, ...]"
    why: str = ""


class Members(NamedTuple):
    """Some members of a struct, `{pid, comm}`."""

    names: tuple[str, ...]
    values: "tuple[Value, ...]"
    address: int | None  # of the struct


Value = int | Pointer | Word | View | bytes | tuple[int, ...] | Several | Unread | Members
Names = Mapping[str, Value]


class ExpressionError(OopscopeError):
    """What was typed is no expression; the message says where."""


def tokens(text: str) -> tuple[str, ...]:
    """Take an expression apart; an ExpressionError for what is none."""
    if len(text) > LONGEST:
        raise ExpressionError(f"too long: at most {LONGEST} characters")
    return tuple(_tokens(text))


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"{text[at : at + 12].strip()!r} is no part of an expression")
        yield match[1]
        at = match.end()


def text_of(value: bytes) -> bytes:
    """Return the text in a char array, up to its NUL."""
    return value.partition(b"\0")[0]


def place_of(value: Value) -> int:
    """Return where a thing lies: of a variable of unknown type where it is, not what it holds."""
    if isinstance(value, View) and value.address is not None:
        return value.address
    return value.address if isinstance(value, Word) else number_of(value)


def number_of(value: Value) -> int:
    """Return a value as a number; an ExpressionError where it is none."""
    if isinstance(value, int):
        return value
    if isinstance(value, Pointer):
        return value.address
    if isinstance(value, Word):
        return value.value
    if isinstance(value, Several):
        raise ExpressionError("several things are no number: [0] is the first, count(...) how many there are")
    raise ExpressionError("a struct or an array is no number: name a member of it")
