"""The words of an oops of all machines together, from the tables of machine/NAME/wordings: a log may be of any.

What all machines print alike (kernel/panic.c, lib/bug.c, lib/dump_stack.c) stands with what is made of it.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from oopscope.lazy_re import lazy_re
from oopscope.machine import all_wordings
from oopscope.machine.common.wordings import Wordings

T = TypeVar("T")
_TABLES = all_wordings()


def _all(of: Callable[[Wordings], Iterable[T]]) -> tuple[T, ...]:
    """Return a part of all machines' words, each once, in their order."""
    return tuple(dict.fromkeys(one for table in _TABLES for one in of(table)))


def either(patterns: Iterable[str]) -> str:
    """Return a pattern that any of some fits."""
    return f"(?:{'|'.join(patterns)})"


FIRSTS = _all(lambda table: table.firsts)
HEADLESS = _all(lambda table: table.headless)
DIES = _all(lambda table: table.dies)
DIED = _all(lambda table: table.died)
LINKS = _all(lambda table: table.links)
ASIDE = _all(lambda table: table.aside)
IN_USER = _all(lambda table: table.in_user)
FATAL = _all(lambda table: table.fatal)
BUGS = tuple(bytes.fromhex(code) for code in _all(lambda table: table.bugs))
REGISTERS = _all(lambda table: (table.registers,))
PCS = tuple((pc.words, lazy_re(pc.pattern)) for pc in _all(lambda table: table.pcs))
ROWS = tuple((lazy_re(row.pattern), row.name) for row in _all(lambda table: table.rows))
