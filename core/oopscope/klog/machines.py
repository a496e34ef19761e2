"""The words of an oops of all machines together, from the tables of machine/NAME/wordings: a log may be of any.

What all machines print alike (kernel/panic.c, lib/bug.c, lib/dump_stack.c) stands with what is made of it.
"""

import re
from collections.abc import Callable, Iterable

from oopscope.lazy_re import lazy_re
from oopscope.machine import all_wordings
from oopscope.machine.common.wordings import First, Wordings

_TABLES = all_wordings()


def _all(of: Callable[[Wordings], Iterable[str]]) -> tuple[str, ...]:
    """Return the patterns of all machines, each once, in their order."""
    return tuple(dict.fromkeys(pattern for table in _TABLES for pattern in of(table)))


def either(patterns: Iterable[str]) -> str:
    """Return a pattern that any of some fits."""
    return f"(?:{'|'.join(patterns)})"


FIRSTS: tuple[First, ...] = tuple(dict.fromkeys(first for table in _TABLES for first in table.firsts))
HEADLESS: tuple[First, ...] = tuple(dict.fromkeys(first for table in _TABLES for first in table.headless))
DIES = _all(lambda table: table.dies)
DIED = _all(lambda table: table.died)
LINKS = _all(lambda table: table.links)
ASIDE = _all(lambda table: table.aside)
IN_USER = _all(lambda table: table.in_user)
FATAL = _all(lambda table: table.fatal)
BUGS = tuple(bytes.fromhex(code) for code in _all(lambda table: table.bugs))
REGISTERS = _all(lambda table: (table.registers,))
PCS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (pc.words, lazy_re(pc.pattern)) for pc in dict.fromkeys(pc for table in _TABLES for pc in table.pcs)
)
ROWS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (lazy_re(row.pattern), row.name) for table in _TABLES for row in table.rows
)
