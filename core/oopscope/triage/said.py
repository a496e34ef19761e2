"""What the processor itself said of an exception, in words: what an oops gives as a number."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence

if TYPE_CHECKING:
    from oopscope.machine.common.syndromes import Syndrome


@cache
def _syndromes(module: str) -> "tuple[Syndrome, ...]":
    place = f"{module.rpartition('.')[0]}.syndromes"
    found: tuple[Syndrome, ...] = import_module(place).SYNDROMES if find_spec(place) else ()
    return found


def said(death: Death) -> tuple[Evidence, ...]:
    """Return what the oops's own numbers say of its exception; nothing of a machine without such words."""
    oops, told = death.oops, dict[str, Evidence]()
    if oops is None or not death.kernel.machine_known:
        return ()
    for one in _syndromes(death.kernel.arch.module):
        found = death.in_oops(one.pattern)
        words = one.words(int(found[1]["value"], 16)) if found is not None else ""
        if found is not None and words and one.name not in told:
            told[one.name] = death.from_log(found[0], f"{one.name} {found[1]['value']}: {words}")
    return tuple(told.values())
