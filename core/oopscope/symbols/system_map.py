"""System.map: the symbols of a kernel as nm(1) listed them when it was built, a line each: address, type, name."""

import re

from oopscope.lazy_re import lazy_re
from oopscope.symbols.named import Named

MAX_BYTES = 64 << 20
_LINE = lazy_re(r"^([0-9a-f]{8,16}) ([A-Za-z?]) (\S+)$", re.M)


def read(text: str, what: str) -> Named:
    """Read a System.map's text; the table is empty where it holds no such lines."""
    return Named(what, ((name, int(at, 16)) for at, _kind, name in _LINE.findall(text)))
