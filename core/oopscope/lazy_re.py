"""Regular expressions that are compiled at their first use: of some three hundred, a report needs a few dozen.

Compiling one costs 0.1 to 8 ms, which is most of what importing a table of them costs. It knows nothing of the kernel.
"""

import re
from typing import Any, AnyStr, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split", "pattern", "groupindex")


class _LazyPattern:
    """Stands for a pattern; its first use replaces its attributes by the compiled one's: later ones cost nothing."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy_re(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what stands for re.compile(text, flags): all methods of a pattern, but it is no argument for re's own."""
    return cast("re.Pattern[AnyStr]", _LazyPattern(text, flags))


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Return a pattern that may be given as its text; what is compiled already, or lazy, as it is."""
    return re.compile(pattern) if isinstance(pattern, str) else pattern
